import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Divider, Form, Input, Typography } from 'antd'
import { useRef, useState } from 'react'
import { Link } from 'react-router'

import { api, ended, ok, type Schemas } from '../../api/client'
import { language, setLanguage } from '../../shell/language'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { useTexts } from './texts'

/** The code of the link stands behind the #, which no browser sends; it leaves the address at once. */
let mailed = ''
function takeCode() {
  if (location.hash.length > 1) {
    mailed = decodeURIComponent(location.hash.slice(1))
    history.replaceState(history.state, '', location.pathname)
  }
  return mailed
}

/** Where a mailed link leads, and where one is asked for. */
export function Door() {
  const t = useTexts()
  const shell = useShellTexts()
  const [code, setCode] = useState(takeCode)
  const [typing, setTyping] = useState(false)
  const [lost, setLost] = useState(false)
  const typed = useRef<Typed>({}) // going to and fro keeps it
  const again = () => {
    typed.current = {}
    mailed = ''
    setCode('')
    setTyping(false)
    setLost(false)
  }
  return (
    <main className="entrance">
      <section>
        <header>
          <h1>{t('title')}</h1>
          <Button type="link" lang={language() === 'zh' ? 'en' : 'zh-CN'} onClick={() => setLanguage(language() === 'zh' ? 'en' : 'zh')}>
            {shell('language')}
          </Button>
        </header>
        {lost ? (
          <Lost code={code} typed={typed.current} back={() => setLost(false)} />
        ) : code || typing ? (
          <Open code={code} typed={typed.current} again={again} lost={() => setLost(true)} />
        ) : (
          <Ask typing={() => setTyping(true)} />
        )}
        <Divider />
        <Link to="/" className="leaver">
          {t('backToLogin')}
        </Link>
      </section>
    </main>
  )
}

/** Goes on with the session that was opened: whoever was logged in here before is not any more. */
function useEnter() {
  const client = useQueryClient()
  return async () => {
    mailed = ''
    ended()
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'me' })
    await client.resetQueries({ queryKey: ['me'] })
  }
}

function Open({ code, typed, again, lost }: { code: string; typed: Typed; again: () => void; lost: () => void }) {
  const t = useTexts()
  const enter = useEnter()
  const open = useMutation({
    mutationFn: (v: { mailed?: string; proof: string }) => {
      const proof = v.proof.replace(/\s/g, '')
      return ok(api.POST('/api/v1/former-sessions', { body: { code: code || v.mailed!.trim(), ...(/^\d{6}$/.test(proof) ? { totp: proof } : { recovery_code: v.proof.trim() }) } }))
    },
    onSuccess: enter,
  })
  return (
    <Form layout="vertical" requiredMark={false} disabled={open.isPending} initialValues={typed} onValuesChange={(v: Typed) => Object.assign(typed, v)} onFinish={(v: { mailed?: string; proof: string }) => open.mutate(v)}>
      <Typography.Paragraph>{t('openHint')}</Typography.Paragraph>
      {!code && (
        <Form.Item name="mailed" label={t('mailCode')} extra={t('mailCodeHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
          <Input autoFocus autoComplete="off" maxLength={100} />
        </Form.Item>
      )}
      <Form.Item name="proof" label={t('code')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
        <Input autoFocus={!!code} autoComplete="one-time-code" maxLength={60} />
      </Form.Item>
      <ProblemAlert error={open.error} />
      <Button type="primary" htmlType="submit" block loading={open.isPending} style={{ marginTop: open.error ? 12 : 0 }}>
        {t('go')}
      </Button>
      <Button type="link" block onClick={again} style={{ marginTop: 8 }}>
        {t('again')}
      </Button>
      <Button type="link" block onClick={lost} style={{ whiteSpace: 'normal', height: 'auto' }}>
        {t('lost')}
      </Button>
    </Form>
  )
}

function Ask({ typing }: { typing: () => void }) {
  const t = useTexts()
  const ask = useMutation({ mutationFn: (login: string) => ok(api.POST('/api/v1/former-links', { body: { login: login.trim() } })) })
  return (
    <Form layout="vertical" requiredMark={false} disabled={ask.isPending} onFinish={({ login }: { login: string }) => ask.mutate(login)}>
      <Typography.Paragraph>{t('askHint')}</Typography.Paragraph>
      <Form.Item name="login" label={t('login')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
        <Input autoFocus autoComplete="username" maxLength={200} />
      </Form.Item>
      <ProblemAlert error={ask.error} />
      {ask.data && <Alert role="status" type="success" showIcon title={t('sent')} />}
      <Button type={ask.data ? 'default' : 'primary'} htmlType="submit" block loading={ask.isPending} style={{ marginTop: ask.data || ask.error ? 12 : 0 }}>
        {t('send')}
      </Button>
      <Button type="link" block onClick={typing} style={{ marginTop: 8 }}>
        {t('haveCode')}
      </Button>
    </Form>
  )
}

const bothOf = (v: Handed) => v.first.trim() + v.second.trim()

/** What was typed into either of the two ways in. */
type Typed = Partial<Handed> & { proof?: string }

/** Another authenticator, with the code that two people of HR handed over in person beside the mailed one. */
interface Handed {
  mailed?: string
  first: string
  second: string
}

function Lost({ code: linked, typed, back }: { code: string; typed: Typed; back: () => void }) {
  const t = useTexts()
  const shell = useShellTexts()
  const enter = useEnter()
  const [code, setCode] = useState(linked)
  const [given, setGiven] = useState('')
  const [factor, setFactor] = useState<Schemas['SecondFactor']>()
  const begin = useMutation({
    gcTime: 0,
    mutationFn: (v: Handed) => ok(api.POST('/api/v1/former-enrolments', { body: { code: linked || v.mailed!.trim(), enrolment_code: bothOf(v) } })),
    onSuccess: (made, v) => {
      setCode(linked || v.mailed!.trim())
      setGiven(bothOf(v))
      setFactor(made)
    },
  })
  const confirm = useMutation({
    gcTime: 0,
    mutationFn: (totp: string) => ok(api.POST('/api/v1/former-enrolments/confirmation', { body: { code, enrolment_code: given, totp } })),
    onSuccess: () => setFactor(undefined),
  })
  if (confirm.data) {
    return (
      <>
        <Typography.Title level={2} style={{ fontSize: 16 }}>
          {shell('recoveryTitle')}
        </Typography.Title>
        <Alert type="warning" showIcon title={shell('recoveryText')} />
        <pre style={{ fontSize: 16 }}>{confirm.data.recovery_codes.join('\n')}</pre>
        <Button type="primary" block onClick={() => void enter()}>
          {t('go')}
        </Button>
      </>
    )
  }
  if (factor) {
    return (
      <Form key="confirm" layout="vertical" requiredMark={false} disabled={confirm.isPending} onFinish={({ totp }: { totp: string }) => confirm.mutate(totp.replace(/\s/g, ''))}>
        <p>{shell('enrolScan')}</p>
        <img src={`data:image/png;base64,${factor.qr}`} alt={t('qr')} width={200} height={200} />
        <p>
          {shell('enrolManual')} <Typography.Text code>{factor.secret}</Typography.Text>
        </p>
        <Form.Item name="totp" label={shell('totp')} rules={[{ required: true, message: t('required') }]}>
          <Input autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={7} />
        </Form.Item>
        <ProblemAlert error={confirm.error} />
        <Button type="primary" htmlType="submit" block loading={confirm.isPending}>
          {shell('confirm')}
        </Button>
      </Form>
    )
  }
  return (
    <Form key="begin" layout="vertical" requiredMark={false} disabled={begin.isPending} initialValues={typed} onValuesChange={(v: Typed) => Object.assign(typed, v)} onFinish={(v: Handed) => begin.mutate(v)}>
      <Typography.Paragraph>{t('lostHint')}</Typography.Paragraph>
      {!linked && (
        <Form.Item name="mailed" label={t('mailCode')} extra={t('mailCodeHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
          <Input autoFocus autoComplete="off" maxLength={100} />
        </Form.Item>
      )}
      <Form.Item name="first" label={t('handed')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
        <Input autoFocus={!!linked} autoComplete="off" maxLength={100} />
      </Form.Item>
      <Form.Item name="second" label={t('handedToo')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
        <Input autoComplete="off" maxLength={100} />
      </Form.Item>
      <ProblemAlert error={begin.error} />
      <Button type="primary" htmlType="submit" block loading={begin.isPending}>
        {shell('next')}
      </Button>
      <Button type="link" block onClick={back} style={{ marginTop: 8 }}>
        {t('lostBack')}
      </Button>
    </Form>
  )
}
