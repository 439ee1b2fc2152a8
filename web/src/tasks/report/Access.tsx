import { DownloadOutlined, EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Card, Collapse, DatePicker, Empty, Flex, Form, Select, Skeleton, Table, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { State } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { TakeAccess } from './TakeAccess'
import { useReportTexts } from './texts'

type Holder = Schemas['HolderView']
type Summary = Schemas['AccessSummary']
type Role = Holder['role']

interface Values {
  on: Dayjs
  role?: Role
}

const roles: Role[] = ['hr_admin', 'department_head', 'reviewer', 'auditor', 'it_ops', 'employee']

/** Who could see what at the end of a past day: roles, tiers, and what the permissions of that day opened. */
export default function Access() {
  const entities = useQuery({ queryKey: ['legal-entities'], queryFn: () => ok(api.GET('/api/v1/legal-entities', { params: { query: { limit: 200 } } })) })
  if (entities.isPending) return <Skeleton active />
  // The report's days are those of the company, not of whoever looks.
  const zone = entities.data?.items[0]?.time_zone
  return <Report today={new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(new Date())} />
}

function Report({ today }: { today: string }) {
  const t = useReportTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const role = useMe().data?.role
  const [form] = Form.useForm<Values>()
  const first: Values = { on: dayjs(today) }
  const askedBy = (v: Values) => ({ on: v.on.format('YYYY-MM-DD'), role: v.role })
  const [asked, setAsked] = useState(() => askedBy(first))
  const [taking, setTaking] = useState(false)
  const list = usePages(['report', 'access', asked], (cursor) => ok(api.GET('/api/v1/reports/access', { params: { query: { ...asked, cursor } } })).catch((refused: unknown) => {
    showInForm(form, refused)
    throw refused
  }))
  const summary = list.data?.pages[0]?.summary
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div style={{ flex: '1 1 300px' }}>
          <Heading style={{ marginBottom: 4 }}>{t('accessTitle')}</Heading>
          <Typography.Paragraph type="secondary">{t('accessIntro')}</Typography.Paragraph>
        </div>
        {role === 'auditor' && <Button icon={<DownloadOutlined />} disabled={!summary} onClick={() => setTaking(true)}>{t('take')}</Button>}
      </Flex>
      <Card size="small" style={{ marginBottom: 16 }}>
        <Form form={form} initialValues={first} onFinish={(v: Values) => setAsked(askedBy(v))} layout="vertical">
          <Flex gap={12} wrap align="end">
            <Form.Item name="on" label={t('accessDay')} rules={[{ required: true }]} style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <DatePicker allowClear={false} disabledDate={(d) => d.isAfter(dayjs(today), 'day')} style={{ width: '100%' }} />
            </Form.Item>
            <Form.Item name="role" style={{ marginBottom: 0, flex: '1 1 160px' }}>
              <Select aria-label={t('accessRole')} allowClear placeholder={t('accessRole')} options={roles.map((r) => ({ value: r, label: t(r) }))} />
            </Form.Item>
            <Button type="primary" htmlType="submit" loading={list.isFetching && !list.isFetchingNextPage}>{t('run')}</Button>
          </Flex>
        </Form>
      </Card>
      <Flex vertical gap={12}>
        <ProblemAlert error={list.error} retry={() => void list.refetch()} />
        {list.isPending && !list.error && <Skeleton active />}
        {summary && <InForce of={summary} />}
        {list.data && list.rows.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('none')}<br />{t('accessNone')}</>} /></Card>}
        {summary && list.rows.length > 0 && wide && (
          <Table
            size="small"
            pagination={false}
            rowKey="id"
            dataSource={list.rows}
            columns={[
              { title: t('person'), render: (_: unknown, h: Holder) => <Person of={h.person} /> },
              { title: t('accessRoleColumn'), width: 130, render: (_: unknown, h: Holder) => h.role_text },
              { title: t('accessSince'), width: 260, render: (_: unknown, h: Holder) => <Given of={h} zone={summary.zone} /> },
              { title: t('accessSees'), render: (_: unknown, h: Holder) => <Sees of={h} /> },
            ].map((column) => ({ ...column, onCell: () => ({ style: { verticalAlign: 'top' } }) }))}
          />
        )}
        {summary && list.rows.length > 0 && !wide && list.rows.map((h) => (
          <Card key={h.id} size="small">
            <Flex vertical gap={6}>
              <Person of={h.person} />
              <div>{h.role_text}</div>
              <Given of={h} zone={summary.zone} />
              <Sees of={h} />
            </Flex>
          </Card>
        ))}
        {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
        {summary && (
          <Card size="small">
            <Typography.Title level={2} style={{ fontSize: 16, marginTop: 0 }}>{t('accessGaps')}</Typography.Title>
            <ul className="bullets" style={{ margin: 0 }}>{summary.gaps.map((g) => <li key={g}>{g}</li>)}</ul>
          </Card>
        )}
      </Flex>
      <TakeAccess of={taking ? asked.on : undefined} close={() => setTaking(false)} />
    </>
  )
}

/** What held on that day, in whomever's hands. */
function InForce({ of }: { of: Summary }) {
  const t = useReportTexts()
  return (
    <Card size="small">
      <Typography.Paragraph strong style={{ marginBottom: 8 }}>{of.text}</Typography.Paragraph>
      <Typography.Paragraph style={{ marginBottom: 4 }}>
        {t('accessVersion', { text: of.version_text })}
        {of.changed_by && of.approved_by && <Typography.Text type="secondary"> · {t('byBoth', { one: of.changed_by.name, two: of.approved_by.name })}</Typography.Text>}
      </Typography.Paragraph>
      <Typography.Paragraph type="secondary" style={{ marginBottom: 4 }}>{of.limits_text}</Typography.Paragraph>
      <Typography.Paragraph style={{ marginBottom: 8 }}>
        {t('accessProtected')}{of.protected.length === 0 ? t('accessNobody') : of.protected.map((p) => p.name).join(t('comma'))}
      </Typography.Paragraph>
      <Collapse
        size="small"
        items={[
          ...of.tiers.map((tier) => ({
            key: tier.key,
            label: t('accessTier', { name: tier.name, role: tier.role_text, scope: tier.scope_text, n: tier.holders }),
            children: <Groups of={tier.groups} />,
          })),
          ...(of.changes.length > 0 ? [{ key: ' changes', label: t('accessChanges', { n: of.changes_in_total }), children: <Changes of={of} /> }] : []),
        ]}
      />
    </Card>
  )
}

function Groups({ of }: { of: Schemas['AccessGroup'][] }) {
  const t = useReportTexts()
  return (
    <ul className="bullets" style={{ margin: 0 }}>
      {of.map((g) => (
        <li key={g.group}>
          <Typography.Text strong>{g.group_text}</Typography.Text>{' '}
          <State tone={g.shown === 'hidden' ? 'calm' : 'wait'}>{g.shown === 'hidden' ? <EyeInvisibleOutlined /> : <EyeOutlined />} {g.shown_text}</State>
          {g.purposes.map((p) => (
            <div key={p.purpose}>
              {p.purpose_text} · {p.level_text}
              {p.protected !== p.level && <Typography.Text type="secondary"> · {t('accessOfProtected', { level: p.protected_text })}</Typography.Text>}
            </div>
          ))}
        </li>
      ))}
    </ul>
  )
}

function Changes({ of }: { of: Summary }) {
  const t = useReportTexts()
  return (
    <ul className="bullets" style={{ margin: 0 }}>
      {of.changes.map((c, i) => (
        <li key={i}>
          {instant(c.at, of.zone)} · {c.what_text}{c.role_text && ` · ${c.role_text}`}{c.person && ` · ${c.person.name}`}
          {c.by && <Typography.Text type="secondary"> · {c.second ? t('byBoth', { one: c.by.name, two: c.second.name }) : t('by', { one: c.by.name })}</Typography.Text>}
        </li>
      ))}
    </ul>
  )
}

function Given({ of: h, zone }: { of: Holder; zone: string }) {
  const t = useReportTexts()
  return (
    <div>
      {instant(h.since, zone)}
      <div>
        <Typography.Text type="secondary">
          {!h.given_by ? t('accessInstalled') : h.agreed_by ? t('byBoth', { one: h.given_by.name, two: h.agreed_by.name }) : t('by', { one: h.given_by.name })}
        </Typography.Text>
      </div>
    </div>
  )
}

function Sees({ of: h }: { of: Holder }) {
  const t = useReportTexts()
  return (
    <div>
      {h.sees}
      {h.tiers.map((tier) => (
        <div key={tier.key}><Typography.Text type="secondary">{t(tier.named ? 'accessNamed' : 'accessDefault', { name: tier.name, scope: tier.scope_text })}</Typography.Text></div>
      ))}
    </div>
  )
}
