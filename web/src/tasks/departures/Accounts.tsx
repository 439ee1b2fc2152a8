import { useQuery } from '@tanstack/react-query'
import { Collapse, Flex, Skeleton, Timeline, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { useMe } from '../../shell/me'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { When } from '../../shell/times'
import { useDepartureTexts } from './texts'
import { accountTone } from './tones'

type Account = Schemas['AccountView']

/** The accounts of a departure, and what was done to each, in words. */
export function Accounts({ of: d }: { of: Schemas['DepartureView'] }) {
  const t = useDepartureTexts()
  const me = useMe()
  // What was done to an account is for the people who work with it.
  const staff = !!me.data && me.data.role !== 'employee' && me.data.role !== 'department_head'
  if (d.accounts.length === 0) return <Typography.Text type="secondary">{t('noAccounts')}</Typography.Text>
  const rows = d.accounts.map((a) => ({ account: a, head: <Head of={a} zone={d.time_zone} /> }))
  return (
    <Flex vertical gap={8}>
      {staff ? (
        <Collapse
          size="small"
          defaultActiveKey={rows.filter((r) => r.account.state === 'stuck').map((r) => r.account.id)}
          items={rows.map(({ account, head }) => ({ key: account.id, label: head, children: <Evidence of={account} zone={d.time_zone} technical={me.data?.role === 'it_ops'} /> }))}
        />
      ) : (
        rows.map(({ account, head }) => <div key={account.id}>{head}</div>)
      )}
      <Typography.Text type="secondary">{t('backup')}</Typography.Text>
    </Flex>
  )
}

function Head({ of: a, zone }: { of: Account; zone: string }) {
  const t = useDepartureTexts()
  const findings = { nothing: 'foundNothing', known: 'foundKnown', found: 'found', detached: 'found_detached', another_employment: 'found_another_employment', transfer: 'found_transfer' } as const
  return (
    <Flex gap={8} wrap align="center">
      <strong className="sentence">{a.system_text}</strong>
      <State tone={accountTone[a.state]}>{a.state_text}</State>
      {a.confirmed_at && (
        <Typography.Text type="secondary">
          {t('confirmedAt')} <When at={a.confirmed_at} zone={zone} />
        </Typography.Text>
      )}
      {a.finding ? <Typography.Text type="secondary">{t(findings[a.finding])}</Typography.Text> : !a.registered && <Typography.Text type="secondary">{t('asked')}</Typography.Text>}
    </Flex>
  )
}

function Evidence({ of: a, zone, technical }: { of: Account; zone: string; technical: boolean }) {
  const t = useDepartureTexts()
  const path = { id: a.operation_id ?? '' }
  const operation = useQuery({
    queryKey: ['operation', a.operation_id],
    enabled: !!a.operation_id,
    queryFn: () => ok(api.GET(a.operation_kind === 'relink' ? '/api/v1/account-relinkings/{id}' : '/api/v1/account-unlinkings/{id}', { params: { path } })),
    retry: false,
  })
  if (!a.operation_id) return <Typography.Text type="secondary">{t('evidenceNone')}</Typography.Text>
  if (operation.error) return <ProblemAlert error={operation.error} retry={() => void operation.refetch()} />
  if (!operation.data) return <Skeleton active paragraph={{ rows: 3 }} />
  const step = operation.data.steps.find((s) => s.account_id === a.id)
  if (!step || step.evidence.length === 0) return <Typography.Text type="secondary">{t('evidenceNone')}</Typography.Text>
  // That something was begun is told by how it ended, once it has.
  const shown = step.evidence.filter((e, i) => e.outcome !== 'begun' || !step.evidence.slice(i + 1).some((later) => later.substep === e.substep && later.attempt === e.attempt))
  return (
    <Flex vertical gap={12}>
      {step.stuck_reason_text && <Typography.Text type="danger">{step.stuck_reason_text}</Typography.Text>}
      <Timeline
        items={shown.map((e, i) => ({
          key: i,
          color: e.outcome === 'confirmed' || e.outcome === 'none' ? 'green' : e.outcome === 'failed' || e.outcome === 'still_active' ? 'red' : 'gray',
          content: (
            <Flex gap={8} wrap>
              <span>
                {e.substep_text}
                {language() === 'zh' ? '：' : ': '}
                {e.outcome_text}
              </span>
              <Typography.Text type="secondary"><When at={e.at} zone={zone} /></Typography.Text>
            </Flex>
          ),
        }))}
      />
      {technical && a.external_id && (
        <Typography.Text type="secondary">
          {t('externalId')} <Typography.Text code copyable>{a.external_id}</Typography.Text>
        </Typography.Text>
      )}
    </Flex>
  )
}
