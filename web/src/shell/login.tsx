import { Button, Collapse, Form, Input, Modal, Space } from 'antd'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react'

import { api, ok, type Schemas } from '../api/client'
import { currentPrompt, subscribe } from '../api/prompts'
import { ProblemAlert, showInForm } from './problems'
import { useShellTexts } from './texts'

const { useForm } = Form

const RoleSelect = lazy(() => import('./RoleSelect'))

/** Logs in with password and second factor, or by the company's login. */
export function LoginForm({ done }: { done: () => void }) {
  const t = useShellTexts()
  const [form] = useForm<Schemas['LoginBody']>()
  const [recovery, setRecovery] = useState(false)
  const [choosing, setChoosing] = useState(false)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const client = useQueryClient()
  const offered = useQuery({ queryKey: ['company login'], queryFn: () => ok(api.GET('/api/v1/oidc')), staleTime: Infinity, retry: false })

  const submit = async (body: Schemas['LoginBody']) => {
    setBusy(true)
    setError(undefined)
    try {
      await ok(api.POST('/api/v1/sessions', { body: { ...body, totp: body.totp?.replace(/\s/g, '') || undefined } }))
      await client.invalidateQueries({ queryKey: ['me'] })
      done()
    } catch (refused) {
      if (!showInForm(form, refused)) setError(refused)
      form.resetFields(['totp'])
    } finally {
      setBusy(false)
    }
  }

  const company = async () => {
    const answer = await fetch('/api/v1/oidc/login', { redirect: 'manual' }).catch(() => undefined)
    if (answer?.type === 'opaqueredirect') location.assign('/api/v1/oidc/login')
    else setError(await ok(Promise.resolve({ response: answer ?? Response.error(), error: await answer?.json() })).catch((e: unknown) => e))
  }

  return (
    <Form form={form} layout="vertical" onFinish={(body) => void submit(body)} requiredMark={false} disabled={busy}>
      <Form.Item name="login" label={t('loginName')} rules={[{ required: true, message: t('required') }]}>
        <Input autoFocus autoComplete="username" />
      </Form.Item>
      <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('required') }]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      {recovery ? (
        <Form.Item name="recovery_code" label={t('recoveryCode')}>
          <Input autoComplete="off" />
        </Form.Item>
      ) : (
        <Form.Item name="totp" label={t('totp')}>
          <Input inputMode="numeric" autoComplete="one-time-code" maxLength={7} />
        </Form.Item>
      )}
      {choosing && (
        <Suspense>
          <Form.Item name="role" label={t('asRole')}>
            <RoleSelect />
          </Form.Item>
        </Suspense>
      )}
      <Space orientation="vertical" style={{ width: '100%' }} size="middle">
        <ProblemAlert error={error} />
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t('login')}
        </Button>
        <Space wrap size={0} style={{ justifyContent: 'space-between', width: '100%' }}>
          <Button type="link" size="small" onClick={() => setRecovery(!recovery)}>
            {recovery ? t('useTotp') : t('recovery')}
          </Button>
          {!choosing && (
            <Button type="link" size="small" onClick={() => setChoosing(true)}>
              {t('otherRole')}
            </Button>
          )}
          {offered.data?.connected && (
            <Button type="link" size="small" onClick={() => void company()}>
              {t('companyLogin')}
            </Button>
          )}
        </Space>
      </Space>
    </Form>
  )
}

function StepUpForm({ done }: { done: () => void }) {
  const t = useShellTexts()
  const [form] = useForm<Schemas['StepUpBody']>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (body: Schemas['StepUpBody']) => {
    setBusy(true)
    setError(undefined)
    try {
      // Either proves it; a person types what is at hand.
      await ok(api.POST('/api/v1/step-ups', { body: body.totp ? { totp: body.totp.replace(/\s/g, '') } : { password: body.password } }))
      done()
    } catch (refused) {
      setError(refused)
      form.resetFields(['totp'])
    } finally {
      setBusy(false)
    }
  }
  return (
    <Form form={form} layout="vertical" onFinish={(body) => void submit(body)} disabled={busy}>
      <p>{t('stepUpWhy')}</p>
      <Form.Item name="totp" label={t('totp')}>
        <Input autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={7} />
      </Form.Item>
      <Collapse
        ghost
        size="small"
        items={[
          {
            key: 'password',
            label: t('password'),
            children: (
              <Form.Item name="password" aria-label={t('password')}>
                <Input.Password autoComplete="current-password" />
              </Form.Item>
            ),
          },
        ]}
      />
      <Space orientation="vertical" style={{ width: '100%' }}>
        <ProblemAlert error={error} />
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t('confirm')}
        </Button>
      </Space>
    </Form>
  )
}

/** The dialogs that a request may need before it goes on; what was being done stays below them. */
export function Prompts() {
  const t = useShellTexts()
  const asked = useSyncExternalStore(subscribe, currentPrompt)
  const body = useRef<HTMLDivElement>(null)
  return (
    <Modal
      open={!!asked}
      // The dialog takes the focus when it is open; then the first field has it.
      afterOpenChange={(open) => open && body.current?.querySelector<HTMLElement>('input, button')?.focus()}
      title={asked?.kind === 'login' ? t('loginAgain') : asked?.kind === 'other' ? t('otherPerson') : t('stepUp')}
      footer={null}
      onCancel={() => asked?.cancel()}
      mask={{ closable: false }}
      destroyOnHidden
      width={420}
    >
      <div ref={body}>
        {asked?.kind === 'login' && (
          <>
            <p>{t('loginAgainWhy')}</p>
            <LoginForm done={asked.done} />
          </>
        )}
        {asked?.kind === 'stepUp' && <StepUpForm done={asked.done} />}
        {asked?.kind === 'other' && (
          <>
            <p>{t('otherPersonWhy')}</p>
            <Button type="primary" block onClick={asked.done}>
              {t('reload')}
            </Button>
          </>
        )}
      </div>
    </Modal>
  )
}

/** Warns before a session ends for want of use. */
export function SessionEnding({ at }: { at: string }) {
  const t = useShellTexts()
  const client = useQueryClient()
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000)
    return () => clearInterval(timer)
  }, [])
  const left = Date.parse(at) - now
  return (
    <Modal
      open={left > 0 && left < 2 * 60_000}
      title={t('ending')}
      okText={t('stay')}
      cancelButtonProps={{ style: { display: 'none' } }}
      onOk={() => void client.invalidateQueries({ queryKey: ['me'] })}
      closable={false}
    >
      {t('endingText', { minutes: Math.max(1, Math.ceil(left / 60_000)) })}
    </Modal>
  )
}
