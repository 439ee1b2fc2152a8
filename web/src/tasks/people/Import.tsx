import { DownloadOutlined, InboxOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Empty, Flex, Input, Popconfirm, Progress, Select, Skeleton, Space, Statistic, Steps, Table, Tag, Typography, Upload } from 'antd'
import { useMemo, useState } from 'react'
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
import { day, instant } from '../../shell/times'
import { useImportTexts } from './import-texts'
import './look.css'

type View = Schemas['ImportView']

const MIB = 1024 * 1024

export default function Import() {
  const t = useImportTexts()
  const [params, setParams] = useSearchParams()
  const id = params.get('file')
  const open = (next: string | undefined) => setParams(next ? { file: next } : {})
  return (
    <>
      <Flex justify="space-between" align="center" wrap gap={8}>
        <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
        {id && <Button onClick={() => open(undefined)}>{t('back')}</Button>}
      </Flex>
      <Typography.Paragraph type="secondary">{t('hint')}</Typography.Paragraph>
      {id ? <One key={id} id={id} /> : <Begin open={open} />}
    </>
  )
}

function Begin({ open }: { open: (id: string) => void }) {
  const t = useImportTexts()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const imports = usePages(['imports'], (cursor) => ok(api.GET('/api/v1/employee-imports', { params: { query: { cursor, limit: 20 } } })))
  const send = async (file: File) => {
    setBusy(true)
    setError(undefined)
    try {
      const begun = await ok<View>(
        api.POST('/api/v1/employee-imports', { headers: { 'Content-Type': 'application/octet-stream' }, body: file as unknown as string, bodySerializer: (body: unknown) => body as BodyInit } as never) as never,
      )
      client.setQueryData(['imports', begun.id], begun)
      void client.invalidateQueries({ queryKey: ['imports'], exact: true })
      open(begun.id)
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Card style={{ marginBottom: 16 }}>
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
        {imports.isPending ? (
          <Skeleton active />
        ) : imports.isError ? (
          <ProblemAlert error={imports.error} retry={() => void imports.refetch()} />
        ) : imports.rows.length === 0 ? (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />
        ) : (
          <ul className="looks">
            {imports.rows.map((i) => (
              <li key={i.id}>
                <Flex justify="space-between" align="center" wrap gap={8}>
                  <Space wrap size={8}>
                    <Tag color={i.state === 'done' ? 'green' : i.state === 'cancelled' || i.state === 'expired' ? 'default' : 'gold'}>{i.state_text}</Tag>
                    <Button type="link" style={{ paddingInline: 0 }} onClick={() => open(i.id)}>
                      {instant(i.created_at)}
                    </Button>
                    <Person of={i.uploader} />
                    <span>
                      {i.format_text} · {t('rows', { count: i.rows })}
                    </span>
                  </Space>
                </Flex>
              </li>
            ))}
          </ul>
        )}
        {imports.hasNextPage && <Button onClick={() => void imports.fetchNextPage()}>{t('more')}</Button>}
      </Card>
    </>
  )
}

const moving = (state: string) => state === 'checking' || state === 'running' || state === 'awaiting_approval'

function One({ id }: { id: string }) {
  const t = useImportTexts()
  const me = useMe()
  const client = useQueryClient()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState('')
  const [reason, setReason] = useState('')
  const [request, setRequest] = useState<string>()
  const query = useQuery({ queryKey: ['imports', id], queryFn: () => ok(api.GET('/api/v1/employee-imports/{id}', { params: { path: { id } } })), retry: false })
  const it = query.data
  useEvents(it && moving(it.state) ? `/api/v1/employee-imports/${id}/events` : undefined, (data) => client.setQueryData(['imports', id], data), ['snapshot', 'changed'])
  const run = async <T,>(what: string, command: () => Promise<T>, then: (answer: T) => void) => {
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
  const put = (view: View) => client.setQueryData(['imports', id], view)
  const step = it.state === 'mapping' ? 1 : it.state === 'checking' || it.state === 'checked' ? 2 : 3
  const percent = (done: number) => (it.rows === 0 ? 0 : Math.floor((done / it.rows) * 100))
  const count = it.plan.create + it.plan.change
  const path = { id }
  const download = () =>
    run(
      'file',
      () => ok(api.GET('/api/v1/employee-imports/{id}/file', { params: { path, query: {} }, parseAs: 'blob' })),
      (content) => {
        const link = document.createElement('a')
        link.href = URL.createObjectURL(content as unknown as Blob)
        link.download = 'mend.xlsx'
        link.click()
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
      },
    )
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      <Card>
        <Steps size="small" current={it.state === 'done' ? 4 : step} responsive status={it.state === 'cancelled' || it.state === 'expired' ? 'error' : undefined} items={(['stepFile', 'stepColumns', 'stepCheck', 'stepRun'] as const).map((title) => ({ title: t(title) }))} />
        <Flex justify="space-between" align="center" wrap gap={8} style={{ marginTop: 16 }}>
          <Space wrap size={8} role="status">
            <Tag color={it.state === 'done' ? 'green' : 'gold'}>{it.state_text}</Tag>
            {it.ended_text && <span>{it.ended_text}</span>}
            <span>{t('rows', { count: it.rows })}</span>
            <Typography.Text type="secondary">
              {t('by')} <Person of={it.uploader} />
            </Typography.Text>
          </Space>
          <Space wrap>
            <Typography.Text type="secondary">{it.file_gone ? t('gone') : t('goneAt', { at: instant(it.file_gone_at) })}</Typography.Text>
            {!over && mine && (
              <Popconfirm
                title={t('cancelAsk')}
                description={<div style={{ maxWidth: 300 }}>{t('cancelText')}</div>}
                okText={t('cancel')}
                okButtonProps={{ danger: true }}
                cancelText={t('keep')}
                onConfirm={() => run('cancel', () => ok(api.POST('/api/v1/employee-imports/{id}/cancellation', { params: { path } })), put)}
              >
                <Button loading={busy === 'cancel'}>{t('cancel')}</Button>
              </Popconfirm>
            )}
          </Space>
        </Flex>
        {it.state === 'checking' && <Moving text={t('checking', { done: it.checked, all: it.rows })} percent={percent(it.checked)} pace={it.pace} />}
        {it.state === 'running' && <Moving text={t('running', { done: it.ran, all: it.rows })} percent={percent(it.ran)} pace={it.pace} />}
        {!mine && <Alert type="info" showIcon title={t('onlyUploader')} style={{ marginTop: 12 }} />}
        {it.removed > 0 && <Alert type="warning" showIcon title={t('removed', { count: it.removed })} style={{ marginTop: 12 }} />}
      </Card>

      {error ? <ProblemAlert error={error} /> : null}

      {(it.state === 'mapping' || it.state === 'checked') && mine && <Columns key={it.state} of={it} done={put} />}

      {it.state !== 'mapping' && it.state !== 'checking' && (
        <Card title={<h2 className="sub">{it.state === 'done' || it.state === 'running' ? t('resultTitle') : t('planTitle')}</h2>}>
          <Flex gap={32} wrap>
            {it.state === 'done' || it.state === 'running' ? (
              <>
                <Statistic title={t('created')} value={it.result.created} />
                {it.result.departed > 0 && <Statistic title={t('departed')} value={it.result.departed} />}
                <Statistic title={t('changed')} value={it.result.changed} />
                <Statistic title={t('unchanged')} value={it.result.unchanged} />
                <Statistic title={t('refused')} value={it.result.refused} />
              </>
            ) : (
              <>
                <Statistic title={t('create')} value={it.plan.create} />
                <Statistic title={t('change')} value={it.plan.change} />
                <Statistic title={t('same')} value={it.plan.same} />
                <Statistic title={t('faulty')} value={it.plan.faulty} />
              </>
            )}
          </Flex>
          {it.plan.left && it.plan.left.people > 0 && <Alert type="warning" showIcon style={{ marginTop: 16 }} title={t('leftBefore', { count: it.plan.left.people, from: day(it.plan.left.first), to: day(it.plan.left.last) })} />}
          {it.plan.left && it.plan.left.due_people > 0 && (it.state === 'checked' || it.state === 'awaiting_approval') && (
            <Typography.Paragraph style={{ margin: '8px 0 0' }}>{t('dueAtOnce', { count: it.plan.left.due_people, what: listed(it.plan.left.due.map((d) => t('dueOf', { what: d.category_text, n: d.people }))) })}</Typography.Paragraph>
          )}
          {it.result.departed > 0 && (
            <Typography.Paragraph style={{ margin: '12px 0 0' }}>
              <Link to={`/retention/imports/${id}`}>{t('dueList')}</Link>
            </Typography.Paragraph>
          )}
          {it.state === 'checked' && mine && (
            <Space orientation="vertical" style={{ width: '100%', marginTop: 16 }}>
              {count === 0 ? (
                <Alert type="info" showIcon title={t('nothing')} />
              ) : (
                <>
                  <Typography.Text>{it.plan.create > 0 ? t('runNew') : t('runOnly')}</Typography.Text>
                  {it.plan.create > 0 && (
                    <label>
                      {t('reason')}
                      <Input value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />
                    </label>
                  )}
                  <Button
                    type="primary"
                    loading={busy === 'run'}
                    onClick={() =>
                      void run(
                        'run',
                        () => ok<View | Schemas['ApprovalView']>(api.POST('/api/v1/employee-imports/{id}/run', { params: { path }, body: { approval_reason: reason.trim() || undefined } })),
                        (answer) => {
                          setRequest(asRequest(answer)?.id)
                          const begun = outcome(answer)
                          if (begun) put(begun)
                          else void query.refetch()
                        },
                      )
                    }
                  >
                    {t('run', { count })}
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

      {it.state !== 'mapping' && it.state !== 'checking' && (
        <Card title={<h2 className="sub">{t('problems')}</h2>}>
          {it.file && mine && !it.file_gone && it.plan.faulty + it.result.refused > 0 && (
            <Button style={{ marginBottom: 12, whiteSpace: 'normal', height: 'auto', minHeight: 32, paddingBlock: 4 }} icon={<DownloadOutlined />} loading={busy === 'file'} onClick={() => void download().then(() => message.info(t('mendNote')))}>
              {t('mend')}
            </Button>
          )}
          <Problems id={id} state={it.state} columns={it.columns} />
        </Card>
      )}
    </Space>
  )
}

export function Moving({ text, percent, pace }: { text: string; percent: number; pace?: Schemas['ImportPace'] }) {
  const t = useImportTexts()
  const left = pace && (pace.seconds_left < 60 ? t('underMinute') : pace.seconds_left < 5400 ? t('minutes', { n: Math.round(pace.seconds_left / 60) }) : t('hours', { n: Math.round(pace.seconds_left / 360) / 10 }))
  return (
    <div style={{ marginTop: 12 }}>
      <div role="status">{text}</div>
      <Progress percent={percent} aria-label={text} />
      <Typography.Text type="secondary">{pace ? t('pace', { n: pace.rows_per_minute, left: left ?? '' }) : t('noPace')}</Typography.Text>
    </div>
  )
}

function Problems({ id, state, columns }: { id: string; state: string; columns: View['columns'] }) {
  const t = useImportTexts()
  const [pages, setPages] = useState(1)
  const problems = useQuery({
    queryKey: ['imports', id, 'problems', state, pages],
    placeholderData: (before: Schemas['RowProblems'] | undefined) => before,
    queryFn: async () => {
      const items: Schemas['RowProblem'][] = []
      let after: number | null | undefined
      for (let i = 0; i < pages && after !== null; i++) {
        const page: Schemas['RowProblems'] = await ok(api.GET('/api/v1/employee-imports/{id}/problems', { params: { path: { id }, query: { after_row: after } } }))
        items.push(...page.items)
        after = page.next_after_row
      }
      return { items, next_after_row: after ?? null }
    },
  })
  if (problems.isPending) return <Skeleton active />
  if (problems.isError) return <ProblemAlert error={problems.error} retry={() => void problems.refetch()} />
  if (problems.data.items.length === 0) return <Typography.Text type="secondary">{t('noProblems')}</Typography.Text>
  const columnOf = (p: Schemas['RowProblem']) => {
    const column = columns.find((c) => c.column === p.column)
    return p.column === undefined ? t('wholeRow') : (column?.header ?? column?.label ?? t('column', { n: p.column }))
  }
  return (
    <>
      <Table
        size="small"
        pagination={false}
        rowKey={(p) => `${p.row} ${p.column ?? 0} ${p.code}`}
        dataSource={problems.data.items}
        columns={[
          { title: t('row'), dataIndex: 'row', width: 80 },
          { title: t('col'), render: (_, p) => columnOf(p) },
          { title: t('problem'), dataIndex: 'text' },
        ]}
      />
      {problems.data.next_after_row !== null && (
        <Button style={{ marginTop: 12 }} loading={problems.isFetching} onClick={() => setPages(pages + 1)}>
          {t('more')}
        </Button>
      )}
    </>
  )
}

/** Which column is which entry; what was recognised is filled in already. */
function Columns({ of, done }: { of: View; done: (view: View) => void }) {
  const t = useImportTexts()
  const catalogue = useQuery({ queryKey: ['field-catalogue'], queryFn: () => ok(api.GET('/api/v1/field-catalogue')), staleTime: 300_000 })
  const [chosen, setChosen] = useState(() => new Map(of.columns.map((c) => [c.column, c.field])))
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const options = useMemo(() => {
    const sections = new Map<string, { value: string; label: string }[]>()
    for (const f of catalogue.data?.items ?? []) if (f.type !== 'attachment') sections.set(f.section_label, [...(sections.get(f.section_label) ?? []), { value: f.key, label: f.label }])
    return [
      { value: '', label: t('notRead') },
      ...[...sections].map(([label, items]) => ({ label, options: items })),
      { label: '', options: (['site', 'legal_entity', 'time_zone', 'left_on', 'departure_kind'] as const).map((value) => ({ value: value as string, label: t(value) })) },
    ]
  }, [catalogue.data, t])
  const changed = of.columns.some((c) => (chosen.get(c.column) ?? '') !== (c.field ?? ''))
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      done(
        await ok(
          api.PUT('/api/v1/employee-imports/{id}/mapping', { params: { path: { id: of.id } }, body: { columns: of.columns.map((c) => ({ column: c.column, field: chosen.get(c.column) || undefined })) } }),
        ),
      )
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Card title={<h2 className="sub">{t('columns')}</h2>}>
      <Typography.Paragraph type="secondary">{t('columnsHint')}</Typography.Paragraph>
      <div className="mapping">
        {of.columns.map((c) => (
          <div key={c.column} className="pair">
            <span>{c.header || t('column', { n: c.column })}</span>
            <Select
              aria-label={`${t('columnField')}: ${c.header || t('column', { n: c.column })}`}
              value={chosen.get(c.column) ?? ''}
              loading={catalogue.isPending}
              options={options}
              showSearch={{ optionFilterProp: 'label' }}
              onChange={(field) => setChosen(new Map(chosen).set(c.column, field || undefined))}
            />
          </div>
        ))}
      </div>
      <ProblemAlert error={error ?? catalogue.error} />
      {(changed || of.state === 'mapping') && (
        <Button type={of.state === 'mapping' ? 'primary' : 'default'} loading={busy} onClick={() => void save()} style={{ marginTop: 12 }}>
          {t('saveColumns')}
        </Button>
      )}
    </Card>
  )
}
