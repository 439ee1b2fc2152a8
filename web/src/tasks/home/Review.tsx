import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Descriptions, Drawer, Flex, Form, Input, Radio, Skeleton, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { longest } from '../../shell/longest'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { instant, When } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useHomeTexts } from './texts'

type Values = { review?: 'proper' | 'improper'; note?: string; answer?: string }

/** A look with its reason. Reading it is recorded: once, and what was written is kept no longer than it is shown. */
export const useLook = (look: string) =>
  useQuery({
    queryKey: ['look', look],
    queryFn: () => ok(api.GET('/api/v1/disclosures/{id}', { params: { path: { id: look } } })),
    gcTime: 0, staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false,
  })

/** A look that was shown before anybody reviewed it, or that its subject objects to: read with its reason, and decided. */
export function Review({ look, objection, close }: { look: string; objection: boolean; close: () => void }) {
  const t = useHomeTexts()
  const wide = useWide()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Values>()
  const review = Form.useWatch('review', form)
  const path = { id: look }
  const read = useLook(look)
  const send = useMutation({
    mutationFn: (v: Values) =>
      objection
        ? ok(api.POST('/api/v1/disclosures/{id}/objection/answer', { params: { path }, body: { answer: v.answer ?? '' } }))
        : ok(api.POST('/api/v1/disclosures/{id}/review', { params: { path }, body: { review: v.review ?? 'improper', note: v.note || undefined } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['home'] })
      void client.invalidateQueries({ queryKey: ['looks'] })
      void message.success(t('answered'))
      close()
    },
    onError: (error) => showInForm(form, error),
  })
  return (
    <Drawer
      open
      onClose={close}
      mask={{ closable: false }}
      size={wide ? 560 : '100%'}
      title={objection ? t('answerTitle') : t('reviewTitle')}
      footer={
        <Flex gap={8}>
          <Button type="primary" loading={send.isPending} disabled={!read.data} onClick={() => form.submit()}>
            {objection ? t('answerSubmit') : t('reviewSubmit')}
          </Button>
          <Button onClick={close}>{t('back')}</Button>
        </Flex>
      }
    >
      {read.error && <ProblemAlert error={read.error} retry={() => void read.refetch()} />}
      {read.isPending && <Skeleton active />}
      {read.data && (
        <Form form={form} layout="vertical" onFinish={(v: Values) => !send.isPending && send.mutate(v)}>
          <Typography.Paragraph type="secondary">{objection ? t('answerHint') : t('reviewHint')}</Typography.Paragraph>
          <What of={read.data} />
          {objection ? (
            <>
              <Alert type="warning" showIcon style={{ marginBottom: 16 }} title={t('objectionText')} description={read.data.objection} />
              <Form.Item name="answer" label={t('answer')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
                <Input.TextArea autoSize={{ minRows: 3, maxRows: 10 }} count={longest(2000)} />
              </Form.Item>
            </>
          ) : (
            <>
              <Form.Item name="review" label={t('verdict')} rules={[{ required: true, message: t('required') }]} extra={review === 'improper' ? t('improperWhat') : undefined}>
                <Radio.Group options={[{ value: 'proper', label: t('proper') }, { value: 'improper', label: t('improper') }]} />
              </Form.Item>
              <Form.Item name="note" label={t('reviewNote')} extra={t('reviewNoteHint')} rules={review === 'improper' ? [{ required: true, whitespace: true, message: t('required') }] : []}>
                <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} count={longest(1000)} />
              </Form.Item>
            </>
          )}
          {send.error && <ProblemAlert error={send.error} />}
        </Form>
      )}
    </Drawer>
  )
}

/** Who looked at what of whom, and why. */
export function What({ of: l }: { of: Schemas['DisclosureView'] }) {
  const t = useHomeTexts()
  const j = l.judgement
  const w = j?.written
  const rows: [string, React.ReactNode][] = [
    [t('subject'), <Person of={l.person} />],
    [t('looker'), j?.looker ? <Person of={j.looker} /> : l.department],
    [t('when'), <When at={l.shown_at ?? l.asked_at} />],
    [t('purpose'), l.purpose_text],
    [t('fields'), l.fields_text.join(language() === 'zh' ? '、' : ', ')],
    [t('times'), l.shown_times || ''],
    [t('reason'), w?.reason],
    [t('evidence'), w?.evidence.length ? w.evidence.map((e) => <div key={e.key}>{`${e.label}: ${/^\d{4}-\d\d-\d\dT/.test(e.value) ? instant(e.value) : e.text || e.value}`}</div>) : ''],
    [t('asker'), w?.requested_by ?? (j?.requested_by && <Person of={j.requested_by} />)],
    [t('flags'), j?.flags_text.join('；')],
    [t('result'), j?.outcome_text],
    [t('note'), w?.outcome_note],
  ]
  return <Descriptions bordered size="small" column={1} style={{ marginBottom: 16 }} items={rows.filter(([, children]) => !!children).map(([label, children]) => ({ key: label, label, children }))} />
}
