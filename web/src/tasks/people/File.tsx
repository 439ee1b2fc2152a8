import { EditOutlined, EyeOutlined, StopOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Drawer, Empty, Flex, Input, Select, Skeleton, Space, Tabs, Tag, Typography } from 'antd'
import type { InputRef } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation, useNavigate, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { day, When } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { Contacts } from '../contacts/Contacts'
import { Ask } from './Ask'
import { Documents } from './Documents'
import { Edit } from './Edit'
import { concerns } from './fields'
import './look.css'
import { useLookTexts } from './look-texts'
import { InPerson } from './InPerson'
import { Looked } from './Looked'
import { Notice } from './Shown'
import { Status } from './status'
import { usePeopleTexts } from './texts'

export default function File() {
  const { id = '' } = useParams()
  return <OneFile key={id} id={id} />
}

function OneFile({ id }: { id: string }) {
  const t = usePeopleTexts()
  const look = useLookTexts()
  const me = useMe()
  const client = useQueryClient()
  const navigate = useNavigate()
  const wide = useWide()
  const finder = useRef<InputRef>(null)
  const [tab, setTab] = useState(useLocation().hash.slice(1) || undefined)
  const [text, setText] = useState('')
  const [asking, setAsking] = useState<string[]>()
  const [editing, setEditing] = useState(false)
  const file = useQuery({ queryKey: ['file', id], queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id } } })) })
  const person = file.data
  const role = me.data?.role
  const own = me.data?.employee_id === id
  const hr = role === 'hr_admin'
  const oversees = hr || role === 'reviewer' || role === 'auditor'
  const departures = useQuery({
    queryKey: ['departures', 'of', id],
    enabled: oversees,
    queryFn: () => ok(api.GET('/api/v1/departures', { params: { query: { employee_id: id, limit: 5 } } })),
  })
  const documents = useQuery({
    queryKey: ['documents', id],
    enabled: hr && !!person && !own,
    queryFn: () => ok(api.GET('/api/v1/employees/{id}/attachments', { params: { path: { id } } })),
  })
  const there = !!person
  useEffect(() => {
    if (there && window.matchMedia('(min-width: 700px)').matches) finder.current?.focus()
  }, [there])

  if (file.isPending) return <Skeleton active />
  if (file.isError || !person) {
    return (
      <>
        <Heading>{t('files')}</Heading>
        <ProblemAlert error={file.error} retry={() => void file.refetch()} />
      </>
    )
  }

  const departure = departures.data?.items.find((d) => d.stage !== 'withdrawn' && d.stage !== 'annulled')
  const running = departure?.stage === 'pending_departure'
  const all = person.fields.filter(concerns)
  const sections = [...new Map(all.map((f) => [f.section, f.section_label]))]
  const wanted = text.trim().toLowerCase()
  const found = wanted ? all.filter((f) => `${f.label} ${f.section_label} ${f.key.replaceAll('_', ' ')}`.toLowerCase().includes(wanted)) : []
  const lookable = (f: Schemas['Field']) => (hr || role === 'department_head') && !own && f.access === 'masked' && f.requires_disclosure && !f.purged
  const rows = (fields: Schemas['Field'][]) =>
    fields.map((f) => (
      <Row key={f.key} of={f} departure={departure?.id} look={lookable(f) ? () => setAsking([f.key]) : undefined}>
        {f.type === 'attachment' && hr && !own && <Documents person={person} field={f} of={documents.data?.items.filter((d) => d.field === f.key) ?? []} error={documents.error} />}
      </Row>
    ))

  const current = tab ?? sections[0]?.[0]
  const tabs = [
    ...sections.map(([key, label]) => {
      const fields = all.filter((f) => f.section === key)
      const open = fields.filter(lookable)
      return {
        key,
        label,
        children: (
          <>
            {rows(fields)}
            {key === 'emergency_contact' && hr && !own && person.status !== 'purged' && <Contacts person={person} />}
            {open.length > 1 && (
              <Button style={{ marginTop: 12 }} icon={<EyeOutlined />} onClick={() => setAsking(open.map((f) => f.key))}>
                {t('lookSection')}
              </Button>
            )}
          </>
        ),
      }
    }),
    ...(oversees || own ? [{ key: 'looked', label: t('whoLooked'), children: <Looked person={person} /> }] : []),
    ...(oversees || role === 'it_ops' || own ? [{ key: 'accounts', label: t('accounts'), children: <Accounts id={id} zone={person.time_zone} /> }] : []),
  ]

  return (
    <>
      <Flex justify="space-between" align="flex-start" wrap gap={12} style={{ marginBottom: 16 }}>
        <div>
          <Heading style={{ marginBottom: 4 }}>
            {person.name} <Status of={person} />
          </Heading>
          <Typography.Text type="secondary">{[person.employee_no, person.department, person.post, person.site, person.legal_entity].filter(Boolean).join(' · ')}</Typography.Text>
        </div>
        <Space wrap>
          {hr && !own && person.status !== 'purged' && (
            <Button icon={<EditOutlined />} onClick={() => setEditing(true)}>
              {t('edit')}
            </Button>
          )}
          {(hr || role === 'it_ops') && !own && person.status !== 'purged' && (
            <Button danger icon={<StopOutlined />} onClick={() => void navigate(`/cuts/new?person=${id}`)}>
              {t('cut')}
            </Button>
          )}
          {departure && <Button onClick={() => void navigate(`/departures/${departure.id}`)}>{running ? t('runningDeparture') : t('pastDeparture')}</Button>}
          {hr && !own && person.status === 'departed' && <InPerson id={id} />}
          {hr && !own && person.status === 'active' && <Button onClick={() => void navigate(`/departures/new?person=${id}`)}>{t('depart')}</Button>}
        </Space>
      </Flex>
      {own && hr && <Alert type="info" showIcon title={t('ownFile')} action={<Link to="/me">{t('toMe')}</Link>} style={{ marginBottom: 12 }} />}
      <Card>
        <Input.Search
          ref={finder}
          value={text}
          maxLength={100}
          aria-label={t('findFieldLabel')}
          placeholder={t('findField')}
          onChange={(e) => setText(e.target.value)}
          onSearch={() => {
            const first = found.find(lookable)
            if (first) setAsking([first.key])
          }}
          style={{ maxWidth: 520, marginBottom: 12 }}
        />
        <div role="status" aria-live="polite" className="unseen">
          {wanted && t('found', { count: found.length })}
        </div>
        {wanted ? (
          found.length > 0 ? rows(found) : <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noField')} />
        ) : wide ? (
          <Tabs activeKey={current} onChange={setTab} items={tabs} />
        ) : (
          <>
            <Select aria-label={t('section')} value={current} onChange={setTab} options={tabs.map(({ key, label }) => ({ value: key, label }))} style={{ width: '100%' }} />
            {tabs.find((x) => x.key === current)?.children}
          </>
        )}
        {!wanted && current === 'basic' && (
          <Descriptions
            size="small"
            column={{ xs: 1, sm: 2 }}
            style={{ marginTop: 16 }}
            items={[
              { key: 'entity', label: t('entity'), children: person.legal_entity },
              { key: 'site', label: t('site'), children: person.site || t('noSite') },
              ...(person.former_names.length > 0 ? [{ key: 'former', label: t('formerNames'), children: listed(person.former_names) }] : []),
            ]}
          />
        )}
      </Card>
      <Drawer
        open={!!asking}
        onClose={() => setAsking(undefined)}
        title={`${look('title')} · ${look('of', { name: person.name, number: person.employee_no })}`}
        size={620}
        destroyOnHidden
        mask={{ closable: false }}
        styles={{ wrapper: { maxWidth: '100vw' } }}
      >
        {asking && (
          <Ask
            key={asking.join()}
            person={person}
            fields={asking}
            close={() => {
              setAsking(undefined)
              void client.invalidateQueries({ queryKey: ['looks'] })
            }}
            passMessage={hr ? () => void navigate(`/pleas?about=${id}`) : undefined}
          />
        )}
      </Drawer>
      {editing && <Edit person={person} close={() => setEditing(false)} />}
    </>
  )
}

function Row({ of, look, departure, children }: { of: Schemas['Field']; look?: () => void; departure: string | undefined; children?: React.ReactNode }) {
  const t = usePeopleTexts()
  return (
    <div className="field">
      <span className="name">{of.label}</span>
      {of.purged ? (
        <span>
          {of.purged_text} {departure && of.certificate_id && <Link to={`/departures/${departure}`}>{t('certificate')}</Link>}
        </span>
      ) : of.access === 'value' ? (
        <span>{of.value ? (of.type === 'date' ? day(of.value) : of.value) : <Typography.Text type="secondary">{t('emptyField')}</Typography.Text>}</span>
      ) : of.masked ? (
        <span>
          <span className="mask" aria-hidden>
            {of.masked}
          </span>{' '}
          <Typography.Text type="secondary">{t('masked')}</Typography.Text>
        </span>
      ) : (
        <Typography.Text type="secondary">{of.type === 'attachment' && of.attachments ? '' : (of.removed_text ?? t('emptyField'))}</Typography.Text>
      )}
      {of.access === 'value' ? <Typography.Text type="secondary" className="use">{of.notice}</Typography.Text> : of.purged ? <span /> : <Notice text={of.notice} />}
      {look ? (
        <Button icon={<EyeOutlined />} onClick={look} aria-label={t('lookThis', { field: of.label })}>
          {t('look')}
        </Button>
      ) : (
        <span />
      )}
      {children && <div className="more">{children}</div>}
    </div>
  )
}

function Accounts({ id, zone }: { id: string; zone: string }) {
  const t = usePeopleTexts()
  const accounts = usePages(['accounts', id], () => ok(api.GET('/api/v1/employees/{id}/accounts', { params: { path: { id } } })))
  if (accounts.isPending) return <Skeleton active />
  if (accounts.isError) return <ProblemAlert error={accounts.error} retry={() => void accounts.refetch()} />
  if (accounts.rows.length === 0) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('accountsEmpty')}<br />{t('accountsEmptyHint')}</>} />
  const bad = (a: Schemas['AccountView']) => a.state === 'stuck' || a.state === 'waived'
  return accounts.rows.map((a) => (
    <div key={a.id} className="field">
      <span className="name">{a.system_text}</span>
      <span>
        <Tag color={bad(a) ? 'red' : a.state === 'disabled' ? 'default' : 'green'}>{a.state_text}</Tag>
      </span>
      <Typography.Text type="secondary">
        {a.confirmed_at && (
          <>
            {t('confirmedAt')} <When at={a.confirmed_at} zone={zone} />
          </>
        )}
      </Typography.Text>
      <span />
    </div>
  ))
}
