import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Empty, Flex, Form, Input, Segmented, Skeleton, Tooltip, Typography } from 'antd'
import dayjs from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { State, type Tone } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { day, When } from '../../shell/times'
import { useFeedbackTexts } from './texts'

type Item = Schemas['Feedback']
const tones: Record<Item['kind'], Tone> = { bad: 'wait', good: 'good', wish: 'busy' }

/** What people said about the screens: all of it for who answers, else the own. */
export default function Feedback() {
  const t = useFeedbackTexts()
  const shell = useShellTexts()
  const role = useMe().data?.role
  const answers = role === 'hr_admin' || role === 'it_ops'
  const [show, setShow] = useState<'open' | 'answered' | 'all' | 'own'>('open')
  const query = !answers ? {} : show === 'own' ? { own: 'true' as const } : show === 'all' ? {} : { answered: show === 'answered' ? ('true' as const) : ('false' as const) }
  const list = usePages(['feedback', role, show], (cursor) => ok(api.GET('/api/v1/feedback', { params: { query: { ...query, cursor, limit: 30 } } })), !!role)
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary" style={{ margin: 0 }}>
            {answers ? t('hintAll') : t('hintOwn')}
          </Typography.Paragraph>
        </div>
        {answers && <Download />}
      </Flex>
      {answers && (
        <div style={{ overflowX: 'auto', marginBottom: 12 }}>
          <Segmented value={show} onChange={setShow} options={(['open', 'answered', 'all', 'own'] as const).map((value) => ({ value, label: value === 'own' ? t('mine') : t(value) }))} />
        </div>
      )}
      {list.error && <ProblemAlert error={list.error} retry={() => void list.refetch()} />}
      {list.isPending ? (
        <Skeleton active />
      ) : !list.error && list.rows.length === 0 ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={answers ? t('emptyAll') : t('emptyOwn')} />
      ) : (
        <Flex vertical gap={12}>
          {list.rows.map((f) => (
            <One key={f.id} of={f} answers={answers} />
          ))}
        </Flex>
      )}
      {list.hasNextPage && (
        <Button style={{ marginTop: 12 }} loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {shell('more')}
        </Button>
      )}
    </>
  )
}

function One({ of: f, answers }: { of: Item; answers: boolean }) {
  const t = useFeedbackTexts()
  const [answering, setAnswering] = useState(false)
  return (
    <Card size="small">
      <Flex vertical gap={8}>
        <Flex gap={8} wrap align="center">
          <State tone={tones[f.kind]}>{f.kind_text}</State>
          <strong>{f.screen_text}</strong>
          <Typography.Text type="secondary">
            {f.role_text ? `${f.role_text} · ` : ''}{/T00:00:00Z$/.test(f.said_at) ? day(f.said_at.slice(0, 10)) : <When at={f.said_at} />} · {t('version', { version: f.version })}
          </Typography.Text>
        </Flex>
        <div style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{f.text}</div>
        {f.doing && (
          <Typography.Text type="secondary" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {t('doing')}: {f.doing}
          </Typography.Text>
        )}
        {f.answered_at ? (
          <div style={{ borderInlineStart: '3px solid #1f6f69', paddingInlineStart: 10, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            <Typography.Text type="secondary">
              {t('answer')} · <When at={f.answered_at} />
            </Typography.Text>
            <div>{f.answer}</div>
          </div>
        ) : answering ? (
          <Answer id={f.id} close={() => setAnswering(false)} />
        ) : answers ? (
          <div>
            <Button size="small" onClick={() => setAnswering(true)} aria-label={`${t('toAnswer')}: ${f.screen_text} ${f.text.slice(0, 30)}`}>
              {t('toAnswer')}
            </Button>
          </div>
        ) : (
          <Typography.Text type="secondary">{t('noAnswer')}</Typography.Text>
        )}
      </Flex>
    </Card>
  )
}

function Answer({ id, close }: { id: string; close: () => void }) {
  const t = useFeedbackTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<{ text: string }>()
  const send = useMutation({
    mutationFn: (v: { text: string }) => ok(api.POST('/api/v1/feedback/{id}/answer', { params: { path: { id } }, body: { text: v.text } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['feedback'] })
      void message.success(t('sent'))
    },
    onError: (error) => showInForm(form, error),
  })
  return (
    <Form form={form} layout="vertical" name={`answer-${id}`} onFinish={(v: { text: string }) => !send.isPending && send.mutate(v)}>
      <Form.Item name="text" label={t('answer')} extra={t('answerHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
        <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 8 }} maxLength={2000} />
      </Form.Item>
      {send.error && <ProblemAlert error={send.error} />}
      <Flex gap={8}>
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('send')}
        </Button>
        <Button onClick={close}>{t('cancel')}</Button>
      </Flex>
    </Form>
  )
}

function Download() {
  const t = useFeedbackTexts()
  const get = useMutation({
    mutationFn: async () => {
      const table = await ok(api.GET('/api/v1/feedback-export', { params: { query: { from: dayjs().subtract(6, 'month').startOf('day').toISOString() } }, parseAs: 'blob' }))
      const link = document.createElement('a')
      link.href = URL.createObjectURL(table as unknown as Blob)
      link.download = `feedback-${dayjs().format('YYYY-MM-DD')}.csv`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    },
  })
  return (
    <Flex vertical gap={8}>
      <Tooltip title={t('exportHint')}>
        <Button icon={<DownloadOutlined />} loading={get.isPending} onClick={() => get.mutate()}>
          {t('export')}
        </Button>
      </Tooltip>
      {get.error && <ProblemAlert error={get.error} />}
    </Flex>
  )
}
