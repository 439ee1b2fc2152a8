import { SyncOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Empty, Flex, Modal, Popconfirm, Select, Skeleton, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State, type Tone } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { useReconciliationTexts } from './texts'

type Standing = Schemas['SystemStanding']
type Drift = Schemas['Drift']
type Kind = Drift['kind']

const tones: Record<Kind, Tone> = {
  switched_on: 'bad', active_after_cutoff: 'bad', two_people: 'wait', other_owner: 'wait', gone: 'wait', orphan: 'wait', no_sign_in: 'calm',
}

// Who gets in whose access was taken away comes first.
const urgency: Tone[] = ['bad', 'wait', 'calm']

const named = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** What connected systems have otherwise than Lethe knows, and what to do about it. */
export default function Reconciliation() {
  const t = useReconciliationTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const role = useMe().data?.role
  const acts = role === 'it_ops' || role === 'hr_admin'
  const systems = useQuery({ queryKey: ['reconciliation', 'systems'], queryFn: () => ok(api.GET('/api/v1/reconciled-systems')) })
  const runs = useQuery({
    queryKey: ['reconciliation', 'runs'],
    queryFn: () => ok(api.GET('/api/v1/reconciliations', { params: { query: { limit: 1 } } })),
    // Most runs are over within seconds. A long one is asked about by hand: what asks for ever keeps a session open.
    refetchInterval: ({ state: { data } }) => data?.items[0]?.state === 'running' && Date.now() - Date.parse(data.items[0].started_at) < 300_000 && 2_000,
  })
  const again = () => void client.invalidateQueries({ queryKey: ['reconciliation'] })
  const begin = useMutation({
    mutationFn: (body: { system?: string; accept_smaller?: boolean }) => ok(api.POST('/api/v1/reconciliations', { body })),
    onSettled: again,
  })
  const newest = runs.data?.items[0]
  const running = newest?.state === 'running' ? newest : undefined
  const over = newest?.ended_at
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: ['reconciliation'], predicate: ({ queryKey }) => queryKey[1] !== 'runs' })
  }, [over, client])
  const stop = useMutation({ mutationFn: (id: string) => ok(api.POST('/api/v1/reconciliations/{id}/stop', { params: { path: { id } } })), onSettled: again })
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <div style={{ flex: '1 1 300px' }}>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
        </div>
        {acts && !running && systems.data && systems.data.items.length > 0 && (
          <Button type="primary" icon={<SyncOutlined />} loading={begin.isPending} onClick={() => begin.mutate({})}>{t('now')}</Button>
        )}
      </Flex>
      <Flex vertical gap={16}>
        {running && (
          <Alert
            type="info" showIcon title={t('running', { since: instant(running.started_at) })} description={<>{running.systems.filter((s) => !s.outcome).map((s) => <div key={s.system}>{s.started_at ? t('waitsSince', { system: named(s.system_text), since: instant(s.started_at) }) : t('waitsYet', { system: named(s.system_text) })}</div>)}{t('runningHint')}</>}
            action={
              <Flex gap={8} wrap>
                <Button size="small" onClick={again}>{t('refresh')}</Button>
                {acts && (
                  <Popconfirm title={t('stopSure')} okText={t('stop')} cancelText={shell('cancel')} styles={{ root: { maxWidth: 340 } }} onConfirm={() => stop.mutate(running.id)}>
                    <Button size="small" loading={stop.isPending}>{t('stop')}</Button>
                  </Popconfirm>
                )}
              </Flex>
            }
          />
        )}
        <ProblemAlert error={begin.error ?? stop.error} />
        <section aria-label={t('systems')}>
          <h2 className="card-title" style={{ marginBottom: 8 }}>{t('systems')}</h2>
          {systems.isPending && <Skeleton active />}
          <ProblemAlert error={systems.error} retry={() => void systems.refetch()} />
          {systems.data?.items.length === 0 && <Empty description={<>{t('noSystems')}<br />{t('noSystemsHint')}</>} />}
          <Flex gap={12} wrap>
            {systems.data?.items.map((s) => (
              <System key={s.system} of={s} acts={acts && !running} busy={begin.isPending} begin={(accept) => begin.mutate({ system: s.system, accept_smaller: accept || undefined })} />
            ))}
          </Flex>
        </section>
        {systems.data && systems.data.items.length > 0 && <Found systems={systems.data.items} />}
      </Flex>
    </>
  )
}

function System({ of: s, acts, busy, begin }: { of: Standing; acts: boolean; busy: boolean; begin: (acceptSmaller: boolean) => void }) {
  const t = useReconciliationTexts()
  const shell = useShellTexts()
  const last = s.last
  const alarm = last?.outcome === 'alarm'
  return (
    <Card size="small" style={{ flex: '1 1 300px' }} title={<h3 className="card-title">{named(s.system_text)}</h3>}>
      <Flex vertical gap={8} align="start">
        {!s.lists && <State tone="calm">{t('noList')}</State>}
        {s.lists && !last && <State tone="calm">{t('never')}</State>}
        {alarm && (
          <>
            <Alert type="error" showIcon title={last.alarm_text} />
            {last.alarm === 'shrunk' && <Typography.Text>{t('numbers', { expected: last.expected, listed: last.listed ?? 0 })}</Typography.Text>}
            {last.alarm_since && <Typography.Text type="secondary">{t('since', { at: instant(last.alarm_since) })}</Typography.Text>}
          </>
        )}
        {last?.ended_at && last.outcome !== 'no_list' && (
          <Typography.Text type="secondary">{alarm ? t('lastAlarm', { at: instant(last.ended_at) }) : t('last', { at: instant(last.ended_at), listed: last.listed ?? 0 })}</Typography.Text>
        )}
        {s.open.map((o) => (
          <State key={o.kind} tone={tones[o.kind]}>{t('counted', { kind: o.kind_text, count: o.count })}</State>
        ))}
        {last?.outcome === 'compared' && s.open.length === 0 && <State tone="good">{t('fine')}</State>}
        {acts && alarm && (
          <Flex gap={8} wrap>
            <Button size="small" loading={busy} onClick={() => begin(false)}>{t('nowOne')}</Button>
            {last.alarm === 'shrunk' && (
              <Popconfirm title={t('acceptSure')} okText={t('acceptOk')} cancelText={shell('cancel')} styles={{ root: { maxWidth: 340 } }} onConfirm={() => begin(true)}>
                <Button size="small">{t('accept')}</Button>
              </Popconfirm>
            )}
          </Flex>
        )}
      </Flex>
    </Card>
  )
}

/** The list of what is different, with what people do about each. */
function Found({ systems }: { systems: Standing[] }) {
  const t = useReconciliationTexts()
  const shell = useShellTexts()
  const [system, setSystem] = useState<string>()
  const [kind, setKind] = useState<Kind>()
  const [state, setState] = useState<'open' | 'ended'>('open')
  const list = usePages(['reconciliation', 'drift', system, kind, state], (cursor) => ok(api.GET('/api/v1/drift', { params: { query: { cursor, system, kind, state } } })))
  const kinds = new Map(systems.flatMap((s) => s.open.map((o) => [o.kind, o.kind_text] as const)))
  for (const d of list.rows) kinds.set(d.kind, d.kind_text)
  return (
    <section aria-label={t('found')}>
      <h2 className="card-title" style={{ marginBottom: 8 }}>{t('found')}</h2>
      <Flex gap={8} wrap style={{ marginBottom: 12 }}>
        <Select<string> aria-label={t('system')} allowClear placeholder={t('allSystems')} style={{ minWidth: 150 }} value={system} onChange={setSystem} options={systems.map((s) => ({ value: s.system, label: named(s.system_text) }))} />
        <Select<Kind> aria-label={t('kind')} allowClear placeholder={t('allKinds')} style={{ minWidth: 220 }} value={kind} onChange={setKind} options={[...kinds].map(([value, label]) => ({ value, label }))} />
        <Select<'open' | 'ended'> aria-label={t('state')} style={{ minWidth: 110 }} value={state} onChange={setState} options={[{ value: 'open', label: t('open') }, { value: 'ended', label: t('ended') }]} />
      </Flex>
      {list.isPending && <Skeleton active />}
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {!list.isPending && !list.error && list.rows.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('none')}<br />{t('noneHint')}</>} />}
      <Flex vertical gap={12}>
        {list.rows.toSorted((a, b) => urgency.indexOf(tones[a.kind]) - urgency.indexOf(tones[b.kind])).map((d) => (
          <Card key={d.id} size="small">
            <Flex vertical gap={6}>
              <Flex justify="space-between" wrap gap={8}>
                <span>
                  <Typography.Text strong>{named(d.system_text)}</Typography.Text>
                  {' · '}
                  {d.person && d.employee_id ? <Link to={`/people/${d.employee_id}`}><Person of={d.person} /></Link> : t('nobody')}
                </span>
                <State tone={d.ended_at ? 'calm' : tones[d.kind]}>{d.kind_text}</State>
              </Flex>
              {d.external_id && <Typography.Text style={{ overflowWrap: 'anywhere' }}>{t('account', { id: d.external_id })}</Typography.Text>}
              <Typography.Text type="secondary">
                {[
                  t('firstSeen', { at: instant(d.first_seen_at) }),
                  d.last_sign_in_at && t('signIn', { at: instant(d.last_sign_in_at) }),
                  !d.active && d.kind !== 'gone' && t('off'),
                  d.ended_at && t('endedAt', { at: instant(d.ended_at) }),
                ].filter(Boolean).join(' · ')}
              </Typography.Text>
              {!d.ended_at && <span>{d.next_step}</span>}
              <Next of={d} />
            </Flex>
          </Card>
        ))}
      </Flex>
      {list.hasNextPage && (
        <Button style={{ marginTop: 12 }} onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage}>{shell('more')}</Button>
      )}
    </section>
  )
}

/** The step that the words name, where this person can take it. */
function Next({ of: d }: { of: Drift }) {
  const t = useReconciliationTexts()
  const navigate = useNavigate()
  const role = useMe().data?.role
  const [to, label] =
    d.support_case_id ? [`/cases/${d.support_case_id}`, t('ticket')] as const
    : !d.ended_at && d.employee_id && d.kind === 'no_sign_in' && role === 'hr_admin' ? [`/departures/new?person=${d.employee_id}`, t('beginDeparture')] as const
    : []
  return (
    <Flex gap={8} wrap>
      {to && <Button size="small" onClick={() => void navigate(to)}>{label}</Button>}
      {!d.ended_at && d.kind === 'orphan' && d.external_id && (role === 'it_ops' || role === 'hr_admin') && <LinkTo of={d} />}
    </Flex>
  )
}

/** Links an account that belongs to nobody known with whose it is. */
function LinkTo({ of: d }: { of: Drift }) {
  const t = useReconciliationTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const [person, setPerson] = useState<string>()
  const link = useMutation({
    mutationFn: (id: string) => ok(api.POST('/api/v1/employees/{id}/accounts', { params: { path: { id } }, body: { system: d.system, external_id: d.external_id } })),
    onSuccess: (_, id) => {
      setOpen(false)
      void client.invalidateQueries({ queryKey: ['person', id], refetchType: 'none' })
    },
  })
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>{t('link')}</Button>
      <Modal
        open={open} title={t('linkTitle', { system: named(d.system_text) })} okText={t('linkOk')} cancelText={shell('cancel')} okButtonProps={{ disabled: !person, loading: link.isPending }}
        onOk={() => person && link.mutate(person)} onCancel={() => setOpen(false)} afterClose={link.reset} destroyOnHidden
      >
        <Flex vertical gap={12}>
          <Typography.Text style={{ overflowWrap: 'anywhere' }}>{t('account', { id: d.external_id ?? '' })}</Typography.Text>
          <Typography.Text type="secondary">{t('linkHint')}</Typography.Text>
          <PersonPicker aria-label={t('linkWho')} placeholder={t('linkWho')} value={person} onChange={setPerson} />
          <ProblemAlert error={link.error} />
        </Flex>
      </Modal>
    </>
  )
}
