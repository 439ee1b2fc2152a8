import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Skeleton, Space, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { When } from '../../shell/times'
import { useSuccessionTexts } from './texts'

const steps = 50

/** What fell to a role, and who takes it. */
export default function List() {
  const t = useSuccessionTexts()
  const me = useMe().data
  const [limit, setLimit] = useState(steps)
  const open = useQuery({
    queryKey: ['successions', 'open', limit],
    queryFn: () => ok(api.GET('/api/v1/successions', { params: { query: { open: 'true', limit } } })),
  })
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Typography.Paragraph type="secondary">{t('hint')}</Typography.Paragraph>
      {open.error && !open.data ? (
        <ProblemAlert error={open.error} retry={() => void open.refetch()} />
      ) : !open.data ? (
        <Skeleton active />
      ) : open.data.items.length === 0 ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('empty')} />
      ) : (
        <Flex vertical gap={12}>
          {open.data.items.map((s) => (
            <Item key={s.id} of={s} takes={me?.role === 'hr_admin'} />
          ))}
          {open.data.next_cursor && limit < 200 && <Button onClick={() => setLimit(limit + steps)}>{t('more')}</Button>}
        </Flex>
      )}
    </>
  )
}

function Item({ of: s, takes }: { of: Schemas['Succession']; takes: boolean }) {
  const t = useSuccessionTexts()
  const client = useQueryClient()
  const [who, setWho] = useState<string>()
  const take = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/successions/{id}/taking', { params: { path: { id: s.id } }, body: { employee_id: who! } })),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: ['successions'] }), client.invalidateQueries({ queryKey: ['home'] })]),
  })
  return (
    <Card size="small">
      <Flex vertical gap={8}>
        <Space wrap>
          <Typography.Text strong>
            {s.kind_text}
            {s.thing_text && ` · ${s.thing_text}`}
          </Typography.Text>
          <State tone="bad">{t('role', { role: s.role_text })}</State>
          <Typography.Text type="secondary">
            <When at={s.at} />
          </Typography.Text>
        </Space>
        {s.from && <Typography.Text>{t('from', { who: `${s.from.name} ${s.from.employee_no}`, why: s.cause_text })}</Typography.Text>}
        {takes && (
          <Flex gap={8} wrap>
            <PersonPicker aria-label={`${t('who')} ${s.kind_text}`} placeholder={t('whoHint')} style={{ flex: '1 1 220px', maxWidth: 420 }} value={who} onChange={setWho} />
            <Button disabled={!who} loading={take.isPending} onClick={() => take.mutate()}>
              {t('take')}
            </Button>
          </Flex>
        )}
        {take.error && <ProblemAlert error={take.error} />}
      </Flex>
    </Card>
  )
}
