import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Col, Descriptions, Flex, Form, Input, Radio, Row, Skeleton, Space, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { CopyButton } from '../../shell/copy'
import { told, useEvents } from '../../shell/events'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { Ago, When } from '../../shell/times'
import './cases.css'
import { caseColors, type Case } from './List'
import { useCaseTexts } from './texts'

export default function Detail() {
  const t = useCaseTexts()
  const id = useParams().id!
  const me = useMe().data
  const found = useQuery({ queryKey: ['cases', 'one', id], queryFn: () => ok(api.GET('/api/v1/support-cases/{id}', { params: { path: { id } } })) })
  if (found.isPending) return <><Heading>{t('title')}</Heading><Skeleton active /></>
  if (!found.data) return <><Heading>{t('title')}</Heading><ProblemAlert error={found.error} retry={() => void found.refetch()} /><p><Link to="/cases">{t('back')}</Link></p></>
  const c = found.data
  const own = c.person.employee_id === me?.employee_id
  return (
    <Flex vertical gap={16}>
      <div>
        <Link to="/cases">← {t('back')}</Link>
        <Flex gap={12} align="center" wrap style={{ marginTop: 8 }}>
          <Heading style={{ margin: 0 }}>{t('heading', { system: c.system_text, person: `${c.person.name} (${c.person.employee_no})` })}</Heading>
          <Tag color={caseColors[c.state]}>{c.state_text}</Tag>
        </Flex>
      </div>
      {c.next_step && c.state !== 'closed' && <Alert data-tour="next" type="warning" showIcon title={t('next')} description={c.next_step} />}
      <Row gutter={[20, 16]}>
        <Col xs={24} lg={14}>
          <Flex vertical gap={16}>
            <Card data-tour="why" size="small">
              <Descriptions
                column={1}
                size="small"
                items={[
                  { key: 'why', label: t('why'), children: <span>{c.reason_text}{c.http_status !== undefined && <Typography.Text type="secondary"> {t('answered', { status: c.http_status })}</Typography.Text>}</span> },
                  { key: 'who', label: t('person'), children: <Person of={c.person} /> },
                  { key: 'opened', label: t('opened'), children: <span><When at={c.opened_at} zone={c.person.time_zone} /> (<Ago at={c.opened_at} />)</span> },
                ]}
              />
              <Space wrap size="middle" style={{ marginTop: 4 }}>
                <FromCut of={c} />
                {c.departure_id && <Link to={`/departures/${c.departure_id}`}>{t('departure')}</Link>}
                <Link to={`/people/${c.employee_id}`}>{t('file')}</Link>
                {me?.role === 'it_ops' && <Watch operation={c.operation_id} kind={c.operation_kind} />}
              </Space>
            </Card>
            <Tried of={c} />
            <Card data-tour="vendor" size="small" title={<h2 className="card-title">{t('vendor')}</h2>} extra={<CopyButton size="small" text={c.for_vendor}>{t('copyVendor')}</CopyButton>}>
              <pre className="for-vendor">{c.for_vendor}</pre>
              <Typography.Text type="secondary">{t('vendorHint')}</Typography.Text>
            </Card>
          </Flex>
        </Col>
        <Col xs={24} lg={10}>
          <Flex vertical gap={16}>
            {c.state === 'closed' && <Closed of={c} />}
            {c.state === 'waiver_requested' && <Waiver of={c} mayConfirm={me?.role === 'reviewer' && !own && c.asker?.employee_id !== me.employee_id} />}
            {c.state !== 'closed' && me?.role === 'it_ops' && <Resolve of={c} />}
            {c.state === 'open' && me?.role !== 'it_ops' && <Alert type="info" showIcon title={t('onlyIt')} />}
            <Accounts of={c} />
          </Flex>
        </Col>
      </Row>
    </Flex>
  )
}

function FromCut({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  return c.cut_id && c.operation_kind !== 'relink' ? <Link to={`/cuts/${c.cut_id}`}>{t('fromCut')}</Link> : null
}

/** Where IT watches the order that the case belongs to. */
function Watch({ operation, kind }: { operation: string; kind: Case['operation_kind'] }) {
  const t = useCaseTexts()
  const order = useQuery({ queryKey: ['unlinking', operation], retry: false, queryFn: () => ok(api.GET(kind === 'relink' ? '/api/v1/account-relinkings/{id}' : '/api/v1/account-unlinkings/{id}', { params: { path: { id: operation } } })) })
  const url = order.data?.workflow?.url
  return url ? <a href={url} target="_blank" rel="noreferrer">{t('watch')}</a> : null
}

function Tried({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  const good = (outcome: string) => (outcome === 'confirmed' ? 'green' : outcome === 'failed' ? 'red' : 'orange')
  return (
    <Card data-tour="tried" size="small" title={<h2 className="card-title">{t('tried')}</h2>}>
      <Flex vertical component="ul" className="tried">
        {c.tried.map((r, i) => (
          <li key={i}>
            <span>{r.substep_text}</span>
            <Space size={4} wrap>
              <Tag color={good(r.outcome)}>{r.outcome_text}</Tag>
              {r.detail_text && <Typography.Text type="secondary">{r.detail_text}</Typography.Text>}
              {r.http_status !== undefined && <Typography.Text type="secondary">HTTP {r.http_status}</Typography.Text>}
            </Space>
            <Typography.Text type="secondary">
              {r.times > 1 && `${t('triedTimes', { n: r.times })} · `}
              {r.times > 1 && <><When at={r.first_at} zone={c.person.time_zone} /> – </>}
              <When at={r.last_at} zone={c.person.time_zone} />
            </Typography.Text>
          </li>
        ))}
      </Flex>
    </Card>
  )
}

const accountColors: Record<Schemas['AccountView']['state'], string> = {
  linked: 'default', unlinking: 'blue', accepted: 'blue', disabled: 'green', detached: 'default', not_found: 'green', stuck: 'red', waived: 'gold', relinking: 'blue', relinked: 'green',
}

function Accounts({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  const accounts = useQuery({ queryKey: ['accounts', c.employee_id], queryFn: () => ok(api.GET('/api/v1/employees/{id}/accounts', { params: { path: { id: c.employee_id } } })) })
  return (
    <Card data-tour="accounts" size="small" title={<h2 className="card-title">{t('accounts')}</h2>}>
      {accounts.isPending && <Skeleton active title={false} paragraph={{ rows: 2 }} />}
      <ProblemAlert error={accounts.error} retry={() => void accounts.refetch()} />
      {accounts.data?.items.length === 0 && <Typography.Text type="secondary">{t('noAccounts')}</Typography.Text>}
      <Flex vertical gap={8}>
        {accounts.data?.items.map((a) => (
          <Flex key={a.id} justify="space-between" gap={8} wrap>
            <Space size={6}>{a.system_text}{a.id === c.account_id && <Tag color="cyan">{t('thisOne')}</Tag>}</Space>
            <Tag color={accountColors[a.state]}>{a.state_text}</Tag>
          </Flex>
        ))}
      </Flex>
    </Card>
  )
}

function useCaseChanged() {
  const client = useQueryClient()
  return async () => {
    await client.invalidateQueries({ queryKey: ['cases'] })
    await client.invalidateQueries({ predicate: (q) => ['accounts', 'unlinking', 'approvals', 'departures', 'departure'].includes(String(q.queryKey[0])) })
  }
}

type Action = Schemas['ResolutionInputBody']['action']

function Resolve({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const changed = useCaseChanged()
  const [form] = Form.useForm<{ action: Action; note?: string }>()
  const [error, setError] = useState<unknown>()
  const action = Form.useWatch('action', form)
  const resolve = useMutation({
    mutationFn: (body: Schemas['ResolutionInputBody']) => ok(api.POST('/api/v1/support-cases/{id}/resolution', { params: { path: { id: c.id } }, body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer, body) => {
      if (outcome(answer)) void message.success(t(`sent_${body.action}`))
      await changed()
    },
    onError: async (refused) => {
      if (!showInForm(form, refused)) setError(refused)
      await changed()
    },
  })
  const choices = (['retry', 'resolved_by_hand', ...(c.state === 'open' ? ['waive'] : []), ...(c.departure_id || (c.cut_id && c.operation_kind !== 'relink') ? [] : ['abort'])] as Action[])
  return (
    <Card data-tour="decide" size="small" title={<h2 className="card-title">{t('decide')}</h2>}>
      <Form form={form} layout="vertical" disabled={resolve.isPending} onFinish={(v) => resolve.mutate({ action: v.action, note: v.note?.trim() || undefined })} requiredMark={false}>
        <Form.Item name="action" rules={[{ required: true, message: t('choose') }]}>
          <Radio.Group aria-label={t('decide')} style={{ width: '100%' }}>
            <Flex vertical gap={10}>
              {choices.map((a) => (
                <Radio key={a} value={a}>
                  {t(a)}
                  <br />
                  <Typography.Text type="secondary">{t(`${a}Hint`)}</Typography.Text>
                </Radio>
              ))}
            </Flex>
          </Radio.Group>
        </Form.Item>
        <Form.Item name="note" label={t('note')} extra={t(action === 'waive' ? 'noteWaive' : 'noteHint')} rules={[{ required: action === 'waive', whitespace: true, message: t('noteNeeded') }]}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} count={longest(500)} />
        </Form.Item>
        <Flex vertical gap={12} align="start">
          <ProblemAlert error={error} />
          <Button type="primary" htmlType="submit" loading={resolve.isPending}>{t('send')}</Button>
        </Flex>
      </Form>
    </Card>
  )
}

function Waiver({ of: c, mayConfirm }: { of: Case; mayConfirm: boolean }) {
  const t = useCaseTexts()
  const { message, modal } = App.useApp()
  const changed = useCaseChanged()
  const confirm = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/support-cases/{id}/confirmation', { params: { path: { id: c.id } } })),
    onSuccess: () => void message.success(t('confirmed')),
    onSettled: changed,
  })
  return (
    <Card size="small" title={<h2 className="card-title">{t('waiver')}</h2>}>
      <Flex vertical gap={12} align="start">
        <span>{t('waiverBy', { who: c.asker ? `${c.asker.name} (${c.asker.employee_no})` : '' })}{c.asked_at && <Typography.Text type="secondary"> <Ago at={c.asked_at} /></Typography.Text>}</span>
        {c.note && <Typography.Paragraph style={{ margin: 0, whiteSpace: 'pre-wrap' }}>{c.note}</Typography.Paragraph>}
        <Typography.Text type="secondary">{t(mayConfirm ? 'waiverEffect' : 'waiverOther')}</Typography.Text>
        <ProblemAlert error={confirm.error} />
        <Space wrap>
          {mayConfirm && (
            <Button type="primary" loading={confirm.isPending} onClick={() => void modal.confirm({ title: t('confirm'), content: t('waiverEffect'), okText: t('confirm'), onOk: () => { confirm.mutate() } })}>
              {t('confirm')}
            </Button>
          )}
          <Link to="/approvals">{t('toApprovals')}</Link>
        </Space>
      </Flex>
    </Card>
  )
}

/** What came after a case that was tried again: another one about the same account, or how the account stands. */
function Afterwards({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  const client = useQueryClient()
  const later = useQuery({
    queryKey: ['cases', 'after', c.id],
    queryFn: () => ok(api.GET('/api/v1/support-cases', { params: { query: { employee_id: c.employee_id, system: c.system, limit: 50 } } })),
  })
  useEvents(c.departure_id ? `/api/v1/departures/${c.departure_id}/events` : undefined, () => {
    void client.invalidateQueries({ queryKey: ['cases'] })
    void client.invalidateQueries({ queryKey: ['accounts', c.employee_id] })
  }, told)
  const next = later.data?.items.filter((x) => x.id !== c.id && x.account_id === c.account_id && c.closed_at && x.opened_at >= c.closed_at).sort((a, b) => a.opened_at.localeCompare(b.opened_at))[0]
  return (
    <Flex vertical gap={8} align="start" role="status" style={{ marginTop: 12 }}>
      <ProblemAlert error={later.error} retry={() => void later.refetch()} />
      {next ? (
        <Alert type={next.state === 'closed' ? 'info' : 'warning'} showIcon style={{ width: '100%' }} title={t('again')} description={next.reason_text} action={<Link to={`/cases/${next.id}`}>{t('openAgain')}</Link>} />
      ) : (
        later.data && <Typography.Text type="secondary">{t(c.departure_id ? 'notAgainLive' : 'notAgain')}</Typography.Text>
      )}
      {!next && !c.departure_id && (
        <Button size="small" loading={later.isFetching} onClick={() => void client.invalidateQueries({ predicate: (q) => ['cases', 'accounts'].includes(String(q.queryKey[0])) })}>
          {t('look')}
        </Button>
      )}
    </Flex>
  )
}

function Closed({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  return (
    <Card size="small" title={<h2 className="card-title">{t('outcome')}</h2>}>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'what', label: t('outcome'), children: c.resolution_text ?? c.state_text },
          ...(c.asker ? [{ key: 'by', label: t('by'), children: <Person of={c.asker} /> }] : []),
          ...(c.confirmer ? [{ key: 'second', label: t('second'), children: <Person of={c.confirmer} /> }] : []),
          ...(c.closed_at ? [{ key: 'at', label: t('at'), children: <When at={c.closed_at} zone={c.person.time_zone} /> }] : []),
          ...(c.note ? [{ key: 'note', label: t('note'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{c.note}</span> }] : []),
        ]}
      />
      {(c.resolution === 'retry' || c.resolution === 'resolved_by_hand') && <Afterwards of={c} />}
    </Card>
  )
}
