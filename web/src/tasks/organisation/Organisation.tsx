import { MoreOutlined } from '@ant-design/icons'
import { Button, Card, Dropdown, Empty, Flex, Input, Skeleton, Typography } from 'antd'
import { useEffect, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { useWide } from '../../shell/wide'
import { Form, type Edited } from './Form'
import './organisation.css'
import { Sites } from './Sites'
import { useTexts } from './texts'
import { clockTime, lawName, zoneName } from './words'

type Entity = Schemas['LegalEntityView']
type Department = Schemas['DepartmentView']

/** All of a list, page after page: a tree has no pages. */
function useAll<T>(list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown; rows: T[] }) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
}

/** The companies that people are employed by, and their departments, as they stand below each other. */
export default function Organisation() {
  const t = useTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const entities = usePages(['legal-entities', 'all'], (cursor) => ok(api.GET('/api/v1/legal-entities', { params: { query: { cursor, limit: 200 } } })))
  const departments = usePages(['departments', 'all'], (cursor) => ok(api.GET('/api/v1/departments', { params: { query: { cursor, limit: 200 } } })))
  useAll(entities)
  useAll(departments)
  const [search, setSearch] = useState('')
  const [edited, setEdited] = useState<Edited>()
  const error = entities.error ?? departments.error
  const wanted = search.trim().toLowerCase()
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Flex vertical gap={16}>
        <Typography.Text>{t('intro')}</Typography.Text>
        <Flex gap={8} wrap justify="space-between">
          <Input aria-label={t('search')} placeholder={t('search')} allowClear maxLength={100} value={search} onChange={(e) => setSearch(e.target.value)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
          {hr && (
            <Button type="primary" onClick={() => setEdited({ what: 'newEntity' })}>
              {t('addEntity')}
            </Button>
          )}
        </Flex>
        <ProblemAlert error={error} retry={() => void (entities.error ? entities : departments).refetch()} />
        {(entities.isPending || departments.isPending) && !error && <Skeleton active />}
        {entities.data && entities.rows.length === 0 && <Empty description={t('empty')} />}
        {departments.data && entities.rows.map((e) => <Company key={e.id} of={e} departments={departments.rows.filter((d) => d.legal_entity_id === e.id)} wanted={wanted} hr={hr} edit={setEdited} />)}
        <Sites wanted={wanted} hr={hr} />
      </Flex>
      <Form edited={edited} departments={departments.rows} entities={entities.rows} close={() => setEdited(undefined)} />
    </>
  )
}

function Company({ of: e, departments, wanted, hr, edit }: { of: Entity; departments: Department[]; wanted: string; hr: boolean; edit: (what: Edited) => void }) {
  const t = useTexts()
  const wide = useWide()
  const rows = wanted ? departments.filter((d) => [d.code, d.name_zh, d.name_en, d.head?.name ?? ''].some((s) => s.toLowerCase().includes(wanted))).map((d) => ({ d, depth: 0 })) : tree(departments)
  const actions = hr && (
    <Flex gap={8} wrap style={{ marginBlock: wide ? 0 : 8 }}>
      <Button size="small" onClick={() => edit({ what: 'entity', of: e })} aria-label={t('changeOf', { name: e.name })}>
        {t('change')}
      </Button>
      <Button size="small" onClick={() => edit({ what: 'newDepartment', entity: e })} aria-label={t('departmentOf', { name: e.name })}>
        {t('addDepartment')}
      </Button>
    </Flex>
  )
  return (
    <Card
      size="small"
      title={<h2 className="card-title organisation-name">{e.name}</h2>}
      extra={wide && actions}
    >
      <Typography.Paragraph type="secondary">
        {[e.code, lawName(e.jurisdiction, t('demo')), zoneName(e.time_zone), t('cutoffOf', { time: clockTime(e.cutoff_time) })].join(' · ')}
      </Typography.Paragraph>
      {rows.length === 0 && <Typography.Text type="secondary">{t(wanted ? 'noneFound' : 'none')}</Typography.Text>}
      {!wide && actions}
      <ul className="departments">
        {rows.map(({ d, depth }) => (
          <li key={d.id} style={{ paddingInlineStart: Math.min(depth, 6) * 20 }}>
            <span className="department">
              <span>{d.name}</span> <Typography.Text type="secondary">{d.code}</Typography.Text>
            </span>
            <Typography.Text type="secondary" className="head">
              {d.head ? t('head', { name: `${d.head.name} ${d.head.employee_no}` }) : t('noHead')}
            </Typography.Text>
            {hr && (
              <Dropdown
                trigger={['click']}
                menu={{
                  items: [
                    { key: 'change', label: t('change'), onClick: () => edit({ what: 'department', of: d, entity: e }) },
                    { key: 'below', label: t('addBelow'), onClick: () => edit({ what: 'newDepartment', entity: e, parent: d }) },
                  ],
                }}
              >
                <Button type="text" size="small" icon={<MoreOutlined />} aria-label={t('more', { name: d.name })} />
              </Dropdown>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** Departments in the order of a tree, each with how deep it stands. */
function tree(departments: Department[]): { d: Department; depth: number }[] {
  const ids = new Set(departments.map((d) => d.id))
  const below = (parent: string | undefined, depth: number): { d: Department; depth: number }[] =>
    departments
      .filter((d) => (d.parent_id && ids.has(d.parent_id) ? d.parent_id : undefined) === parent)
      .sort((a, b) => a.code.localeCompare(b.code))
      .flatMap((d) => [{ d, depth }, ...below(d.id, depth + 1)])
  return below(undefined, 0)
}
