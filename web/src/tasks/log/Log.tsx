import { CheckCircleOutlined, MinusCircleOutlined, WarningOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Collapse, DatePicker, Empty, Flex, Form, Input, Select, Skeleton, Table, Tag, Typography } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { CopyButton } from '../../shell/copy'
import { Heading } from '../../shell/Heading'
import { usePages } from '../../shell/pages'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { Details } from './Details'
import { ExportForm, ExportProgress } from './Export'
import './log.css'
import { kinds, useLogTexts } from './texts'

export type Entry = Schemas['LogEntryView']
export type Filters = Schemas['ExportFilters']
export interface Names {
  subject?: string
  actor?: string
}

interface Values {
  q?: string
  kind?: Entry['kind']
  result?: NonNullable<Entry['result']>
  employee_id?: string
  actor?: string
  between?: [Dayjs | null, Dayjs | null] | null
}

export function Badge({ of }: { of: Entry }) {
  const icon = { intact: <CheckCircleOutlined />, tampered: <WarningOutlined />, dropped: <MinusCircleOutlined /> }[of.state]
  return <Tag icon={icon} color={{ intact: 'green', tampered: 'red', dropped: 'default' }[of.state]}>{of.state_text}</Tag>
}

export const nameOf = (p: Schemas['LogPersonView'] | undefined) => (p ? [p.name, p.employee_no].filter(Boolean).join(' ') : '')

export default function Log() {
  const t = useLogTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [params, setParams] = useSearchParams()
  const [asked, setAsked] = useState<{ filters: Filters; names: Names; at: number }>()
  const [names, setNames] = useState<Names>({})
  const [open, setOpen] = useState<Entry>()
  const [exporting, setExporting] = useState<{ filters: Filters; names: Names }>()
  const exported = params.get('export') ?? undefined

  const list = usePages(['log', asked], (cursor) => ok(api.GET('/api/v1/query-log', { params: { query: { ...asked!.filters, cursor } } }))
    .catch((refused: unknown) => {
      showInForm(form, refused)
      throw refused
    }), !!asked, true)
  const first = list.data?.pages[0]
  const tampered = list.data?.pages.reduce((sum, p) => sum + p.tampered, 0) ?? 0

  const filtersOf = (v: Values): Filters => ({
    q: v.q?.trim() || undefined, kind: v.kind, result: v.result, employee_id: v.employee_id, actor: v.actor,
    from: v.between?.[0]?.second(0).millisecond(0).toISOString(), to: v.between?.[1]?.second(0).millisecond(0).toISOString(),
  })
  const search = (v: Values) => {
    client.removeQueries({ queryKey: ['log'] })
    setAsked({ filters: filtersOf(v), names, at: Date.now() })
  }
  const why = (e: Entry) => (
    <>
      {e.purpose_text && <Tag>{e.purpose_text}</Tag>}
      {e.reason}
    </>
  )
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div style={{ flex: '1 1 300px' }}>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
        </div>
        <Button data-tour="export" onClick={() => setExporting({ filters: filtersOf(form.getFieldsValue()), names })}>{t('export')}</Button>
      </Flex>
      {exported && <ExportProgress key={exported} id={exported} close={() => setParams({}, { replace: true })} />}
      <Card size="small" style={{ marginBottom: 16 }}>
        <Form form={form} onFinish={search} layout="vertical" className="log-form">
          <Form.Item name="q" data-tour="words" className="wide" extra={t('wordsHint')}>
            <Input.Search aria-label={t('words')} placeholder={t('words')} enterButton={t('search')} size="large" maxLength={100} allowClear loading={list.isFetching} onSearch={(_, __, info) => info?.source !== 'clear' && form.submit()} onPressEnter={(e) => e.preventDefault()} />
          </Form.Item>
          <Form.Item name="kind" data-tour="kind"><Select aria-label={t('kind')} allowClear placeholder={t('allKinds')} options={kinds.map((k) => ({ value: k, label: t(k === 'export' ? 'exportKind' : k) }))} /></Form.Item>
          <Form.Item name="result"><Select aria-label={t('result')} allowClear placeholder={t('allResults')} options={(['done', 'refused', 'failed'] as const).map((r) => ({ value: r, label: t(r) }))} /></Form.Item>
          <Form.Item name="employee_id"><Picker label={t('subject')} onName={(subject) => setNames((n) => ({ ...n, subject }))} /></Form.Item>
          <Form.Item name="actor"><Picker label={t('actor')} onName={(actor) => setNames((n) => ({ ...n, actor }))} /></Form.Item>
          <Form.Item name="between" data-tour="when" className="wide">
            <DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} placeholder={[t('from'), t('to')]} aria-label={t('when')} style={{ width: '100%', maxWidth: 420 }} />
          </Form.Item>
        </Form>
      </Card>
      <Flex vertical gap={12}>
        <ProblemAlert error={list.error} retry={() => void list.refetch()} />
        {tampered > 0 && <Alert role="alert" type="error" showIcon title={t('tamperedAlert', { n: tampered })} description={t('tamperedAdvice')} />}
        {first?.warning && <Alert role="alert" type="warning" showIcon title={first.warning} />}
        {!asked && <Card data-tour="results"><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('begin')}<br />{t('beginHint')}</>} /></Card>}
        {asked && list.isPending && <Skeleton active />}
        {list.data && list.rows.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('none')}<br />{t('noneHint')}</>} /></Card>}
        {list.rows.length > 0 && wide && (
          <Table
            data-tour="results"
            size="small"
            pagination={false}
            rowKey="id"
            dataSource={list.rows}
            onRow={(e) => ({ onClick: () => setOpen(e), style: { cursor: 'pointer' } })}
            columns={[
              { title: t('check'), width: 104, render: (_, e) => <Badge of={e} /> },
              { title: t('when'), width: 122, render: (_, e) => instant(e.at) },
              { title: t('who'), width: 150, render: (_, e) => <>{nameOf(e.actor)}{e.actor && <br />}<Typography.Text type="secondary">{e.actor_role_text}</Typography.Text></> },
              { title: t('what'), width: 170, render: (_, e) => <Button type="link" size="small" className="row-link" onClick={(click) => { click.stopPropagation(); setOpen(e) }}>{e.action_text ?? e.kind_text}</Button> },
              { title: t('whom'), width: 150, render: (_, e) => nameOf(e.subject) },
              { title: t('why'), render: (_, e) => <div className="reason">{why(e)}</div> },
              { title: t('result'), width: 84, render: (_, e) => e.result_text && <Result of={e} /> },
            ]}
          />
        )}
        {list.rows.length > 0 && !wide && list.rows.map((e) => (
          <Card key={e.id} size="small">
            <Flex justify="space-between" gap={8} wrap>
              <Button type="link" size="small" className="row-link" onClick={() => setOpen(e)}>{e.action_text ?? e.kind_text}</Button>
              <span><Badge of={e} />{e.result_text && <Result of={e} />}</span>
            </Flex>
            <div>{nameOf(e.actor)} <Typography.Text type="secondary">{e.actor_role_text} · {instant(e.at)}</Typography.Text></div>
            {e.subject && <div>{t('whom')}{': '}{nameOf(e.subject)}</div>}
            <div className="reason">{why(e)}</div>
          </Card>
        ))}
        {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
        {first && (
          <Collapse
            size="small"
            items={[{
              key: 'receipt',
              label: t('receipt'),
              children: (
                <>
                  <Typography.Paragraph type="secondary">{t('receiptHint')}</Typography.Paragraph>
                  <pre className="receipt" tabIndex={0}>{first.receipt}</pre>
                  <CopyButton size="small" text={first.receipt}>{t('copyReceipt')}</CopyButton>
                </>
              ),
            }]}
          />
        )}
      </Flex>
      <Details of={open} close={() => setOpen(undefined)} />
      <ExportForm
        of={exporting}
        close={() => setExporting(undefined)}
        started={(id) => {
          setExporting(undefined)
          setParams({ export: id }, { replace: true })
        }}
      />
    </>
  )
}

function Result({ of }: { of: Entry }) {
  return <Tag color={{ done: 'default', refused: 'orange', failed: 'red' }[of.result ?? 'done']}>{of.result_text}</Tag>
}

/** A person as a field of the form, told by name too. */
function Picker({ label, onName, onChange, ...rest }: { label: string; id?: string; value?: string; onChange?: (id: string | undefined) => void; onName: (name?: string) => void }) {
  return (
    <PersonPicker
      {...rest}
      aria-label={label}
      placeholder={label}
      onChange={(id, person) => {
        onName(person && `${person.name} (${person.employee_no})`)
        onChange?.(id)
      }}
    />
  )
}
