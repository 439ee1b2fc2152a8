import { Button, Card, Empty, Flex, Segmented, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'

import { api, ok } from '../../api/client'
import { listed } from '../../shell/language'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { lastDayOf } from '../../shell/times'
import { Enter } from './Enter'
import { useTexts } from './texts'

/** What people ask for of their own data, and until when it has to be answered. */
export default function Requests() {
  const t = useTexts()
  const shell = useShellTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const [state, setState] = useState<'open' | undefined>('open')
  const [entering, setEntering] = useState(false)
  const requests = usePages(['subject-requests', state], (cursor) => ok(api.GET('/api/v1/subject-requests', { params: { query: { cursor, state } } })))
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Flex vertical gap={12}>
        <Typography.Text>{t('intro')}</Typography.Text>
        <Flex gap={12} wrap justify="space-between">
          <Segmented
            aria-label={t('title')}
            value={state ?? 'all'}
            onChange={(v) => setState(v === 'open' ? 'open' : undefined)}
            options={[
              { value: 'open', label: t('waiting') },
              { value: 'all', label: t('all') },
            ]}
          />
          {hr && <Button onClick={() => setEntering(true)}>{t('enter')}</Button>}
        </Flex>
        {requests.isPending && <Skeleton active />}
        <ProblemAlert error={requests.error} retry={() => void requests.refetch()} />
        {!requests.isPending && !requests.error && requests.rows.length === 0 && <Empty description={t('none')} />}
        {requests.rows.map((r) => (
          <Card key={r.id} size="small" title={<Person of={r.person} />} extra={<Tag color={r.overdue ? 'red' : undefined}><span className="sentence">{r.overdue ? t('overdue') : r.state_text}</span></Tag>}>
            <Flex gap={12} wrap align="center" justify="space-between">
              <span className="sentence" style={{ flex: '1 1 260px' }}>
                {r.kind_text} {r.fields_text.length > 0 && `· ${listed(r.fields_text)}`}
                {r.by_relative && ` · ${t('fromRelative')}`}
                {r.by_relative && !r.objected && r.state === 'open' && !r.proof_seen_at && ` · ${t('proofWaits')}`}
              </span>
              <Typography.Text type="secondary" className="sentence" style={{ flex: '0 1 260px' }}>{r.state === 'open' ? t('due', { at: lastDayOf(r.answer_due_at, r.person?.time_zone) }) : r.answer_text}</Typography.Text>
              <Link to={`/requests/${r.id}`} style={{ flex: '0 0 130px', textAlign: 'end' }}>{t(hr ? 'open' : 'read')}</Link>
            </Flex>
          </Card>
        ))}
        {requests.hasNextPage && (
          <Button onClick={() => void requests.fetchNextPage()} loading={requests.isFetchingNextPage}>
            {shell('more')}
          </Button>
        )}
      </Flex>
      <Enter open={entering} close={() => setEntering(false)} />
    </>
  )
}
