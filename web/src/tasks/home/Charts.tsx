import { Card, Col, Empty, Flex, Row, Switch, Table, Typography } from 'antd'
import { useState, type ReactNode } from 'react'
import { Bar, BarChart, CartesianGrid, ErrorBar, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'

import type { Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { apart } from '../../shell/times'
import { useHomeTexts } from './texts'

const green = '#1f6f69'
const axis = { fontSize: 12, fill: 'rgba(0,0,0,0.65)' }
const locale = () => (language() === 'zh' ? 'zh-CN' : 'en-GB')
const monthOf = (month: string) => new Intl.DateTimeFormat(locale(), { month: 'short', timeZone: 'UTC' }).format(new Date(`${month}-01T00:00:00Z`))
const wholeMonth = (month: string) => new Intl.DateTimeFormat(locale(), { year: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${month}-01T00:00:00Z`))

/** A duration as people say it: 40 秒, 约 3 分钟, about 2 hours, about 17 days. */
function lasting(seconds: number) {
  const [one, unit] = ([[86_400, 'day'], [3600, 'hour'], [60, 'minute']] as const).find(([size]) => seconds >= 2 * size) ?? [1, 'second']
  const said = new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: language() === 'zh' ? 'short' : 'long', maximumFractionDigits: 0 }).format(seconds / one)
  return apart(one === 1 || seconds % one === 0 ? said : language() === 'zh' ? `约${said}` : `about ${said}`)
}

/** The same for a scale, which has no room for words. */
const scale = (seconds: number) => lasting(seconds).replace(/^(约 |about )/, '').replace(/ (second|minute)s?$/, (_, unit: string) => ` ${unit.slice(0, 3)}`)

/** What the last twelve months were like: each chart answers one question, in words above it, and is there as a table too. */
export default function Charts({ of }: { of: Schemas['Overview'] }) {
  const t = useHomeTexts()
  const { months, refusals } = of
  const left = months.reduce((n, m) => n + m.leavers, 0)
  const open = months.reduce((n, m) => n + m.open, 0)
  const delays = months.filter((m) => m.delay)
  const last = delays.at(-1)
  const refused = refusals.reduce((n, r) => n + r.times, 0)
  const reasons = refusals.map((r) => ({ key: `${r.rule} ${r.matter ?? ''}`, reason: r.matter_text ?? r.rule_text, times: r.times }))
  return (
    <Row gutter={[12, 12]} style={{ marginTop: 16 }}>
      <Chart
        title={t('chartLeavers')}
        answer={t('chartLeaversText', { n: left })}
        empty={left === 0}
        columns={[[t('month'), (m) => wholeMonth(m.month)], [t('leavers'), (m) => m.leavers]]}
        rows={months}
        id={(m) => m.month}
      >
        <BarChart data={months} accessibilityLayer margin={{ left: -16, right: 8, top: 8 }}>
          <CartesianGrid vertical={false} stroke="#eee" />
          <XAxis dataKey="month" tickFormatter={monthOf} tick={axis} />
          <YAxis allowDecimals={false} tick={axis} />
          <Tooltip labelFormatter={(m) => wholeMonth(String(m))} />
          <Bar dataKey="leavers" name={t('leavers')} fill={green} isAnimationActive={false} />
        </BarChart>
      </Chart>
      <Chart
        title={t('chartDelay')}
        answer={[last?.delay && t('chartDelayText', { month: wholeMonth(last.month), median: lasting(last.delay.q2) }), open > 0 && t('chartDelayOpen', { n: open })].filter(Boolean).join(' ')}
        empty={delays.length === 0}
        columns={[
          [t('month'), (m) => wholeMonth(m.month)], [t('median'), (m) => (m.delay ? lasting(m.delay.q2) : '—')],
          [t('quartiles'), (m) => (m.delay ? `${scale(m.delay.q1)} – ${scale(m.delay.q3)}` : '—')], [t('settled'), (m) => m.settled], [t('stillOpen'), (m) => m.open],
        ]}
        rows={months}
        id={(m) => m.month}
      >
        <BarChart data={months.map((m) => ({ month: m.month, median: m.delay?.q2, around: m.delay && [m.delay.q2 - m.delay.q1, m.delay.q3 - m.delay.q2] }))} accessibilityLayer margin={{ left: 8, right: 8, top: 8 }}>
          <CartesianGrid vertical={false} stroke="#eee" />
          <XAxis dataKey="month" tickFormatter={monthOf} tick={axis} />
          <YAxis tickFormatter={scale} width={72} tick={axis} />
          <Tooltip labelFormatter={(m) => wholeMonth(String(m))} formatter={(v) => lasting(Number(v))} />
          <Bar dataKey="median" name={t('median')} fill={green} isAnimationActive={false}>
            <ErrorBar dataKey="around" stroke="#333" width={4} isAnimationActive={false} />
          </Bar>
        </BarChart>
      </Chart>
      {refused > 0 && (
        <Chart
          title={t('chartRefusals')}
          answer={t('chartRefusalsText', { n: refused, reason: reasons[0]!.reason, times: reasons[0]!.times })}
          empty={false}
          columns={[[t('reason'), (r) => r.reason], [t('timesRefused'), (r) => r.times]]}
          rows={reasons}
          id={(r) => r.key}
        >
          <BarChart data={reasons.slice(0, 6)} layout="vertical" accessibilityLayer margin={{ left: 8, right: 16, top: 8 }}>
            <CartesianGrid horizontal={false} stroke="#eee" />
            <XAxis type="number" allowDecimals={false} tick={axis} />
            <YAxis type="category" dataKey="reason" width={130} tick={axis} />
            <Tooltip />
            <Bar dataKey="times" name={t('timesRefused')} fill={green} isAnimationActive={false} />
          </BarChart>
        </Chart>
      )}
    </Row>
  )
}

function Chart<R extends object>({ title, answer, empty, columns, rows, id, children }: {
  title: string
  answer: string
  empty: boolean
  columns: [name: string, cell: (row: R) => ReactNode][]
  rows: R[]
  id: (row: R) => string
  children: ReactNode
}) {
  const t = useHomeTexts()
  const [table, setTable] = useState(false)
  return (
    <Col xs={24} lg={12}>
      <Card
        size="small"
        style={{ height: '100%' }}
        title={<h2 style={{ font: 'inherit', margin: 0, whiteSpace: 'normal' }}>{title}</h2>}
        extra={!empty && <Flex gap={6} align="center"><Typography.Text type="secondary">{t('asTable')}</Typography.Text><Switch size="small" checked={table} onChange={setTable} aria-label={`${t('asTable')}: ${title}`} /></Flex>}
      >
        {empty ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('chartEmpty')} />
        ) : (
          <>
            <Typography.Paragraph>{answer}</Typography.Paragraph>
            {table ? (
              <Table size="small" pagination={false} scroll={{ x: 'max-content' }} rowKey={id} dataSource={rows} columns={columns.map(([name, cell], i) => ({ key: i, title: name, render: (_: unknown, row: R) => cell(row) }))} />
            ) : (
              <ResponsiveContainer width="100%" height={220}>
                {children as React.ReactElement}
              </ResponsiveContainer>
            )}
          </>
        )}
      </Card>
    </Col>
  )
}
