import { Alert, Button, Form, Input, Space, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../api/client'
import { ProblemAlert } from './problems'
import { useShellTexts } from './texts'

/** Activates an account with a one-time code: a password, then an authenticator. */
export default function Enrolment({ done }: { done: () => void }) {
  const t = useShellTexts()
  const [factor, setFactor] = useState<Schemas['SecondFactor']>()
  const [given, setGiven] = useState<Schemas['EnrolmentBody']>()
  const [codes, setCodes] = useState<string[]>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const run = async (what: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await what()
    } catch (refused) {
      setError(refused)
    } finally {
      setBusy(false)
    }
  }
  if (codes) {
    return (
      <Space orientation="vertical" style={{ width: '100%' }}>
        <Typography.Title level={4}>{t('recoveryTitle')}</Typography.Title>
        <Alert type="warning" showIcon title={t('recoveryText')} />
        <pre style={{ fontSize: 16 }}>{codes.join('\n')}</pre>
        <Button type="primary" block onClick={done}>
          {t('toLogin')}
        </Button>
      </Space>
    )
  }
  if (factor && given) {
    return (
      <Form
        key="confirm"
        layout="vertical"
        disabled={busy}
        onFinish={({ totp }: { totp: string }) =>
          void run(async () => {
            const made = await ok(api.POST('/api/v1/enrolments/confirmation', { body: { login: given.login, code: given.code, totp } }))
            setCodes(made.recovery_codes)
          })
        }
      >
        <p>{t('enrolScan')}</p>
        <img src={`data:image/png;base64,${factor.qr}`} alt={factor.url} width={200} height={200} />
        <p>
          {t('enrolManual')} <Typography.Text code>{factor.secret}</Typography.Text>
        </p>
        <Form.Item name="totp" label={t('totp')} rules={[{ required: true, message: t('required') }]}>
          <Input autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={7} />
        </Form.Item>
        <ProblemAlert error={error} />
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t('confirm')}
        </Button>
      </Form>
    )
  }
  return (
    <Form
      key="begin"
      layout="vertical"
      disabled={busy}
      onFinish={(body: Schemas['EnrolmentBody']) =>
        void run(async () => {
          setFactor(await ok(api.POST('/api/v1/enrolments', { body })))
          setGiven(body)
        })
      }
    >
      <Form.Item name="login" label={t('loginName')} rules={[{ required: true, message: t('required') }]}>
        <Input autoFocus autoComplete="username" />
      </Form.Item>
      <Form.Item name="code" label={t('enrolCode')} extra={t('enrolCodeHint')} rules={[{ required: true, message: t('required') }]}>
        <Input autoComplete="off" />
      </Form.Item>
      <Form.Item name="password" label={t('newPassword')} extra={t('newPasswordHint')} rules={[{ required: true, message: t('required') }]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <ProblemAlert error={error} />
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('next')}
      </Button>
    </Form>
  )
}
