import { StopOutlined } from '@ant-design/icons'
import { Button, Card, Checkbox, Empty, Flex, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'

import { api, ok } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { Ago, instant } from '../../shell/times'
import { CutState, standing } from './state'
import { useCutTexts } from './texts'

/** Whose access is cut, and who has to act. */
export default function List() {
  const t = useCutTexts()
  const shell = useShellTexts()
  const navigate = useNavigate()
  const role = useMe().data?.role
  const [only, setOnly] = useState(true)
  const cuts = usePages(['cuts', 'list', String(only)], (cursor) => ok(api.GET('/api/v1/access-cuts', { params: { query: { cursor, standing: only ? 'true' : undefined } } })))
  return (
    <>
      <Flex justify="space-between" wrap gap={12} style={{ marginBottom: 12 }}>
        <Heading>{t('title')}</Heading>
        {(role === 'hr_admin' || role === 'it_ops') && (
          <Button danger icon={<StopOutlined />} onClick={() => void navigate('/cuts/new')}>
            {t('newTitle')}
          </Button>
        )}
      </Flex>
      <Checkbox checked={only} onChange={(e) => setOnly(e.target.checked)} style={{ marginBottom: 12 }}>
        {t('only')}
      </Checkbox>
      {cuts.isPending && <Skeleton active />}
      {cuts.error && <ProblemAlert error={cuts.error} retry={() => void cuts.refetch()} />}
      {!cuts.isPending && !cuts.error && cuts.rows.length === 0 && (
        <Empty description={<>{t(only ? 'noneStands' : 'none')}<br />{t('noneHint')}</>} />
      )}
      <Flex vertical gap={12}>
        {cuts.rows.map((c) => (
          <Card key={c.id} size="small">
            <Flex vertical gap={6}>
              <Flex justify="space-between" wrap gap={8}>
                <Link to={`/cuts/${c.id}`}>
                  <Person of={c.person} />
                </Link>
                <CutState of={c} />
              </Flex>
              <Flex justify="space-between" wrap gap={8}>
                <Typography.Text type="secondary">
                  {t('ordered', { who: c.ordered_by?.name ?? '' })} · <Ago at={c.ordered_at} />
                </Typography.Text>
                {standing(c) && (c.still_on > 0 ? <State tone="bad">{t('progress', { off: c.off, total: c.off + c.still_on })}</State> : <State tone="good">{t('allOff')}</State>)}
              </Flex>
              {c.state === 'unconfirmed' && (
                <Typography.Text type={c.escalated_at ? 'danger' : undefined}>{t(c.escalated_at ? 'confirmLate' : 'confirmWait', { until: instant(c.confirm_due_at) })}</Typography.Text>
              )}
            </Flex>
          </Card>
        ))}
      </Flex>
      {cuts.hasNextPage && (
        <Button style={{ marginTop: 12 }} onClick={() => void cuts.fetchNextPage()} loading={cuts.isFetchingNextPage}>
          {shell('more')}
        </Button>
      )}
    </>
  )
}
