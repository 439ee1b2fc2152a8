import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Descriptions, Drawer, Flex, Space, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { CopyButton } from '../../shell/copy'
import { language } from '../../shell/language'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { day, instant, Until } from '../../shell/times'
import { listed } from './dates'
import { useDepartureTexts } from './texts'
import { retentionTone, takenBack } from './tones'

/** Until when each category is kept and why, and the proof of what is not kept any more. */
export function Retention({ of: d }: { of: Schemas['DepartureView'] }) {
  const t = useDepartureTexts()
  const [shown, setShown] = useState<string>()
  const destroyed = d.retention.some((r) => r.certificate_id)
  const certificates = useQuery({
    queryKey: ['departures', d.id, 'certificates'],
    enabled: destroyed,
    queryFn: () => ok(api.GET('/api/v1/departures/{id}/destruction-certificates', { params: { path: { id: d.id } } })),
  })
  const names = new Map(d.retention.map((r) => [r.category, r.category_text]))
  if (takenBack(d.stage) && d.retention.length === 0) return <Typography.Text type="secondary">{t('nothingDeleted')}</Typography.Text>
  const rows: (Schemas['PlannedView'] & Partial<Schemas['RetentionView']>)[] = d.retention.length > 0 ? d.retention : (d.planned_retention ?? [])
  return (
    <Flex vertical gap={4}>
      {d.retention.length === 0 && rows.length > 0 && <Typography.Text type="secondary">{t('planned')}</Typography.Text>}
      {rows.length === 0 && <Typography.Text type="secondary">{t('notYetKept')}</Typography.Text>}
      {[...rows].sort((a, b) => a.deadline.localeCompare(b.deadline)).map((r) => (
        <Flex key={r.category} vertical gap={2} style={{ paddingBlock: 10, borderBlockEnd: '1px solid #f0f0f0' }}>
          <Flex justify="space-between" gap={8} wrap>
            <Space wrap size={8}>
              <strong className="sentence">{r.category_text}</strong>
              {r.state && <State tone={retentionTone[r.state]}>{r.state_text}</State>}
              {r.purge_state_text && r.purge_state_text !== r.state_text && <State tone="wait">{r.purge_state_text}</State>}
            </Space>
            <Space wrap size={8}>
              <span>
                {t('keptUntil')} <Until at={r.deadline} zone={d.time_zone} />
              </span>
              {r.days_left_text && <Typography.Text strong>{r.days_left_text}</Typography.Text>}
              {r.certificate_id && (
                <Button size="small" onClick={() => setShown(r.certificate_id)}>
                  {t('certificate')}
                </Button>
              )}
            </Space>
          </Flex>
          <Typography.Text type="secondary">{r.basis}</Typography.Text>
          {r.advanced && <Typography.Text type="warning" style={{ color: '#874400' }}>{t('advanced')}</Typography.Text>}
          {r.extended && <Typography.Text>{t('extended')}</Typography.Text>}
        </Flex>
      ))}
      {certificates.error && <ProblemAlert error={certificates.error} retry={() => void certificates.refetch()} />}
      <Drawer open={!!shown} onClose={() => setShown(undefined)} title={t('certTitle')} size="large" destroyOnHidden>
        <Certificate departure={d.id} of={certificates.data?.items.find((c) => c.id === shown)} names={names} />
      </Drawer>
    </Flex>
  )
}

function Certificate({ departure, of: c, names }: { departure: string; of?: Schemas['CertificateView']; names: Map<string, string> }) {
  const t = useDepartureTexts()
  const pages = useMutation({
    mutationFn: async (of: Schemas['CertificateView']) => {
      const path = { id: departure, certificate_id: of.id }
      const content = (await ok(
        api.GET('/api/v1/departures/{id}/destruction-certificates/{certificate_id}', { params: { path, query: { format: 'pdf' } }, parseAs: 'blob' }),
      )) as unknown as Blob
      const url = URL.createObjectURL(content)
      Object.assign(document.createElement('a'), { href: url, download: `${t('certTitle')} ${of.serial}.pdf` }).click()
      setTimeout(() => URL.revokeObjectURL(url), 10_000)
    },
    gcTime: 0,
  })
  if (!c) return null
  const s = c.statement
  const what = (d: Schemas['CertificateCategoryDestroyedStruct']) =>
    listed([
      ...(d.field_values ? [t('certValues', { n: d.field_values })] : []),
      ...(d.attachments ? [t('certFiles', { n: d.attachments })] : []),
      ...(d.account_snapshots ? [t('certBackups', { n: d.account_snapshots })] : []),
    ]) || t('certNothing')
  return (
    <Flex vertical gap={16}>
      <Descriptions
        column={1}
        size="small"
        bordered
        items={[
          { key: 'n', label: t('certTitle'), children: t('certSerial', { n: c.serial }) },
          { key: 'at', label: t('certIssued'), children: instant(c.issued_at) },
          ...s.categories.map((k) => ({
            key: k.category,
            label: <span className="sentence">{names.get(k.category) ?? k.category}</span>,
            children: (
              <Flex vertical gap={2}>
                <span>{what(k.destroyed)}</span>
                <Typography.Text type="secondary">{language() === 'zh' ? k.rule.basis_zh : k.rule.basis_en}</Typography.Text>
              </Flex>
            ),
          })),
          { key: 'keys', label: t('certKeys'), children: instant(s.keys_destroyed_at) },
          { key: 'cleared', label: t('certCleared'), children: instant(s.fields_cleared_at) },
          { key: 'probed', label: t('certProbed'), children: instant(s.probed_at) },
          { key: 'after', label: t('certBackupsAfter'), children: day(s.unrecoverable_from_backups_after) },
        ]}
      />
      <Flex vertical gap={6}>
        <Typography.Text type="secondary">{t('certPrintHint')}</Typography.Text>
        <Flex gap={8} wrap align="center">
          <span>{t('certPrint')}</span>
          <code style={{ wordBreak: 'break-all' }}>{c.statement_sha256}</code>
          <CopyButton size="small" text={c.statement_sha256} />
        </Flex>
      </Flex>
      <ProblemAlert error={pages.error} />
      <div>
        <Button icon={<DownloadOutlined />} loading={pages.isPending} onClick={() => pages.mutate(c)}>
          {t('certPages')}
        </Button>
      </div>
    </Flex>
  )
}
