import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Checkbox, Descriptions, Drawer, Flex, Form, Input, Modal, Radio, Skeleton, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { useWide } from '../../shell/wide'
import { changeText, DayInput, InstantInput, useRested, zoneName } from './dates'
import { useDepartureTexts } from './texts'

type Departure = Schemas['DepartureView']
type Action = 'change' | 'recount' | 'withdraw' | 'annul'

/** What can be done to a departure where it stands, each where it can be done only. */
export function Actions({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const me = useMe()
  const [open, setOpen] = useState<Action>()
  if (me.data?.role !== 'hr_admin' || me.data.employee_id === d.employee_id) return null
  const pending = d.stage === 'pending_departure'
  const ended = Date.parse(d.employment_ended_at) <= Date.now()
  const waits = (what: Schemas['WaitingView']['what']) => d.waiting.some((w) => w.what === what)
  const mine = d.waiting.some((w) => w.roles.includes('hr_admin') && (w.support_case_id || w.approval_id || w.hold_id || w.purge_id))
  const close = () => setOpen(undefined)
  return (
    <Flex gap={8} wrap>
      {pending && !ended && (
        <Button type={mine ? 'default' : 'primary'} onClick={() => setOpen('change')}>
          {t('change')}
        </Button>
      )}
      {d.stage === 'departed' && !waits('earlier_dates') && Date.parse(d.counts_from) > Date.parse(d.employment_ended_at) && <Button onClick={() => setOpen('recount')}>{t('recount')}</Button>}
      {pending && !ended && <Button onClick={() => setOpen('withdraw')}>{t('withdraw')}</Button>}
      {(pending || d.stage === 'departed') && !waits('annulment_confirmation') && (
        <Button danger onClick={() => setOpen('annul')}>
          {t('annul')}
        </Button>
      )}
      {(open === 'change' || open === 'recount') && <Change of={d} recount={open === 'recount'} close={close} />}
      {open === 'withdraw' && <Withdraw of={d} close={close} />}
      {open === 'annul' && <Annul of={d} close={close} />}
    </Flex>
  )
}

const nameOf = (d: Departure) => `${d.person.name} ${d.person.employee_no}`

type Dates = Schemas['DatesInputBody']

function Change({ of: d, recount, close }: { of: Departure; recount: boolean; close: () => void }) {
  const t = useDepartureTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const client = useQueryClient()
  const outcome = useOutcome()
  const { message } = App.useApp()
  const [form] = Form.useForm<Dates>()
  const initial: Dates = {
    last_working_day: d.last_working_day,
    notice_received_on: d.notice_received_on,
    employment_end_date: d.employment_end_date === d.last_working_day ? undefined : d.employment_end_date,
    immediate: false,
  }
  const values = (Form.useWatch([], form) as Dates | undefined) ?? initial
  const asked = (v: Dates): Dates | undefined => {
    if (recount) {
      return v.last_working_day ? { last_working_day: v.last_working_day, notice_received_on: v.notice_received_on, employment_end_date: v.employment_end_date, count_from_end: true, confirm_past: true } : undefined
    }
    if (v.immediate) return { immediate: true }
    if (!v.last_working_day) return undefined
    const { last_working_day, notice_received_on, employment_end_date, access_cutoff_at, confirm_past } = v
    return { last_working_day, notice_received_on, employment_end_date, access_cutoff_at, confirm_past: confirm_past || undefined }
  }
  const body = asked(values)
  const rested = useRested(body)
  const preview = useQuery({
    queryKey: ['departures', d.id, 'dates', rested],
    enabled: !!rested,
    queryFn: () => ok(api.POST('/api/v1/departures/{id}/dates/preview', { params: { path: { id: d.id } }, body: rested! })),
    placeholderData: (before) => before,
    retry: false,
    gcTime: 0,
  })
  const plan = body && !preview.error ? preview.data : undefined
  const change = useMutation({
    mutationFn: (v: Dates) => ok(api.PUT('/api/v1/departures/{id}/dates', { params: { path: { id: d.id } }, body: { ...asked(v)!, approval_reason: v.approval_reason || undefined } })),
    onSuccess: (answer) => {
      void client.invalidateQueries({ queryKey: ['departures'] })
      if (outcome<Departure>(answer)) void message.success(t('changeDone'))
      close()
    },
    onError: (error) => showInForm(form, error),
  })
  // A cutoff of its own stays what it is, unless it is changed.
  const first = useRef(true)
  useEffect(() => {
    if (!first.current || !preview.data || recount) return
    first.current = false
    if (preview.data.dates.access_cutoff_at !== preview.data.now.access_cutoff_at) form.setFieldsValue({ access_cutoff_at: d.access_cutoff_at })
  }, [preview.data, recount, form, d.access_cutoff_at])
  const refused = change.error ?? (body ? preview.error : null)
  const past = isProblem(refused, 'last_working_day_in_past') ? refused.problem : undefined
  const none = plan && plan.changes.length === 0 && !plan.cut_at_once
  const submit = plan?.cut_at_once ? t('changeSubmitCut') : plan?.two_people ? t('changeSubmitTwo') : t('changeSubmit')

  return (
    <Drawer
      open
      onClose={close}
      mask={{ closable: false }}
      size={wide ? 560 : '100%'}
      title={t(recount ? 'recountTitle' : 'changeTitle', { who: nameOf(d) })}
      footer={
        <Flex gap={8} wrap>
          <Button type="primary" danger={plan?.cut_at_once} loading={change.isPending} disabled={!plan || none} onClick={() => form.submit()}>
            {submit}
          </Button>
          <Button onClick={close}>{t('cancel')}</Button>
        </Flex>
      }
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={initial}
        onValuesChange={(changed: Dates) => {
          change.reset()
          if ('last_working_day' in changed) form.setFieldsValue({ confirm_past: false })
        }}
        onFinish={(v: Dates) => !change.isPending && plan && !none && change.mutate(v)}
      >
        {recount && <Typography.Paragraph>{t('recountHint')}</Typography.Paragraph>}
        {!recount && (
          <Form.Item name="immediate" label={t('when')} extra={values.immediate ? <Typography.Text type="danger">{t('whenNowHint')}</Typography.Text> : undefined}>
            <Radio.Group options={[{ value: false, label: t('whenDated') }, { value: true, label: t('whenNow') }]} />
          </Form.Item>
        )}
        <div hidden={values.immediate}>
          <Form.Item name="last_working_day" label={t('lastDay')} rules={values.immediate ? [] : [{ required: true, message: shell('required') }]}>
            <DayInput required />
          </Form.Item>
          {!recount && (past || values.confirm_past) && (
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
                </>
              }
            />
          )}
          <Form.Item name="employment_end_date" label={t('endDate')} extra={values.employment_end_date ? t('changed') : t('endWhy')}>
            <DayInput derived={plan?.dates.employment_end_date} />
          </Form.Item>
          {!recount && (
            <Form.Item
              name="access_cutoff_at"
              label={t('cutoff')}
              extra={values.access_cutoff_at ? t('changed') : t('cutoffWhy', { zone: zoneName(d.time_zone, d.access_cutoff_at) })}
            >
              <InstantInput derived={plan?.dates.access_cutoff_at} zone={plan?.dates.time_zone ?? d.time_zone} />
            </Form.Item>
          )}
          <Form.Item name="notice_received_on" label={t('noticeOn')}>
            <DayInput derived={plan?.dates.notice_received_on} />
          </Form.Item>
        </div>
        <div aria-live="polite">
          <Typography.Title level={3} style={{ fontSize: 15, marginTop: 0 }}>
            {t('changeWhat')}
          </Typography.Title>
          {plan ? (
            <Flex vertical gap={12} style={{ opacity: preview.isPlaceholderData ? 0.6 : 1 }}>
              {none ? (
                <Typography.Text type="secondary">{t('changeNone')}</Typography.Text>
              ) : (
                <Descriptions
                  bordered
                  size="small"
                  column={1}
                  items={plan.changes.map((c) => ({
                    key: c.field,
                    label: c.label,
                    children: (
                      <span>
                        <Typography.Text type="secondary" delete={!!c.before}>
                          {changeText(c.before)}
                        </Typography.Text>{' '}
                        → <strong>{changeText(c.after)}</strong>
                      </span>
                    ),
                  }))}
                />
              )}
              {plan.cut_at_once && <Alert type="error" showIcon title={t('changeCut')} />}
              {plan.two_people && <Alert type="warning" showIcon title={t('twoPeople')} description={t('because', { why: plan.because.map((c) => c.cause_text).join('；') })} />}
              {plan.two_people && <ForSecond />}
            </Flex>
          ) : preview.isFetching ? (
            <Skeleton active paragraph={{ rows: 2 }} />
          ) : null}
          {refused && !past && (
            <div style={{ marginTop: 12 }}>
              <ProblemAlert error={refused} />
            </div>
          )}
        </div>
      </Form>
    </Drawer>
  )
}

function ForSecond() {
  const shell = useShellTexts()
  return (
    <Form.Item name="approval_reason" label={shell('reasonForSecond')} extra={shell('reasonForSecondHint')} rules={[{ required: true, whitespace: true, message: shell('required') }]}>
      <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(1000)} />
    </Form.Item>
  )
}

type Withdrawal = Schemas['WithdrawalInputBody']

function Withdraw({ of: d, close }: { of: Departure; close: () => void }) {
  const t = useDepartureTexts()
  const client = useQueryClient()
  const outcome = useOutcome()
  const { message } = App.useApp()
  const [form] = Form.useForm<Withdrawal>()
  // What was taken away already is given back by two people only.
  const givesBack = d.accounts_state !== 'linked'
  const withdraw = useMutation({
    mutationFn: (body: Withdrawal) => ok(api.POST('/api/v1/departures/{id}/withdrawal', { params: { path: { id: d.id } }, body })),
    onSuccess: (answer) => {
      void client.invalidateQueries({ queryKey: ['departures'] })
      void client.invalidateQueries({ queryKey: ['person', d.employee_id] })
      if (outcome<Departure>(answer)) void message.success(t('withdrawDone'))
      close()
    },
    onError: (error) => {
      showInForm(form, error)
      // Somebody was faster, or the accounts have just been disabled: the screen says how it is now.
      void client.invalidateQueries({ queryKey: ['departures', d.id] })
    },
  })
  return (
    <Modal
      open
      title={t('withdrawTitle', { who: nameOf(d) })}
      onCancel={close}
      mask={{ closable: false }}
      okText={givesBack ? t('withdrawSubmitTwo') : t('withdrawSubmit')}
      cancelText={t('keep')}
      okButtonProps={{ danger: true }}
      confirmLoading={withdraw.isPending}
      onOk={() => form.submit()}
    >
      <Form form={form} layout="vertical" onFinish={(body: Withdrawal) => !withdraw.isPending && withdraw.mutate(body)}>
        <Typography.Paragraph>{givesBack ? t('withdrawTextRelink') : t('withdrawText')}</Typography.Paragraph>
        <Form.Item name="reason" label={t('withdrawReason')} extra={t('withdrawReasonHint')} rules={[{ required: true, whitespace: true, message: t('reasonMissing') }]}>
          <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 8 }} count={longest(2000)} />
        </Form.Item>
        <Form.Item
          name="company_consent"
          valuePropName="checked"
          extra={t('consentWhy')}
          rules={[{ validator: (_, on) => (on ? Promise.resolve() : Promise.reject(new Error(t('consentMissing')))) }]}
        >
          <Checkbox>{t('consent')}</Checkbox>
        </Form.Item>
        {givesBack && <ForSecond />}
        {withdraw.error && <ProblemAlert error={withdraw.error} />}
      </Form>
    </Modal>
  )
}

type Annulment = Schemas['AnnulmentInputBody']

function Annul({ of: d, close }: { of: Departure; close: () => void }) {
  const t = useDepartureTexts()
  const client = useQueryClient()
  const outcome = useOutcome()
  const [form] = Form.useForm<Annulment>()
  const annul = useMutation({
    mutationFn: (body: Annulment) => ok(api.POST('/api/v1/departures/{id}/annulment', { params: { path: { id: d.id } }, body })),
    onSuccess: (answer) => {
      void client.invalidateQueries({ queryKey: ['departures'] })
      void client.invalidateQueries({ queryKey: ['approvals'] })
      outcome(answer)
      close()
    },
    onError: (error) => {
      showInForm(form, error)
      void client.invalidateQueries({ queryKey: ['departures', d.id] })
    },
  })
  return (
    <Modal
      open
      title={t('annulTitle', { who: nameOf(d) })}
      onCancel={close}
      mask={{ closable: false }}
      okText={t('annulSubmit')}
      cancelText={t('keep')}
      okButtonProps={{ danger: true }}
      confirmLoading={annul.isPending}
      onOk={() => form.submit()}
    >
      <Form form={form} layout="vertical" onFinish={(body: Annulment) => !annul.isPending && annul.mutate(body)}>
        <Typography.Paragraph>{t('annulText')}</Typography.Paragraph>
        <Form.Item name="reason" label={t('annulReason')} extra={t('annulReasonHint')} rules={[{ required: true, whitespace: true, message: t('reasonMissing') }]}>
          <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 8 }} count={longest(2000)} />
        </Form.Item>
        {annul.error && <ProblemAlert error={annul.error} />}
      </Form>
    </Modal>
  )
}
