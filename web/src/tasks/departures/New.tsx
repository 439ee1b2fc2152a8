import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, Col, Collapse, Descriptions, Empty, Flex, Form, Input, Radio, Row, Skeleton, Space, Typography } from 'antd'
import dayjs from 'dayjs'
import { useEffect } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'

import { api, asRequest, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { State } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { day, instant } from '../../shell/times'
import { DayInput, InstantInput, useRested, zoneName } from './dates'
import { DryRun } from './DryRun'
import { Plan } from './plan'
import { useDepartureTexts } from './texts'

type Kind = Schemas['NewDeparture']['kind']
const kinds: Kind[] = ['resignation', 'mutual_agreement', 'dismissal', 'contract_end', 'retirement', 'death', 'assignment_end']

type Values = Omit<Schemas['NewDeparture'], 'employee_id'> & { employee_id?: string }

/** What is asked of the API: of an immediate departure no dates, and nothing that the person left empty. */
function asked(v: Partial<Values>): Schemas['NewDeparture'] | undefined {
  if (!v.employee_id || !v.kind || (!v.immediate && !v.last_working_day)) return undefined
  const dates = v.immediate
    ? { immediate: true }
    : {
        last_working_day: v.last_working_day, notice_received_on: v.notice_received_on, employment_end_date: v.employment_end_date,
        access_cutoff_at: v.access_cutoff_at, confirm_past: v.confirm_past || undefined, count_from_end: v.confirm_past && v.count_from_end ? true : undefined,
      }
  return { employee_id: v.employee_id, kind: v.kind, ...dates }
}

export default function New() {
  const t = useDepartureTexts()
  const shell = useShellTexts()
  const [form] = Form.useForm<Values>()
  const [params] = useSearchParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const outcome = useOutcome()
  const { message } = App.useApp()
  const values = (Form.useWatch([], form) as Values | undefined) ?? ({} as Partial<Values>)
  const body = asked(values)
  const rested = useRested(body)
  const begin = useMutation({
    mutationFn: (v: Values) => {
      const { note, legal_ground, approval_reason } = v
      return ok(api.POST('/api/v1/departures', { body: { ...asked(v)!, note: note || undefined, legal_ground: legal_ground || undefined, approval_reason: approval_reason || undefined } }))
    },
    onSuccess: (answer) => {
      void client.invalidateQueries({ queryKey: ['departures'] })
      void client.invalidateQueries({ queryKey: ['person', values.employee_id], refetchType: 'none' })
      const request = asRequest(answer)
      const departure = outcome<Schemas['DepartureView']>(answer)
      if (departure) {
        void message.success(t('begun'))
        void navigate(`/departures/${departure.id}`)
      } else if (request) void navigate(`/approvals/${request.id}`)
    },
    onError: (error) => showInForm(form, error),
  })
  const preview = useQuery({
    queryKey: ['departure-preview', rested],
    enabled: !!rested && !begin.isSuccess,
    queryFn: () => ok(api.POST('/api/v1/departures/preview', { body: rested! })),
    placeholderData: (before) => (before?.person.employee_id === rested?.employee_id ? before : undefined),
    retry: false,
    gcTime: 0,
  })
  const plan = body && !preview.error ? preview.data : undefined
  const refused = begin.error ?? (body ? preview.error : null)
  const exists = isProblem(refused, 'departure_exists') ? refused.problem.location?.split('/').pop() : undefined
  const past = isProblem(refused, 'last_working_day_in_past') ? refused.problem : undefined
  const zone = plan?.time_zone
  const noticeDays = values.last_working_day && (values.notice_received_on ?? plan?.notice_received_on) ? dayjs(values.last_working_day).diff(dayjs(values.notice_received_on ?? plan?.notice_received_on), 'day') : undefined

  useEffect(() => {
    if (preview.error && !past) showInForm(form, preview.error)
    else form.setFields((['last_working_day', 'notice_received_on', 'employment_end_date', 'access_cutoff_at'] as const).map((name) => ({ name, errors: [] })))
  }, [preview.error, preview.data, past, form])

  const cutsNow = !!plan && Date.parse(plan.access_cutoff_at) <= Date.now()
  const label = values.immediate
    ? plan?.two_people ? t('submitTwo') : t('submitNow')
    : plan?.two_people
      ? t('submitTwo')
      : plan
        ? cutsNow ? t('submitCut') : t('submit', { when: instant(plan.access_cutoff_at, plan.time_zone) })
        : t('submitPlain')

  return (
    <div>
      <Heading>{t('newTitle')}</Heading>
      <Typography.Paragraph type="secondary">{t('newHint')}</Typography.Paragraph>
      <Form
        form={form}
        layout="vertical"
        requiredMark
        scrollToFirstError={{ focus: true }}
        initialValues={{ employee_id: params.get('person') ?? undefined, kind: 'resignation', immediate: false, count_from_end: false }}
        onValuesChange={(changed: Partial<Values>) => {
          begin.reset()
          if ('last_working_day' in changed || 'employee_id' in changed) form.setFieldsValue({ confirm_past: false, count_from_end: false })
        }}
        onFinish={(v) => !begin.isPending && !exists && begin.mutate(v)}
        onKeyDown={(e) => {
          if (e.key !== 'Enter') return
          if (e.ctrlKey || e.metaKey) {
            e.preventDefault()
            if (plan) form.submit() // what will happen was seen
          } else if (e.target instanceof HTMLInputElement) e.preventDefault() // it accepts a date, and begins nothing
        }}
      >
        <Row gutter={24}>
          <Col xs={24} xl={13}>
            <Form.Item name="employee_id" data-tour="who" label={t('who')} rules={[{ required: true, message: shell('required') }]}>
              <PersonPicker autoFocus={!params.get('person')} size="large" allowClear={false} placeholder={t('whoHint')} />
            </Form.Item>
            {values.employee_id && <PersonCard id={values.employee_id} exists={exists} />}
            <Form.Item name="kind" data-tour="kind" label={t('kind')}>
              <Radio.Group options={kinds.map((kind) => ({ value: kind, label: t(`kind_${kind}` as 'kind_death') }))} />
            </Form.Item>
            <Form.Item name="immediate" data-tour="when" label={t('when')} extra={values.immediate ? <Typography.Text type="danger">{plan?.two_people ? t('whenNowHintTwo') : t('whenNowHint')}</Typography.Text> : undefined}>
              <Radio.Group options={[{ value: false, label: t('whenDated') }, { value: true, label: t('whenNow') }]} />
            </Form.Item>
            {!values.immediate && (
              <>
                <Form.Item name="last_working_day" data-tour="last" label={t('lastDay')} rules={[{ required: true, message: t('lastDayMissing') }]}>
                  <DayInput
                    required
                    presets={[
                      { label: t('today'), value: dayjs() },
                      ...[7, 14, 30].map((days) => ({ label: t('inDays', { days }), value: dayjs().add(days, 'day') })),
                      { label: t('monthEnd'), value: dayjs().endOf('month') },
                    ]}
                  />
                </Form.Item>
                {(past || values.confirm_past) && (
                  <Alert
                    type="warning"
                    showIcon
                    style={{ marginBottom: 20 }}
                    title={past?.title ?? t('pastTitle')}
                    description={
                      <>
                        {past && <p style={{ marginTop: 0 }}>{past.detail}</p>}
                        <Form.Item name="confirm_past" valuePropName="checked" noStyle>
                          <Checkbox>{t('pastConfirm')}</Checkbox>
                        </Form.Item>
                        {values.confirm_past && !(plan?.earlier && !values.count_from_end) && (
                          <Form.Item name="count_from_end" label={t('countFrom')} style={{ margin: '12px 0 0' }}>
                            <Radio.Group orientation="vertical" options={[{ value: false, label: t('countToday') }, { value: true, label: t('countEnd') }]} />
                          </Form.Item>
                        )}
                      </>
                    }
                  />
                )}
                <Collapse
                  size="small"
                  style={{ marginBottom: 20 }}
                  items={[
                    {
                      key: 'more',
                      label: (
                        <Space size={12} wrap>
                          {t('more')}
                          {plan && (
                            <Typography.Text type="secondary">
                              {t('cutoff')} {instant(plan.access_cutoff_at, plan.time_zone)}
                            </Typography.Text>
                          )}
                        </Space>
                      ),
                      forceRender: true,
                      children: (
                        <>
                          <Form.Item name="access_cutoff_at" label={t('cutoff')} extra={values.access_cutoff_at ? t('changed') : t('cutoffWhy', { zone: zone ? zoneName(zone, plan?.access_cutoff_at) : '' }).replace(/（）|\s*\(\)/, '')}>
                            <InstantInput derived={plan?.access_cutoff_at} zone={zone} />
                          </Form.Item>
                          <Form.Item name="employment_end_date" label={t('endDate')} extra={values.employment_end_date ? t('changed') : t('endWhy')}>
                            <DayInput derived={plan?.employment_end_date} />
                          </Form.Item>
                          <Form.Item
                            name="notice_received_on"
                            label={t('noticeOn')}
                            extra={`${values.notice_received_on ? t('changed') : t('noticeWhy')} ${noticeDays !== undefined ? t('noticeDays', { days: noticeDays }) : ''}`}
                          >
                            <DayInput derived={plan?.notice_received_on} />
                          </Form.Item>
                          <Form.Item name="legal_ground" label={t('ground')} extra={t('groundHint')} style={{ marginBottom: 0 }}>
                            <Input maxLength={100} autoComplete="off" />
                          </Form.Item>
                        </>
                      ),
                    },
                  ]}
                />
              </>
            )}
            <Form.Item name="note" label={t('note')} extra={t('noteHint')}>
              <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} count={longest(2000)} showCount={(values.note?.length ?? 0) > 1500} />
            </Form.Item>
            {(plan?.two_people || plan?.earlier) && (
              <>
                <Alert
                  type="warning"
                  showIcon
                  style={{ marginBottom: 12 }}
                  title={plan.two_people ? t('twoPeople') : t('earlierTitle')}
                  description={
                    <>
                      {plan.earlier && <div>{t('earlierText', { last: day(plan.earlier.last_working_day), end: day(plan.earlier.employment_end_date) })}</div>}
                      <div>{t('because', { why: [...plan.because, ...(plan.earlier?.because ?? [])].map((c) => c.cause_text).join('；') })}</div>
                    </>
                  }
                />
                <Form.Item name="approval_reason" label={shell('reasonForSecond')} extra={shell('reasonForSecondHint')} rules={[{ required: true, whitespace: true, message: shell('required') }]}>
                  <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(1000)} />
                </Form.Item>
              </>
            )}
            {refused && !exists && !past && (
              <div style={{ marginBottom: 16 }}>
                <ProblemAlert error={refused} retry={begin.error ? undefined : () => void preview.refetch()} />
              </div>
            )}
          </Col>
          <Col xs={24} xl={11}>
            <Card data-tour="plan" title={<h2 style={{ font: 'inherit', margin: 0 }}>{t('plan')}</h2>} aria-live="polite" style={{ marginBottom: 16, position: 'sticky', top: 72 }}>
              {plan ? (
                <div style={{ opacity: preview.isPlaceholderData ? 0.6 : 1 }}>
                  <Space wrap style={{ marginBottom: 16 }}>
                    <Person of={plan.person} />
                    <State tone="calm">{plan.kind_text}</State>
                    {plan.accounts.length > 0 && <State tone="busy">{t('accountsCount', { n: plan.accounts.length })}</State>}
                  </Space>
                  <Plan of={plan} />
                  {plan.successor_missing.length > 0 && (
                    <Alert type="warning" showIcon style={{ marginTop: 16 }} title={t('successionPreview', { what: plan.successor_missing.map((m) => (m.count > 1 ? `${m.kind_text} × ${m.count}` : m.kind_text)).join(t('successionAnd')) })} />
                  )}
                </div>
              ) : body && preview.isFetching ? (
                <Skeleton active />
              ) : (
                <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('planEmpty')} />
              )}
            </Card>
          </Col>
        </Row>
        <Flex gap={12} align="center" wrap>
          <Button data-tour="send" type="primary" htmlType="submit" size="large" danger={values.immediate || cutsNow} loading={begin.isPending} disabled={!!exists} style={{ whiteSpace: 'normal', height: 'auto', minHeight: 40, maxWidth: '100%' }}>
            {label}
          </Button>
          <DryRun of={exists ? undefined : body} />
          <Typography.Text type="secondary">{t('submitKeys')}</Typography.Text>
        </Flex>
      </Form>
    </div>
  )
}

/** Who it is, so that it is never a namesake; and whether there is a departure already. */
function PersonCard({ id, exists }: { id: string; exists?: string }) {
  const t = useDepartureTexts()
  const person = useQuery({ queryKey: ['person', id], queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id } } })), staleTime: 60_000 })
  const name = person.data?.name
  const namesakes = useQuery({
    queryKey: ['people', 'found', name],
    enabled: !!name,
    queryFn: () => ok(api.GET('/api/v1/employees', { params: { query: { q: name, limit: 20 } } })),
  })
  const leaving = useQuery({
    queryKey: ['departures', 'of', id],
    enabled: !!person.data && person.data.status !== 'active',
    queryFn: () => ok(api.GET('/api/v1/departures', { params: { query: { employee_id: id, limit: 1 } } })),
  })
  if (person.error) return <ProblemAlert error={person.error} retry={() => void person.refetch()} />
  if (!person.data) return <Skeleton active paragraph={{ rows: 2 }} />
  const p = person.data
  const same = (namesakes.data?.items ?? []).filter((other) => other.id !== id && other.name === p.name)
  const found = exists ?? leaving.data?.items[0]?.id
  return (
    <Card size="small" style={{ marginBottom: 20 }} styles={{ body: { paddingBottom: 8 } }}>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2 }}
        items={[
          { key: 'name', label: t('who'), children: <strong>{p.name}</strong> },
          { key: 'no', label: t('employeeNo'), children: <strong>{p.employee_no}</strong> },
          { key: 'department', label: t('department'), children: p.department },
          { key: 'hired', label: t('hiredOn'), children: day(p.hired_on) },
          { key: 'entity', label: t('entity'), children: p.legal_entity },
          { key: 'post', label: t('post'), children: p.post || '—' },
          { key: 'status', label: t('status'), children: <State tone={p.status === 'active' ? 'good' : 'wait'}>{p.status_text}</State> },
        ]}
      />
      {same.length > 0 && <Alert type="info" showIcon style={{ marginBottom: 8 }} title={t('namesakes', { who: same.map((o) => `${o.employee_no} ${o.department}`).join('；') })} />}
      {(exists || p.status !== 'active') && (
        <Alert
          type="error"
          role="alert"
          showIcon
          style={{ marginBlock: 8 }}
          title={t('leaving')}
          action={found && <Link to={`/departures/${found}`}>{t('leavingOpen')}</Link>}
        />
      )}
    </Card>
  )
}
