import { SafetyCertificateOutlined } from '@ant-design/icons'
import { Button, Card, Empty, Flex, Input, Select, Skeleton, Space, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { day, lastOf } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useSettled } from './List'
import './look.css'
import { usePeopleTexts } from './texts'

const sorts = { end: 'employment_ended_at', last: 'last_working_day', cutoff: 'access_cutoff_at' } as const
type Sort = keyof typeof sorts

export default function Leavers() {
  const t = usePeopleTexts()
  const wide = useWide()
  const [params, setParams] = useSearchParams()
  const [text, setText] = useState('')
  const q = useSettled(text)
  const chosen = params.get('sort') as Sort | null
  const sort = chosen && chosen in sorts ? chosen : undefined
  const leavers = usePages(['departures', 'left', q, sort], (cursor) =>
    ok(api.GET('/api/v1/departures', { params: { query: { left: 'true', cursor, limit: 30, q: q || undefined, sort: sort && sorts[sort] } } })),
  )
  return (
    <>
      <Heading style={{ marginBottom: 4 }}>{t('leavers')}</Heading>
      <Typography.Paragraph type="secondary">{t('leaversHint')}</Typography.Paragraph>
      <Card>
        <Flex gap={8} wrap style={{ marginBottom: 12 }}>
          <Input.Search autoFocus={wide} value={text} maxLength={100} aria-label={t('filesHint')} placeholder={t('filesHint')} onChange={(e) => setText(e.target.value)} style={{ flex: '1 1 260px', maxWidth: 420 }} />
          <Select
            aria-label={t('sort')}
            value={sort ?? ''}
            onChange={(s) => setParams(s ? { sort: s } : {}, { replace: true })}
            options={[{ value: '', label: t('sortNewest') }, { value: 'end', label: t('sortEnd') }, { value: 'last', label: t('sortLastDay') }, { value: 'cutoff', label: t('sortCutoff') }]}
            style={{ minWidth: 180 }}
          />
        </Flex>
        {leavers.isPending ? (
          <Skeleton active />
        ) : leavers.isError ? (
          <ProblemAlert error={leavers.error} retry={() => void leavers.refetch()} />
        ) : leavers.rows.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={q ? <>{t('nobody')}<br />{t('nobodyHint')}</> : <>{t('leaversEmpty')}<br />{t('leaversEmptyHint')}</>} />
        ) : (
          <ul className="looks">
            {leavers.rows.map((d) => (
              <Leaver key={d.id} of={d} />
            ))}
          </ul>
        )}
        {leavers.hasNextPage && (
          <Button loading={leavers.isFetchingNextPage} onClick={() => void leavers.fetchNextPage()}>
            {t('more')}
          </Button>
        )}
      </Card>
    </>
  )
}

function Leaver({ of }: { of: Schemas['DepartureView'] }) {
  const t = usePeopleTexts()
  const left = of.retention.filter((r) => r.state !== 'purged' && r.state !== 'cancelled')
  const certificates = new Set(of.retention.map((r) => r.certificate_id).filter(Boolean)).size
  return (
    <li>
      <Flex justify="space-between" wrap gap={8}>
        <Space wrap size={8}>
          <Link to={`/people/${of.employee_id}`} className="tap">
            {of.person.name}
          </Link>
          <Typography.Text type="secondary">{[of.person.employee_no, of.person.department].filter(Boolean).join(' · ')}</Typography.Text>
          {of.employed_again && <Tag color="green">{t('again')}</Tag>}
        </Space>
        <Space wrap size={8}>
          <span>
            {of.kind_text} · {day(of.employment_end_date)}
          </span>
          <Tag>{of.stage_text}</Tag>
        </Space>
      </Flex>
      <Flex wrap gap={6} align="center">
        {left.length === 0 && <Typography.Text type="secondary">{t('allDeleted')}</Typography.Text>}
        {left.length > 0 && of.retention.map((r) => (
          <Category key={r.category} of={r} zone={of.time_zone} />
        ))}
      </Flex>
      <Space wrap size={12}>
        {certificates > 0 && (
          <Link to={`/departures/${of.id}`} className="tap">
            <SafetyCertificateOutlined aria-hidden /> {t('certificate')} ({certificates})
          </Link>
        )}
        <Link to={`/departures/${of.id}`} className="tap">
          {t('openDeparture')}
        </Link>
      </Space>
    </li>
  )
}

function Category({ of, zone }: { of: Schemas['RetentionView']; zone: string }) {
  const t = usePeopleTexts()
  const gone = of.state === 'purged' || of.state === 'cancelled'
  const soon = (of.days_left ?? 99) <= 30
  const colour = gone ? 'default' : of.state === 'held' ? 'orange' : of.state === 'in_review' || of.state === 'purging' ? 'gold' : soon ? 'blue' : 'green'
  return (
    <Tooltip title={`${gone ? of.state_text : t('until', { day: lastOf(of.deadline, zone) })}${of.state === 'held' ? ` · ${t('held')}` : ''} ${of.basis}`}>
      <Tag color={colour} tabIndex={0}>
        {of.category_text} · {of.state === 'scheduled' ? (of.days_left_text ?? of.state_text) : of.days_left_text && !gone && of.state !== 'held' ? `${of.state_text} · ${of.days_left_text}` : of.state_text}
      </Tag>
    </Tooltip>
  )
}
