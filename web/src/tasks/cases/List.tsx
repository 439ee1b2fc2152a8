import { useQuery } from '@tanstack/react-query'
import { Button, Card, Col, Empty, Flex, Row, Select, Skeleton, Space, Tag, Typography } from 'antd'
import { Link, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { usePages } from '../../shell/pages'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import './cases.css'
import { Systems } from './Systems'
import { useAge, useCaseTexts } from './texts'

export type Case = Schemas['CaseView']

const states = ['open', 'waiver_requested', 'closed'] as const

export const caseColors: Record<Case['state'], string> = { open: 'red', waiver_requested: 'gold', closed: 'default' }

export default function List() {
  const t = useCaseTexts()
  const shell = useShellTexts()
  const [params, setParams] = useSearchParams()
  const state = states.find((s) => s === (params.get('state') ?? 'open'))
  const system = params.get('system') ?? undefined
  const employee_id = params.get('person') ?? undefined
  const set = (key: string, value: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(key, value)
      else next.delete(key)
      return next
    }, { replace: true })
  const systems = useQuery({ queryKey: ['systems'], queryFn: () => ok(api.GET('/api/v1/systems')) })
  const list = usePages(['cases', state, system, employee_id], (cursor) =>
    ok(api.GET('/api/v1/support-cases', { params: { query: { cursor, state, system, employee_id } } })))
  const filtered = !!system || !!employee_id || state !== 'open'
  return (
    <>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
      <Row gutter={[20, 20]}>
        <Col xs={24} lg={16}>
          <Flex data-tour="filter" gap={8} wrap style={{ marginBottom: 12 }}>
            <Select
              aria-label={t('state')}
              value={state ?? 'all'}
              style={{ minWidth: 150 }}
              onChange={(v: string) => set('state', v === 'open' ? undefined : v)}
              options={[...states.map((s) => ({ value: s as string, label: t(s) })), { value: 'all', label: t('all') }]}
            />
            <Select
              aria-label={t('system')}
              allowClear
              placeholder={t('allSystems')}
              value={system}
              style={{ minWidth: 130 }}
              onChange={(v: string | undefined) => set('system', v)}
              options={systems.data?.items.map((s) => ({ value: s.name, label: s.system_text }))}
            />
            <PersonPicker aria-label={t('person')} placeholder={t('personHint')} value={employee_id} onChange={(id) => set('person', id)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
          </Flex>
          <ProblemAlert error={list.error} retry={() => void list.refetch()} />
          {list.isPending && <Skeleton active />}
          {list.data && list.rows.length === 0 && (
            <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={filtered ? t('noneOf') : <>{t('none')}<br />{t('noneHint')}</>} /></Card>
          )}
          <Flex vertical gap={12}>
            {list.rows.map((c) => (
              <Item key={c.id} of={c} />
            ))}
            {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
          </Flex>
        </Col>
        <Col xs={24} lg={8}>
          <Systems />
        </Col>
      </Row>
    </>
  )
}

function Item({ of: c }: { of: Case }) {
  const t = useCaseTexts()
  const age = useAge()
  return (
    <Link to={`/cases/${c.id}`} className="case-card">
      <Card data-tour="first" size="small">
        <Flex justify="space-between" gap={8} wrap>
          <Space wrap size={8}>
            <Typography.Text strong style={{ fontSize: 15 }}>{c.system_text}</Typography.Text>
            <Person of={c.person} />
          </Space>
          <Space size={4} wrap>
            {c.state !== 'closed' && <Tag color={Date.now() - Date.parse(c.opened_at) > 86_400_000 ? 'red' : 'orange'}>{t('waits', { time: age(c.opened_at) })}</Tag>}
            {c.state !== 'open' && <Tag color={caseColors[c.state]}>{c.resolution_text && c.state === 'closed' ? c.resolution_text : c.state_text}</Tag>}
          </Space>
        </Flex>
        <div style={{ marginTop: 6 }}>{c.reason_text}</div>
        {c.state !== 'closed' && c.next_step && <Typography.Text type="secondary">{t('next')}{': '}{c.next_step}</Typography.Text>}
      </Card>
    </Link>
  )
}
