import { useQuery } from '@tanstack/react-query'
import { Card, Flex, Skeleton, Table, Typography } from 'antd'
import { Link } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { maySee, tasks } from '../../tasks'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { ProblemAlert } from '../../shell/problems'
import { When } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useTexts } from './texts'

type Text = Parameters<ReturnType<typeof useTexts>>[0]

const parts: { task: string; to?: string; name: Text; what: Text; by: Text }[] = [
  { task: 'organisation', name: 'organisation', what: 'organisationWhat', by: 'hr' },
  { task: 'fields', name: 'fields', what: 'fieldsWhat', by: 'twoConfigurers' },
  { task: 'permissions', name: 'permissions', what: 'permissionsWhat', by: 'twoConfigurers' },
  { task: 'users', name: 'users', what: 'usersWhat', by: 'hrIT' },
  { task: 'emergency', name: 'duty', what: 'dutyWhat', by: 'hr' },
  { task: 'cases', name: 'cases', what: 'casesWhat', by: 'it' },
  { task: 'calendars', name: 'calendars', what: 'calendarsWhat', by: 'version' },
  { task: 'me', name: 'mine', what: 'mineWhat', by: 'everyone' },
]

/** What is set, where, and by whom it is changed. */
export default function Settings() {
  const t = useTexts()
  const wide = useWide()
  const role = useMe().data?.role
  const mine = parts.filter((p) => tasks.some((task) => task.path === p.task && maySee(task, role)))
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Flex vertical gap={16}>
        <Typography.Text>{t('intro')}</Typography.Text>
        <Card size="small" title={<h2 className="card-title">{t('here')}</h2>}>
          <Rows
            wide={wide}
            heads={[t('setting'), t('byWhom')]}
            rows={mine.map((p) => ({
              key: p.task,
              name: <Link to={`/${p.to ?? p.task}`}>{t(p.name)}</Link>,
              note: t(p.what),
              cells: [t(p.by)],
            }))}
          />
        </Card>
        {role && role !== 'reviewer' && <OnTheServer wide={wide} />}
      </Flex>
    </>
  )
}

function OnTheServer({ wide }: { wide: boolean }) {
  const t = useTexts()
  const settings = useQuery({ queryKey: ['settings'], queryFn: () => ok(api.GET('/api/v1/settings')), staleTime: 60_000 })
  return (
    <>
      <Card size="small" title={<h2 className="card-title">{t('server')}</h2>}>
        <Typography.Paragraph type="secondary">{t('serverHint')}</Typography.Paragraph>
        {settings.isPending && <Skeleton active />}
        <ProblemAlert error={settings.error} retry={() => void settings.refetch()} />
        {settings.data && (
          <Rows
            wide={wide}
            heads={[t('setting'), t('value'), t('where')]}
            rows={settings.data.items.map((s) => ({ key: s.setting, name: s.setting_text, cells: [<Value key="v" of={s} />, s.where_text] }))}
          />
        )}
      </Card>
      {settings.data && settings.data.recorded.length > 0 && (
        <Card size="small" title={<h2 className="card-title">{t('since')}</h2>}>
          <Typography.Paragraph type="secondary">{t('sinceHint')}</Typography.Paragraph>
          <Rows wide={wide} heads={[t('part'), t('at')]} rows={settings.data.recorded.map((r) => ({ key: r.part, name: r.part_text, cells: [<When key="at" at={r.since} />] }))} />
        </Card>
      )}
    </>
  )
}

const Value = ({ of: s }: { of: Schemas['Setting'] }) => <span style={{ overflowWrap: 'anywhere', fontWeight: s.default ? undefined : 600 }}>{s.value_text}</span>

interface Row {
  key: string
  name: React.ReactNode
  note?: string
  cells: React.ReactNode[]
}

/** A table where there is room, a list on phones. */
function Rows({ wide, heads, rows }: { wide: boolean; heads: string[]; rows: Row[] }) {
  const name = (r: Row) => (
    <Flex vertical>
      <span>{r.name}</span>
      {r.note && <Typography.Text type="secondary">{r.note}</Typography.Text>}
    </Flex>
  )
  if (wide) {
    return (
      <Table
        size="small"
        rowKey="key"
        pagination={false}
        dataSource={rows}
        columns={[{ title: heads[0], render: (_, r) => name(r), width: '50%' }, ...heads.slice(1).map((title, i) => ({ title, render: (_: unknown, r: Row) => r.cells[i] }))]}
      />
    )
  }
  return (
    <Flex vertical gap={12}>
      {rows.map((r) => (
        <Flex vertical key={r.key}>
          {name(r)}
          {r.cells.map((cell, i) => (
            <span key={i}>
              <Typography.Text type="secondary">{heads[i + 1]}: </Typography.Text>
              {cell}
            </span>
          ))}
        </Flex>
      ))}
    </Flex>
  )
}
