import { PlusOutlined } from '@ant-design/icons'
import { Button, Card, Empty, Flex, Input, Select, Skeleton, Space, Table, Tag, Typography } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { day, When } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { listed, useRested } from './dates'
import { useDepartureTexts } from './texts'
import { accountsTone, stageTone, takenBack } from './tones'

type Departure = Schemas['DepartureView']
type Stage = Departure['stage']
type Sort = 'newest' | 'last_working_day' | 'access_cutoff_at' | 'employment_ended_at'

const accountsStates: Departure['accounts_state'][] = ['linked', 'unlinking', 'needs_attention', 'settled', 'relinking', 'relinked']
const stages: Stage[] = ['pending_departure', 'departed', 'purging', 'purged', 'withdrawn', 'annulled']
const sorts: Sort[] = ['newest', 'last_working_day', 'access_cutoff_at', 'employment_ended_at']
const isDay = (text: string | null) => (text && /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined)

export default function List() {
  const t = useDepartureTexts()
  const shell = useShellTexts()
  const me = useMe()
  const wide = useWide()
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  // What is searched for may be a name: it stays out of the address.
  const [text, setText] = useState('')
  const q = useRested(text.trim())
  const stage = stages.filter((s) => params.getAll('stage').includes(s))
  const accounts = accountsStates.find((s) => s === params.get('accounts'))
  const sort = sorts.find((s) => s === params.get('sort')) ?? 'newest'
  const from = isDay(params.get('from'))
  const to = isDay(params.get('to'))
  const set = (name: string, value: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(name, value)
      else next.delete(name)
      return next
    }, { replace: true })
  const list = usePages(['departures', 'list', { q, stage, accounts, sort, from, to }], (cursor) =>
    ok(api.GET('/api/v1/departures', {
      params: { query: { cursor, limit: 30, q: q || undefined, stage: stage.length > 0 ? stage : undefined, accounts_state: accounts, sort: sort === 'newest' ? undefined : sort, last_working_day_from: from, last_working_day_to: to } },
    })))
  const filtered = !!(q || stage.length > 0 || accounts || from || to)
  const clear = () => {
    setText('')
    setParams({}, { replace: true })
  }

  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap>
        <Heading>{t('listTitle')}</Heading>
        {me.data?.role === 'hr_admin' && (
          <Flex gap={8} wrap>
            <Button onClick={() => void navigate('/departures/batch')}>{t('batchTitle')}</Button>
            <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate('/departures/new')}>
              {t('newTitle')}
            </Button>
          </Flex>
        )}
      </Flex>
      <Flex gap={12} wrap style={{ marginBottom: 16 }}>
        <Input.Search aria-label={t('find')} placeholder={t('find')} allowClear value={text} maxLength={100} onChange={(e) => setText(e.target.value)} style={{ flex: '1 1 240px', maxWidth: 380 }} />
        <Select
          mode="multiple"
          maxTagCount="responsive"
          showSearch={false}
          aria-label={t('stage')}
          placeholder={t('stageAll')}
          style={{ flex: '1 1 190px', maxWidth: 280 }}
          value={stage}
          onChange={(chosen: Stage[]) =>
            setParams((before) => {
              const next = new URLSearchParams(before)
              next.delete('stage')
              for (const s of chosen) next.append('stage', s)
              return next
            }, { replace: true })}
          options={stages.map((value) => ({ value, label: t(`stage_${value}`) }))}
        />
        <Select aria-label={t('accounts')} style={{ flex: '1 1 150px', maxWidth: 210 }} value={accounts ?? ''} onChange={(s) => set('accounts', s)} options={[{ value: '', label: t('accountsAll') }, ...accountsStates.map((value) => ({ value, label: t(`accounts_${value}`) }))]} />
        <Select aria-label={t('sort')} style={{ flex: '1 1 170px', maxWidth: 240 }} value={sort} onChange={(s) => set('sort', s === 'newest' ? undefined : s)} options={sorts.map((value) => ({ value, label: t(`sort_${value}`) }))} />
        {from && to && (
          <Tag closable={{ 'aria-label': t('clear') }} onClose={() => { setParams((before) => { const next = new URLSearchParams(before); next.delete('from'); next.delete('to'); return next }, { replace: true }) }} style={{ alignSelf: 'center' }}>
            {t('range', { from: day(from), to: day(to) })}
          </Tag>
        )}
      </Flex>
      {list.error && <ProblemAlert error={list.error} retry={() => void list.refetch()} />}
      {list.isPending ? (
        <Skeleton active paragraph={{ rows: 8 }} />
      ) : list.rows.length === 0 && !list.error ? (
        <Empty description={filtered ? t('emptyList') : t('emptyAll')}>{filtered && <Button onClick={clear}>{t('clear')}</Button>}</Empty>
      ) : wide ? (
        <Table<Departure>
          rowKey="id"
          size="middle"
          dataSource={list.rows}
          pagination={false}
          loading={list.isFetching && !list.isFetchingNextPage}
          scroll={{ x: 'max-content' }}
          onRow={(d) => ({ onClick: (e) => { if (!(e.target as HTMLElement).closest('a')) void navigate(`/departures/${d.id}`) }, style: { cursor: 'pointer' } })}
          columns={[
            { key: 'who', title: t('who'), render: (_, d) => <Who of={d} /> },
            { key: 'stage', title: t('stage'), render: (_, d) => <State tone={stageTone[d.stage]}>{d.stage_text}</State> },
            { key: 'last', title: t('lastDay'), render: (_, d) => <InForce of={d}>{day(d.last_working_day)}</InForce> },
            { key: 'cutoff', title: t('cutoff'), render: (_, d) => <div style={{ maxWidth: 165, whiteSpace: 'normal' }}><InForce of={d}><When at={d.access_cutoff_at} zone={d.time_zone} /></InForce></div> },
            { key: 'end', title: t('endDate'), render: (_, d) => <InForce of={d}>{day(d.employment_end_date)}</InForce> },
            { key: 'accounts', title: t('accounts'), render: (_, d) => <State tone={accountsTone(d)}>{d.accounts_state_text}</State> },
            { key: 'waits', title: t('waitsFor'), render: (_, d) => <Waits of={d} /> },
          ]}
        />
      ) : (
        <Flex vertical gap={12}>
          {list.rows.map((d) => (
            <Card key={d.id} size="small" hoverable onClick={() => void navigate(`/departures/${d.id}`)}>
              <Flex vertical gap={8}>
                <Who of={d} />
                <Space wrap>
                  <State tone={stageTone[d.stage]}>{d.stage_text}</State>
                  <State tone={accountsTone(d)}>
                    {t('accounts')} {d.accounts_state_text}
                  </State>
                </Space>
                <span>
                  {t('lastDay')} <InForce of={d}>{day(d.last_working_day)}</InForce>
                </span>
                <span>
                  {t('cutoff')} <InForce of={d}><When at={d.access_cutoff_at} zone={d.time_zone} /></InForce>
                </span>
                {d.waiting.length > 0 && <Waits of={d} />}
              </Flex>
            </Card>
          ))}
        </Flex>
      )}
      {list.hasNextPage && (
        <Flex justify="center" style={{ marginTop: 16 }}>
          <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {shell('more')}
          </Button>
        </Flex>
      )}
    </>
  )
}

/** A date of a departure that was taken back is struck out. */
const InForce = ({ of, children }: { of: Departure; children: ReactNode }) => (takenBack(of.stage) ? <del>{children}</del> : <>{children}</>)

function Who({ of }: { of: Departure }) {
  return (
    <Flex vertical>
      <Link to={`/departures/${of.id}`}>
        <Person of={of.person} />
      </Link>
      <Typography.Text type="secondary">{of.kind_text}</Typography.Text>
    </Flex>
  )
}

function Waits({ of }: { of: Departure }) {
  const t = useDepartureTexts()
  if (of.waiting.length === 0) return <Typography.Text type="secondary">{t('waitsForNobody')}</Typography.Text>
  return (
    <Flex vertical style={{ maxWidth: 220, whiteSpace: 'normal' }}>
      {of.waiting.slice(0, 2).map((w, i) => (
        <span key={i}>
          {w.what_text}
          {w.system_text && ` · ${w.system_text}`}
          <br />
          <Typography.Text type="secondary">{listed(w.roles_text)}</Typography.Text>
        </span>
      ))}
      {of.waiting.length > 2 && <Typography.Text type="secondary">+{of.waiting.length - 2}</Typography.Text>}
    </Flex>
  )
}
