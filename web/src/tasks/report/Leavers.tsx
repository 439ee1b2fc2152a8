import { CheckCircleOutlined, ClockCircleOutlined, DownloadOutlined, ExclamationCircleOutlined, MinusCircleOutlined, QuestionCircleOutlined, WarningOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, DatePicker, Empty, Flex, Form, Select, Skeleton, Statistic, Table, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { type ComponentType, useState } from 'react'
import { Link } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { State, type Tone } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { day, instant, lastOf } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { Take } from './Take'
import { useReportTexts } from './texts'

type Leaver = Schemas['LeaverView']
type Outcome = Leaver['outcome']
export interface Asked {
  from: string
  to: string
  basis: 'end' | 'cutoff'
  zone: string
  late_after_minutes: number
  legal_entity_id?: string
  department_id?: string
  site_id?: string
  outcome?: Outcome[]
}

interface Values {
  period: [Dayjs, Dayjs]
  basis: Asked['basis']
  late: number
  entity?: string
  department?: string
  site?: string
  outcome?: Outcome[]
}

const looks: Record<Outcome, { tone: Tone; icon: ComponentType }> = {
  open: { tone: 'bad', icon: WarningOutlined },
  not_looked: { tone: 'bad', icon: QuestionCircleOutlined },
  accepted: { tone: 'wait', icon: ExclamationCircleOutlined },
  late: { tone: 'wait', icon: ClockCircleOutlined },
  taken_in: { tone: 'calm', icon: CheckCircleOutlined },
  in_time: { tone: 'good', icon: CheckCircleOutlined },
  none_found: { tone: 'calm', icon: MinusCircleOutlined },
}
const outcomes = Object.keys(looks) as Outcome[]

/** Everybody who left within a period: is each account off, since when, and who accepted what is not. */
export default function Leavers() {
  const t = useReportTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const role = useMe().data?.role
  const [form] = Form.useForm<Values>()
  const entity = Form.useWatch('entity', form)
  const first: Values = { period: [dayjs().subtract(1, 'year').add(1, 'day'), dayjs()], basis: 'end', late: 60 }
  const askedBy = (v: Values): Asked => ({
    from: v.period[0].format('YYYY-MM-DD'), to: v.period[1].format('YYYY-MM-DD'), basis: v.basis, zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    late_after_minutes: v.late, legal_entity_id: v.entity, department_id: v.department, site_id: v.site, outcome: v.outcome?.length ? v.outcome : undefined,
  })
  const [asked, setAsked] = useState<Asked>(() => askedBy(first))
  const [taking, setTaking] = useState(false)
  const all = { params: { query: { limit: 200 } } } as const
  const entities = useQuery({ queryKey: ['legal-entities'], queryFn: () => ok(api.GET('/api/v1/legal-entities', all)) })
  const departments = useQuery({ queryKey: ['departments'], queryFn: () => ok(api.GET('/api/v1/departments', all)) })
  const sites = useQuery({ queryKey: ['sites'], queryFn: () => ok(api.GET('/api/v1/sites', all)) })
  const list = usePages(['report', 'leavers', asked], (cursor) => ok(api.GET('/api/v1/reports/leavers', { params: { query: { ...asked, cursor } } })).catch((refused: unknown) => {
    showInForm(form, refused)
    throw refused
  }))
  const totals = list.data?.pages[0]?.totals
  const options = (items?: { id: string; name: string }[]) => items?.map((i) => ({ value: i.id, label: i.name }))
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div style={{ flex: '1 1 300px' }}>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
        </div>
        {(role === 'auditor' || role === 'hr_admin') && <Button icon={<DownloadOutlined />} disabled={!totals} onClick={() => setTaking(true)}>{t('take')}</Button>}
      </Flex>
      <Card size="small" style={{ marginBottom: 16 }}>
        <Form form={form} initialValues={first} onFinish={(v: Values) => setAsked(askedBy(v))} layout="vertical">
          <Flex gap={12} wrap align="end">
            <Form.Item name="period" label={t('period')} rules={[{ required: true }]} style={{ marginBottom: 0, flex: '1 1 240px' }}>
              <DatePicker.RangePicker allowClear={false} placeholder={[t('from'), t('to')]} style={{ width: '100%' }} />
            </Form.Item>
            <Form.Item name="basis" label={t('basis')} style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <Select options={[{ value: 'end', label: t('byEnd') }, { value: 'cutoff', label: t('byCutoff') }]} />
            </Form.Item>
            <Form.Item name="late" label={t('lateAfter')} style={{ marginBottom: 0, flex: '1 1 120px' }}>
              <Select options={[{ value: 15, label: t('minutes15') }, { value: 60, label: t('hour1') }, { value: 240, label: t('hours4') }, { value: 1440, label: t('day1') }]} />
            </Form.Item>
            <Form.Item name="entity" style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <Select aria-label={t('entity')} allowClear placeholder={t('entity')} options={options(entities.data?.items)} onChange={() => form.setFieldValue('department', undefined)} />
            </Form.Item>
            <Form.Item name="department" style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <Select aria-label={t('department')} allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={t('department')} options={options(departments.data?.items.filter((d) => !entity || d.legal_entity_id === entity))} />
            </Form.Item>
            <Form.Item name="site" style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <Select aria-label={t('site')} allowClear placeholder={t('site')} options={options(sites.data?.items)} />
            </Form.Item>
            <Form.Item name="outcome" style={{ marginBottom: 0, flex: '2 1 200px' }}>
              <Select aria-label={t('outcome')} mode="multiple" allowClear placeholder={t('outcome')} options={outcomes.map((o) => ({ value: o, label: t(o) }))} />
            </Form.Item>
            <Button type="primary" htmlType="submit" loading={list.isFetching && !list.isFetchingNextPage}>{t('run')}</Button>
          </Flex>
        </Form>
      </Card>
      <Flex vertical gap={12}>
        <ProblemAlert error={list.error} retry={() => void list.refetch()} />
        {list.isPending && !list.error && <Skeleton active />}
        {totals && <Totals of={totals} />}
        {totals && totals.own > 0 && <Alert type="info" showIcon title={t('own')} />}
        {list.data && list.rows.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('none')}<br />{t('noneHint')}</>} /></Card>}
        {list.rows.length > 0 && wide && (
          <Table
            size="small"
            pagination={false}
            rowKey="departure_id"
            dataSource={list.rows}
            columns={[
              { title: t('result'), width: 200, render: (_: unknown, l: Leaver) => <Result of={l} /> },
              { title: t('person'), width: 190, render: (_: unknown, l: Leaver) => <Who of={l} /> },
              { title: t('dates'), width: 230, render: (_: unknown, l: Leaver) => <Dates of={l} zone={asked.zone} /> },
              { title: t('accounts'), render: (_: unknown, l: Leaver) => <Accounts of={l} zone={asked.zone} /> },
              { title: t('exceptions'), width: 260, render: (_: unknown, l: Leaver) => <Exceptions of={l} zone={asked.zone} /> },
            ].map((column) => ({ ...column, onCell: () => ({ style: { verticalAlign: 'top' } }) }))}
          />
        )}
        {list.rows.length > 0 && !wide && list.rows.map((l) => (
          <Card key={l.departure_id} size="small">
            <Flex vertical gap={6}>
              <Result of={l} />
              <Who of={l} />
              <Dates of={l} zone={asked.zone} />
              <Accounts of={l} zone={asked.zone} />
              <Exceptions of={l} zone={asked.zone} />
            </Flex>
          </Card>
        ))}
        {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
      </Flex>
      <Take of={taking ? asked : undefined} close={() => setTaking(false)} />
    </>
  )
}

function Totals({ of }: { of: Schemas['LeaversTotals'] }) {
  const t = useReportTexts()
  const bad = of.open + of.not_looked > 0
  return (
    <Card size="small">
      <Typography.Paragraph strong style={{ marginBottom: 8 }}>{of.text}</Typography.Paragraph>
      <Flex gap={24} wrap>
        <Statistic title={t('total')} value={of.leavers} />
        {outcomes.filter((o) => of[o] > 0 || o === 'open' || o === 'in_time').map((o) => (
          <Statistic key={o} title={t(o)} value={of[o]} styles={(o === 'open' || o === 'not_looked') && of[o] > 0 ? { content: { color: '#a8071a' } } : undefined} prefix={bad && (o === 'open' || o === 'not_looked') && of[o] > 0 ? <WarningOutlined aria-hidden /> : undefined} />
        ))}
      </Flex>
      <Typography.Text type="secondary">{t('asOf', { at: instant(of.as_of, of.zone), zone: of.zone })}</Typography.Text>
    </Card>
  )
}

function Result({ of: l }: { of: Leaver }) {
  const t = useReportTexts()
  const { tone, icon: Icon } = looks[l.outcome]
  return (
    <Flex vertical gap={4} align="start">
      <State tone={tone}><Icon /> {l.outcome_text}</State>
      {l.outcome === 'late' && l.delay_text && <Typography.Text type="secondary">{t(l.entered_late ? 'lateByEntry' : 'lateBy', { time: l.delay_text })}</Typography.Text>}
    </Flex>
  )
}

function Who({ of: l }: { of: Leaver }) {
  return (
    <div>
      <Link to={`/departures/${l.departure_id}`}><Person of={l.person} /></Link>
      <div><Typography.Text type="secondary">{l.department === l.person.department ? l.legal_entity : `${l.department} · ${l.legal_entity}`}</Typography.Text></div>
    </div>
  )
}

function Dates({ of: l, zone }: { of: Leaver; zone: string }) {
  const t = useReportTexts()
  return (
    <div>
      <div>{l.kind_text}</div>
      <div>{t('ended', { day: day(l.employment_end_date) })}</div>
      <div>{t('cutoff', { at: lastOf(l.access_cutoff_at, zone) })}</div>
    </div>
  )
}

function Accounts({ of: l, zone }: { of: Leaver; zone: string }) {
  const t = useReportTexts()
  if (l.accounts.length === 0) return <Typography.Text type="danger"><QuestionCircleOutlined /> {t('noAccounts')}</Typography.Text>
  return (
    <ul className="bullets" style={{ margin: 0 }}>
      {l.accounts.map((a, i) => (
        <li key={i}>
          <Typography.Text type={a.open ? 'danger' : undefined} strong={a.open}>
            {a.open && <><WarningOutlined /> </>}{a.system_text} · {a.state_text}
          </Typography.Text>
          {a.confirmed_at && <> · {instant(a.confirmed_at, zone)}</>}
          {a.delay_text && <Typography.Text type="secondary"> · {t(l.entered_late ? 'afterEntry' : 'after', { time: a.delay_text })}</Typography.Text>}
        </li>
      ))}
    </ul>
  )
}

function Exceptions({ of: l, zone }: { of: Leaver; zone: string }) {
  const t = useReportTexts()
  if (l.exceptions.length === 0) return null
  return (
    <ul className="bullets" style={{ margin: 0 }}>
      {l.exceptions.map((e, i) => (
        <li key={i}>
          {e.what_text}{e.system_text && ` · ${e.system_text}`} · {instant(e.at, zone)}{e.after_text && ` · ${e.after_text}`}
          {e.by && <div><Typography.Text type="secondary">{e.second ? t('byBoth', { one: e.by.name, two: e.second.name }) : t('by', { one: e.by.name })}</Typography.Text></div>}
        </li>
      ))}
    </ul>
  )
}
