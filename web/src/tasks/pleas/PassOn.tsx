import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Checkbox, Empty, Flex, Skeleton, Space, Tag, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { instant, When } from '../../shell/times'
import { Replies } from '../people/Refusal'
import { usePleaTexts } from './texts'

const colours: Partial<Record<Schemas['Delivery']['state'], string>> = { sent: 'green', ended: 'red', unsure: 'orange', waiting: 'gold' }

/** Passes on that somebody would like to hear from a leaver; whoever asked learns nothing of it. */
export function PassOn({ person, asker }: { person: string; asker: string | undefined }) {
  const t = usePleaTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [named, setNamed] = useState(false)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const who = useQuery({ queryKey: ['person', asker], enabled: !!asker, queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: asker! } } })), staleTime: 60_000 })
  const messages = usePages(['messages', person], (cursor) => ok(api.GET('/api/v1/messages', { params: { query: { employee_id: person, cursor, limit: 20 } } })))
  const send = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await ok(api.POST('/api/v1/employees/{id}/messages', { params: { path: { id: person } }, body: named && asker ? { asker_id: asker } : {} }))
      void message.success(t('passSent'))
      void client.invalidateQueries({ queryKey: ['messages', person] })
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      <Typography.Text type="secondary">{t('passHint')}</Typography.Text>
      {asker && who.data && (
        <div>
          <Checkbox checked={named} onChange={(e) => setNamed(e.target.checked)}>
            {t('passNamed', { name: `${who.data.name} ${who.data.employee_no}` })}
          </Checkbox>
          <div>
            <Typography.Text type="secondary">{t('passNamedHint')}</Typography.Text>
          </div>
        </div>
      )}
      <Button loading={busy} onClick={() => void send()}>
        {t('passSend')}
      </Button>
      {isProblem(error, 'message_not_possible') ? (
        <>
          <Alert type="warning" showIcon role="alert" title={`${t('notPossible')}${t('colon')}${error.problem.rule_text ?? error.problem.detail}`} description={t('sayNothing')} />
          <Replies reply={{ zh: t('neutralZh'), en: t('neutralEn') }} />
        </>
      ) : (
        <ProblemAlert error={error} />
      )}
      <h3>{t('messages')}</h3>
      {messages.isPending ? (
        <Skeleton active />
      ) : messages.isError ? (
        <ProblemAlert error={messages.error} retry={() => void messages.refetch()} />
      ) : messages.rows.length === 0 ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noMessages')} />
      ) : (
        <ul className="looks">
          {messages.rows.map((m) => (
            <li key={m.id}>
              <Flex justify="space-between" wrap gap={8}>
                <Space wrap size={6}>
                  {m.delivery && <Tag color={colours[m.delivery.state]}>{m.delivery.state_text}</Tag>}
                  {(m.delivery?.ended_as_text ?? m.delivery?.not_possible_text) && <span>{m.delivery?.ended_as_text ?? m.delivery?.not_possible_text}</span>}
                  {m.delivery?.asker ? (
                    <span>
                      {t('asker')}{t('colon')}<Person of={m.delivery.asker} />
                    </span>
                  ) : (
                    <Typography.Text type="secondary">{t('passNobody')}</Typography.Text>
                  )}
                </Space>
                <When at={m.requested_at} />
              </Flex>
              {m.delivery?.state === 'waiting' && m.confirm_until && !m.confirmed_at && <Typography.Text type="secondary">{t('confirmUntil', { until: instant(m.confirm_until) })}</Typography.Text>}
            </li>
          ))}
        </ul>
      )}
    </Space>
  )
}
