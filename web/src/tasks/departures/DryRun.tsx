import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Flex, Modal, Skeleton, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State, type Tone } from '../../shell/state'
import { listed } from './dates'
import { Plan } from './plan'
import { useDepartureTexts } from './texts'

type Account = Schemas['AccountLook']
type Remark = Schemas['RemarkView']

// What wants somebody before the day comes, apart from what is only good to know.
const asks: Remark['remark'][] = ['other_person', 'other_number', 'several', 'not_read', 'unclear', 'only_owner']

const named = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Asks every connected system what it has of the person now, and shows it with what would happen; nothing begins. */
export function DryRun({ of: body }: { of: Schemas['NewDeparture'] | undefined }) {
  const t = useDepartureTexts()
  const [open, setOpen] = useState(false)
  const run = useMutation({ mutationFn: (wish: Schemas['NewDeparture']) => ok(api.POST('/api/v1/departures/preview', { body: { ...wish, look_up: true } })), gcTime: 0 })
  const begin = () => {
    setOpen(true)
    if (body) run.mutate(body)
  }
  return (
    <>
      <Button size="large" disabled={!body} onClick={begin}>{t('dryRun')}</Button>
      <Modal
        open={open} width={760} title={t('dryRunTitle')} onCancel={() => setOpen(false)} afterClose={run.reset} destroyOnHidden
        footer={[
          <Button key="again" loading={run.isPending} onClick={begin}>{t('dryRunAgain')}</Button>,
          <Button key="close" onClick={() => setOpen(false)}>{t('close')}</Button>,
        ]}
      >
        <Flex vertical gap={16} aria-live="polite">
          <Typography.Text type="secondary">{t('dryRunHint')}</Typography.Text>
          {run.isPending && <Skeleton active />}
          <ProblemAlert error={run.error} retry={begin} />
          {run.data && <Shown of={run.data} />}
        </Flex>
      </Modal>
    </>
  )
}

function Shown({ of: plan }: { of: Schemas['DeparturePreview'] }) {
  const t = useDepartureTexts()
  return (
    <>
      <Flex gap={8} wrap><Person of={plan.person} /><State tone="calm">{plan.kind_text}</State></Flex>
      {(plan.two_people || plan.earlier) && (
        <Alert type="warning" showIcon title={plan.two_people ? t('twoPeople') : t('earlierTitle')} description={t('because', { why: [...plan.because, ...(plan.earlier?.because ?? [])].map((c) => c.cause_text).join('；') })} />
      )}
      <section aria-label={t('dryRunSystems')}>
        <h3 className="card-title" style={{ marginBottom: 8 }}>{t('dryRunSystems')}</h3>
        <Flex vertical gap={12}>
          {plan.systems?.map((s) => (
            <Card key={s.system} size="small" title={<h4 className="card-title">{named(s.system_text)}</h4>}>
              {s.text && (s.reached ? <Typography.Text type="secondary">{s.text}</Typography.Text> : <Alert type="warning" showIcon title={s.text} />)}
              <Flex vertical gap={16}>{s.accounts.map((a) => <Found key={a.external_id} of={a} />)}</Flex>
            </Card>
          ))}
          {plan.systems?.length === 0 && <Alert type="warning" showIcon title={t('dryRunNoSystem')} />}
        </Flex>
      </section>
      {plan.by_hand && plan.by_hand.length > 0 && (
        <section aria-label={t('dryRunByHand')}>
          <h3 className="card-title" style={{ marginBottom: 8 }}>{t('dryRunByHand')}</h3>
          <Descriptions size="small" column={1} bordered items={plan.by_hand.map((h) => ({ key: h.name, label: h.name, children: h.call }))} />
        </section>
      )}
      <section aria-label={t('plan')}>
        <h3 className="card-title" style={{ marginBottom: 12 }}>{t('plan')}</h3>
        <Plan of={plan} />
      </section>
    </>
  )
}

function Found({ of: a }: { of: Account }) {
  const t = useDepartureTexts()
  const tone: Tone = a.active ? 'good' : 'calm'
  const groups = [...a.groups.map((g) => (g.only_owner ? t('dryRunOnlyOwner', { group: g.name }) : g.name)), ...(a.more_groups ? [t('dryRunMore', { n: a.more_groups })] : [])]
  const facts = [
    a.employee_no && t('dryRunNumber', { no: a.employee_no }),
    a.sessions !== undefined && t('dryRunSessions', { n: a.sessions }),
    groups.length > 0 && t('dryRunGroups', { groups: listed(groups) }),
  ].filter(Boolean)
  return (
    <Flex vertical gap={4}>
      <Flex gap={8} wrap align="center">
        <Typography.Text style={{ overflowWrap: 'anywhere' }}>{t('dryRunAccount', { id: a.external_id })}</Typography.Text>
        <State tone={tone}>{a.state_text}</State>
      </Flex>
      {facts.length > 0 && <Typography.Text type="secondary" style={{ overflowWrap: 'anywhere' }}>{facts.join(' · ')}</Typography.Text>}
      {a.remarks.map((r) => (
        <span key={r.remark}>{asks.includes(r.remark) ? <State tone="wait">{r.remark_text}</State> : r.remark_text}</span>
      ))}
    </Flex>
  )
}
