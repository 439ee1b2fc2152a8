import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Col, Descriptions, Flex, Result, Row, Skeleton, Space, Statistic, Steps, Timeline, Typography } from 'antd'
import { useEffect, useState, type ReactNode } from 'react'
import { Link, useNavigate, useParams } from 'react-router'

import { api, isNotThere, ok, type Schemas } from '../../api/client'
import { told, useEvents } from '../../shell/events'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { day, relative, Until, useNow, When } from '../../shell/times'
import { maySee, tasks } from '../index'
import { Accounts } from './Accounts'
import { Actions } from './Actions'
import { changeText, listed } from './dates'
import { byDeadline } from './plan'
import { Retention } from './Retention'
import { Succession } from './Succession'
import { useDepartureTexts } from './texts'
import { accountsTone, settledStates, stageTone, takenBack } from './tones'

type Departure = Schemas['DepartureView']

export default function Detail() {
  const t = useDepartureTexts()
  const { id = '' } = useParams()
  const client = useQueryClient()
  const departure = useQuery({ queryKey: ['departures', id], queryFn: () => ok(api.GET('/api/v1/departures/{id}', { params: { path: { id } } })) })
  useEvents(departure.data ? `/api/v1/departures/${id}/events` : undefined, () => {
    void client.invalidateQueries({ queryKey: ['departures', id] })
    void client.invalidateQueries({ queryKey: ['operation'] })
  }, told)

  if (departure.error && !departure.data) {
    return isNotThere(departure.error) || !id ? (
      <>
        <Heading>{t('detailTitle')}</Heading>
        <Result status="404" title={t('gone')} subTitle={t('goneHint')} extra={<Link to="/departures">{t('backToList')}</Link>} />
      </>
    ) : (
      <>
        <Heading>{t('detailTitle')}</Heading>
        <ProblemAlert error={departure.error} retry={() => void departure.refetch()} />
      </>
    )
  }
  if (!departure.data) return <Skeleton active paragraph={{ rows: 10 }} />
  return <Shown of={departure.data} />
}

function Shown({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const me = useMe()
  const seesFiles = maySee(tasks.find((task) => task.path === 'people')!, me.data?.role)
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 16 }}>
        <Flex vertical gap={6}>
          <Heading style={{ margin: 0 }}>
            {t('detailTitle')} · {d.person.name}
          </Heading>
          <Space wrap size={8}>
            <Typography.Text type="secondary">{[d.person.employee_no, d.person.department].filter(Boolean).join(' · ')}</Typography.Text>
            <State tone="calm">{d.kind_text}</State>
            <State tone={stageTone[d.stage]}>{d.stage_text}</State>
            {seesFiles && <Link to={`/people/${d.employee_id}`}>{t('file')}</Link>}
            {d.workflow?.url && (
              <a href={d.workflow.url} target="_blank" rel="noreferrer">
                {t('onIts')}
              </a>
            )}
          </Space>
        </Flex>
        <Actions of={d} />
      </Flex>
      <Row gutter={[16, 16]}>
        <Col xs={24} lg={8}>
          <Employment of={d} />
        </Col>
        <Col xs={24} md={12} lg={8}>
          <AccountsTrack of={d} />
        </Col>
        <Col xs={24} md={12} lg={8}>
          <RetentionTrack of={d} />
        </Col>
        <Col xs={24} lg={16}>
          <Flex vertical gap={16}>
            <WhoActs of={d} />
            {me.data?.role === 'hr_admin' && me.data.employee_id !== d.employee_id && d.stage === 'pending_departure' && <Succession person={d.employee_id} />}
            <Section tour="accounts" title={t('accountsMore')}>
              <Accounts of={d} />
            </Section>
            <Section title={t('retentionMore')}>
              <Retention of={d} />
            </Section>
          </Flex>
        </Col>
        <Col xs={24} lg={8}>
          <Flex vertical gap={16}>
            <Section title={t('facts')}>
              <Facts of={d} />
            </Section>
            <Section tour="history" title={t('timeline')}>
              <History of={d} />
            </Section>
          </Flex>
        </Col>
      </Row>
    </>
  )
}

function Section({ title, tour, fill, children }: { title: ReactNode; tour?: string; fill?: boolean; children: ReactNode }) {
  return (
    <Card data-tour={tour} size="small" style={{ height: fill ? '100%' : undefined }} title={<h2 style={{ font: 'inherit', margin: 0 }}>{title}</h2>}>
      {children}
    </Card>
  )
}

/** The next instant at which something happens by itself. */
function next(d: Departure, now: number): { what: 'cutoff' | 'end' | 'deletion'; at: string } | undefined {
  if (takenBack(d.stage)) return undefined
  const instants: { what: 'cutoff' | 'end' | 'deletion'; at: string }[] = [
    { what: 'cutoff', at: d.access_cutoff_at },
    { what: 'end', at: d.employment_ended_at },
    ...d.retention.filter((r) => r.state === 'scheduled' || r.state === 'in_review').map((r) => ({ what: 'deletion' as const, at: r.deadline })),
  ]
  return instants.filter((i) => Date.parse(i.at) > now).sort((a, b) => a.at.localeCompare(b.at))[0]
}

function Countdown({ of: d, only }: { of: Departure; only: ('cutoff' | 'end' | 'deletion')[] }) {
  const t = useDepartureTexts()
  const [now, setNow] = useState(Date.now)
  const n = next(d, now)
  useEffect(() => setNow(Date.now()), [d])
  if (!n || !only.includes(n.what)) return null
  const far = Date.parse(n.at) - now > 86_400_000
  return (
    <div>
      <Statistic.Timer
        type="countdown"
        title={t('countdown', { what: t(`what_${n.what}`) })}
        value={Date.parse(n.at)}
        format={far ? `D [${t('days')}] HH:mm:ss` : 'HH:mm:ss'}
        styles={{ content: { fontSize: 22, fontVariantNumeric: 'tabular-nums' } }}
        onFinish={() => setNow(Date.now())}
      />
      <Typography.Text type="secondary">
        <When at={n.at} zone={d.time_zone} />
      </Typography.Text>
    </div>
  )
}

function Employment({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const path = ['pending_departure', 'departed', 'purging', 'purged'] as const
  const at = path.findIndex((s) => s === d.stage)
  return (
    <Section fill tour="employment" title={t('trackEmployment')}>
      <Flex vertical gap={12}>
        {takenBack(d.stage) ? (
          <div>
            <State tone={stageTone[d.stage]}>{d.stage_text}</State>
          </div>
        ) : (
          <Steps size="small" orientation="vertical" current={at} status={d.stage === 'purged' ? 'finish' : 'process'} items={path.map((s) => ({ title: t(`stage_${s}`) }))} />
        )}
        <Countdown of={d} only={['cutoff', 'end', 'deletion']} />
      </Flex>
    </Section>
  )
}

function AccountsTrack({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const open = d.accounts.filter((a) => !settledStates.includes(a.state)).length
  const late = !takenBack(d.stage) && Date.parse(d.access_cutoff_at) < Date.now() - 60_000 && open > 0
  const states = new Map<string, number>()
  for (const a of d.accounts) states.set(a.state_text, (states.get(a.state_text) ?? 0) + 1)
  return (
    <Section fill tour="accountsTrack" title={t('trackAccounts')}>
      <Flex vertical gap={10}>
        <div>
          <State tone={accountsTone(d)}>{d.accounts_state_text}</State>
        </div>
        {late && <Typography.Text type="danger">{t('openAfterCutoff', { n: open })}</Typography.Text>}
        <Typography.Text>
          {t('accountsOf', { n: d.accounts.length })}
          {d.accounts.length > 0 && ` · ${listed([...states].map(([text, n]) => `${text} ${n}`))}`}
        </Typography.Text>
        {!takenBack(d.stage) && (
          <Typography.Text type="secondary">
            {t('cutoff')} <When at={d.access_cutoff_at} zone={d.time_zone} />
          </Typography.Text>
        )}
      </Flex>
    </Section>
  )
}

function RetentionTrack({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const all = d.retention.length
  const gone = d.retention.filter((r) => r.state === 'purged').length
  const held = d.retention.filter((r) => r.state === 'held').length
  const planned = byDeadline(d.planned_retention ?? [])[0]
  const soonest = byDeadline(d.retention.filter((r) => r.state !== 'purged' && r.state !== 'cancelled'))[0]
  return (
    <Section fill tour="retentionTrack" title={t('trackRetention')}>
      <Flex vertical gap={10}>
        {takenBack(d.stage) ? (
          <Typography.Text>{t('nothingDeleted')}</Typography.Text>
        ) : all === 0 ? (
          <>
            <Typography.Text>{t('notYetKept')}</Typography.Text>
            {planned && (
              <>
                <Typography.Text>{t('nextDeletion', { what: listed(planned[1].map((r) => r.category_text)) })}</Typography.Text>
                <Typography.Text type="secondary">
                  <Until at={planned[0]} zone={d.time_zone} />
                </Typography.Text>
              </>
            )}
          </>
        ) : (
          <>
            <Space wrap>
              <State tone={gone === all ? 'good' : 'calm'}>{t('deletedOf', { n: gone, all })}</State>
              {held > 0 && <State tone="wait">{t('heldOf', { n: held })}</State>}
            </Space>
            {soonest && (
              <>
                <Typography.Text>{t('nextDeletion', { what: listed(soonest[1].map((r) => r.category_text)) })}</Typography.Text>
                <Typography.Text type="secondary">
                  <Until at={soonest[0]} zone={d.time_zone} />
                  {soonest[1][0]?.days_left_text && ` · ${soonest[1][0].days_left_text}`}
                </Typography.Text>
              </>
            )}
          </>
        )}
      </Flex>
    </Section>
  )
}

function WhoActs({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const me = useMe()
  const navigate = useNavigate()
  useNow()
  const role = me.data?.role
  if (d.waiting.length === 0) {
    return <Alert data-tour="whoActs" type="success" showIcon title={t('nobodyActs')} />
  }
  const mine = d.waiting.findIndex((w) => !!role && w.roles.includes(role))
  return (
    <Section tour="whoActs" title={t('whoActs')}>
      <Flex vertical gap={12}>
        {d.waiting.map((w, i) => {
          const to = whereTo(w)
          const may = to && maySee(tasks.find((task) => task.path === to.task)!, role)
          return (
            <Flex key={i} justify="space-between" align="center" gap={12} wrap>
              <Flex vertical gap={2} style={{ flex: '1 1 200px' }}>
                <div className="sentence">
                  {w.what_text}
                  {w.system_text && ` · ${w.system_text}`}
                </div>
                <Typography.Text type="secondary">{t('waitsRoles', { who: listed(w.roles_text), since: relative(w.since) })}</Typography.Text>
                {w.escalated_at && (
                  <div>
                    <State tone="bad">{t('escalated')}</State>
                  </div>
                )}
              </Flex>
              {to && may && (
                <Button type={i === mine ? 'primary' : 'default'} onClick={() => void navigate(to.path)}>
                  {t(to.label)}
                </Button>
              )}
            </Flex>
          )
        })}
      </Flex>
    </Section>
  )
}

/** Where what waits is dealt with. */
function whereTo(w: Schemas['WaitingView']) {
  if (w.support_case_id) return { path: `/cases/${w.support_case_id}`, task: 'cases/:id', label: 'openCase' } as const
  if (w.approval_id) return { path: `/approvals/${w.approval_id}`, task: 'approvals/:id', label: 'openApproval' } as const
  if (w.hold_id) return { path: '/retention', task: 'retention', label: 'openHold' } as const
  if (w.purge_id) return { path: '/retention', task: 'retention', label: 'openDeletion' } as const
  return undefined
}

/** What is planned no more once a departure was taken back. */
const dates = ['last', 'cutoff', 'end', 'ended']

function Facts({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  const void_ = takenBack(d.stage)
  return (
    <>
      {void_ && <Typography.Paragraph type="secondary">{t('noLonger')}</Typography.Paragraph>}
    <Descriptions
      size="small"
      column={1}
      items={[
        { key: 'notice', label: t('noticeOn'), children: day(d.notice_received_on) },
        { key: 'last', label: t('lastDay'), children: day(d.last_working_day) },
        { key: 'cutoff', label: t('cutoff'), children: <When at={d.access_cutoff_at} zone={d.time_zone} /> },
        { key: 'end', label: t('endDate'), children: day(d.employment_end_date) },
        { key: 'ended', label: t('countsFrom'), children: <When at={d.counts_from} zone={d.time_zone} /> },
        { key: 'initiator', label: t('initiator'), children: d.initiator_text },
        ...(d.legal_ground ? [{ key: 'ground', label: t('ground'), children: d.legal_ground }] : []),
      ].map((i) => (void_ && dates.includes(i.key) ? { ...i, children: <del>{i.children}</del> } : i))}
    />
    </>
  )
}

function History({ of: d }: { of: Departure }) {
  const t = useDepartureTexts()
  return (
    <div aria-live="polite">
      <Timeline
        items={[...d.timeline].reverse().map((e, i) => ({
          key: `${e.at}${e.what}${e.category ?? ''}${i}`,
          color: i === 0 ? 'green' : 'gray',
          content: (
            <Flex vertical gap={2}>
              <div className="sentence">
                {e.what_text}
                {e.category_text && ` · ${e.category_text}`}
              </div>
              {e.changes?.map((c) => (
                <Typography.Text key={c.field} type="secondary">
                  {c.label}: {changeText(c.before)} → {changeText(c.after)}
                </Typography.Text>
              ))}
              <Typography.Text type="secondary">
                <When at={e.at} zone={d.time_zone} /> · {e.by_person ? <Person of={e.by_person} /> : e.by_text}
              </Typography.Text>
              {e.approved_by && <Typography.Text type="secondary">{t('approvedBy', { who: `${e.approved_by.name} ${e.approved_by.employee_no}` })}</Typography.Text>}
            </Flex>
          ),
        }))}
      />
    </div>
  )
}
