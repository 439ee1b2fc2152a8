import { useQuery } from '@tanstack/react-query'
import { Card, Empty, Flex, Skeleton, Typography } from 'antd'

import { api, ok } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { lastOf } from '../../shell/times'
import { useTexts } from './texts'

/** Until when each part of what is kept of oneself stays, and why. */
export function Kept() {
  const t = useTexts()
  const kept = useQuery({ queryKey: ['my-retention'], queryFn: () => ok(api.GET('/api/v1/me/retention')) })
  if (kept.isPending) return <Skeleton active />
  if (kept.error) return <ProblemAlert error={kept.error} retry={() => void kept.refetch()} />
  return (
    <Flex vertical gap={12}>
      <Typography.Text>{t('keptHint')}</Typography.Text>
      {kept.data.items.length === 0 && <Empty description={t('keptNothing')} />}
      {kept.data.items.map((k, i) => (
        <Card key={i} size="small" title={<h2 className="card-title">{k.category_text}</h2>} extra={<State tone={k.purge_state ? 'busy' : 'calm'}>{k.purge_state_text ?? k.state_text}</State>}>
          <Flex vertical>
            <strong>
              <time dateTime={k.deadline}>{t('keptUntil', { at: lastOf(k.deadline) })}</time>
            </strong>
            <span>{t('keptWhy', { why: k.basis })}</span>
            {(k.extended || k.advanced) && <Typography.Text type="secondary">{t(k.extended ? 'keptLonger' : 'keptEarlier')}</Typography.Text>}
          </Flex>
        </Card>
      ))}
    </Flex>
  )
}
