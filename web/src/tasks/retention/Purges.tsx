import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, DatePicker, Descriptions, Empty, Flex, Form, Input, Modal, Select, Skeleton, Space, Tag, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { day, instant, Until, When } from '../../shell/times'
import { useRetentionTexts } from './texts'
import { useTogetherTexts } from './together-texts'

type Purge = Schemas['PurgeView']
type Decision = 'approved' | 'rejected' | 'extended'

const colors: Record<Purge['state'], string> = { claimed: 'blue', in_review: 'gold', rejected: 'orange', purging: 'red', purged: 'default', cancelled: 'default' }
const states = ['in_review', 'rejected', 'purging', 'purged', 'cancelled'] as const

/** What waits to be destroyed until somebody decides. */
export function Purges() {
  const t = useRetentionTexts()
  const shell = useShellTexts()
  const together = useTogetherTexts()
  const me = useMe().data
  const [params, setParams] = useSearchParams()
  const asked = params.get('state') ?? 'in_review'
  const state = states.find((s) => s === asked)
  const employee_id = params.get('person') ?? undefined
  const [deciding, setDeciding] = useState<{ purge: Purge; decision: Decision }>()
  const set = (key: string, value: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(key, value)
      else next.delete(key)
      return next
    }, { replace: true })
  const list = usePages(['purges', state, employee_id], (cursor) => ok(api.GET('/api/v1/purges', { params: { query: { cursor, state, employee_id } } })))
  const imports = [...new Set(list.rows.filter((p) => p.state === 'in_review').map((p) => p.import_id))].filter((id) => id !== undefined)
  const label = { in_review: t('inReview'), rejected: t('rejectedState'), purging: t('purging'), purged: t('purged'), cancelled: t('cancelled') }
  return (
    <div style={{ maxWidth: 900 }}>
      <Typography.Paragraph type="secondary">{t('purgesIntro')}</Typography.Paragraph>
      <Flex gap={8} wrap style={{ marginBottom: 12 }}>
        <Select
          aria-label={t('state')}
          value={state ?? 'all'}
          style={{ minWidth: 120 }}
          onChange={(v: string) => set('state', v === 'in_review' ? undefined : v)}
          options={[...states.map((s) => ({ value: s as string, label: label[s] })), { value: 'all', label: t('all') }]}
        />
        <PersonPicker aria-label={t('person')} placeholder={t('personHint')} value={employee_id} onChange={(id) => set('person', id)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
      </Flex>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && list.rows.length === 0 && (
        <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={state === 'in_review' && !employee_id ? <>{t('noPurges')}<br />{t('noPurgesHint')}</> : t('noPurgesOf')} /></Card>
      )}
      <Flex vertical gap={12}>
        {imports.map((id) => (
          <Alert key={id} type="info" showIcon title={together('many')} action={<Link to={`/retention/imports/${id}`}>{together('openList')}</Link>} />
        ))}
        {list.rows.map((p) => (
          <PurgeCard key={p.id} of={p} me={me?.employee_id} decide={me?.role === 'reviewer' && p.employee_id !== me.employee_id ? (decision) => setDeciding({ purge: p, decision }) : undefined} />
        ))}
        {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
      </Flex>
      <Decide of={deciding} close={() => setDeciding(undefined)} />
    </div>
  )
}

function PurgeCard({ of: p, me, decide }: { of: Purge; me?: string; decide?: (decision: Decision) => void }) {
  const t = useRetentionTexts()
  const together = useTogetherTexts()
  const open = p.state === 'in_review' || p.state === 'rejected'
  const rejectedByMe = p.rejections.some((r) => r.person?.employee_id === me)
  return (
    <Card
      size="small"
      title={<h2 className="card-title"><Person of={p.person} /></h2>}
      extra={<Tag color={colors[p.state]}>{p.state === 'rejected' ? t('rejectedState') : p.state_text}</Tag>}
    >
      {p.state === 'rejected' && <Alert type="warning" title={p.state_text} style={{ marginBottom: 8 }} />}
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'what', label: t(open ? 'what' : 'whatGone'), children: listed(p.categories_text) },
          { key: 'since', label: t('dueSince'), children: <Until at={p.due_since ?? p.created_at} zone={p.person.time_zone} /> },
          ...(p.rejections.length ? [{ key: 'rejections', label: t('rejections'), children: <Flex vertical>{p.rejections.map((r, i) => <Space key={i} wrap><Person of={r.person} /><Typography.Text type="secondary"><When at={r.at} zone={p.person.time_zone} /> · {listed(r.categories_text)}</Typography.Text></Space>)}</Flex> }] : []),
          ...(p.extended_until ? [{ key: 'until', label: t('extendedUntil'), children: day(p.extended_until) }] : []),
          ...(p.extended_because ? [{ key: 'because', label: t('extendedWhy'), children: p.extended_because }] : []),
          ...(p.decider ? [{ key: 'decider', label: t('decidedBy'), children: <Space wrap><Person of={p.decider} />{p.decision_text}</Space> }] : []),
          ...(p.confirmer ? [{ key: 'second', label: t('secondBy'), children: <Person of={p.confirmer} /> }] : []),
          ...(p.passed_to_text ? [{ key: 'passed', label: t('by'), children: t('passedTo', { role: p.passed_to_text }) }] : []),
        ]}
      />
      {p.state === 'in_review' && (
        <Space wrap size={6} style={{ marginTop: 4 }}>
          <Typography.Text type="secondary">{p.review_until && !p.review_required ? t('waitsUntil', { when: instant(p.review_until, p.person.time_zone) }) : t('waitsForever')}</Typography.Text>
        </Space>
      )}
      {p.escalated && <div><Tag color="red">{t('escalated')}</Tag></div>}
      <Flex gap={8} wrap align="center" style={{ marginTop: 10 }}>
        {decide && open && !rejectedByMe && <Button danger onClick={() => decide('approved')}>{t('approve')}</Button>}
        {decide && p.state === 'in_review' && <Button onClick={() => decide('rejected')}>{t('reject')}</Button>}
        {decide && p.state === 'rejected' && <Button onClick={() => decide('extended')}>{t('extend')}</Button>}
        {p.import_id && p.state === 'in_review' && <Link to={`/retention/imports/${p.import_id}`}>{together('openList')}</Link>}
        <Link to={`/departures/${p.departure_id}`}>{t('open')}</Link>
      </Flex>
    </Card>
  )
}

interface Values {
  until?: Dayjs
  reason?: string
  approval_reason?: string
}

/** Says what a decision about a purge will do, before it is sent. */
function Decide({ of, close }: { of?: { purge: Purge; decision: Decision }; close: () => void }) {
  const t = useRetentionTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const changed = () => client.invalidateQueries({ predicate: (q) => ['purges', 'deadlines', 'approvals', 'departure', 'departures'].includes(String(q.queryKey[0])) })
  const decide = useMutation({
    mutationFn: (body: Schemas['DecisionInputBody']) => ok(api.POST('/api/v1/purges/{id}/decision', { params: { path: { id: of!.purge.id } }, body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer, body) => {
      if (outcome(answer)) void message.success(t(body.decision === 'approved' ? 'goes' : 'done'))
      close()
      await changed()
    },
    onError: async (refused) => {
      if (!showInForm(form, refused)) setError(refused)
      await changed()
    },
  })
  const decision = of?.decision ?? 'approved'
  const two = of?.purge.state === 'rejected'
  const values = of ? { who: `${of.purge.person.name} (${of.purge.person.employee_no})`, what: listed(of.purge.categories_text) } : { who: '', what: '' }
  const title = { approved: 'approveTitle', rejected: 'rejectTitle', extended: 'extendTitle' } as const
  const will = { approved: 'approveWill', rejected: 'rejectWill', extended: 'extendWill' } as const
  const send = { approved: 'approve', rejected: 'reject', extended: 'extend' } as const
  return (
    <Modal
      open={!!of}
      title={t(title[decision])}
      okText={t(send[decision])}
      okButtonProps={{ danger: decision === 'approved' }}
      cancelText={t('cancel')}
      confirmLoading={decide.isPending}
      onOk={() => form.submit()}
      onCancel={close}
      mask={{ closable: false }}
      destroyOnHidden
      afterClose={() => setError(undefined)}
    >
      <Alert type={decision === 'approved' ? 'error' : 'info'} title={t(will[decision], values)} description={decision === 'approved' && two ? t('approveTwo') : undefined} style={{ marginBottom: 16 }} />
      <Form
        form={form}
        layout="vertical"
        preserve={false}
        requiredMark={false}
        disabled={decide.isPending}
        onFinish={(v: Values) => decide.mutate({ decision, until: v.until?.format('YYYY-MM-DD'), reason: v.reason?.trim() || undefined, approval_reason: v.approval_reason?.trim() || undefined })}
      >
        {decision === 'extended' && (
          <>
            <Form.Item name="until" label={t('until')} rules={[{ required: true, message: t('required') }]}>
              <DatePicker minDate={dayjs().add(1, 'day')} style={{ width: 200 }} />
            </Form.Item>
            <Form.Item name="reason" label={t('why')} extra={t('whyHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
              <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
            </Form.Item>
          </>
        )}
        {decision !== 'extended' && (
          <Form.Item name="approval_reason" label={t('why')} extra={t('whyHint')}>
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
          </Form.Item>
        )}
      </Form>
      <ProblemAlert error={error} />
    </Modal>
  )
}
