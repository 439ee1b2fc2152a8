import { Alert, Button, Drawer, Empty, Flex, Skeleton, Space, Tag, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { When } from '../../shell/times'
import { useLookTexts } from './look-texts'
import { Outcome, Shown } from './Shown'
import { usePeopleTexts } from './texts'

const colours: Partial<Record<Schemas['DisclosureView']['state'], string>> = { waiting: 'orange', granted: 'gold', shown: 'gold', refused: 'red', declined: 'red', compared: 'blue', closed: 'green' }

/** Who looked at somebody, and what the own looks still wait for: to be opened, shown again, told the outcome of. */
export function Looked({ person }: { person: Schemas['EmployeeView'] }) {
  const t = usePeopleTexts()
  const look = useLookTexts()
  const me = useMe()
  const looks = usePages(['looks', 'of', person.id], (cursor) => ok(api.GET('/api/v1/employees/{id}/disclosures', { params: { path: { id: person.id }, query: { cursor, limit: 20 } } })))
  const [opened, setOpened] = useState<Schemas['LookAnswer']>()
  const [telling, setTelling] = useState<Schemas['DisclosureView']>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState<string>()
  const open = async (id: string) => {
    setBusy(id)
    setError(undefined)
    try {
      setOpened(await ok(api.POST('/api/v1/disclosures/{id}/opening', { params: { path: { id } } })))
    } catch (e) {
      setError(e)
    } finally {
      setBusy(undefined)
      void looks.refetch()
    }
  }
  if (looks.isPending) return <Skeleton active />
  if (looks.isError) return <ProblemAlert error={looks.error} retry={() => void looks.refetch()} />
  if (looks.rows.length === 0) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('whoLookedEmpty')}<br />{t('whoLookedHint')}</>} />
  const close = () => {
    setOpened(undefined)
    setTelling(undefined)
    void looks.refetch()
  }
  return (
    <>
      <Typography.Paragraph type="secondary">{t('whoLookedHint')}</Typography.Paragraph>
      {error ? <ProblemAlert error={error} /> : null}
      <ul className="looks">
        {looks.rows.map((l) => {
          const mine = l.judgement?.looker?.employee_id === me.data?.employee_id
          const again = mine && l.state === 'shown' && !!l.judgement?.open_until && Date.parse(l.judgement.open_until) > Date.now()
          return (
            <li key={l.id}>
              <Flex justify="space-between" wrap gap={8}>
                <Space wrap size={6}>
                  <Tag color={colours[l.state]}>{l.state_text}</Tag>
                  <strong>{l.purpose_text}</strong>
                  <span>{listed(l.fields_text) || t('registered')}</span>
                  {l.judgement?.matched_text && <Tag>{l.judgement.matched_text}</Tag>}
                </Space>
                <When at={l.asked_at} zone={person.time_zone} />
              </Flex>
              <Flex justify="space-between" align="center" wrap gap={8}>
                <Space wrap size={6}>
                  {l.judgement?.looker ? <Person of={l.judgement.looker} /> : <Typography.Text type="secondary">{l.department}</Typography.Text>}
                  {l.judgement && <Typography.Text type="secondary">{l.judgement.rule_text}</Typography.Text>}
                  {l.shown_times > 1 && <Typography.Text type="secondary">{t('shownTimes', { count: l.shown_times })}</Typography.Text>}
                  {l.judgement?.flags_text.filter((f) => f !== l.judgement?.rule_text).map((f) => <Tag key={f} color="orange">{f}</Tag>)}
                  {l.judgement?.outcome_text && <Tag color="green">{l.judgement.outcome_text}</Tag>}
                  {l.judgement?.pressed && <Tag color="red">{look('pressed')}</Tag>}
                </Space>
                {mine && (
                  <Space>
                    {l.state === 'granted' && <Button size="small" type="primary" loading={busy === l.id} onClick={() => void open(l.id)}>{t('openNow')}</Button>}
                    {again && <Button size="small" loading={busy === l.id} onClick={() => void open(l.id)}>{t('showAgain')}</Button>}
                    {l.state === 'shown' && <Button size="small" onClick={() => setTelling(l)}>{t('tellOutcome')}</Button>}
                  </Space>
                )}
              </Flex>
              {l.objection && <Alert type="warning" title={l.objection} style={{ marginTop: 6 }} />}
            </li>
          )
        })}
      </ul>
      {looks.hasNextPage && <Button loading={looks.isFetchingNextPage} onClick={() => void looks.fetchNextPage()}>{t('more')}</Button>}
      <Drawer open={!!opened || !!telling} onClose={close} size={560} title={opened ? look('title') : look('outcomeTitle')} destroyOnHidden mask={{ closable: false }} styles={{ wrapper: { maxWidth: '100vw' } }}>
        {opened && <Shown answer={opened} types={new Map(person.fields.map((f) => [f.key, f.type]))} close={close} />}
        {telling && <Outcome look={telling.id} purpose={telling.purpose} close={close} />}
      </Drawer>
    </>
  )
}
