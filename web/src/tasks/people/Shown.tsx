import { DownloadOutlined, EyeInvisibleOutlined, EyeOutlined, PhoneOutlined, WarningFilled } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Checkbox, Flex, Form, Input, Radio, Space, Tag, Typography } from 'antd'
import { useCallback, useEffect, useRef, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { longest } from '../../shell/longest'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { instant } from '../../shell/times'
import { useLookTexts } from './look-texts'
import { usePurposes } from './purposes'

/** The red notice that stands beside every sensitive value: an icon and words, never the colour alone. */
export function Notice({ text }: { text: string }) {
  const t = useLookTexts()
  return (
    <span className="notice">
      <WarningFilled aria-hidden /> {t('shownNotice')}{t('colon')}{text}
    </span>
  )
}

function useSeconds() {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

const clock = (ms: number) => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Values while they may be seen: gone as soon as the window is left, shown again by a click that is counted. */
export function Shown({ answer, types, close }: { answer: Schemas['LookAnswer']; types: Map<string, string>; close: () => void }) {
  const t = useLookTexts()
  const client = useQueryClient()
  const now = useSeconds()
  const [look, setLook] = useState<Schemas['DisclosureView']>(answer)
  const [values, setValues] = useState<Schemas['ShownField'][] | undefined>(answer.shown)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const left = Date.parse(look.judgement?.open_until ?? look.asked_at) - now
  const over = left <= 0

  const hide = useCallback(() => setValues(undefined), [])
  useEffect(() => {
    const hidden = () => document.visibilityState === 'hidden' && hide()
    window.addEventListener('blur', hide)
    window.addEventListener('beforeprint', hide)
    document.addEventListener('visibilitychange', hidden)
    heading.current?.focus()
    return () => {
      window.removeEventListener('blur', hide)
      window.removeEventListener('beforeprint', hide)
      document.removeEventListener('visibilitychange', hidden)
    }
  }, [hide])
  useEffect(() => {
    if (over) hide()
  }, [over, hide])

  const again = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const opened = await ok(api.POST('/api/v1/disclosures/{id}/opening', { params: { path: { id: look.id } } }))
      setLook(opened)
      setValues(opened.shown)
      void client.invalidateQueries({ queryKey: ['looks'] })
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      <Flex justify="space-between" align="center" wrap gap={8}>
        <h2 ref={heading} tabIndex={-1} className="sub" style={{ outline: 'none' }}>
          {t('shown')}
        </h2>
        <Space wrap>
          <Tag color={over ? 'default' : 'gold'} role="timer">
            {over ? t('over') : t('hideIn', { time: clock(left) })}
          </Tag>
          <Typography.Text type="secondary">{t('times', { count: look.shown_times })}</Typography.Text>
          {values && <Button size="small" icon={<EyeInvisibleOutlined />} onClick={hide}>{t('hideNow')}</Button>}
        </Space>
      </Flex>
      {values ? (
        values.map((field) => <Value key={field.key} look={look.id} field={field} type={types.get(field.key)} />)
      ) : over ? (
        <Alert type="info" showIcon title={t('over')} />
      ) : (
        <Alert
          type="warning"
          showIcon
          title={t('hidden')}
          description={t('hiddenText', { time: clock(left) })}
          action={<Button icon={<EyeOutlined />} loading={busy} onClick={() => void again()}>{t('showAgain')}</Button>}
        />
      )}
      <ProblemAlert error={error} />
      {!!look.judgement?.flags_text.length && <Typography.Text type="secondary">{t('flags')}{t('colon')}{look.judgement.flags_text.join(t('comma'))}</Typography.Text>}
      {look.judgement?.review_due_at && <Typography.Text type="secondary">{t('review', { until: instant(look.judgement.review_due_at) })}</Typography.Text>}
      {look.state === 'shown' && <Outcome look={look.id} purpose={look.purpose} close={close} />}
    </Space>
  )
}

function Value({ look, field, type }: { look: string; field: Schemas['ShownField']; type: string | undefined }) {
  const t = useLookTexts()
  const [error, setError] = useState<unknown>()
  const text = field.text ?? field.value
  const save = async (a: Schemas['ShownAttachment']) => {
    setError(undefined)
    try {
      const content = await ok(api.GET('/api/v1/disclosures/{id}/attachments/{attachment_id}', { params: { path: { id: look, attachment_id: a.id } }, parseAs: 'blob' }))
      const link = document.createElement('a')
      link.href = URL.createObjectURL(content as unknown as Blob)
      link.download = a.name ?? t('nameless')
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    } catch (e) {
      setError(e)
    }
  }
  return (
    <div className="value">
      <Typography.Text type="secondary">{field.label}</Typography.Text>
      {text ? (
        <Flex align="center" gap={12} wrap>
          <strong>{text}</strong>
          {type === 'phone' && (
            <Button href={`tel:${field.value ?? text}`} icon={<PhoneOutlined />} aria-label={t('call', { field: field.label })}>
              {t('callNow')}
            </Button>
          )}
        </Flex>
      ) : (
        !field.attachments?.length && <div>{t('nothingKept')}</div>
      )}
      {field.attachments?.map((a) => (
        <div key={a.id}>
          <Button icon={<DownloadOutlined />} onClick={() => void save(a)}>
            {t('download', { name: a.name ?? t('nameless') })}
          </Button>{' '}
          <Typography.Text type="secondary">{a.type_text}</Typography.Text>
        </div>
      ))}
      <ProblemAlert error={error} />
      <Notice text={field.notice} />
    </div>
  )
}

/** What came of a look: asked for right below the values, and later where the looks are listed. */
export function Outcome({ look, purpose, close }: { look: string; purpose: string; close: () => void }) {
  const t = useLookTexts()
  const offered = usePurposes().data?.purposes.find((p) => p.purpose === purpose)?.outcomes ?? []
  const client = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Schemas['OutcomeInputBody']>()
  const outcome = Form.useWatch('outcome', form)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const send = async (body: Schemas['OutcomeInputBody']) => {
    setBusy(true)
    setError(undefined)
    try {
      await ok(api.POST('/api/v1/disclosures/{id}/outcome', { params: { path: { id: look } }, body: { ...body, note: body.note?.trim() || undefined } }))
      void client.invalidateQueries({ queryKey: ['looks'] })
      void message.success(t('outcomeSaved'))
      close()
    } catch (e) {
      if (!showInForm(form, e)) setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={(body) => void send(body)} className="outcome">
      <h3>{t('outcomeTitle')}</h3>
      <Typography.Paragraph type="secondary">{t('outcomeText')}</Typography.Paragraph>
      <Form.Item name="outcome" label={t('outcome')} rules={[{ required: true, message: t('outcomeMissing') }]}>
        <Radio.Group>
          <Space orientation="vertical" size={4}>
            {offered.map((o) => (
              <Radio key={o.outcome} value={o.outcome}>
                {t(o.outcome)}
              </Radio>
            ))}
          </Space>
        </Radio.Group>
      </Form.Item>
      <Form.Item name="note" label={outcome === 'passed_on' ? t('notePassed') : t('note')} rules={[{ required: outcome === 'passed_on', whitespace: true, message: t('noteMissing') }]}>
        <Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} count={longest(500)} />
      </Form.Item>
      <Form.Item name="pressed" valuePropName="checked">
        <Checkbox>{t('pressed')}</Checkbox>
      </Form.Item>
      <ProblemAlert error={error} />
      <Space wrap>
        <Button type="primary" htmlType="submit" loading={busy}>
          {t('saveOutcome')}
        </Button>
        <Button onClick={close}>{t('later')}</Button>
        <Typography.Text type="secondary">{t('laterText')}</Typography.Text>
      </Space>
    </Form>
  )
}
