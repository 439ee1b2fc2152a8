import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Form, Input, Modal, Select, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { Ago, instant, When } from '../../shell/times'
import { useTexts } from './texts'

type Call = Schemas['EmergencyCall']

/** What was called for, and who looks after it. */
export function Calls() {
  const t = useTexts()
  const shell = useShellTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const [closing, setClosing] = useState<Call>()
  const calls = usePages(['calls'], (cursor) => ok(api.GET('/api/v1/emergency-calls', { params: { query: { cursor } } })))
  const take = useMutation({
    mutationFn: (id: string) => ok(api.POST('/api/v1/emergency-calls/{id}/taking', { params: { path: { id } } })),
    onSettled: () => void calls.refetch(),
  })
  if (calls.isPending) return <Skeleton active />
  if (calls.error) return <ProblemAlert error={calls.error} retry={() => void calls.refetch()} />
  return (
    <Flex vertical gap={12}>
      <ProblemAlert error={take.error} />
      {calls.rows.length === 0 && <Empty description={t('noCalls')} />}
      {calls.rows.map((c) => (
        <Card key={c.id} size="small" title={c.person ? <Person of={c.person} /> : t('described')} extra={<Tag color={c.state === 'open' ? 'red' : undefined}>{c.state_text}</Tag>}>
          <Flex vertical gap={8}>
            <Typography.Text type="secondary">
              {t('caller')} {c.caller?.name} · <When at={c.called_at} /> (<Ago at={c.called_at} />)
            </Typography.Text>
            {c.state !== 'closed' && <What id={c.id} />}
            {c.taken_by && <span>{t('taken', { who: c.taken_by.name })}</span>}
            {c.closing && <span>{c.closing.outcome_text}</span>}
            {hr && c.state !== 'closed' && (
              <Flex gap={8} wrap>
                {c.state === 'open' && (
                  <Button type="primary" onClick={() => take.mutate(c.id)} loading={take.isPending}>
                    {t('take')}
                  </Button>
                )}
                {c.employee_id && (
                  <Link to={`/people/${c.employee_id}`}>
                    <Button>{t('openFile')}</Button>
                  </Link>
                )}
                <Button onClick={() => setClosing(c)}>{t('close')}</Button>
              </Flex>
            )}
          </Flex>
        </Card>
      ))}
      {calls.hasNextPage && (
        <Button onClick={() => void calls.fetchNextPage()} loading={calls.isFetchingNextPage}>
          {shell('more')}
        </Button>
      )}
      <Closing
        of={closing}
        close={() => {
          setClosing(undefined)
          void calls.refetch()
        }}
      />
    </Flex>
  )
}

/** What the caller wrote; reading it is recorded. */
function What({ id }: { id: string }) {
  const t = useTexts()
  const read = useMutation({ mutationFn: () => ok(api.GET('/api/v1/emergency-calls/{id}', { params: { path: { id } } })), gcTime: 0 })
  if (read.data)
    return (
      <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {[read.data.who, read.data.what].filter(Boolean).join(' · ')}
      </span>
    )
  return (
    <div>
      <ProblemAlert error={read.error} />
      <Button onClick={() => read.mutate()} loading={read.isPending}>
        {t('read')}
      </Button>
    </div>
  )
}

function Closing({ of, close }: { of?: Call; close: () => void }) {
  const t = useTexts()
  const shell = useShellTexts()
  const me = useMe().data
  const [form] = Form.useForm<Schemas['CloseInputBody']>()
  const outcome = Form.useWatch('outcome', form)
  const id = of?.id
  // The looks that may have been made for it; the API says which of them were.
  const looks = useQuery({
    queryKey: ['looks', 'for a call', id],
    enabled: !!of && outcome === 'looked',
    queryFn: () => ok(api.GET('/api/v1/disclosures', { params: { query: { ...(of!.employee_id ? { employee_id: of!.employee_id } : { looker_id: me?.employee_id }), limit: 50 } } })),
  })
  const made = (looks.data?.items ?? []).filter((l) => l.shown_at && l.shown_at >= of!.called_at)
  const send = useMutation({
    mutationFn: (body: Schemas['CloseInputBody']) => ok(api.POST('/api/v1/emergency-calls/{id}/closing', { params: { path: { id: id! } }, body })),
    onSuccess: close,
  })
  return (
    <Modal open={!!id} title={t('close')} footer={null} onCancel={close} destroyOnHidden>
      <Form form={form} preserve={false} layout="vertical" onFinish={(body) => send.mutate(body)}>
        <Form.Item name="outcome" label={t('outcome')} rules={[{ required: true, message: shell('required') }]}>
          <Select options={(['handled', 'false_alarm', 'looked'] as const).map((value) => ({ value, label: t(value) }))} />
        </Form.Item>
        {outcome === 'looked' && (
          <Form.Item name="disclosure_id" label={t('look')} rules={[{ required: true, message: shell('required') }]}>
            <Select loading={looks.isFetching} notFoundContent={t('noLook')} options={made.map((l) => ({ value: l.id, label: `${l.person?.name ?? ''} · ${l.purpose_text} · ${instant(l.shown_at!)}` }))} />
          </Form.Item>
        )}
        <Form.Item name="note" label={t('note')}>
          <Input.TextArea rows={2} count={longest(500)} />
        </Form.Item>
        <ProblemAlert error={send.error} />
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('close')}
        </Button>
      </Form>
    </Modal>
  )
}
