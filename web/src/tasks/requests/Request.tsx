import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, Descriptions, Flex, Form, Input, Popconfirm, Radio, Skeleton, Tag, Typography } from 'antd'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { day, lastDayOf, lastOf, When } from '../../shell/times'
import { useTexts } from './texts'

/** One request, read with what was written, and its answer. */
export default function Request() {
  const t = useTexts()
  const id = useParams().id!
  const me = useMe()
  const hr = me.data?.role === 'hr_admin'
  // Reading it is recorded, so that it is read once and not kept.
  const request = useQuery({
    queryKey: ['subject-request', id],
    queryFn: () => ok(api.GET('/api/v1/subject-requests/{id}', { params: { path: { id } } })),
    staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false,
  })
  const r = request.data
  const own = !!r?.entered_by && r.entered_by.employee_id === me.data?.employee_id
  // Nothing of a relative's request is granted before a second person has seen the proof.
  const waits = !!r && r.by_relative && !r.objected && r.state === 'open' && !r.proof_seen_at
  return (
    <Flex vertical gap={12} style={{ maxWidth: 820 }}>
      <Link to="/requests">← {t('title')}</Link>
      <Heading>{r ? t(r.by_relative ? 'titleOfRelative' : 'titleOf', { kind: r.kind_text }) : t('title')}</Heading>
      {request.isPending && <Skeleton active />}
      <ProblemAlert error={request.error} retry={() => void request.refetch()} />
      {r && (
        <Card size="small" title={<Person of={r.person} />} extra={<Tag color={r.overdue ? 'red' : undefined}><span className="sentence">{r.overdue ? t('overdue') : r.state_text}</span></Tag>}>
          <Descriptions
            column={1}
            size="small"
            items={[
              { key: 'd', label: t(r.answer_text ? 'answer' : 'deadline'), children: <span className="sentence">{r.answer_text ?? lastDayOf(r.answer_due_at, r.person?.time_zone)}</span> },
              ...(r.fields_text.length ? [{ key: 'f', label: t('fields'), children: listed(r.fields_text) }] : []),
              ...(r.written?.text ? [{ key: 't', label: t(r.by_relative ? 'writtenRelative' : 'written'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.written.text}</span> }] : []),
              ...(r.written?.answer ? [{ key: 'a', label: t(r.by_relative ? 'wordsRelative' : 'words'), children: r.written.answer }] : []),
              ...(r.written?.basis ? [{ key: 'b', label: t('basis'), children: r.written.basis }] : []),
              ...(r.relative
                ? [
                    { key: 'rel', label: t('relativeName'), children: `${r.relative.name} · ${r.relative.relation_text}` },
                    { key: 'pr', label: t('proof'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.relative.proof}</span> },
                    { key: 'in', label: t('interestShort'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.relative.interest}</span> },
                  ]
                : []),
              ...(r.by_relative && !r.objected ? [{ key: 'seen', label: t('proofSeen'), children: r.proof_seen_by?.name ?? t('proofOpen') }] : []),
              { key: 'at', label: t('received'), children: r.received_on ? day(r.received_on) : <When at={r.entered_at} /> },
              ...(r.written?.kept_at ? [{ key: 'k', label: t('keptAt'), children: r.written.kept_at }] : []),
              ...(r.printed !== undefined ? [{ key: 'p', label: t('printedTimes'), children: r.printed }] : []),
              ...(r.entered_by ? [{ key: 'by', label: t('enteredBy'), children: <Person of={r.entered_by} /> }] : []),
            ]}
          />
        </Card>
      )}
      {r && r.objected && r.state === 'open' && <Alert type="warning" showIcon title={t('objected')} description={t('objectedText')} />}
      {r && waits && (hr || me.data?.role === 'reviewer') && <SeeProof of={r} own={own} />}
      {r && hr && !waits && !r.objected && r.state === 'open' && r.kind === 'copy' && r.form === 'written' && <PrintCopy of={r} own={own} />}
      {r && hr && r.state === 'open' && <AnswerForm of={r} waits={waits} />}
    </Flex>
  )
}

/** The second person saw the proof of death and relation; whoever entered the request is told to ask one. */
function SeeProof({ of: r, own }: { of: Schemas['SubjectRequest']; own: boolean }) {
  const t = useTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const see = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/subject-requests/{id}/proof', { params: { path: { id: r.id } } })),
    onSuccess: () => {
      void message.success(t('proofDone'))
      void client.invalidateQueries({ queryKey: ['subject-request', r.id] })
      void client.invalidateQueries({ queryKey: ['subject-requests'] })
    },
  })
  return (
    <Card size="small" title={<h2 className="card-title">{t('proofTitle')}</h2>}>
      <Typography.Paragraph>{t(own ? 'proofOther' : 'proofSecond')}</Typography.Paragraph>
      <ProblemAlert error={see.error} />
      {!own && (
        <Button loading={see.isPending} onClick={() => see.mutate()}>
          {t('seeProof')}
        </Button>
      )}
    </Card>
  )
}

/** The copy for somebody who asked on paper: a look at everything, which is recorded; printed once. */
function PrintCopy({ of: r, own }: { of: Schemas['SubjectRequest']; own: boolean }) {
  const t = useTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const outcome = useOutcome()
  const print = useMutation({
    mutationFn: async () => {
      const answer = (await ok(api.POST('/api/v1/subject-requests/{id}/copy', { params: { path: { id: r.id } }, parseAs: 'blob' }))) as unknown as Blob
      if (answer.type.includes('json')) return JSON.parse(await answer.text()) as Schemas['ApprovalView']
      const url = URL.createObjectURL(answer)
      Object.assign(document.createElement('a'), { href: url, download: `${t('copyFile')}.pdf` }).click()
      setTimeout(() => URL.revokeObjectURL(url), 10_000)
      return undefined
    },
    onSuccess: (request) => {
      if (request) outcome(request)
      // Reading it again would be recorded: this one more is known.
      else client.setQueryData<Schemas['SubjectRequest']>(['subject-request', r.id], (now) => now && { ...now, printed: (now.printed ?? 0) + 1 })
    },
    gcTime: 0,
  })
  const [done, asked] = [print.isSuccess && !print.data, print.data]
  return (
    <Card size="small" title={<h2 className="card-title">{t(r.by_relative ? 'printRelative' : 'printTitle')}</h2>}>
      {done ? (
        <Alert role="status" type="success" showIcon title={t(r.by_relative ? 'printedRelative' : 'printed')} description={t('printedNext')} action={<Button size="small" onClick={() => print.reset()}>{t('printAgain')}</Button>} />
      ) : (
        <Flex vertical gap={12} align="start">
          <span>{t(r.by_relative ? 'printHintRelative' : 'printHint')}</span>
          <span>{t(own ? 'printOwn' : 'printLate')}</span>
          {asked && <Alert role="status" type="info" showIcon title={t('printAsked')} action={<Link to={`/approvals/${asked.id}`}>{t('printOpen')}</Link>} />}
          <ProblemAlert error={print.error} />
          <Popconfirm
            disabled={!r.printed}
            title={t('printAgainSure')}
            description={t('printAgainMeans')}
            okText={t('printAgain')}
            cancelText={shell('cancel')}
            styles={{ root: { maxWidth: 360 } }}
            onConfirm={() => print.mutate()}
          >
            <Button loading={print.isPending} onClick={r.printed ? undefined : () => print.mutate()}>
              {t(r.printed ? 'printAgain' : 'print')}
            </Button>
          </Popconfirm>
        </Flex>
      )}
    </Card>
  )
}

function AnswerForm({ of: r, waits }: { of: Schemas['SubjectRequest']; waits: boolean }) {
  const t = useTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const outcome = useOutcome()
  const { message } = App.useApp()
  const [form] = Form.useForm<Schemas['NewSubjectAnswer']>()
  const answer = Form.useWatch('answer', form)
  const send = useMutation({
    mutationFn: (body: Schemas['NewSubjectAnswer']) => ok(api.POST('/api/v1/subject-requests/{id}/answer', { params: { path: { id: r.id } }, body })),
    onSuccess: (done) => {
      if (outcome(done)) void message.success(t('done'))
      void client.invalidateQueries({ queryKey: ['subject-request', r.id] })
      void client.invalidateQueries({ queryKey: ['subject-requests'] })
    },
    onError: (error) => showInForm(form, error),
  })
  const grants = answer === 'granted' || answer === 'partly'
  const required = [{ required: true, message: shell('required') }]
  return (
    <Card size="small" title={<h2 className="card-title">{t('answer')}</h2>}>
      <Form form={form} layout="vertical" initialValues={r.objected ? { answer: 'refused' } : undefined} onFinish={(body) => send.mutate(body)}>
        <Form.Item name="answer" label={t('decision')} extra={waits ? t('grantWaits') : undefined} rules={required}>
          <Radio.Group options={(['granted', 'partly', 'refused'] as const).map((value) => ({ value, label: t(value), disabled: value !== 'refused' && (waits || r.objected) }))} />
        </Form.Item>
        {grants &&
          r.kind === 'correction' &&
          r.fields.map((key, i) => (
            <Form.Item key={key} name={['fields', key]} label={t('newValue', { field: r.fields_text[i] ?? '' })}>
              <Input autoComplete="off" />
            </Form.Item>
          ))}
        {grants && r.kind === 'erasure' && (
          <>
            <Alert type="warning" showIcon title={t('eraseWill')} style={{ marginBottom: 12 }} />
            {r.fields.length > 0 && (
              <Form.Item name="erase_fields" label={t('eraseFields')}>
                <Checkbox.Group options={r.fields.map((value, i) => ({ value, label: r.fields_text[i] ?? '' }))} />
              </Form.Item>
            )}
            <Form.Item name="erase_categories" label={t('erase')}>
              <Checkbox.Group
                options={(r.may_be_erased ?? []).map((c) => ({
                  value: c.category,
                  disabled: !!c.kept,
                  label: (
                    <span>
                      {c.category_text} {c.kept_text && <Typography.Text type="secondary">{t('kept', { at: lastOf(c.deadline, r.person?.time_zone), why: c.kept_text })}</Typography.Text>}
                    </span>
                  ),
                }))}
              />
            </Form.Item>
          </>
        )}
        <Form.Item name="text" label={t(r.by_relative ? 'wordsRelative' : 'words')} extra={r.form === 'written' ? t('wordsPaper') : undefined} rules={required}>
          <Input.TextArea rows={3} count={longest(2000)} />
        </Form.Item>
        {answer && answer !== 'granted' && (
          <Form.Item name="basis" label={t('basis')} extra={t('basisHint')} rules={required}>
            <Input maxLength={500} />
          </Form.Item>
        )}
        <ProblemAlert error={send.error} />
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('send')}
        </Button>
      </Form>
    </Card>
  )
}
