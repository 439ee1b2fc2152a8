import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Skeleton, Space, Tag, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { useMe } from '../../shell/me'
import { ProblemAlert } from '../../shell/problems'
import { instant } from '../../shell/times'
import { useCaseTexts } from './texts'

/** The connected systems; IT asks each whether it works. */
export function Systems() {
  const t = useCaseTexts()
  const it = useMe().data?.role === 'it_ops'
  const systems = useQuery({ queryKey: ['systems'], queryFn: () => ok(api.GET('/api/v1/systems')) })
  return (
    <Card data-tour="systems" size="small" title={<h2 className="card-title">{t('systems')}</h2>}>
      {systems.isPending && <Skeleton active paragraph={{ rows: 2 }} title={false} />}
      <ProblemAlert error={systems.error} retry={() => void systems.refetch()} />
      {systems.data?.items.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noSystems')} />}
      <Flex vertical gap={12}>
        {systems.data?.items.map((s) => (
          <System key={s.name} of={s} checks={it} />
        ))}
        {it && <Typography.Text type="secondary">{t('checkHint')}</Typography.Text>}
      </Flex>
    </Card>
  )
}

function System({ of, checks }: { of: Schemas['System']; checks: boolean }) {
  const t = useCaseTexts()
  const check = useMutation({ mutationFn: () => ok(api.POST('/api/v1/systems/{name}/check', { params: { path: { name: of.name } } })) })
  const health = check.data
  return (
    <div>
      <Flex justify="space-between" align="center" gap={8}>
        <Typography.Text strong>{of.system_text}</Typography.Text>
        {checks && (
          <Button size="small" autoInsertSpace={false} loading={check.isPending} onClick={() => check.mutate()} aria-label={t('checkOf', { system: of.system_text })}>
            {t('check')}
          </Button>
        )}
      </Flex>
      <div aria-live="polite">
        {health && (
          <Space wrap size={6} style={{ marginTop: 4 }}>
            <Tag color={health.healthy ? 'green' : 'red'}>{health.healthy ? t('healthy', { ms: health.ms }) : t('unhealthy')}</Tag>
            {health.code_text && <span>{health.code_text}</span>}
            <Typography.Text type="secondary">{t('checked', { when: instant(health.checked_at) })}</Typography.Text>
          </Space>
        )}
        <ProblemAlert error={check.error} />
      </div>
    </div>
  )
}
