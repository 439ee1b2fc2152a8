import { StopOutlined } from '@ant-design/icons'
import { App, Button, Card, Dropdown, Flex, Result, Space, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import type { Problem } from '../../api/problem'
import { CopyButton } from '../../shell/copy'
import { language } from '../../shell/language'
import { ProblemAlert } from '../../shell/problems'
import { useLookTexts } from './look-texts'

export type Matter = Schemas['MatterView']['matter']

export const ownReply = (reply: Schemas['Reply']) => (language() === 'zh' ? reply.zh : reply.en)

/** The reply in both languages; the one in the person's own language is one key away. */
export function Replies({ reply }: { reply: Schemas['Reply'] }) {
  const t = useLookTexts()
  const both = [['replyZh', reply.zh, 'zh-CN'], ['replyEn', reply.en, 'en']] as const
  const own = language() === 'zh' ? both : ([both[1], both[0]] as const)
  return (
    <Space orientation="vertical" style={{ width: '100%' }}>
      {own.map(([title, text, lang], i) => (
        <Card key={title} size="small" title={t(title)} extra={<CopyButton text={text} size="small" type={i === 0 ? 'primary' : 'default'} autoFocus={i === 0} aria-label={`${t('copyReply')}: ${t(title)}`}>{t('copyReply')}</CopyButton>}>
          <Typography.Paragraph lang={lang} style={{ margin: 0 }}>
            {text}
          </Typography.Paragraph>
        </Card>
      ))}
    </Space>
  )
}

export function Alternatives({ of }: { of: Schemas['Alternative'][] }) {
  return (
    <ul className="plain">
      {of.map((a) => (
        <li key={a.alternative}>{a.text}</li>
      ))}
    </ul>
  )
}

/** Registers a plea; the reply is copied at once. */
export function useRegister(person: string) {
  const t = useLookTexts()
  const { message } = App.useApp()
  return async (matter: Matter, requestedBy: Schemas['RequestedBy'] | undefined, said: string | undefined, pressed: boolean) => {
    const plea = await ok(api.POST('/api/v1/pleas', { body: { employee_id: person, matter, requested_by: requestedBy, said: said?.trim() || undefined, pressed } }))
    await navigator.clipboard.writeText(ownReply(plea.reply)).then(
      () => void message.success(t('copiedReply')),
      () => void message.warning(t('copyFailed')),
    )
    return plea
  }
}

export function PleaDone({ plea, children }: { plea: Schemas['Plea']; children?: React.ReactNode }) {
  const t = useLookTexts()
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      <Result status="success" title={t('registered')} subTitle={plea.judgement?.matter_text} style={{ padding: '12px 0 0' }} />
      <Replies reply={plea.reply} />
      <div>
        <h3>{t('instead')}</h3>
        <Alternatives of={plea.alternatives} />
      </div>
      {children}
    </Space>
  )
}

/** What a look was refused for, what can be done instead, and the words for whoever asked. */
export function Refusal({ problem, person, requestedBy, said, matters, registered, passMessage, askToLook, children }: {
  problem: Problem
  person: string
  requestedBy: Schemas['RequestedBy'] | undefined
  /** What was written: what is registered keeps it. */
  said: string | undefined
  matters: Schemas['MatterView'][]
  registered: (plea: Schemas['Plea']) => void
  passMessage?: () => void
  askToLook?: () => void
  children?: React.ReactNode
}) {
  const t = useLookTexts()
  const register = useRegister(person)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const known = matters.find((m) => m.matter === problem.matter)
  const go = async (matter: Matter) => {
    setBusy(true)
    setError(undefined)
    try {
      registered(await register(matter, requestedBy, said, false))
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  const alternatives = problem.alternatives ?? []
  const may = (what: string) => alternatives.some((a) => a.alternative === what)
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }} role="alert">
      <Flex gap={12} align="flex-start">
        <StopOutlined style={{ fontSize: 28, color: '#cf1322' }} aria-hidden />
        <div>
          <h2 className="sub">{t('refused')}</h2>
          <div>
            {t('ruleIs')}{t('colon')}<strong>{problem.rule_text ?? problem.detail}</strong>
          </div>
          {problem.matter_text && (
            <div>
              {t('matterIs')}{t('colon')}{problem.matter_text}
            </div>
          )}
          <Typography.Text type="secondary">{t('refusedText')}</Typography.Text>
        </div>
      </Flex>
      {problem.reply && <Replies reply={problem.reply} />}
      {alternatives.length > 0 && (
        <div>
          <h3>{t('instead')}</h3>
          <Alternatives of={alternatives} />
        </div>
      )}
      <ProblemAlert error={error} />
      <Space wrap>
        {may('pass_message') && passMessage && <Button onClick={passMessage}>{t('passMessage')}</Button>}
        {may('ask_to_look') && askToLook && <Button onClick={askToLook}>{t('askToLook')}</Button>}
        {known ? (
          <Button loading={busy} onClick={() => void go(known.matter)}>
            {`${t('registerOne')}${t('colon')}${known.matter_text}`}
          </Button>
        ) : matters.length > 0 && (
          <Dropdown trigger={['click']} menu={{ items: matters.map((m) => ({ key: m.matter, label: m.matter_text, onClick: () => void go(m.matter) })) }}>
            <Button loading={busy}>{t('registerAs')}</Button>
          </Dropdown>
        )}
        {children}
      </Space>
    </Space>
  )
}
