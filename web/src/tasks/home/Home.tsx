import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { Button, Card, Col, Empty, Flex, Row as Columns, Skeleton, Statistic, Typography } from 'antd'
import dayjs from 'dayjs'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { Link, useNavigate } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe, type Role } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State, type Tone } from '../../shell/state'
import { Ago, day, When } from '../../shell/times'
import { language } from '../../shell/language'
import { accountsTone, stageTone, takenBack } from '../departures/tones'
import { Review } from './Review'
import { useHomeTexts } from './texts'

// Loaded after what is to do.
const Charts = lazy(() => import('./Charts'))

const staff: Role[] = ['hr_admin', 'reviewer', 'auditor', 'it_ops']
const keepers: Role[] = ['hr_admin', 'reviewer', 'auditor']

const listed = (items: string[]) => items.join(language() === 'zh' ? '、' : ', ')
const today = () => dayjs().format('YYYY-MM-DD')
const inDays = (days: number) => dayjs().add(days, 'day').format('YYYY-MM-DD')

/** One thing to do, or to know of, with what to do next. */
interface Todo {
  key: string
  at?: string
  zone?: string
  tone: Tone
  kind: string
  who?: Schemas['PersonView']
  what: ReactNode
  /** Whether it waits for the person who sees it. */
  mine: boolean
  label: string
  to?: string
  review?: { look: string; objection: boolean }
}

// As many as are shown; the numbers above are counted by the API.
const most = 40

function useHome(role: Role | undefined) {
  const may = (roles: Role[]) => !!role && roles.includes(role)
  const get = <T,>(key: string, enabled: boolean, queryFn: () => Promise<T>) => ({ queryKey: ['home', key, role, today()], enabled, queryFn, staleTime: 30_000 })
  return {
    overview: useQuery(get('overview', may(staff), () => ok(api.GET('/api/v1/overview', { params: { query: { today: today() } } })))),
    leaving: useQuery(get('leaving', may([...staff, 'department_head']), () =>
      ok(api.GET('/api/v1/departures', { params: { query: { last_working_day_from: today(), last_working_day_to: inDays(6), sort: 'last_working_day', limit: most } } })))),
    cases: useQuery(get('cases', may(staff), () => ok(api.GET('/api/v1/support-cases', { params: { query: { state: 'open', limit: most } } })))),
    waivers: useQuery(get('waivers', may(staff), () => ok(api.GET('/api/v1/support-cases', { params: { query: { state: 'waiver_requested', limit: most } } })))),
    approvals: useQuery(get('approvals', may(staff), () => ok(api.GET('/api/v1/approvals', { params: { query: { state: 'pending', limit: most } } })))),
    cuts: useQuery(get('cuts', may(['hr_admin', 'reviewer']), () => ok(api.GET('/api/v1/access-cuts', { params: { query: { to_confirm: 'true', limit: most } } })))),
    successors: useQuery(get('successors', may(['hr_admin']), () => ok(api.GET('/api/v1/successions/upcoming')))),
    deletions: useQuery(get('deletions', may(keepers), () =>
      ok(api.GET('/api/v1/retention/deadlines', { params: { query: { within_days: 30, not_held: true, limit: most } } })))),
    reviews: useQuery(get('reviews', may(keepers), () => ok(api.GET('/api/v1/purges', { params: { query: { state: 'in_review', limit: most } } })))),
    rejected: useQuery(get('rejected', may(keepers), () => ok(api.GET('/api/v1/purges', { params: { query: { state: 'rejected', limit: most } } })))),
    looks: useQuery(get('looks', may(['hr_admin', 'reviewer']), () => ok(api.GET('/api/v1/disclosures', { params: { query: { review_due: 'true', limit: most } } })))),
    objections: useQuery(get('objections', may(['hr_admin', 'reviewer']), () => ok(api.GET('/api/v1/disclosures', { params: { query: { unanswered: 'true', limit: most } } })))),
    requests: useQuery(get('requests', may(['hr_admin']), () => ok(api.GET('/api/v1/subject-requests', { params: { query: { state: 'open', limit: most } } })))),
    untold: useQuery(get('untold', may(['hr_admin']), () => ok(api.GET('/api/v1/untold-contacts', { params: { query: { limit: most } } })))),
    messages: useQuery(get('messages', !!role, () => ok(api.GET('/api/v1/messages', { params: { query: { limit: most } } })))),
  }
}

export default function Home() {
  const t = useHomeTexts()
  const me = useMe().data
  const navigate = useNavigate()
  const home = useHome(me?.role)
  const unfinished = useQuery({
    queryKey: ['home', 'unfinished', me?.employee_id],
    enabled: me?.role === 'hr_admin',
    queryFn: async () => {
      const of = (state: 'shown' | 'granted') => ok(api.GET('/api/v1/disclosures', { params: { query: { looker_id: me!.employee_id, state, limit: most } } }))
      return [...(await of('shown')).items, ...(await of('granted')).items]
    },
  })
  const [review, setReview] = useState<Todo['review']>()
  if (!me) return <Skeleton active />
  const role = me.role
  const own = (id: string | undefined) => id === me.employee_id

  const todos: Todo[] = []
  const leaving = (home.leaving.data?.items ?? []).filter((d) => !takenBack(d.stage))
  for (const d of leaving.filter((d) => d.stage === 'pending_departure')) {
    todos.push({
      key: d.id, at: d.access_cutoff_at, zone: d.time_zone, tone: stageTone[d.stage], kind: t('leave'), who: d.person, mine: false,
      what: t('leaveWhat', { kind: d.kind_text, day: day(d.last_working_day) }), label: t('leaveDo'), to: `/departures/${d.id}`,
    })
  }
  for (const c of home.cases.data?.items ?? []) {
    todos.push({
      key: c.id, at: c.opened_at, zone: c.person.time_zone, tone: 'bad', kind: t('case'), who: c.person, mine: role === 'it_ops',
      what: t('caseWhat', { system: c.system_text, reason: c.reason_text }), label: role === 'it_ops' ? t('caseDo') : t('caseSee'), to: `/cases/${c.id}`,
    })
  }
  const confirms = role === 'it_ops' || role === 'reviewer'
  for (const c of home.waivers.data?.items ?? []) {
    const mine = confirms && !own(c.asker?.employee_id)
    todos.push({
      key: c.id, at: c.asked_at ?? c.opened_at, zone: c.person.time_zone, tone: 'wait', kind: t('waiver'), who: c.person, mine,
      what: t('caseWhat', { system: c.system_text, reason: c.reason_text }), label: mine ? t('waiverDo') : t('caseSee'), to: `/cases/${c.id}`,
    })
  }
  const approvals = (home.approvals.data?.items ?? []).filter((a) => a.approvers.includes(role) && !own(a.requester.employee_id))
  for (const a of approvals) {
    todos.push({
      key: a.id, at: a.expires_at, tone: 'wait', kind: t('approval'), mine: true,
      what: t('approvalWhat', { what: a.operation_text, who: `${a.requester.name} ${a.requester.employee_no}` }), label: t('approvalDo'), to: `/approvals/${a.id}`,
    })
  }
  for (const c of home.cuts.data?.items ?? []) {
    todos.push({
      key: c.id, at: c.confirm_due_at, tone: c.escalated_at ? 'bad' : 'wait', kind: t('cut'), who: c.person, mine: true,
      what: t('cutWhat', { who: c.ordered_by?.name ?? '' }), label: t('cutDo'), to: `/cuts/${c.id}`,
    })
  }
  for (const u of home.successors.data?.items ?? []) {
    todos.push({
      key: `successor ${u.departure_id}`, at: u.access_cutoff_at, zone: u.person.time_zone, tone: 'wait', kind: t('successor'), who: u.person, mine: true,
      what: t('successorWhat', { what: u.missing.map((m) => (m.count > 1 ? `${m.kind_text} × ${m.count}` : m.kind_text)).join(t('listed')) }), label: t('successorDo'), to: `/departures/${u.departure_id}`,
    })
  }
  const deletions = new Map<string, Schemas['UpcomingView'][]>()
  for (const r of home.deletions.data?.items ?? []) {
    const key = `${r.departure_id} ${r.deadline}`
    deletions.set(key, [...(deletions.get(key) ?? []), r])
  }
  for (const [key, rows] of deletions) {
    const r = rows[0]!
    todos.push({
      key, at: r.deadline, zone: r.person.time_zone, tone: 'calm', kind: t('deletion'), who: r.person, mine: false,
      what: t('deletionWhat', { what: listed(rows.map((x) => x.category_text)) }), label: t('deletionDo'), to: `/departures/${r.departure_id}`,
    })
  }
  // Who came in with one file is one thing to do, not hundreds.
  const files = new Map<string, Schemas['PurgeView'][]>()
  for (const p of home.reviews.data?.items ?? []) if (p.import_id) files.set(p.import_id, [...(files.get(p.import_id) ?? []), p])
  const together = [...files].filter(([, purges]) => purges.length > 1)
  for (const [id, purges] of together) {
    const all = home.reviews.data?.next_cursor === null
    todos.push({
      key: id, at: purges[0]!.created_at, tone: purges.some((p) => p.escalated) ? 'bad' : 'wait', kind: t('purge'), mine: role === 'reviewer',
      what: t(all ? 'togetherWhat' : 'togetherWhatMore', { n: purges.length }), label: role === 'reviewer' ? t('purgeDo') : t('purgeSee'), to: `/retention/imports/${id}`,
    })
  }
  const alone = (home.reviews.data?.items ?? []).filter((p) => !together.some(([id]) => id === p.import_id))
  for (const p of [...alone, ...(home.rejected.data?.items ?? [])]) {
    todos.push({
      key: p.id, at: p.review_until ?? p.rejected_at, zone: p.person.time_zone, tone: p.escalated ? 'bad' : 'wait', kind: p.state === 'rejected' ? t('purgeRejected') : t('purge'), who: p.person, mine: role === 'reviewer',
      what: listed(p.categories_text), label: role === 'reviewer' ? t('purgeDo') : t('purgeSee'), to: `/retention?tab=purges${p.state === 'rejected' ? '&state=rejected' : ''}`,
    })
  }
  const looks = (home.looks.data?.items ?? []).filter((l) => !own(l.judgement?.looker?.employee_id) && !own(l.employee_id))
  for (const l of looks) {
    todos.push({
      key: l.id, at: l.judgement?.review_due_at, tone: 'wait', kind: t('look'), who: l.person, mine: true,
      what: t('lookWhat', { who: l.judgement?.looker?.name ?? l.department, purpose: l.purpose_text, fields: listed(l.fields_text) }), label: t('lookDo'), review: { look: l.id, objection: false },
    })
  }
  for (const l of (home.objections.data?.items ?? []).filter((o) => !own(o.judgement?.looker?.employee_id) && !own(o.employee_id))) {
    todos.push({
      key: `${l.id} objection`, at: l.answer_due_at ?? l.objected_at, tone: 'wait', kind: t('objection'), who: l.person, mine: true,
      what: t('objectionWhat', { purpose: l.purpose_text }), label: t('objectionDo'), review: { look: l.id, objection: true },
    })
  }
  const requests = (home.requests.data?.items ?? []).filter((r) => !own(r.person?.employee_id))
  for (const r of requests) {
    todos.push({
      key: r.id, at: r.answer_due_at, zone: r.person?.time_zone, tone: r.overdue ? 'bad' : 'wait', kind: t('request'), who: r.person, mine: true,
      what: t('requestWhat', { what: [r.kind_text, listed(r.fields_text)].filter(Boolean).join(' · ') }), label: t('requestDo'), to: `/requests/${r.id}`,
    })
  }
  for (const l of unfinished.data ?? []) {
    todos.push({
      key: `${l.id} outcome`, at: l.judgement?.open_until ?? l.asked_at, tone: 'wait', kind: l.state === 'granted' ? t('granted') : t('outcome'), who: l.person, mine: true,
      what: t('outcomeWhat', { purpose: l.purpose_text, fields: listed(l.fields_text) }), label: l.state === 'granted' ? t('grantedDo') : t('outcomeDo'), to: `/people/${l.employee_id}#looked`,
    })
  }
  const untold = home.untold.data?.items ?? []
  if (untold.length > 0) {
    todos.push({
      key: 'untold', tone: 'wait', kind: t('untold'), mine: true,
      what: t(home.untold.data?.next_cursor ? 'untoldWhatMore' : 'untoldWhat', { n: untold.length }), label: t('untoldDo'), to: '/contacts',
    })
  }
  if (me.consents_to_answer.length > 0) {
    todos.push({ key: 'consent', tone: 'busy', kind: t('consent'), mine: true, what: t('consentWhat', { what: listed(me.consents_to_answer_text) }), label: t('consentDo'), to: '/me' })
  }
  for (const m of (home.messages.data?.items ?? []).filter((m) => m.to_confirm)) {
    todos.push({ key: m.id, at: m.confirm_until, tone: 'busy', kind: t('message'), mine: true, what: t('messageWhat'), label: t('messageDo'), to: '/me' })
  }
  todos.sort((a, b) => (a.at ?? '9').localeCompare(b.at ?? '9'))

  const sources: UseQueryResult[] = Object.values(home)
  const pending = sources.some((q) => q.isLoading)
  const failed = sources.find((q) => q.error)
  const officer = staff.includes(role)
  const waiting = home.overview.data?.waiting
  const counted = (n = 0) => (n >= 1000 ? '1000+' : `${n}`)
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary" style={{ margin: 0 }}>
            {t('hello', { name: me.name, date: new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'full' }).format(new Date()) })}
          </Typography.Paragraph>
        </div>
        {role === 'hr_admin' && (
          <Button type="primary" onClick={() => void navigate('/departures/new')}>
            {t('begin')}
          </Button>
        )}
      </Flex>
      {officer && (
        <Columns gutter={[12, 12]} style={{ marginBottom: 16 }}>
          <Tile of={home.overview} title={t('today')} n={counted(waiting?.leaving_today)} to={`/departures?sort=last_working_day&from=${today()}&to=${today()}`} />
          <Tile of={home.overview} title={t('week')} n={counted(waiting?.leaving_week)} to={`/departures?sort=last_working_day&from=${today()}&to=${inDays(6)}`} />
          <Tile of={home.overview} title={t('cases')} n={counted(waiting?.cases)} bad={!!waiting?.cases} to="/cases" />
          {(role === 'hr_admin' || role === 'reviewer') && <Tile of={home.overview} title={t('approvals')} n={counted(waiting?.approvals)} to="/approvals" />}
          {!!waiting?.cuts && <Tile of={home.overview} title={t('cuts')} n={counted(waiting.cuts)} bad to="/cuts" />}
          {!!waiting?.drift && (role === 'it_ops' || role === 'hr_admin') && <Tile of={home.overview} title={waiting.drift_grave ? t('driftGrave', { n: counted(waiting.drift_grave) }) : t('drift')} n={counted(waiting.drift)} bad={!!waiting.drift_grave} to="/reconciliation" />}
          {!!waiting?.untaken && <Tile of={home.overview} title={t('untaken')} n={counted(waiting.untaken)} bad to="/successions" />}
          {keepers.includes(role) && <Tile of={home.overview} title={t('deletions')} n={counted(waiting?.deletions)} to="/retention?within=d30&held=hide" />}
          {role === 'hr_admin' && <Tile of={home.overview} title={t('requests')} n={counted(waiting?.requests)} bad={!!waiting?.requests_overdue} to="/requests" />}
          {(role === 'hr_admin' || role === 'reviewer') && <Tile of={home.overview} title={t('looks')} n={counted(waiting?.looks)} to="#todo" />}
        </Columns>
      )}
      {failed && (
        <Flex vertical gap={8} style={{ marginBottom: 16 }}>
          <Typography.Text>{t('partly')}</Typography.Text>
          <ProblemAlert error={failed.error} retry={() => void Promise.all(sources.filter((q) => q.error).map((q) => q.refetch()))} />
        </Flex>
      )}
      {!officer && <Mine of={me} leaving={role === 'department_head' ? leaving : undefined} />}
      <Card id="todo" size="small" title={<h2 style={{ font: 'inherit', margin: 0 }}>{officer ? t('todo') : t('todoMine')}</h2>}>
        {pending && todos.length === 0 ? (
          <Skeleton active />
        ) : todos.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={officer ? t('todoEmpty') : t('todoEmptyMine')} />
        ) : (
          <Todos of={todos} review={setReview} />
        )}
      </Card>
      {home.overview.data && (
        <Suspense fallback={<Skeleton active style={{ marginTop: 16 }} />}>
          <Charts of={home.overview.data} />
        </Suspense>
      )}
      {review && <Review {...review} close={() => setReview(undefined)} />}
    </>
  )
}

const shownAtOnce = 40

function Todos({ of, review }: { of: Todo[]; review: (r: Todo['review']) => void }) {
  const t = useHomeTexts()
  const navigate = useNavigate()
  return (
    <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
      {of.slice(0, shownAtOnce).map((todo) => (
        <li key={todo.key} style={{ borderBlockEnd: '1px solid #f0f0f0', paddingBlock: 10 }}>
          <Flex gap={12} align="center" wrap>
            <div style={{ flex: '0 0 130px' }}>
              {todo.at ? (
                <Flex vertical>
                  <strong><Ago at={todo.at} /></strong>
                  <Typography.Text type="secondary" style={{ fontSize: 12 }}>
                    <When at={todo.at} zone={todo.zone} />
                  </Typography.Text>
                </Flex>
              ) : (
                <Typography.Text type="secondary">{t('noDeadline')}</Typography.Text>
              )}
            </div>
            <Flex vertical gap={4} style={{ flex: '1 1 220px', minWidth: 0 }}>
              <Flex gap={8} wrap align="center">
                <State tone={todo.tone}>{todo.kind}</State>
                <Person of={todo.who} />
              </Flex>
              <Typography.Text>{todo.what}</Typography.Text>
            </Flex>
            <Button
              aria-label={`${todo.label}: ${todo.kind} ${todo.who ? `${todo.who.name} ${todo.who.employee_no}` : ''}`}
              onClick={() => (todo.review ? review(todo.review) : todo.to && void navigate(todo.to))}
              type={todo.mine ? 'default' : 'link'}
            >
              {todo.label}
            </Button>
          </Flex>
        </li>
      ))}
      {of.length > shownAtOnce && (
        <li style={{ paddingBlock: 10 }}>
          <Typography.Text type="secondary">{t('shownOf', { n: shownAtOnce })}</Typography.Text>
        </li>
      )}
    </ul>
  )
}

function Tile({ of, title, n, to, bad }: { of: UseQueryResult; title: string; n: string; to: string; bad?: boolean }) {
  const content = (
    <Card size="small" hoverable style={{ height: '100%' }}>
      <Statistic title={title} loading={of.isLoading} value={of.error ? '—' : n} styles={{ content: { color: bad ? '#a8071a' : undefined, fontSize: 26 } }} />
    </Card>
  )
  return (
    <Col flex="1 1 140px">
      {to.startsWith('#') ? <a href={to} onClick={(e) => { e.preventDefault(); document.querySelector(to)?.scrollIntoView({ behavior: 'smooth' }) }}>{content}</a> : <Link to={to}>{content}</Link>}
    </Col>
  )
}

/** What is one's own: the departure, the data, who looked at it; for a head, the department's departures. */
function Mine({ of: me, leaving }: { of: Schemas['Me']; leaving?: Schemas['DepartureView'][] }) {
  const t = useHomeTexts()
  const departure = useQuery({
    queryKey: ['home', 'mine', me.employee_id],
    queryFn: () => ok(api.GET('/api/v1/departures', { params: { query: { employee_id: me.employee_id, limit: 1 } } })),
  })
  const looks = useQuery({
    queryKey: ['home', 'looks at me', me.employee_id],
    queryFn: () => ok(api.GET('/api/v1/employees/{id}/disclosures', { params: { path: { id: me.employee_id }, query: { limit: 3 } } })),
  })
  const d = departure.data?.items[0]
  const title = (text: string) => <h2 style={{ font: 'inherit', margin: 0 }}>{text}</h2>
  return (
    <Columns gutter={[12, 12]} style={{ marginBottom: 16 }}>
      {leaving && (
        <Col xs={24} lg={12}>
          <Card size="small" style={{ height: '100%' }} title={title(t('department'))} extra={<Link to="/departures">{t('departmentSee')}</Link>}>
            {leaving.length === 0 ? (
              <Typography.Text type="secondary">{t('departmentNone')}</Typography.Text>
            ) : (
              <Flex vertical gap={8}>
                {leaving.map((l) => (
                  <Flex key={l.id} gap={8} wrap>
                    <Link to={`/departures/${l.id}`}>
                      <Person of={l.person} />
                    </Link>
                    <span>{t('lastDay', { day: day(l.last_working_day) })}</span>
                    <State tone={accountsTone(l)}>{l.accounts_state_text}</State>
                  </Flex>
                ))}
              </Flex>
            )}
          </Card>
        </Col>
      )}
      <Col xs={24} lg={12}>
        <Card size="small" style={{ height: '100%' }} title={title(t('mine'))}>
          {departure.error ? (
            <ProblemAlert error={departure.error} retry={() => void departure.refetch()} />
          ) : departure.isPending ? (
            <Skeleton active paragraph={{ rows: 1 }} />
          ) : d ? (
            <Flex gap={8} wrap align="center">
              <State tone={stageTone[d.stage]}>{d.stage_text}</State>
              <span>{t('lastDay', { day: day(d.last_working_day) })}</span>
              <Link to={`/departures/${d.id}`}>{t('mineSee')}</Link>
            </Flex>
          ) : (
            <Typography.Text type="secondary">{t('mineNone')}</Typography.Text>
          )}
        </Card>
      </Col>
      <Col xs={24} lg={12}>
        <Card size="small" style={{ height: '100%' }} title={title(t('mineLooks'))} extra={<Link to="/me">{t('mineLooksSee')}</Link>}>
          {looks.error ? (
            <ProblemAlert error={looks.error} retry={() => void looks.refetch()} />
          ) : looks.isPending ? (
            <Skeleton active paragraph={{ rows: 1 }} />
          ) : looks.data.items.length === 0 ? (
            <Typography.Text type="secondary">{t('mineLooksNone')}</Typography.Text>
          ) : (
            <Flex vertical gap={6}>
              {looks.data.items.map((l) => (
                <Flex key={l.id} gap={8} wrap>
                  <State tone="calm">{l.state_text}</State>
                  <span>{t('lookOf', { department: l.department, purpose: l.purpose_text })}</span>
                  <Typography.Text type="secondary">
                    <When at={l.asked_at} />
                  </Typography.Text>
                </Flex>
              ))}
            </Flex>
          )}
        </Card>
      </Col>
      <Col xs={24} lg={12}>
        <Card size="small" style={{ height: '100%' }} title={title(t('mineData'))}>
          <Flex gap={8} wrap>
            <span>{t('mineDataText')}</span>
            <Link to="/me">{t('mineDataSee')}</Link>
          </Flex>
        </Card>
      </Col>
    </Columns>
  )
}
