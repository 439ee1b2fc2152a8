import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Descriptions, Empty, Flex, Form, Input, Modal, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'

import { api, ok } from '../../api/client'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { ProblemAlert } from '../../shell/problems'
import { usePages } from '../../shell/pages'
import { useShellTexts } from '../../shell/texts'
import { instant, When } from '../../shell/times'
import { useTexts } from './texts'

/** Who looked at the own sensitive data, and the objection to it. */
export function Looks({ id }: { id: string }) {
  const t = useTexts()
  const shell = useShellTexts()
  const [objecting, setObjecting] = useState<string>()
  const looks = usePages(['looks', id], (cursor) => ok(api.GET('/api/v1/employees/{id}/disclosures', { params: { path: { id }, query: { cursor } } })))
  if (looks.isPending) return <Skeleton active />
  if (looks.error) return <ProblemAlert error={looks.error} retry={() => void looks.refetch()} />
  return (
    <Flex vertical gap={12}>
      <Typography.Text>{t('looksHint')}</Typography.Text>
      {looks.rows.length === 0 && <Empty description={t('noLooks')} />}
      {looks.rows.map((look) => (
        <Card key={look.id} size="small" title={<When at={look.asked_at} />} extra={<Tag>{look.state_text}</Tag>}>
          <Descriptions
            column={{ xs: 1, md: 3 }}
            size="small"
            items={[
              { key: 'd', label: t('department'), children: look.department },
              { key: 'p', label: t('purpose'), children: look.purpose_text },
              { key: 'f', label: t('fields'), children: listed(look.fields_text) || '—' },
              ...(look.answer ? [{ key: 'a', label: t('answered'), children: look.answer }] : []),
            ]}
          />
          {look.objected_at && look.answer_due_at && !look.answered_at && <Typography.Text>{t('objected', { date: instant(look.answer_due_at) })}</Typography.Text>}
          {!look.objected_at && (
            <Button size="small" onClick={() => setObjecting(look.id)}>
              {t('object')}
            </Button>
          )}
        </Card>
      ))}
      {looks.hasNextPage && (
        <Button onClick={() => void looks.fetchNextPage()} loading={looks.isFetchingNextPage}>
          {shell('more')}
        </Button>
      )}
      <Objection id={objecting} close={() => setObjecting(undefined)} />
    </Flex>
  )
}

function Objection({ id, close }: { id?: string; close: () => void }) {
  const t = useTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const send = useMutation({
    mutationFn: (objection: string) => ok(api.POST('/api/v1/disclosures/{id}/objection', { params: { path: { id: id! } }, body: { objection } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['looks'] })
      close()
    },
  })
  return (
    <Modal open={!!id} title={t('object')} footer={null} onCancel={close} destroyOnHidden>
      <p>{t('objectHint')}</p>
      <Form layout="vertical" onFinish={({ objection }: { objection: string }) => send.mutate(objection)}>
        <Form.Item name="objection" label={t('objectText')} rules={[{ required: true, message: shell('required') }]}>
          <Input.TextArea rows={4} count={longest(500)} showCount autoFocus />
        </Form.Item>
        <ProblemAlert error={send.error} />
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('send')}
        </Button>
      </Form>
    </Modal>
  )
}
