import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Divider, Form, Input, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'

import { api, ended, ok } from '../../api/client'
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
  return (
    <main className="entrance">
      <section>
        <header>
          <h1>{t('title')}</h1>
          <Button type="link" lang={language() === 'zh' ? 'en' : 'zh-CN'} onClick={() => setLanguage(language() === 'zh' ? 'en' : 'zh')}>
            {shell('language')}
          </Button>
        </header>
        {code || typing ? (
          <Open code={code} again={() => { mailed = ''; setCode(''); setTyping(false) }} />
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

function Open({ code, again }: { code: string; again: () => void }) {
  const t = useTexts()
  const client = useQueryClient()
  const open = useMutation({
    mutationFn: (v: { mailed?: string; proof: string }) => {
      const proof = v.proof.replace(/\s/g, '')
      return ok(api.POST('/api/v1/former-sessions', { body: { code: code || v.mailed!.trim(), ...(/^\d{6}$/.test(proof) ? { totp: proof } : { recovery_code: v.proof.trim() }) } }))
    },
    onSuccess: async () => {
      mailed = ''
      ended() // whoever was logged in here before is not any more
      client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'me' })
      await client.resetQueries({ queryKey: ['me'] })
    },
  })
  return (
    <Form layout="vertical" requiredMark={false} disabled={open.isPending} onFinish={(v: { mailed?: string; proof: string }) => open.mutate(v)}>
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
