import { DownloadOutlined, InboxOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Collapse, Empty, Flex, Input, Popconfirm, Select, Skeleton, Space, Statistic, Steps, Switch, Table, Typography, Upload } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link, useSearchParams } from 'react-router'

import { api, asRequest, ok, type Schemas } from '../../api/client'
import { useEvents } from '../../shell/events'
import { Heading } from '../../shell/Heading'
import { listed } from '../../shell/language'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { State, type Tone } from '../../shell/state'
import { day, instant } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { Moving } from '../people/Import'
import { useBatchTexts } from './batch-texts'

type View = Schemas['DepartureBatchView']
type Row = Schemas['DepartureRow']

const MIB = 1024 * 1024
const key = () => ({ 'Idempotency-Key': crypto.randomUUID() })
const tone = (state: View['state']): Tone => (state === 'done' ? 'good' : state === 'cancelled' || state === 'expired' ? 'calm' : state === 'checking' || state === 'running' ? 'busy' : 'wait')

function save(content: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export default function Batch() {
  const t = useBatchTexts()
  const [params, setParams] = useSearchParams()
  const id = params.get('file')
  const open = (next: string | undefined) => setParams(next ? { file: next } : {})
  return (
    <>
      <Flex justify="space-between" align="center" wrap gap={8}>
        <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
        {id && <Button onClick={() => open(undefined)}>{t('back')}</Button>}
      </Flex>
      <Typography.Paragraph type="secondary" style={{ marginBlock: 8 }}>{t('hint')}</Typography.Paragraph>
      {id ? <One key={id} id={id} /> : <Begin open={open} />}
    </>
  )
}

function Begin({ open }: { open: (id: string) => void }) {
  const t = useBatchTexts()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const batches = usePages(['departure-batches'], (cursor) => ok(api.GET('/api/v1/departure-batches', { params: { query: { cursor, limit: 20 } } })))
  const send = async (file: File) => {
    setBusy(true)
    setError(undefined)
    try {
      const begun = await ok<View>(
        api.POST('/api/v1/departure-batches', { headers: { 'Content-Type': 'application/octet-stream' }, body: file as unknown as string, bodySerializer: (body: unknown) => body as BodyInit } as never) as never,
      )
      client.setQueryData(['departure-batches', begun.id], begun)
      void client.invalidateQueries({ queryKey: ['departure-batches'], exact: true })
      open(begun.id)
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  const template = async () => {
    try {
      save((await ok(api.GET('/api/v1/departure-batches/template', { params: { query: {} }, parseAs: 'blob' }))) as unknown as Blob, 'departures.xlsx')
    } catch (e) {
      setError(e)
    }
  }
  return (
    <>
      <Card style={{ marginBottom: 16 }} title={<h2 className="sub">{t('stepFile')}</h2>}>
        <Button style={{ marginBottom: 12 }} icon={<DownloadOutlined />} onClick={() => void template()}>
          {t('template')}
        </Button>
        <Upload.Dragger
          accept=".csv,.xlsx,text/csv"
          showUploadList={false}
          disabled={busy}
          beforeUpload={(file) => {
            if (file.size > 64 * MIB) void message.error(t('tooLarge'))
            else void send(file)
            return false
          }}
        >
          <p className="ant-upload-drag-icon">
            <InboxOutlined />
          </p>
          <p className="ant-upload-text">{busy ? t('sending') : t('drop')}</p>
          <p style={{ padding: '0 12px' }}>{t('dropHint')}</p>
        </Upload.Dragger>
        {error ? (
          <div style={{ marginTop: 12 }}>
            <ProblemAlert error={error} />
          </div>
        ) : null}
      </Card>
      <Card title={<h2 className="sub">{t('earlier')}</h2>}>
        {batches.isPending ? (
          <Skeleton active />
        ) : batches.isError ? (
          <ProblemAlert error={batches.error} retry={() => void batches.refetch()} />
        ) : batches.rows.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />
        ) : (
          <Space orientation="vertical" size={4}>
            {batches.rows.map((b) => (
              <Space key={b.id} wrap size={8}>
                <State tone={tone(b.state)}>{b.state_text}</State>
                <Button type="link" style={{ paddingInline: 0 }} onClick={() => open(b.id)}>
                  {instant(b.created_at)}
                </Button>
                <Person of={b.uploader} />
                <span>{t('rows', { count: b.rows })}</span>
              </Space>
            ))}
          </Space>
        )}
        {batches.hasNextPage && <Button onClick={() => void batches.fetchNextPage()}>{t('more')}</Button>}
      </Card>
    </>
  )
}

const moving = (state: View['state']) => state === 'checking' || state === 'running' || state === 'awaiting_approval'

function One({ id }: { id: string }) {
  const t = useBatchTexts()
  const me = useMe()
  const client = useQueryClient()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState('')
  const [reason, setReason] = useState('')
  const [request, setRequest] = useState<string>()
  const path = { id }
  const query = useQuery({ queryKey: ['departure-batches', id], queryFn: () => ok(api.GET('/api/v1/departure-batches/{id}', { params: { path } })), retry: false })
  const it = query.data
  const put = (view: View) => client.setQueryData(['departure-batches', id], view)
  useEvents(it && moving(it.state) ? `/api/v1/departure-batches/${id}/events` : undefined, (data) => put(data as View), ['snapshot', 'changed'])
  const does = async <T,>(what: string, command: () => Promise<T>, then: (answer: T) => void) => {
    setBusy(what)
    setError(undefined)
    try {
      then(await command())
    } catch (e) {
      setError(e)
    } finally {
      setBusy('')
    }
  }
  if (query.isPending) return <Skeleton active />
  if (query.isError || !it) return <ProblemAlert error={query.error} retry={() => void query.refetch()} />
  const mine = it.uploader.employee_id === me.data?.employee_id
  const over = it.state === 'done' || it.state === 'cancelled' || it.state === 'expired'
  const ran = over || it.state === 'running' || it.state === 'paused'
  const percent = (done: number) => (it.rows === 0 ? 0 : Math.floor((done / it.rows) * 100))
  const step = it.state === 'mapping' ? 1 : it.state === 'checking' || it.state === 'checked' ? 2 : 3
  const command = (what: 'pause' | 'resumption' | 'cancellation') =>
    void does(what, () => ok(api.POST(`/api/v1/departure-batches/{id}/${what}`, { params: { path, header: key() } })), put)
  const run = () =>
    void does(
      'run',
      () => ok<View | Schemas['ApprovalView']>(api.POST('/api/v1/departure-batches/{id}/run', { params: { path, header: key() }, body: { approval_reason: reason.trim() || undefined } })),
      (answer) => {
        setRequest(asRequest(answer)?.id)
        const begun = outcome(answer)
        if (begun) put(begun)
        else void query.refetch()
      },
    )
  const download = () => void does('file', () => ok(api.GET('/api/v1/departure-batches/{id}/file', { params: { path, query: {} }, parseAs: 'blob' })), (content) => {
    save(content as unknown as Blob, 'departures.xlsx')
    void message.info(t('downloadNote'))
  })
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      <Card>
        <Steps size="small" current={it.state === 'done' ? 4 : step} responsive status={it.state === 'cancelled' || it.state === 'expired' ? 'error' : undefined} items={(['stepFile', 'stepColumns', 'stepCheck', 'stepRun'] as const).map((title) => ({ title: t(title) }))} />
        <Flex justify="space-between" align="center" wrap gap={8} style={{ marginTop: 16 }}>
          <Space wrap size={8} role="status">
            <State tone={tone(it.state)}>{it.state_text}</State>
            {it.ended_text && <span>{it.ended_text}</span>}
            <span>{t('rows', { count: it.rows })}</span>
            <Typography.Text type="secondary">
              {t('by')} <Person of={it.uploader} />
            </Typography.Text>
          </Space>
          <Space wrap>
            <Typography.Text type="secondary">{it.file_gone ? t('gone') : t('goneAt', { at: instant(it.file_gone_at) })}</Typography.Text>
            {it.state === 'running' && (
              <Button loading={busy === 'pause'} onClick={() => command('pause')}>
                {t('pause')}
              </Button>
            )}
            {it.state === 'paused' && (
              <Button type="primary" loading={busy === 'resumption'} onClick={() => command('resumption')}>
                {t('resume')}
              </Button>
            )}
            {!over && (
              <Popconfirm title={t(ran ? 'cancelAsk' : 'dropAsk')} description={<div style={{ maxWidth: 300 }}>{t(ran ? 'cancelText' : 'dropText')}</div>} okText={t(ran ? 'cancel' : 'dropIt')} okButtonProps={{ danger: true }} cancelText={t('keep')} onConfirm={() => command('cancellation')}>
                <Button loading={busy === 'cancellation'}>{t(ran ? 'cancel' : 'dropIt')}</Button>
              </Popconfirm>
            )}
          </Space>
        </Flex>
        {it.state === 'checking' && <Moving text={t('checking', { done: it.checked, all: it.rows })} percent={percent(it.checked)} pace={it.pace} />}
        {it.state === 'running' && <Moving text={t('running', { done: it.ran, all: it.rows })} percent={percent(it.ran)} pace={it.pace} />}
        {it.state === 'paused' && <Alert type="info" showIcon title={t('paused', { done: it.ran, all: it.rows })} style={{ marginTop: 12 }} />}
        {!mine && <Alert type="info" showIcon title={t('onlyUploader')} style={{ marginTop: 12 }} />}
        {it.removed > 0 && <Alert type="warning" showIcon title={t('removed', { count: it.removed })} style={{ marginTop: 12 }} />}
      </Card>

      {error ? <ProblemAlert error={error} /> : null}

      {it.state === 'mapping' && mine && (
        <Card title={<h2 className="sub">{t('columns')}</h2>}>
          <Columns of={it} done={put} />
        </Card>
      )}

      {it.state !== 'mapping' && it.state !== 'checking' && (
        <Card title={<h2 className="sub">{ran ? t('resultTitle') : t('planTitle')}</h2>}>
          <Flex gap={32} wrap>
            <Statistic title={ran ? t('begun') : t('begin')} value={ran ? it.result.begun : it.plan.begin} />
            <Statistic title={ran ? t('unchanged') : t('same')} value={ran ? it.result.unchanged : it.plan.same} />
            <Statistic title={ran ? t('refused') : t('faulty')} value={ran ? it.result.refused : it.plan.faulty} />
          </Flex>
          {it.plan.first && it.plan.last && (
            <Typography.Paragraph style={{ margin: '12px 0 0' }}>
              {it.plan.first === it.plan.last ? t('onDay', { day: day(it.plan.first) }) : t('between', { from: day(it.plan.first), to: day(it.plan.last) })}
            </Typography.Paragraph>
          )}
          {!ran && it.plan.protected > 0 && <Alert type="warning" showIcon style={{ marginTop: 12 }} title={[t('protected', { count: it.plan.protected }), it.plan.sudden > 0 ? t('sudden', { count: it.plan.sudden }) : ''].join(' ')} />}
          {!ran && it.plan.at_once > 0 && <Alert type="warning" showIcon style={{ marginTop: 12 }} title={t('atOnceCount', { count: it.plan.at_once })} />}
          {!ran && it.plan.past > 0 && <Alert type="warning" showIcon style={{ marginTop: 12 }} title={t('past', { count: it.plan.past })} />}
          {it.state === 'checked' && mine && (
            <Space orientation="vertical" style={{ width: '100%', marginTop: 16 }}>
              {it.plan.begin === 0 ? (
                <Alert type="info" showIcon title={t('nothing')} />
              ) : (
                <>
                  <Typography.Text>{it.one_person ? t('runAlone') : t('runTwo', { why: listed((it.because ?? []).map((c) => c.cause_text)) })}</Typography.Text>
                  {!it.one_person && (
                    <label style={{ display: 'block', maxWidth: 640 }}>
                      <span style={{ display: 'block', marginBottom: 4 }}>{t('reason')}</span>
                      <Input value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />
                    </label>
                  )}
                  <Button type="primary" loading={busy === 'run'} onClick={run}>
                    {it.one_person ? t('run', { count: it.plan.begin }) : t('ask', { count: it.plan.begin })}
                  </Button>
                </>
              )}
            </Space>
          )}
          {it.state === 'awaiting_approval' && (
            <Alert type="info" showIcon style={{ marginTop: 16 }} title={t('waiting')} action={<Link to={`/approvals${(it.approval_id ?? request) ? `/${it.approval_id ?? request}` : ''}`}>{t('openRequest')}</Link>} />
          )}
        </Card>
      )}

      {it.state !== 'mapping' && it.state !== 'checking' && !it.file_gone && (
        <Card title={<h2 className="sub">{t('rowsTitle')}</h2>}>
          <Rows id={id} state={`${it.state} ${it.ran}`}>
            {it.file && mine && (
              <Button icon={<DownloadOutlined />} loading={busy === 'file'} onClick={download}>
                {t('download')}
              </Button>
            )}
          </Rows>
        </Card>
      )}

      {it.state === 'checked' && mine && (
        <Collapse items={[{ key: 'columns', label: <h2 className="plain">{t('columns')}</h2>, children: <Columns of={it} done={put} /> }]} />
      )}
    </Space>
  )
}

const rowsOfPage = 50
/** How many pages of rows without problems are passed over at once, at most. */
const mostPages = 20

function Rows({ id, state, children }: { id: string; state: string; children?: ReactNode }) {
  const t = useBatchTexts()
  const wide = useWide()
  const [pages, setPages] = useState(1)
  const [wrong, setWrong] = useState(false)
  const rows = useQuery({
    queryKey: ['departure-batches', id, 'rows', state, pages, wrong],
    gcTime: 0,
    placeholderData: (before: { items: Row[]; more: boolean } | undefined) => before,
    queryFn: async () => {
      const items: Row[] = []
      let page: number | null = 0
      // Of those with a problem as many as a page has, however far down the file they stand.
      for (let i = 0; page !== null && (wrong ? items.length < pages * rowsOfPage : i < pages) && i < pages * mostPages; i++) {
        const got: Schemas['DepartureRows'] = await ok(api.GET('/api/v1/departure-batches/{id}/rows', { params: { path: { id }, query: { page } } }))
        items.push(...got.items.filter((r) => !wrong || r.problems.length > 0))
        page = got.next_page
      }
      return { items, more: page !== null }
    },
  })
  if (rows.isPending) return <Skeleton active />
  if (rows.isError) return <ProblemAlert error={rows.error} retry={() => void rows.refetch()} />
  const who = (r: Row) => (r.employee_id ? <Link to={`/people/${r.employee_id}`}>{`${r.name ?? ''} ${r.employee_no ?? ''}`}</Link> : <Typography.Text type="secondary">{t('unknownPerson')}</Typography.Text>)
  const outcome = (r: Row) => (r.departure_id ? <Link to={`/departures/${r.departure_id}`}>{r.outcome_text}</Link> : r.outcome_text)
  const cutoff = (r: Row) => (r.at_once ? t('atOnce') : r.access_cutoff_at ? instant(r.access_cutoff_at) : '')
  const remarks = (r: Row) => (
    <>
      {r.protected && <State tone="wait">{t(r.sudden ? 'rowSudden' : 'rowProtected')}</State>}
      {r.past && <State tone="wait">{t('rowPast')}</State>}
      {r.problems.map((p) => <div key={`${p.column ?? 0} ${p.code}`} style={{ whiteSpace: 'normal', maxWidth: 420 }}>{p.text}</div>)}
    </>
  )
  return (
    <>
      <Flex gap={16} wrap align="center" style={{ marginBottom: 12 }}>
        {children}
        <Space>
          <Switch id="only-wrong" checked={wrong} onChange={setWrong} />
          <label htmlFor="only-wrong">{t('onlyProblems')}</label>
        </Space>
      </Flex>
      {rows.data.items.length === 0 ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t(!wrong ? 'noRows' : rows.data.more ? 'noProblemsYet' : 'noProblems')} />
      ) : wide ? (
        <Table
          size="small"
          pagination={false}
          scroll={{ x: 'max-content' }}
          rowKey={(r) => r.row}
          dataSource={rows.data.items}
          columns={[
            { title: t('row'), dataIndex: 'row', width: 70 },
            { title: t('person'), render: (_, r) => who(r) },
            { title: t('departure_kind'), render: (_, r) => r.kind_text ?? '' },
            { title: t('lastDay'), render: (_, r) => (r.last_working_day ? day(r.last_working_day) : '') },
            { title: t('cutoff'), render: (_, r) => cutoff(r) },
            { title: t('outcome'), render: (_, r) => outcome(r) },
            { title: t('problem'), render: (_, r) => remarks(r) },
          ]}
        />
      ) : (
        <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
          {rows.data.items.map((r) => (
            <li key={r.row} style={{ borderBlockEnd: '1px solid #f0f0f0', paddingBlock: 8 }}>
              <Flex vertical gap={2}>
                <Flex gap={8} wrap justify="space-between">
                  {who(r)}
                  <Typography.Text type="secondary">{t('rowNo', { n: r.row })}</Typography.Text>
                </Flex>
                <span>{outcome(r)}</span>
                {r.kind_text && <span>{r.kind_text}</span>}
                {r.last_working_day && <span>{`${t('lastDay')} ${day(r.last_working_day)}`}</span>}
                {cutoff(r) && <span>{`${t('cutoff')} ${cutoff(r)}`}</span>}
                {remarks(r)}
              </Flex>
            </li>
          ))}
        </ul>
      )}
      {rows.data.more && (
        <Button style={{ marginTop: 12 }} loading={rows.isFetching} onClick={() => setPages(pages + 1)}>
          {t('more')}
        </Button>
      )}
    </>
  )
}

const fields = ['employee_no', 'name', 'departure_kind', 'last_working_day', 'employment_end_date', 'notice_received_on', 'immediate', 'reason_code', 'note'] as const

function Columns({ of, done }: { of: View; done: (view: View) => void }) {
  const t = useBatchTexts()
  const [chosen, setChosen] = useState(() => new Map(of.columns.map((c) => [c.column, c.field])))
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const changed = of.columns.some((c) => (chosen.get(c.column) ?? '') !== (c.field ?? ''))
  const put = async () => {
    setBusy(true)
    setError(undefined)
    try {
      done(await ok(api.PUT('/api/v1/departure-batches/{id}/mapping', { params: { path: { id: of.id } }, body: { columns: of.columns.map((c) => ({ column: c.column, field: chosen.get(c.column) || undefined })) } })))
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Typography.Paragraph type="secondary">{t('columnsHint')}</Typography.Paragraph>
      <div className="mapping">
        {of.columns.map((c) => (
          <div key={c.column} className="pair">
            <span>{c.header || t('column', { n: c.column })}</span>
            <Select
              aria-label={`${t('columnField')}: ${c.header || t('column', { n: c.column })}`}
              value={chosen.get(c.column) ?? ''}
              options={[{ value: '', label: t('notRead') }, ...fields.map((value) => ({ value: value as string, label: t(value) }))]}
              onChange={(field) => setChosen(new Map(chosen).set(c.column, field || undefined))}
            />
          </div>
        ))}
      </div>
      <ProblemAlert error={error} />
      {(changed || of.state === 'mapping') && (
        <Button type={of.state === 'mapping' ? 'primary' : 'default'} loading={busy} onClick={() => void put()} style={{ marginTop: 12 }}>
          {t(of.state === 'mapping' ? 'checkColumns' : 'saveColumns')}
        </Button>
      )}
    </>
  )
}
