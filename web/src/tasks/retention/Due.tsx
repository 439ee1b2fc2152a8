import { Button, Card, Checkbox, Empty, Flex, Select, Skeleton, Table, Tag, Tooltip, Typography } from 'antd'
import { Link, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { usePages } from '../../shell/pages'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { Until } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { categories, useRetentionTexts } from './texts'

type Row = Schemas['UpcomingView']

const colors: Record<Row['state'], string> = { scheduled: 'default', held: 'gold', in_review: 'orange', purging: 'red', purged: 'default', cancelled: 'default' }
const spans = ['d7', 'd30', 'd90', 'd365'] as const

/** What will be destroyed, soonest first. */
export function Due() {
  const t = useRetentionTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const [params, setParams] = useSearchParams()
  const set = (key: string, value: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(key, value)
      else next.delete(key)
      return next
    }, { replace: true })
  const category = categories.find((c) => c === params.get('category'))
  const employee_id = params.get('person') ?? undefined
  const span = spans.find((s) => s === params.get('within'))
  const not_held = params.get('held') === 'hide' || undefined
  const within_days = span ? Number(span.slice(1)) : undefined
  const list = usePages(['deadlines', category, employee_id, span, not_held], (cursor) =>
    ok(api.GET('/api/v1/retention/deadlines', { params: { query: { cursor, category, employee_id, within_days, not_held } } })))
  const left = (r: Row) => {
    if (r.days_left_text) return r.days_left_text
    const days = Math.floor((Date.parse(r.deadline) - Date.now()) / 86_400_000)
    return days < 0 ? t('overdue') : days === 0 ? t('today') : t('daysLeft', { n: days })
  }
  const state = (r: Row) => (
    <Flex gap={4} wrap>
      <Tag color={colors[r.state]}>{r.purge_state_text && r.state === 'in_review' ? r.purge_state_text : r.state_text}</Tag>
      {r.advanced && <Tooltip title={t('advanced')}><Tag color="orange" tabIndex={0}>{t('advanced')}</Tag></Tooltip>}
      {r.extended && <Tag color="blue">{t('extended')}</Tag>}
    </Flex>
  )
  const who = (r: Row) => <Link to={`/departures/${r.departure_id}`}><Person of={r.person} /></Link>
  return (
    <>
      <Typography.Paragraph type="secondary">{t('dueIntro')}</Typography.Paragraph>
      <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
        <Select aria-label={t('within')} value={span ?? 'any'} style={{ minWidth: 130 }} onChange={(v: string) => set('within', v === 'any' ? undefined : v)} options={[{ value: 'any', label: t('any') }, ...spans.map((s) => ({ value: s as string, label: t(s) }))]} />
        <Select aria-label={t('category')} allowClear placeholder={t('allCategories')} value={category} style={{ minWidth: 150 }} onChange={(v: string | undefined) => set('category', v)} options={categories.map((c) => ({ value: c, label: t(c) }))} />
        <PersonPicker aria-label={t('person')} placeholder={t('personHint')} value={employee_id} onChange={(id) => set('person', id)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
        <Checkbox checked={!!not_held} onChange={(e) => set('held', e.target.checked ? 'hide' : undefined)}>{t('hideHeld')}</Checkbox>
      </Flex>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && list.rows.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('noDue')}<br />{t('noDueHint')}</>} /></Card>}
      {list.rows.length > 0 && wide && (
        <Table
          size="small"
          pagination={false}
          rowKey={(r) => `${r.departure_id} ${r.category}`}
          dataSource={list.rows}
          columns={[
            { title: t('deadline'), width: 240, render: (_, r) => <><Until at={r.deadline} zone={r.person.time_zone} /><br /><Typography.Text type="secondary">{left(r)}</Typography.Text></> },
            { title: t('person'), width: 210, render: (_, r) => who(r) },
            { title: t('category'), width: 140, render: (_, r) => r.category_text },
            { title: t('basis'), render: (_, r) => <Typography.Text type="secondary">{r.basis}</Typography.Text> },
            { title: t('state'), width: 170, render: (_, r) => state(r) },
          ]}
        />
      )}
      {list.rows.length > 0 && !wide && (
        <Flex vertical gap={8}>
          {list.rows.map((r) => (
            <Card size="small" key={`${r.departure_id} ${r.category}`}>
              <Flex justify="space-between" gap={8} wrap>
                <Typography.Text strong>{r.category_text}</Typography.Text>
                {state(r)}
              </Flex>
              <div>{who(r)}</div>
              <div><Until at={r.deadline} zone={r.person.time_zone} /> <Typography.Text type="secondary">({left(r)})</Typography.Text></div>
              <Typography.Text type="secondary">{r.basis}</Typography.Text>
            </Card>
          ))}
        </Flex>
      )}
      {list.hasNextPage && <Button block style={{ marginTop: 12 }} loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
    </>
  )
}
