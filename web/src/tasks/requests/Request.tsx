import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, Descriptions, Flex, Form, Input, Radio, Skeleton, Tag, Typography } from 'antd'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { day, instant, lastDayOf, When } from '../../shell/times'
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
  return (
    <Flex vertical gap={12} style={{ maxWidth: 820 }}>
      <Link to="/requests">← {t('title')}</Link>
      <Heading>{r ? t('titleOf', { kind: r.kind_text }) : t('title')}</Heading>
      {request.isPending && <Skeleton active />}
      <ProblemAlert error={request.error} retry={() => void request.refetch()} />
      {r && (
        <Card size="small" title={<Person of={r.person} />} extra={<Tag color={r.overdue ? 'red' : undefined}>{r.overdue ? t('overdue') : r.state_text}</Tag>}>
          <Descriptions
            column={1}
            size="small"
            items={[
              { key: 'd', label: t(r.answer_text ? 'answer' : 'deadline'), children: r.answer_text ?? t('due', { at: lastDayOf(r.answer_due_at, r.person?.time_zone) }) },
              ...(r.fields_text.length ? [{ key: 'f', label: t('fields'), children: r.fields_text.join('、') }] : []),
              ...(r.written?.text ? [{ key: 't', label: t('written'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.written.text}</span> }] : []),
              ...(r.written?.answer ? [{ key: 'a', label: t('words'), children: r.written.answer }] : []),
              ...(r.written?.basis ? [{ key: 'b', label: t('basis'), children: r.written.basis }] : []),
              ...(r.relative
                ? [
                    { key: 'rel', label: t('relativeName'), children: `${r.relative.name}（${r.relative.relation_text}）` },
                    { key: 'pr', label: t('proof'), children: r.relative.proof },
                    { key: 'in', label: t('interest'), children: r.relative.interest },
                  ]
                : []),
              ...(r.by_relative ? [{ key: 'seen', label: t('proofSeen'), children: r.proof_seen_by ? <Person of={r.proof_seen_by} /> : t('proofOpen') }] : []),
              ...(r.objected ? [{ key: 'ob', label: t('objected'), children: t('objectedText') }] : []),
              { key: 'at', label: t('received'), children: r.received_on ? day(r.received_on) : <When at={r.entered_at} /> },
            ]}
          />
        </Card>
      )}
      {r && r.by_relative && r.state === 'open' && !r.proof_seen_at && (hr || me.data?.role === 'reviewer') && <SeeProof of={r} />}
      {r && hr && r.state === 'open' && r.kind === 'copy' && r.form === 'written' && <PrintCopy of={r} />}
      {r && hr && r.state === 'open' && <AnswerForm of={r} />}
    </Flex>
  )
}

/** The second person saw the proof of death and relation. */
function SeeProof({ of: r }: { of: Schemas['SubjectRequest'] }) {
  const t = useTexts()
  const client = useQueryClient()
  const see = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/subject-requests/{id}/proof', { params: { path: { id: r.id } } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['subject-request', r.id] }),
  })
  return (
    <Card size="small" title={t('proofTitle')}>
      <Typography.Paragraph>{t('proofSecond')}</Typography.Paragraph>
      <ProblemAlert error={see.error} />
      <Button loading={see.isPending} onClick={() => see.mutate()}>
        {t('seeProof')}
      </Button>
    </Card>
  )
}

/** The copy for somebody who asked on paper: a look at everything, which is recorded; printed once. */
function PrintCopy({ of: r }: { of: Schemas['SubjectRequest'] }) {
  const t = useTexts()
  const outcome = useOutcome()
  const { message } = App.useApp()
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
      else void message.success(t('printed'))
    },
    gcTime: 0,
  })
  return (
    <Card size="small" title={t('printTitle')}>
      <Typography.Paragraph>{t('printHint')}</Typography.Paragraph>
      <ProblemAlert error={print.error} />
      <Button loading={print.isPending} onClick={() => print.mutate()}>
        {t('print')}
      </Button>
    </Card>
  )
}

function AnswerForm({ of: r }: { of: Schemas['SubjectRequest'] }) {
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
    <Card size="small" title={t('answer')}>
      <Form form={form} layout="vertical" onFinish={(body) => send.mutate(body)}>
        <Form.Item name="answer" label={t('answer')} rules={required}>
          <Radio.Group options={(['granted', 'partly', 'refused'] as const).map((value) => ({ value, label: t(value) }))} />
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
                      {c.category_text} {c.kept_text && <Typography.Text type="secondary">{t('kept', { at: instant(c.deadline), why: c.kept_text })}</Typography.Text>}
                    </span>
                  ),
                }))}
              />
            </Form.Item>
          </>
        )}
        <Form.Item name="text" label={t('words')} rules={required}>
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
