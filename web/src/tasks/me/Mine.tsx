import { DownloadOutlined, EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Card, Descriptions, Flex, Form, Input, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { ProblemAlert } from '../../shell/problems'
import { usePages } from '../../shell/pages'
import { day, When } from '../../shell/times'
import { OwnContacts } from '../contacts/Contacts'
import { concerns } from '../people/fields'
import { useTexts } from './texts'

/** What the own file has, as what a request may be about. */
export function useOwnFields(id?: string) {
  const file = useQuery({ queryKey: ['person', id], enabled: !!id, queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: id! } } })) })
  return (file.data?.fields ?? []).filter((f) => !f.purged && concerns(f)).map((f) => ({ value: f.key, label: `${f.section_label} · ${f.label}` }))
}

export function Mine({ id }: { id: string }) {
  const t = useTexts()
  const departures = usePages(['departures', 'of', id], (cursor) => ok(api.GET('/api/v1/departures', { params: { query: { employee_id: id, cursor } } })))
  return (
    <Flex vertical gap={16}>
      <ToConfirm />
      <Card size="small" title={t('departure')}>
        {departures.rows.length === 0 && !departures.isPending && <Typography.Text type="secondary">{t('noDeparture')}</Typography.Text>}
        {departures.rows.map((d) => (
          <Flex key={d.id} gap={12} wrap align="center">
            <Tag>{d.stage_text}</Tag>
            <span>{day(d.last_working_day)}</span>
            <When at={d.access_cutoff_at} zone={d.time_zone} />
            <Link to={`/departures/${d.id}`}>{t('openDeparture')}</Link>
          </Flex>
        ))}
      </Card>
      <OwnFile id={id} />
      <OwnContacts id={id} />
      <Copy />
    </Flex>
  )
}

/** What stands there for a field of the own file. */
function shownOf(f: Schemas['Field'], empty: string) {
  if (f.purged) return f.purged_text
  if (f.value) return f.type === 'date' ? day(f.value) : (f.choices?.find((c) => c.code === f.value)?.text ?? f.value)
  return f.masked ? <span style={{ overflowWrap: 'anywhere' }}>{f.masked}</span> : (f.removed_text ?? empty)
}

/** The own file, masked, by its sections. */
export function OwnFile({ id }: { id: string }) {
  const t = useTexts()
  const file = useQuery({ queryKey: ['person', id], queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id } } })) })
  if (file.isPending) return <Skeleton active />
  if (file.error) return <ProblemAlert error={file.error} retry={() => void file.refetch()} />
  const sections = new Map<string, Schemas['Field'][]>()
  for (const field of file.data.fields.filter(concerns)) sections.set(field.section_label, [...(sections.get(field.section_label) ?? []), field])
  return [...sections].map(([label, fields]) => (
    <Card key={label} size="small" title={label}>
      <Descriptions
        column={{ xs: 1, sm: 1, md: 2 }}
        items={fields.map((f) => ({ key: f.key, label: f.label, children: shownOf(f, t('empty')) }))}
      />
    </Card>
  ))
}

/** A copy of everything with its values, as a file or on the screen until it is closed; either is recorded. */
export function Copy() {
  const t = useTexts()
  const [shown, setShown] = useState<Schemas['OwnCopy']>()
  const copy = useMutation({
    mutationFn: async (as: 'pdf' | 'json' | 'screen') => {
      if (as === 'screen') return setShown((await ok(api.POST('/api/v1/me/copy'))) as unknown as Schemas['OwnCopy'])
      const content = (await ok(api.POST('/api/v1/me/copy', { params: { query: { format: as } }, parseAs: 'blob' }))) as unknown as Blob
      const url = URL.createObjectURL(content)
      Object.assign(document.createElement('a'), { href: url, download: `${t('copyFile')}.${as}` }).click()
      setTimeout(() => URL.revokeObjectURL(url), 10_000)
    },
    gcTime: 0,
  })
  return (
    <Card size="small" title={t('copy')}>
      <p>{t('copyHint')}</p>
      <ProblemAlert error={copy.error} />
      <Flex gap={8} wrap>
        <Button icon={<DownloadOutlined />} loading={copy.isPending && copy.variables === 'pdf'} disabled={copy.isPending} onClick={() => copy.mutate('pdf')}>
          {t('copyPages')}
        </Button>
        <Button icon={<DownloadOutlined />} loading={copy.isPending && copy.variables === 'json'} disabled={copy.isPending} onClick={() => copy.mutate('json')}>
          {t('copyData')}
        </Button>
        {!shown && (
          <Button icon={<EyeOutlined />} disabled={copy.isPending} onClick={() => copy.mutate('screen')}>
            {t('showValues')}
          </Button>
        )}
        {shown && (
          <Button icon={<EyeInvisibleOutlined />} onClick={() => setShown(undefined)}>
            {t('hideValues')}
          </Button>
        )}
      </Flex>
      {shown?.employments.map((m) => (
        <section key={m.employment_id} style={{ marginTop: 16 }} aria-label={m.legal_entity}>
          <Typography.Paragraph strong style={{ marginBottom: 8 }}>
            {[m.legal_entity, m.department, m.post].filter(Boolean).join(' · ')}
          </Typography.Paragraph>
          {m.fields.length === 0 && <Typography.Text type="secondary">{t('nothingKept')}</Typography.Text>}
          <Descriptions
            column={{ xs: 1, sm: 1, md: 2 }}
            size="small"
            items={m.fields.map((f) => ({ key: f.key, label: f.label, children: <span style={{ overflowWrap: 'anywhere' }}>{f.attachments ? listed(f.attachments.map((a) => a.name ?? '')) : (f.text ?? f.value)}</span> }))}
          />
        </section>
      ))}
    </Card>
  )
}

/** Messages that are to name the person, if they agree. */
function ToConfirm() {
  const t = useTexts()
  const { message } = App.useApp()
  const messages = usePages(['messages', 'mine'], (cursor) => ok(api.GET('/api/v1/messages', { params: { query: { cursor } } })))
  const answer = useMutation({
    mutationFn: ({ id, ...body }: { id: string; agreed: boolean; contact?: string }) => ok(api.POST('/api/v1/messages/{id}/confirmation', { params: { path: { id } }, body })),
    onSuccess: () => {
      void message.success(t('confirmed'))
      void messages.refetch()
    },
  })
  return messages.rows
    .filter((m) => m.to_confirm)
    .map((m) => (
      <Card key={m.id} size="small" title={t('messages')}>
        <p>{t('messagesHint')}</p>
        <Form layout="vertical" onFinish={({ contact }: { contact?: string }) => answer.mutate({ id: m.id, agreed: true, contact })}>
          <Form.Item name="contact" label={t('contact')} extra={t('contactHint')}>
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
          <ProblemAlert error={answer.error} />
          <Flex gap={8} wrap>
            <Button type="primary" htmlType="submit" loading={answer.isPending}>
              {t('confirmAgree')}
            </Button>
            <Button onClick={() => answer.mutate({ id: m.id, agreed: false })} disabled={answer.isPending}>
              {t('confirmDecline')}
            </Button>
          </Flex>
        </Form>
      </Card>
    ))
}
