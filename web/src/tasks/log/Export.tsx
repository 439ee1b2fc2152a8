import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Checkbox, Flex, Form, Input, Modal, Progress, Skeleton, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { useEvents } from '../../shell/events'
import { language, listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { instant } from '../../shell/times'
import type { Filters, Names } from './Log'
import { useLogTexts } from './texts'

function size(bytes: number) {
  const unit = bytes >= 1_000_000 ? 'megabyte' : 'kilobyte'
  return new Intl.NumberFormat(language(), { style: 'unit', unit, maximumFractionDigits: 1 }).format(bytes / (unit === 'megabyte' ? 1_000_000 : 1_000))
}

function Proves() {
  const t = useLogTexts()
  return (
    <Alert
      type="info"
      title={t('proves')}
      description={
        <>
          <ul className="bullets">
            <li>{t('proves1')}</li>
            <li>{t('proves2')}</li>
            <li>{t('proves3')}</li>
          </ul>
          <Typography.Paragraph style={{ margin: '6px 0 0' }}>{t('provesNot')}</Typography.Paragraph>
        </>
      }
    />
  )
}

/** Asks for an evidence pack of what the filters of the screen find. */
export function ExportForm({ of, close, started }: { of?: { filters: Filters; names: Names }; close: () => void; started: (id: string) => void }) {
  const t = useLogTexts()
  const outcome = useOutcome()
  const [form] = Form.useForm<Schemas['NewExport']>()
  const [error, setError] = useState<unknown>()
  const begin = useMutation({
    mutationFn: (body: Schemas['NewExport']) => ok(api.POST('/api/v1/query-log/exports', { body })),
    onMutate: () => setError(undefined),
    onSuccess: (answer) => {
      const made = outcome(answer)
      if (made) started(made.id)
      else close()
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  const f = of?.filters ?? {}
  const scope = [
    ...(f.q ? [t('filterWords', { q: f.q })] : []),
    ...(f.kind ? [t(f.kind === 'export' ? 'exportKind' : f.kind)] : []),
    ...(f.result ? [t(f.result)] : []),
    ...(f.employee_id ? [t('filterSubject', { who: of?.names.subject ?? '' })] : []),
    ...(f.actor ? [t('filterActor', { who: of?.names.actor ?? '' })] : []),
    ...(f.from ? [t('filterFrom', { when: instant(f.from) })] : []),
    ...(f.to ? [t('filterTo', { when: instant(f.to) })] : []),
  ]
  return (
    <Modal
      open={!!of}
      title={t('exportTitle')}
      okText={t('startExport')}
      cancelText={t('cancel')}
      confirmLoading={begin.isPending}
      onOk={() => form.submit()}
      onCancel={close}
      mask={{ closable: false }}
      width={560}
      destroyOnHidden
      afterClose={() => setError(undefined)}
    >
      <Flex vertical gap={16}>
        <div>
          <Typography.Text type="secondary">{t('scope')}</Typography.Text>
          <div>{scope.length ? listed(scope) : t('everything')}</div>
        </div>
        <Form
          form={form}
          layout="vertical"
          preserve={false}
          requiredMark={false}
          disabled={begin.isPending}
          initialValues={{ formats: ['csv', 'xlsx'] }}
          onFinish={(v) => begin.mutate({ reason: v.reason.trim(), formats: v.formats, ...(scope.length ? { filters: f } : {}) })}
        >
          <Form.Item name="reason" label={t('exportReason')} extra={t('exportReasonHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
            <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 8 }} count={longest(1000)} />
          </Form.Item>
          <Form.Item name="formats" label={t('formats')} extra={t('formatsHint')} style={{ marginBottom: 0 }}>
            <Checkbox.Group options={[{ value: 'xlsx', label: t('xlsx') }, { value: 'csv', label: t('csv') }]} />
          </Form.Item>
        </Form>
        <Proves />
        <ProblemAlert error={error} />
      </Flex>
    </Modal>
  )
}

/** How far an evidence pack is, and the pack once it is there. */
export function ExportProgress({ id, close }: { id: string; close: () => void }) {
  const t = useLogTexts()
  const pack = useQuery({ queryKey: ['export', id], queryFn: () => ok(api.GET('/api/v1/query-log/exports/{id}', { params: { path: { id } } })) })
  const x = pack.data
  const runs = x?.state === 'queued' || x?.state === 'running'
  useEvents(runs ? `/api/v1/query-log/exports/${id}/events` : undefined, () => void pack.refetch(), ['snapshot', 'changed'])
  return (
    <Card size="small" style={{ marginBottom: 16 }} title={<h2 className="card-title">{t('exportTitle')}</h2>} extra={<Button size="small" onClick={close}>{t('hide')}</Button>}>
      {pack.isPending && <Skeleton active paragraph={{ rows: 1 }} />}
      <ProblemAlert error={pack.error} retry={() => void pack.refetch()} />
      {x && (
        <Flex vertical gap={10} aria-live="polite">
          {runs && (
            <>
              <span>{t('exporting')}</span>
              <Progress aria-label={t('exporting')} percent={x.total ? Math.floor((100 * x.written) / x.total) : 0} status="active" />
              <Typography.Text type="secondary">{x.total === null ? t('writtenSoFar', { written: x.written }) : t('written', { written: x.written, total: x.total })}</Typography.Text>
            </>
          )}
          {x.state === 'done' && (
            <>
              <span>{t('ready', { n: x.written, size: size(x.bytes ?? 0) })}</span>
              {!!x.tampered && <Alert type="error" showIcon title={t('tamperedInPack', { n: x.tampered })} />}
              <div><Button icon={<DownloadOutlined />} href={x.file} download>{t('download')}</Button></div>
              {x.expires_at && <Typography.Text type="secondary">{t('downloadHint', { until: instant(x.expires_at) })}</Typography.Text>}
              {x.sha256 && <Typography.Text type="secondary" style={{ overflowWrap: 'anywhere' }}>{t('fingerprint')}{': '}<code>{x.sha256}</code></Typography.Text>}
              <Proves />
            </>
          )}
          {!runs && x.state !== 'done' && <Alert type="warning" showIcon title={x.failure_text ? t('exportFailed', { why: x.failure_text }) : x.state_text} />}
        </Flex>
      )}
    </Card>
  )
}
