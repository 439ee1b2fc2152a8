import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, Empty, Flex, Form, Input, Modal, Skeleton, Table, Tag, Typography } from 'antd'
import { useRef, useState } from 'react'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { Heading } from '../../shell/Heading'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { instant, Until } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useTogetherTexts } from './together-texts'

type Due = Schemas['DuePerson']
type Decision = Schemas['FileDecisionInputBody']['decision']

const nameOf = (p: Due) => `${p.person.name} ${p.person.employee_no}`

/** What is due of people who had left before they came in with a file: decided about at once, but for some. */
export default function Together() {
  const t = useTogetherTexts()
  const wide = useWide()
  const reviewer = useMe().data?.role === 'reviewer'
  const { id = '' } = useParams()
  const list = useQuery({
    queryKey: ['purges', 'file', id],
    queryFn: () => ok(api.GET('/api/v1/employee-imports/{id}/purges', { params: { path: { id } } })),
    retry: false,
    // What somebody is deciding about stays as they saw it.
    refetchOnWindowFocus: false, refetchOnReconnect: false,
  })
  // Whom the reviewer took out stays out, also of a list that was read again.
  const [out, setOut] = useState<ReadonlySet<string>>(new Set())
  const [seen, setSeen] = useState<ReadonlySet<string>>()
  const [told, setTold] = useState(false)
  const [decision, setDecision] = useState<Decision>()
  const toTop = useRef<HTMLDivElement>(null)
  // From where the button is, what has changed is out of sight. The dialog gives the focus back when it has closed: after that.
  const showChange = () =>
    void setTimeout(() => {
      toTop.current?.scrollIntoView({ block: 'start' })
      toTop.current?.focus({ preventScroll: true })
    }, 50)
  const items = list.data?.items ?? []
  // What somebody asked for already waits for the second reviewer.
  const requests = useQuery({
    queryKey: ['approvals', 'of-file', id],
    enabled: reviewer,
    queryFn: () => ok(api.GET('/api/v1/approvals', { params: { query: { state: 'pending', limit: 200 } } })),
    retry: false,
  })
  const waiting = (requests.data?.items ?? []).filter((r) => r.operation === 'purge.decide' && r.targets.some((x) => items.some((p) => p.purge_id === x.id)))
  const asked = new Set(waiting.flatMap((r) => r.targets.map((x) => x.id)))
  const free = items.filter((p) => !p.left_out)
  const alone = items.filter((p) => p.left_out)
  const chosen = free.filter((p) => !out.has(p.purge_id))
  const take = (purge: string, inside: boolean) => {
    const next = new Set(out)
    if (inside) next.delete(purge)
    else next.add(purge)
    setOut(next)
  }
  const takeAll = (inside: boolean) => setOut(new Set(inside ? [] : free.map((p) => p.purge_id)))
  const who = (p: Due) => (
    <Flex gap={6} wrap align="center">
      <Person of={p.person} />
      {seen && !seen.has(p.purge_id) && <Tag color="blue">{t('arrived')}</Tag>}
      {asked.has(p.purge_id) && <Tag color="gold">{t('waits')}</Tag>}
    </Flex>
  )
  const columns = [
    { title: t('person'), width: 320, render: (_: unknown, p: Due) => who(p) },
    { title: t('categories'), render: (_: unknown, p: Due) => listed(p.categories_text) },
    { title: t('since'), width: 180, render: (_: unknown, p: Due) => <Until at={p.due_since} zone={p.person.time_zone} /> },
  ]
  const toItself = (p: Due) => (
    <Link to={`/retention?tab=purges&person=${p.person.employee_id}`} aria-label={t('openOf', { who: nameOf(p) })}>
      {t('open')}
    </Link>
  )
  return (
    <div style={{ maxWidth: 1100 }}>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Typography.Paragraph type="secondary">
        {t('intro')} {t(reviewer ? 'howTo' : 'introHR')}
      </Typography.Paragraph>
      <Typography.Paragraph>
        <Link to="/retention?tab=purges">{t('back')}</Link>
      </Typography.Paragraph>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && items.length === 0 && (
        <Card>
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('empty')}<br />{t('emptyHint')}</>} />
        </Card>
      )}
      <Flex vertical gap={16}>
        {told && (
          <div ref={toTop} tabIndex={-1} style={{ scrollMarginTop: 80 }}>
            <Alert role="alert" type="warning" showIcon title={t('changed')} description={t('changedHint')} />
          </div>
        )}
        {waiting.map((r) => (
          <Alert
            key={r.id}
            role="status"
            type="info"
            showIcon
            title={t('requested')}
            description={
              <>
                {t('requestedBy', { who: r.requester.name, n: r.targets.length, at: instant(r.requested_at) })} <Link to={`/approvals/${r.id}`}>{t('openRequest')}</Link>
              </>
            }
          />
        ))}
        {list.data?.more && <Alert type="info" showIcon title={t('more', { n: items.length })} />}
        {free.length > 0 && (
          <Card size="small" styles={{ body: { padding: wide ? 0 : 12 } }}>
            {wide ? (
              <Table
                size="small"
                pagination={false}
                rowKey="purge_id"
                dataSource={free}
                columns={columns}
                rowSelection={
                  reviewer
                    ? {
                        selectedRowKeys: chosen.map((p) => p.purge_id),
                        onSelect: (p, inside) => take(p.purge_id, inside),
                        onSelectAll: takeAll,
                        getTitleCheckboxProps: () => ({ 'aria-label': t('all') }),
                        getCheckboxProps: (p) => ({ 'aria-label': t('include', { who: nameOf(p) }) }),
                      }
                    : undefined
                }
              />
            ) : (
              <>
                {reviewer && (
                  <Checkbox checked={chosen.length === free.length} indeterminate={chosen.length > 0 && chosen.length < free.length} onChange={(e) => takeAll(e.target.checked)}>
                    {t('all')}
                  </Checkbox>
                )}
                <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
                  {free.map((p) => (
                    <li key={p.purge_id} style={{ borderTop: '1px solid #f0f0f0', paddingBlock: 10 }}>
                      {reviewer ? (
                        <Checkbox style={{ alignItems: 'flex-start' }} checked={!out.has(p.purge_id)} onChange={(e) => take(p.purge_id, e.target.checked)}>
                          {who(p)}
                        </Checkbox>
                      ) : (
                        who(p)
                      )}
                      <div style={{ paddingInlineStart: reviewer ? 24 : 0 }}>
                        <div>{listed(p.categories_text)}</div>
                        <Typography.Text type="secondary">
                          {t('since')} <Until at={p.due_since} zone={p.person.time_zone} />
                        </Typography.Text>
                      </div>
                    </li>
                  ))}
                </ul>
              </>
            )}
          </Card>
        )}
        {reviewer && free.length > 0 && (
          <Flex gap={8} wrap align="center" className="decide-together">
            <Button type="primary" danger disabled={chosen.length === 0} onClick={() => setDecision('approved')}>
              {t('approve', { n: chosen.length })}
            </Button>
            <Button disabled={chosen.length === 0} onClick={() => setDecision('rejected')}>
              {t('reject')}
            </Button>
            <span role="status">{t('chosen', { n: chosen.length, all: free.length })}</span>
          </Flex>
        )}
        {alone.length > 0 && (
          <Card size="small" title={<h2 className="card-title">{t('alone', { n: alone.length })}</h2>}>
            <Typography.Paragraph type="secondary">{t('aloneHint')}</Typography.Paragraph>
            {wide ? (
              <Table
                size="small"
                pagination={false}
                rowKey="purge_id"
                dataSource={alone}
                columns={[
                  ...columns.slice(0, 2),
                  { title: t('why'), width: 260, render: (_: unknown, p: Due) => p.left_out_text },
                  ...(reviewer ? [{ title: '', key: 'open', width: 110, render: (_: unknown, p: Due) => toItself(p) }] : []),
                ]}
              />
            ) : (
              <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
                {alone.map((p) => (
                  <li key={p.purge_id} style={{ borderTop: '1px solid #f0f0f0', paddingBlock: 10 }}>
                    {who(p)}
                    <div>{listed(p.categories_text)}</div>
                    <Typography.Paragraph type="secondary" style={{ marginBottom: 4 }}>{p.left_out_text}</Typography.Paragraph>
                    {reviewer && toItself(p)}
                  </li>
                ))}
              </ul>
            )}
          </Card>
        )}
      </Flex>
      {list.data && (
        <Decide
          id={id}
          decision={decision}
          list={list.data.list}
          chosen={chosen.length}
          but={free.filter((p) => out.has(p.purge_id)).map((p) => p.purge_id)}
          others={items.length - chosen.length}
          close={() => setDecision(undefined)}
          closed={showChange}
          ended={async (how) => {
            setTold(how === 'changed')
            if (how === 'changed') setSeen(new Set(items.map((p) => p.purge_id)))
            else setSeen(undefined)
            setDecision(undefined)
            await list.refetch()
          }}
        />
      )}
    </div>
  )
}

interface Values {
  approval_reason?: string
}

interface DecideProps {
  id: string
  decision?: Decision
  list: string
  chosen: number
  but: string[]
  others: number
  close: () => void
  closed: () => void
  ended: (how: 'changed' | 'requested' | undefined) => Promise<void>
}

/** Says what a decision about the list will do, before it is sent. */
function Decide({ id, decision, list, chosen, but, others, close, closed, ended }: DecideProps) {
  const t = useTogetherTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const send = useMutation({
    mutationFn: (v: Values & { decision: Decision; n: number }) =>
      ok<Schemas['DueOfFile'] | Schemas['ApprovalView']>(
        api.POST('/api/v1/employee-imports/{id}/purge-decision', { params: { path: { id } }, body: { decision: v.decision, list, but, approval_reason: v.approval_reason?.trim() || undefined } }),
      ),
    onMutate: () => setError(undefined),
    onSuccess: async (answer, v) => {
      const done = outcome(answer)
      if (done) void message.success(t(v.decision === 'approved' ? 'approved' : 'rejected', { n: v.n }))
      form.resetFields()
      await ended(done ? undefined : 'requested')
      await client.invalidateQueries({ predicate: (q) => ['purges', 'deadlines', 'approvals', 'departure', 'departures', 'home'].includes(String(q.queryKey[0])) })
    },
    onError: async (refused) => {
      if (isProblem(refused, 'list_changed')) return ended('changed')
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  // What it said stays while it closes.
  const [said, setSaid] = useState<Decision>('approved')
  if (decision && decision !== said) setSaid(decision)
  return (
    <Modal
      open={!!decision}
      forceRender
      title={t(said === 'approved' ? 'approveTitle' : 'rejectTitle', { n: chosen })}
      okText={t(said === 'approved' ? 'sendApprove' : 'sendReject')}
      okButtonProps={{ danger: said === 'approved' }}
      cancelText={t('cancel')}
      confirmLoading={send.isPending}
      onOk={() => form.submit()}
      onCancel={close}
      mask={{ closable: false }}
      afterClose={() => {
        setError(undefined)
        closed()
      }}
    >
      <Alert
        type={said === 'approved' ? 'error' : 'info'}
        title={t(said === 'approved' ? 'approveWill' : 'rejectWill', { n: chosen })}
        description={others > 0 ? t('others', { n: others }) : undefined}
        style={{ marginBottom: 16 }}
      />
      <Form form={form} layout="vertical" disabled={send.isPending} onFinish={(v: Values) => !send.isPending && send.mutate({ ...v, decision: said, n: chosen })}>
        <Form.Item name="approval_reason" label={t('reason')} extra={t('reasonHint')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
        </Form.Item>
      </Form>
      <ProblemAlert error={error} />
    </Modal>
  )
}
