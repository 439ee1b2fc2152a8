import { ImportOutlined } from '@ant-design/icons'
import { Button, Card, Empty, Flex, Input, Select, Skeleton, Space, Table, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { day } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useDepartments, useSites } from './Edit'
import './look.css'
import { Status } from './status'
import { usePeopleTexts } from './texts'

const statuses = ['active', 'pending_departure', 'departed', 'purged'] as const

/** What is typed, once the typing pauses. */
export function useSettled(text: string) {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 250)
    return () => clearTimeout(timer)
  }, [text])
  return settled.trim()
}

export default function List() {
  const t = usePeopleTexts()
  const me = useMe()
  const wide = useWide()
  const navigate = useNavigate()
  const here = useLocation()
  const [params, setParams] = useSearchParams()
  const departments = useDepartments()
  const sites = useSites()
  // What is typed may be a number of somebody: it is kept for the way back, and not in the address.
  const [text, setText] = useState(() => (here.state as { text?: string } | null)?.text ?? params.get('q')?.slice(0, 100) ?? '')
  const q = useSettled(text)
  const status = statuses.find((s) => s === params.get('status'))
  const department = params.get('department') ?? undefined
  const site = params.get('site') ?? undefined
  const people = usePages(['people', 'list', q, status, department, site], (cursor) =>
    ok(api.GET('/api/v1/employees', { params: { query: { cursor, limit: 50, q: q || undefined, status, department_id: department, site_id: site } } })),
  )
  const filter = (name: string, value: string | undefined) => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    setParams(next, { replace: true, state: { text } })
  }
  useEffect(() => {
    const next = new URLSearchParams(here.search)
    next.delete('q') // a link may have it; it does not stay there
    void navigate({ search: next.toString() }, { replace: true, state: { text: q } })
  }, [q]) // eslint-disable-line react-hooks/exhaustive-deps
  const open = (p: Schemas['Employee']) => void navigate(`/people/${p.id}`)
  const hr = me.data?.role === 'hr_admin'

  return (
    <>
      <Flex justify="space-between" align="center" wrap gap={8} style={{ marginBottom: 12 }}>
        <Heading style={{ margin: 0 }}>{t('files')}</Heading>
        <Space wrap>
          {hr && (
            <Button icon={<ImportOutlined />} onClick={() => void navigate('/people/import')}>
              {t('importPeople')}
            </Button>
          )}
          {hr && <Button onClick={() => void navigate('/leavers')}>{t('leavers')}</Button>}
        </Space>
      </Flex>
      <Card>
        <Flex gap={8} wrap style={{ marginBottom: 12 }}>
          <Input.Search
            autoFocus={wide}
            value={text}
            maxLength={100}
            aria-label={t('filesHint')}
            placeholder={t('filesHint')}
            onChange={(e) => setText(e.target.value)}
            onSearch={() => {
              const first = people.rows[0]
              if (first && q === text.trim() && q && !people.isFetching) open(first)
            }}
            style={{ flex: '1 1 260px', maxWidth: 420 }}
          />
          <Select aria-label={t('status')} value={status ?? ''} onChange={(s) => filter('status', s || undefined)} options={[{ value: '', label: t('anyStatus') }, ...statuses.map((s) => ({ value: s as string, label: t(s) }))]} style={{ flex: '1 1 140px', maxWidth: 220 }} />
          <Select
            aria-label={t('department')}
            value={department ?? ''}
            onChange={(d) => filter('department', d || undefined)}
            showSearch={{ optionFilterProp: 'label' }}
            options={[{ value: '', label: t('anyDepartment') }, ...(departments.data?.items ?? []).map((d) => ({ value: d.id, label: d.name }))]}
            style={{ flex: '1 1 160px', maxWidth: 260 }}
          />
          {(sites.data?.length ?? 0) > 0 && (
            <Select
              aria-label={t('site')}
              value={site ?? ''}
              onChange={(s) => filter('site', s || undefined)}
              showSearch={{ optionFilterProp: 'label' }}
              options={[{ value: '', label: t('anySite') }, ...(sites.data ?? []).map((s) => ({ value: s.id, label: s.name }))]}
              style={{ flex: '1 1 160px', maxWidth: 260 }}
            />
          )}
        </Flex>
        {people.isPending ? (
          <Skeleton active />
        ) : people.isError ? (
          <ProblemAlert error={people.error} retry={() => void people.refetch()} />
        ) : people.rows.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('nobody')}<br />{t('nobodyHint')}</>}>
            {(text || status || department || site) && (
              <Button
                onClick={() => {
                  setText('')
                  setParams({}, { replace: true, state: { text: '' } })
                }}
              >
                {t('clear')}
              </Button>
            )}
          </Empty>
        ) : wide ? (
          <Table
            size="middle"
            rowKey="id"
            pagination={false}
            dataSource={people.rows}
            onRow={(p) => ({ onClick: () => open(p), style: { cursor: 'pointer' } })}
            columns={[
              { title: t('name'), render: (_, p) => <Link to={`/people/${p.id}`} onClick={(e) => e.stopPropagation()}>{p.name}</Link> },
              { title: t('number'), dataIndex: 'employee_no' },
              { title: t('department'), dataIndex: 'department' },
              { title: t('post'), dataIndex: 'post' },
              { title: t('hiredOn'), render: (_, p) => day(p.hired_on) },
              { title: t('status'), render: (_, p) => <Status of={p} /> },
            ]}
          />
        ) : (
          <ul className="looks">
            {people.rows.map((p) => (
              <li key={p.id}>
                <Flex justify="space-between" gap={8}>
                  <Link to={`/people/${p.id}`} className="tap">
                    {p.name}
                  </Link>
                  <Status of={p} />
                </Flex>
                <Typography.Text type="secondary">{[p.employee_no, p.department, p.post].filter(Boolean).join(' · ')}</Typography.Text>
              </li>
            ))}
          </ul>
        )}
        {people.hasNextPage && (
          <Button style={{ marginTop: 12 }} loading={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
            {t('more')}
          </Button>
        )}
      </Card>
    </>
  )
}
