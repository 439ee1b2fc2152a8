import { Button, Card, Empty, Flex, Select, Skeleton, Space, Tag, Typography } from 'antd'
import { Link, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { Ago, relative, useNow } from '../../shell/times'
import './approvals.css'
import { aboutOf, ApprovalState } from './request'
import { useApprovalTexts } from './texts'

type Approval = Schemas['ApprovalView']

const states = ['pending', 'approved', 'rejected', 'withdrawn', 'expired', 'void'] as const

export default function List() {
  const t = useApprovalTexts()
  const shell = useShellTexts()
  const me = useMe().data
  const [params, setParams] = useSearchParams()
  const asked = params.get('state') ?? 'pending'
  const state = states.find((s) => s === asked)
  const list = usePages(['approvals', state], (cursor) => ok(api.GET('/api/v1/approvals', { params: { query: { cursor, state } } })))
  const mine = (r: Approval) => r.requester.employee_id === me?.employee_id
  const decides = (r: Approval) => !mine(r) && !!me && r.approvers.includes(me.role)
  const groups = state === 'pending'
    ? [
        { key: 'me', title: t('forMe'), rows: list.rows.filter(decides) },
        { key: 'mine', title: t('mine'), rows: list.rows.filter(mine) },
        { key: 'others', title: t('others'), rows: list.rows.filter((r) => !mine(r) && !decides(r)) },
      ].filter((g) => g.key === 'me' || g.rows.length > 0)
    : [{ key: 'all', title: '', rows: list.rows }]
  return (
    <div style={{ maxWidth: 860 }}>
      <Flex justify="space-between" align="start" gap={12} wrap>
        <div>
          <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
          <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
        </div>
        <Select
          data-tour="state"
          aria-label={t('state')}
          value={state ?? 'all'}
          onChange={(value: string) => setParams(value === 'pending' ? {} : { state: value }, { replace: true })}
          options={[...states.map((s) => ({ value: s as string, label: t(s) })), { value: 'all', label: t('all') }]}
          style={{ minWidth: 140 }}
        />
      </Flex>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && (
        <Space orientation="vertical" size="large" style={{ width: '100%' }}>
          {groups.map((g) => (
            <section key={g.key} data-tour={g.key} aria-label={g.title || t('title')}>
              {g.title && (
                <Typography.Title level={2} style={{ fontSize: 16, marginTop: 0 }}>
                  {g.title}
                  {g.rows.length > 0 && ` (${g.rows.length})`}
                </Typography.Title>
              )}
              {g.rows.length === 0 && (
                <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={state === 'pending' ? <>{t('nothing')}<br />{t('nothingHint')}</> : t('nothingOf')} />
              )}
              <Flex vertical gap={12}>
                {g.rows.map((r) => (
                  <Row key={r.id} of={r} mine={mine(r)} />
                ))}
              </Flex>
            </section>
          ))}
          {list.hasNextPage && (
            <Button block loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {shell('more')}
            </Button>
          )}
        </Space>
      )}
    </div>
  )
}

function Row({ of: r, mine }: { of: Approval; mine: boolean }) {
  const t = useApprovalTexts()
  const about = aboutOf(r)
  const left = Date.parse(r.expires_at) - useNow()
  return (
    <Link to={`/approvals/${r.id}`} className="request-card">
      <Card data-tour="first" size="small">
        <Flex justify="space-between" gap={8} wrap>
          <Space wrap size={8}>
            <Typography.Text strong style={{ fontSize: 15 }}>{r.operation_text}</Typography.Text>
            {about && <span>{about}</span>}
          </Space>
          <Space size={4}>
            {mine && r.state !== 'pending' && <Tag>{t('mineTag')}</Tag>}
            <ApprovalState of={r} />
          </Space>
        </Flex>
        <Typography.Paragraph style={{ margin: '6px 0' }} ellipsis={{ rows: 2 }}>{r.reason || <Typography.Text type="secondary">{t(r.because.some((c) => c.cause === 'sensitive_look') ? 'sealedClosed' : 'noWhy')}</Typography.Text>}</Typography.Paragraph>
        <Flex justify="space-between" gap={8} wrap>
          <Space size={6} wrap>
            <Person of={r.requester} />
            <Typography.Text type="secondary"><Ago at={r.requested_at} /></Typography.Text>
          </Space>
          {r.state === 'pending' && (
            <Typography.Text type={left < 86_400_000 ? 'danger' : 'secondary'}>{t(left < 86_400_000 ? 'endsSoon' : 'until', { when: relative(r.expires_at) })}</Typography.Text>
          )}
        </Flex>
      </Card>
    </Link>
  )
}
