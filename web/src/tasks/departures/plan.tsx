import { Flex, Timeline, Typography } from 'antd'

import type { Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { Until, When } from '../../shell/times'
import { listed } from './dates'
import { useDepartureTexts } from './texts'

type Planned = Schemas['PlannedView']

/** What is deleted together. */
export function byDeadline<T extends { deadline: string }>(rows: T[]): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const row of [...rows].sort((a, b) => a.deadline.localeCompare(b.deadline))) groups.set(row.deadline, [...(groups.get(row.deadline) ?? []), row])
  return [...groups]
}

/** What will happen when, if it is sent as it is. */
export function Plan({ of }: { of: Schemas['DeparturePreview'] }) {
  const t = useDepartureTexts()
  const zone = of.time_zone
  const soon = (at: string) => of.immediate || Date.parse(at) <= Date.now()
  const atOnce = of.two_people ? t('planAfterSecond') : t('planAtOnce')
  const when = (at: string) => (soon(at) ? <strong>{atOnce}</strong> : <When at={at} zone={zone} />)
  const systems = listed([...new Set(of.accounts.map((a) => a.system_text))])
  const instants = [
    {
      at: of.access_cutoff_at, order: 1, color: 'red',
      what: systems ? t('planCutoff', { systems }) : t('planCutoffNone'),
      more: systems ? t('planCutoffText') : t('accountsNone'),
    },
    { at: of.employment_ended_at, order: 2, color: 'gray', what: t('planEnd'), more: t('planEndText') },
  ].sort((a, b) => a.at.localeCompare(b.at) || a.order - b.order)
  return (
    <Timeline
      items={[
        { key: 'sent', color: 'green', content: <Step when={<strong>{t('planSubmit')}</strong>} what={of.two_people ? t('planSubmitTwo') : t('planSubmitText')} /> },
        ...instants.map((i) => ({ key: i.order, color: i.color, content: <Step when={when(i.at)} what={i.what} more={i.more} /> })),
        ...byDeadline(of.planned_retention).map(([deadline, rows]) => ({
          key: deadline,
          color: 'gray',
          content: <Step when={<Until at={deadline} zone={zone} />} what={t('planDelete', { what: listed(rows.map((r) => r.category_text)) })} more={<Bases of={rows} />} />,
        })),
      ]}
    />
  )
}

function Step({ when, what, more }: { when: React.ReactNode; what: React.ReactNode; more?: React.ReactNode }) {
  return (
    <Flex vertical gap={2}>
      <span>{when}</span>
      <span>{what}</span>
      {more && <Typography.Text type="secondary">{more}</Typography.Text>}
    </Flex>
  )
}

/** Why the categories are kept so long: each reason once. */
function Bases({ of }: { of: Planned[] }) {
  const by = new Map<string, string[]>()
  for (const row of of) by.set(row.basis, [...(by.get(row.basis) ?? []), row.category_text])
  return [...by].map(([basis, categories]) => (
    <div key={basis}>{by.size > 1 ? `${listed(categories)}${language() === 'zh' ? '：' : ': '}${basis}` : basis}</div>
  ))
}
