import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Flex, Modal, Typography } from 'antd'

import { api, ok } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { useApprovalTexts } from './texts'

/** The half of an enrolment code that who asked and who approved collect, each once. */
export function HalfOfCode({ user }: { user: string }) {
  const t = useApprovalTexts()
  const collect = useMutation({ mutationFn: () => ok(api.POST('/api/v1/users/{id}/enrolment-code', { params: { path: { id: user } } })), gcTime: 0 })
  return (
    <Flex vertical gap={8} align="start">
      <Typography.Text type="secondary">{t('halfHint')}</Typography.Text>
      <Button loading={collect.isPending} onClick={() => collect.mutate()}>
        {t('half')}
      </Button>
      <ProblemAlert error={collect.error} />
      <Modal
        open={!!collect.data}
        title={t('halfTitle')}
        closable={false}
        keyboard={false}
        mask={{ closable: false }}
        destroyOnHidden
        footer={<Button type="primary" onClick={() => collect.reset()}>{t('halfDone')}</Button>}
      >
        <Typography.Paragraph code style={{ fontSize: 20, overflowWrap: 'anywhere' }}>{collect.data?.code}</Typography.Paragraph>
        <Alert type="warning" showIcon title={t('halfGive')} />
      </Modal>
    </Flex>
  )
}
