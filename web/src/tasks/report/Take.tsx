import { DownloadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, App, Checkbox, Modal, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import type { Asked } from './Leavers'
import { useReportTexts } from './texts'

type Format = NonNullable<Schemas['ExportLeaversInputBody']['formats']>[number]
const formats: Format[] = ['csv', 'xlsx', 'pdf']

/** Takes the report away, and says what its files prove. */
export function Take({ of, close }: { of?: Asked; close: () => void }) {
  const t = useReportTexts()
  const { message } = App.useApp()
  const [wanted, setWanted] = useState<Format[]>(formats)
  const take = useMutation({
    gcTime: 0,
    mutationFn: async (asked: Asked) => {
      const { outcome, ...period } = asked
      return (await ok(api.POST('/api/v1/reports/leavers/exports', { body: { ...period, outcomes: outcome, formats: wanted }, parseAs: 'blob' }))) as unknown as Blob
    },
    onSuccess: (content, asked) => {
      const url = URL.createObjectURL(content)
      Object.assign(document.createElement('a'), { href: url, download: `${t(asked.outcome || asked.legal_entity_id || asked.department_id || asked.site_id ? 'titlePart' : 'title')} ${asked.from} ${asked.to}.zip` }).click()
      URL.revokeObjectURL(url)
      message.success(t('taken'))
      close()
    },
  })
  return (
    <Modal
      open={!!of}
      title={t('takeTitle')}
      okText={t('download')}
      okButtonProps={{ icon: <DownloadOutlined />, loading: take.isPending, disabled: wanted.length === 0 }}
      onOk={() => of && take.mutate(of)}
      onCancel={() => {
        take.reset()
        close()
      }}
    >
      <Typography.Paragraph>{t('takeIntro')}</Typography.Paragraph>
      <Checkbox.Group aria-label={t('files')} value={wanted} onChange={setWanted} options={formats.map((f) => ({ value: f, label: t(f) }))} style={{ marginBottom: 12 }} />
      {wanted.length === 0 && <Typography.Paragraph type="danger">{t('atLeastOne')}</Typography.Paragraph>}
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
      <ProblemAlert error={take.error} />
    </Modal>
  )
}
