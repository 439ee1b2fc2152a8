import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Descriptions, Flex, Form, Input, Skeleton, Space, Typography } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { maySee, tasks } from '../../tasks'
import { Heading } from '../../shell/Heading'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { Ago, When } from '../../shell/times'
import './approvals.css'
import { HalfOfCode } from './HalfOfCode'
import { ApprovalState, Changes, screenOf } from './request'
import { useApprovalTexts } from './texts'

type Decision = 'approved' | 'rejected'

export default function Detail() {
  const t = useApprovalTexts()
  const id = useParams().id!
  const client = useQueryClient()
  const { message, modal } = App.useApp()
  const me = useMe().data
  const [form] = Form.useForm<{ comment?: string }>()
  const [overtaken, setOvertaken] = useState(false)
  const [error, setError] = useState<unknown>()
  const key = ['approvals', 'one', id]
  // Reading a sealed text is recorded: it is read when somebody opens it, and not kept.
  const request = useQuery({
    queryKey: key,
    queryFn: () => ok(api.GET('/api/v1/approvals/{id}', { params: { path: { id } } })),
    staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false,
  })
  const ended = async (answer: Schemas['ApprovalView']) => {
    client.setQueryData(key, answer)
    await client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'approvals' || q.queryKey[1] !== 'one' })
  }
  const failed = async (refused: unknown) => {
    if (isProblem(refused, 'approval_ended', 'approval_void')) {
      setOvertaken(true)
      await client.refetchQueries({ queryKey: key })
      await client.invalidateQueries({ queryKey: ['approvals'] })
      if (!isProblem(refused, 'approval_void')) return
    }
    if (!showInForm(form, refused)) setError(refused)
  }
  const decide = useMutation({
    mutationFn: (body: { decision: Decision; comment?: string }) => ok(api.POST('/api/v1/approvals/{id}/decision', { params: { path: { id } }, body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer, { decision }) => {
      void message.success(t(decision === 'approved' ? 'done' : 'refused'))
      await ended(answer)
    },
    onError: failed,
  })
  const withdraw = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/approvals/{id}/withdrawal', { params: { path: { id } } })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer) => {
      void message.success(t('taken'))
      await ended(answer)
    },
    onError: failed,
  })

  if (request.isPending) return <><Heading>{t('title')}</Heading><Skeleton active /></>
  if (!request.data) return <><Heading>{t('title')}</Heading><ProblemAlert error={request.error} retry={() => void request.refetch()} /><p><Link to="/approvals">{t('back')}</Link></p></>
  const r = request.data
  const look = r.because.some((c) => c.cause === 'sensitive_look') // its reason is sealed, and stands among the changes
  const paper = r.targets.find((x) => x.kind === 'subject_request')
  const copy = look && !!paper // a printed copy
  const mine = r.requester.employee_id === me?.employee_id
  const pending = r.state === 'pending'
  const decides = pending && !mine && !!me && r.approvers.includes(me.role)
  const result = screenOf(r.result_location)
  const reaches = (path: string) => tasks.some((task) => task.path === path && maySee(task, me?.role))
  const departure = r.targets.find((x) => x.kind === 'departure')
  const cut = r.targets.find((x) => x.kind === 'access_cut')
  const employee = r.targets.find((x) => x.kind === 'employee')
  const user = r.result_location?.match(/\/users\/([^/]+)$/)?.[1]
  const half = r.state === 'approved' && user && /user\.(create|reset)|former_access\.enrol/.test(r.operation) && (mine || r.decided_by?.employee_id === me?.employee_id)
  const busy = decide.isPending || withdraw.isPending
  const send = (decision: Decision) => decide.mutate({ decision, comment: (form.getFieldValue('comment') as string | undefined)?.trim() || undefined })
  return (
    <Flex vertical gap={16} style={{ maxWidth: 860 }}>
      <div>
        <Link to="/approvals">← {t('back')}</Link>
        <Flex gap={12} align="center" wrap style={{ marginTop: 8 }}>
          <Heading style={{ margin: 0 }}>{copy ? t('copyTitle') : r.operation_text}</Heading>
          <ApprovalState of={r} />
        </Flex>
      </div>
      {overtaken && <Alert role="alert" type="warning" showIcon title={t('overtaken')} description={t('overtakenHint')} />}
      <Card data-tour="changes" size="small" title={<h2 className="card-title">{t(pending ? 'whatChanges' : 'whatChanged')}</h2>}>
        {r.changes.length > 0 ? <Changes of={r.changes} /> : <Typography.Text type="secondary">{t('changesGone')}</Typography.Text>}
        {cut && <OfCut id={cut.id} />}
        <Space wrap style={{ marginTop: 8 }}>
          {employee && reaches('people') && <Link to={`/people/${employee.id}`}>{t('person')}</Link>}
          {paper && reaches('requests') && <Link to={`/requests/${paper.id}`}>{t('openSubjectRequest')}</Link>}
          {departure && <Link to={`/departures/${departure.id}`}>{t('departure')}</Link>}
        </Space>
      </Card>
      <Card data-tour="why" size="small">
        <Descriptions
          column={1}
          size="small"
          items={[
            ...(look && !r.reason ? [] : [{ key: 'why', label: t('why'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.reason || t('noWhy')}</span> }]),
            { key: 'who', label: t('asker'), children: <Person of={r.requester} /> },
            { key: 'since', label: t('since'), children: <span><When at={r.requested_at} />{pending && <> (<Ago at={r.requested_at} />)</>}</span> },
            ...(pending ? [{ key: 'until', label: t('validUntil'), children: <span><When at={r.expires_at} /> (<Ago at={r.expires_at} />)</span> }] : []),
            ...(r.because.length ? [{ key: 'because', label: t('because'), children: <ul className="bullets">{r.because.map((c) => <li key={c.cause}>{c.cause_text}</li>)}</ul> }] : []),
            ...(r.decided_by ? [{ key: 'by', label: t('decidedBy'), children: <Person of={r.decided_by} /> }] : []),
            ...(r.ended_at ? [{ key: 'ended', label: t('endedAt'), children: <When at={r.ended_at} /> }] : []),
            ...(r.comment ? [{ key: 'comment', label: t('comment'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.comment}</span> }] : []),
            ...(r.void_reason_text ? [{ key: 'void', label: t('voidReason'), children: r.void_reason_text }] : []),
          ]}
        />
      </Card>
      {half && <HalfOfCode user={user} />}
      {result && r.state === 'approved' && reaches(result.split(/[/?]/)[1]!) && <Link to={result}>{t('result')}</Link>}
      {decides && (
        <Card size="small">
          <Form form={form} layout="vertical" disabled={busy}>
            <Form.Item name="comment" data-tour="comment" label={t('comment')} extra={t('commentHint')} rules={[{ max: 500 }]}>
              <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} count={longest(500)} />
            </Form.Item>
            <Flex vertical gap={12}>
              <ProblemAlert error={error} />
              <Flex data-tour="decide" gap={12} wrap align="center">
                <Button type="primary" size="large" loading={decide.isPending && decide.variables.decision === 'approved'} onClick={() => send('approved')} style={{ flex: '1 1 140px', maxWidth: 240 }}>
                  {t('approve')}
                </Button>
                <Button danger size="large" loading={decide.isPending && decide.variables.decision === 'rejected'} onClick={() => send('rejected')} style={{ flex: '1 1 100px', maxWidth: 160 }}>
                  {t('reject')}
                </Button>
              </Flex>
              <Typography.Text type="secondary">{t(copy ? 'approveCopyHint' : look ? 'approveLookHint' : r.operation === 'former_access.enrol' ? 'approveInPersonHint' : 'approveHint')}</Typography.Text>
            </Flex>
          </Form>
        </Card>
      )}
      {pending && !decides && <Alert type="info" showIcon title={t(mine ? 'ownWaits' : 'notYours', { who: listed(r.approvers_text) })} />}
      {!decides && <ProblemAlert error={error} />}
      {pending && mine && (
        <div>
          <Button
            danger
            loading={withdraw.isPending}
            onClick={() => void modal.confirm({ title: t('withdrawSure'), content: t('withdrawHint'), okText: t('withdraw'), cancelText: t('keep'), okButtonProps: { danger: true }, onOk: () => { withdraw.mutate() } })}
          >
            {t('withdraw')}
          </Button>
        </div>
      )}
    </Flex>
  )
}

/** The cut that would be lifted: why it was made, and the way to it. */
function OfCut({ id }: { id: string }) {
  const t = useApprovalTexts()
  const cut = useQuery({ queryKey: ['cuts', 'one', id], staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false, queryFn: () => ok(api.GET('/api/v1/access-cuts/{id}', { params: { path: { id } } })) })
  if (!cut.data) return null
  return (
    <Flex vertical gap={8} style={{ marginTop: 8 }}>
      {cut.data.reason && (
        <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          <Typography.Text type="secondary">{t('cutWhy')}</Typography.Text> {cut.data.reason}
        </span>
      )}
      <Space wrap>
        <Link to={`/cuts/${id}`}>{t('cut')}</Link>
        <Link to={`/people/${cut.data.employee_id}`}>{t('person')}</Link>
      </Space>
    </Flex>
  )
}
