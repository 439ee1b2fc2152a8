import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Checkbox, DatePicker, Form, Input, Radio, Result, Segmented, Select, Skeleton, Space, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'

import { api, asRequest, ok, type Schemas } from '../../api/client'
import { isProblem, type Problem } from '../../api/problem'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { instant } from '../../shell/times'
import './look.css'
import { useLookTexts } from './look-texts'
import { usePurposes } from './purposes'
import { Alternatives, PleaDone, Refusal, useRegister, type Matter } from './Refusal'
import { Shown } from './Shown'

/** As the form keeps it; named as the API names it, so that what it finds wrong lands beside the field. */
export interface Asked {
  asker: 'colleague' | 'outsider' | 'nobody'
  requested_by?: Schemas['RequestedBy']
  fields: string[]
  field?: string
  value?: string
  purpose?: string
  evidence?: Record<string, Dayjs | string | undefined>
  reason?: string
  said?: string
  pressed?: boolean
}

type Came =
  | { is: 'shown'; answer: Schemas['LookAnswer'] }
  | { is: 'waiting'; request: Schemas['ApprovalView'] }
  | { is: 'refused'; problem: Problem }
  | { is: 'registered'; plea: Schemas['Plea'] }
  | { is: 'compared'; comparison: Schemas['Comparison'] }

const NEVER = 'never '
const matterOf = (purpose: string | undefined) => (purpose?.startsWith(NEVER) ? (purpose.slice(NEVER.length) as Matter) : undefined)

/** The group that the permissions have a field in. */
const groupOf = (field: Schemas['Field']) => (['home_address', 'personal_phone', 'personal_email', 'forwarding_contact'].includes(field.key) ? 'private_contact' : field.section)

const comparable = (field: Schemas['Field']) => ['phone', 'document_number', 'bank_account'].includes(field.type) || (field.type === 'text' && field.key.endsWith('_no'))

export const askerOf = (asked: Pick<Asked, 'asker' | 'requested_by'>): Schemas['RequestedBy'] | undefined =>
  asked.asker === 'colleague' ? { employee_id: asked.requested_by?.employee_id } : asked.asker === 'outsider' ? { description: asked.requested_by?.description?.trim() } : undefined

/** Who asks: three kinds, told apart before anything else. */
export function Asker({ autoFocus }: { autoFocus?: boolean }) {
  const t = useLookTexts()
  const asker = Form.useWatch<Asked['asker']>('asker')
  return (
    <>
      <Form.Item name="asker" label={t('asker')} style={{ marginBottom: 12 }}>
        <Radio.Group options={(['colleague', 'outsider', 'nobody'] as const).map((value) => ({ value, label: t(value) }))} />
      </Form.Item>
      {asker === 'colleague' && (
        <Form.Item name={['requested_by', 'employee_id']} label={t('askerColleague')} rules={[{ required: true, message: t('askerMissing') }]}>
          <PersonPicker autoFocus={autoFocus} allowClear={false} placeholder={t('findPerson')} />
        </Form.Item>
      )}
      {asker === 'outsider' && (
        <Form.Item name={['requested_by', 'description']} label={t('askerOutsider')} rules={[{ required: true, whitespace: true, message: t('askerOutsiderMissing') }]}>
          <Input maxLength={200} placeholder={t('askerOutsiderExample')} />
        </Form.Item>
      )}
    </>
  )
}

/**
 * The judged look and what comes of it; for what is never allowed it registers the plea in the same place. What was
 * typed stays until the answer is done with.
 */
export function Ask({ person, fields, asker, said, close, passMessage }: {
  person: Schemas['EmployeeView']
  fields: string[]
  /** Where it is asked for elsewhere. */
  asker?: Pick<Asked, 'asker' | 'requested_by'>
  /** What the asker wants and why, as it begins the reason. */
  said?: string
  close: () => void
  passMessage?: () => void
}) {
  const t = useLookTexts()
  const [form] = Form.useForm<Asked>()
  const hr = useMe().data?.role === 'hr_admin'
  const purposes = usePurposes(person.id)
  const [mode, setMode] = useState<'look' | 'compare'>('look')
  const [came, setCame] = useState<Came>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  // The reason is what the asker said, unless somebody writes it anew.
  const [anew, setAnew] = useState(false)
  const register = useRegister(person.id)
  const chosen = Form.useWatch('fields', form) ?? fields
  const one = Form.useWatch('field', form)
  const picked = Form.useWatch('purpose', form)
  const left = person.status === 'departed' || person.status === 'purged'
  const sensitive = person.fields.filter((f) => f.access === 'masked' && f.requires_disclosure && !f.purged)
  const about = sensitive.filter((f) => (mode === 'compare' ? f.key === one : chosen.includes(f.key)))
  const purpose = purposes.data?.purposes.find((p) => p.purpose === picked)
  const matter = purposes.data?.never.find((m) => m.matter === matterOf(picked))
  const consent = useQuery({
    queryKey: ['consents', person.id],
    enabled: hr && !!purpose?.consent,
    queryFn: () => ok(api.GET('/api/v1/consents', { params: { query: { employee_id: person.id } } })),
  })
  const state = consent.data?.items.find((c) => c.purpose === purpose?.consent)?.state
  const recorded = state === 'given' || state === 'declined' || state === 'withdrawn'
  const demands = (purpose?.evidence ?? []).filter((d) => (!d.of_leavers || left) && (!d.unrecorded || !recorded))

  const requester = (asked: Asked) => {
    const by = askerOf(asker ?? asked)
    return by?.employee_id || by?.description ? by : undefined
  }
  // The reason follows what the asker said until somebody writes it anew.
  useEffect(() => {
    if (said && !form.isFieldTouched('reason')) form.setFieldValue('reason', said)
  }, [said, form, picked])
  const wished = fields.join()
  useEffect(() => {
    if (wished && !form.isFieldTouched('fields')) form.setFieldValue('fields', wished.split(','))
  }, [wished, form])

  const bodyOf = (asked: Asked) => ({
    purpose: purpose!.purpose,
    reason: asked.reason!.trim(),
    requested_by: requester(asked),
    evidence: Object.fromEntries(
      demands.flatMap((d) => {
        const value = asked.evidence?.[d.key]
        return !value ? [] : [[d.key, typeof value === 'string' ? value.trim() : d.kind === 'instant' ? value.format() : value.format('YYYY-MM-DD')]]
      }),
    ),
  })
  const send = async (asked: Asked) => {
    setBusy(true)
    setError(undefined)
    const path = { id: person.id }
    try {
      if (matter) {
        setCame({ is: 'registered', plea: await register(matter.matter, requester(asked), asked.said ?? said, asked.pressed ?? false) })
      } else if (mode === 'compare') {
        const comparison = await ok(api.POST('/api/v1/employees/{id}/comparisons', { params: { path }, body: { ...bodyOf(asked), field: asked.field!, value: asked.value! } }))
        form.setFieldValue('value', undefined)
        setCame({ is: 'compared', comparison })
      } else {
        const answer = await ok<Schemas['LookAnswer'] | Schemas['ApprovalView']>(api.POST('/api/v1/employees/{id}/disclosures', { params: { path }, body: { ...bodyOf(asked), fields: asked.fields } }))
        const request = asRequest(answer)
        setCame(request ? { is: 'waiting', request } : { is: 'shown', answer: answer as Schemas['LookAnswer'] })
      }
    } catch (e) {
      if (isProblem(e, 'disclosure_refused')) setCame({ is: 'refused', problem: e.problem })
      else {
        if (isProblem(e) && e.problem.errors?.some((wrong) => wrong.location.endsWith('reason'))) setAnew(true)
        if (!showInForm(form, e)) setError(e)
      }
    } finally {
      setBusy(false)
    }
  }

  if (purposes.isPending) return <Skeleton active />
  if (purposes.isError) return <ProblemAlert error={purposes.error} retry={() => void purposes.refetch()} />

  const fits = (p: Schemas['PurposeView']) => about.every((f) => p.groups.some((g) => g.group === groupOf(f) && g.level !== 'none'))
  const options = [
    { label: t('allowed'), options: purposes.data.purposes.filter(fits).map((p) => ({ value: p.purpose as string, label: p.purpose_text })) },
    { label: t('never'), options: !hr ? [] : purposes.data.never.map((m) => ({ value: NEVER + m.matter, label: m.matter_text })) },
    { label: t('notForThis'), options: purposes.data.purposes.filter((p) => !fits(p)).map((p) => ({ value: p.purpose as string, label: p.purpose_text })) },
  ].filter((g) => g.options.length > 0)
  const fieldOptions = (keep: (f: Schemas['Field']) => boolean) => {
    const sections = new Map<string, { value: string; label: string }[]>()
    for (const f of sensitive.filter(keep)) sections.set(f.section_label, [...(sections.get(f.section_label) ?? []), { value: f.key, label: f.label }])
    return [...sections].map(([label, items]) => ({ label, options: items }))
  }
  const again = (
    <Button onClick={() => setCame(undefined)}>{t(came?.is === 'compared' ? 'compareAgain' : 'back')}</Button>
  )

  return (
    <>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        scrollToFirstError
        initialValues={{ asker: 'colleague', fields, reason: said }}
        onFinish={(asked) => void send(asked)}
        onKeyDownCapture={(e) => {
          if (e.key !== 'Enter') return
          if (!(e.ctrlKey || e.metaKey)) {
            if (e.target instanceof HTMLInputElement) e.preventDefault() // it accepts a date, and asks for nothing
            return
          }
          e.preventDefault()
          e.stopPropagation()
          form.submit()
        }}
        className={came ? 'gone' : undefined}
      >
        <Form.Item label={t('mode')} style={{ marginBottom: 12 }}>
          <Segmented value={mode} onChange={(next) => setMode(next)} options={[{ value: 'look' as const, label: t('modeLook') }, { value: 'compare' as const, label: t('modeCompare') }]} />
        </Form.Item>
        {mode === 'look' ? (
          <Form.Item name="fields" label={t('fields')} rules={[{ required: !matter, type: 'array', min: matter ? 0 : 1, message: t('fieldsMissing') }]}>
            <Select mode="multiple" options={fieldOptions(() => true)} showSearch={{ optionFilterProp: 'label' }} />
          </Form.Item>
        ) : (
          <Form.Item name="field" label={t('field')} extra={t('compareHint')} rules={[{ required: !matter, message: t('fieldsMissing') }]}>
            <Select options={fieldOptions(comparable)} showSearch={{ optionFilterProp: 'label' }} />
          </Form.Item>
        )}
        {!asker && <Asker autoFocus />}
        <Form.Item name="purpose" label={t('purpose')} rules={[{ required: true, message: t('purposeMissing') }]}>
          <Select
            options={options}
            placeholder={t('purposeHint')}
            showSearch={{ optionFilterProp: 'label' }}
            listHeight={360}
            optionRender={(option) => (matterOf(String(option.value)) ? <Typography.Text type="danger">{option.label}</Typography.Text> : option.label)}
          />
        </Form.Item>
        {purpose && hr && about.length > 0 && <Verdict purpose={purpose} about={about} left={left} />}
        {matter && (
          <Alert
            type="error"
            showIcon
            role="status"
            title={t('neverTitle', { matter: matter.matter_text })}
            description={
              <Space orientation="vertical" size={4}>
                <span>{t('neverText')}</span>
                <Alternatives of={matter.alternatives} />
              </Space>
            }
            style={{ marginBottom: 16 }}
          />
        )}
        {demands.map((d) => (
          <Form.Item key={`${picked} ${d.key}`} name={['evidence', d.key]} label={d.label} rules={[{ required: true, message: t('required', { label: d.label }) }]}>
            {d.kind === 'choice' ? (
              <Select options={(d.choices ?? []).map((c) => ({ value: c.value, label: c.text }))} />
            ) : d.kind === 'text' ? (
              <Input maxLength={200} />
            ) : (
              <DatePicker style={{ width: '100%' }} showTime={d.kind === 'instant' && { format: 'HH:mm' }} format={d.kind === 'instant' ? 'YYYY-MM-DD HH:mm' : 'YYYY-MM-DD'} maxDate={dayjs()} needConfirm={false} allowClear={false} />
            )}
          </Form.Item>
        ))}
        {purpose && mode === 'compare' && (
          <Form.Item name="value" label={t('value')} rules={[{ required: true, whitespace: true, message: t('valueMissing') }]}>
            <Input autoComplete="off" maxLength={100} />
          </Form.Item>
        )}
        {purpose && said && !anew && (
          <Form.Item label={t('reason')}>
            <Typography.Paragraph style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {said}{' '}
              <Button size="small" onClick={() => setAnew(true)}>
                {t('reasonAnew')}
              </Button>
            </Typography.Paragraph>
          </Form.Item>
        )}
        {purpose && (
          <Form.Item name="reason" hidden={!!said && !anew} label={t('reason')} extra={t('reasonHint')} rules={[{ required: true, whitespace: true, message: t('reasonMissing') }]}>
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} count={longest(2000)} />
          </Form.Item>
        )}
        {matter && !asker && (
          <Form.Item name="said" label={t('said')} extra={t('saidHint')}>
            <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} count={longest(2000)} />
          </Form.Item>
        )}
        {matter && (
          <Form.Item name="pressed" valuePropName="checked">
            <Checkbox>{t('pressed')}</Checkbox>
          </Form.Item>
        )}
        {error ? (
          <div style={{ marginBottom: 12 }}>
            <ProblemAlert error={error} retry={() => form.submit()} />
          </div>
        ) : null}
        <Space>
          <Button type="primary" htmlType="submit" loading={busy}>
            {matter ? t('register') : mode === 'compare' ? t('compare') : t('submit')}
          </Button>
          <Typography.Text type="secondary">{t('submitKeys')}</Typography.Text>
        </Space>
      </Form>
      {came?.is === 'shown' && <Shown answer={came.answer} types={new Map(person.fields.map((f) => [f.key, f.type]))} close={close} />}
      {came?.is === 'waiting' && (
        <Result
          status="info"
          title={t('waiting')}
          subTitle={t('waitingText', { who: came.request.approvers_text.join(t('comma')), until: instant(came.request.expires_at) })}
          extra={[
            <Link key="see" to={`/approvals/${came.request.id}`}>
              {t('openRequest')}
            </Link>,
            <Button key="done" type="primary" autoFocus onClick={close}>
              {t('done')}
            </Button>,
          ]}
        />
      )}
      {came?.is === 'refused' && (
        <Refusal
          problem={came.problem}
          person={person.id}
          requestedBy={requester(form.getFieldsValue(true) as Asked)}
          said={said ?? (form.getFieldValue('reason') as string | undefined)}
          matters={hr ? purposes.data.never : []}
          registered={(plea) => setCame({ is: 'registered', plea })}
          passMessage={passMessage}
          askToLook={() => {
            form.setFieldValue('fields', one ? [one] : fields)
            setMode('look')
            setCame(undefined)
          }}
        >
          {again}
        </Refusal>
      )}
      {came?.is === 'registered' && (
        <PleaDone plea={came.plea}>
          <Button onClick={close}>{t('done')}</Button>
        </PleaDone>
      )}
      {came?.is === 'compared' && (
        <Result
          status={came.comparison.judgement?.matched ? 'success' : 'warning'}
          title={came.comparison.judgement?.matched_text}
          subTitle={t(came.comparison.judgement?.matched ? 'matchedText' : 'notMatchedText', { field: came.comparison.fields_text.join(t('comma')) })}
          extra={
            <Space wrap>
              {again}
              <Button type="primary" autoFocus onClick={close}>
                {t('done')}
              </Button>
            </Space>
          }
        />
      )}
    </>
  )
}

/** What the permissions say of the chosen purpose, before anything is asked. */
function Verdict({ purpose, about, left }: { purpose: Schemas['PurposeView']; about: Schemas['Field'][]; left: boolean }) {
  const t = useLookTexts()
  const levelOf = (f: Schemas['Field']) => purpose.groups.find((g) => g.group === groupOf(f))?.level ?? 'none'
  const not = about.filter((f) => levelOf(f) === 'none')
  const review = about.some((f) => levelOf(f) === 'look_after_review') || (left && purpose.emergency)
  const words = not.length > 0 ? t('verdictNone', { fields: not.map((f) => f.label).join(t('comma')) }) : left && purpose.emergency ? t('verdictLeft') : review ? t('verdictReview') : t('verdictLook')
  return (
    <Alert
      type={not.length > 0 ? 'error' : review ? 'warning' : 'info'}
      showIcon
      role="status"
      style={{ marginBottom: 16 }}
      title={`${t('verdict')}${t('colon')}${words}${purpose.reviewed && not.length === 0 ? t('verdictAfter') : ''}`}
      description={`${t('basis')}${t('colon')}${purpose.basis}`}
    />
  )
}
