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

/** Takes the report on leavers away. */
export function Take({ of, close }: { of?: Asked; close: () => void }) {
  const t = useReportTexts()
  return (
    <TakeFiles
      open={!!of}
      close={close}
      title={t('takeTitle')}
      intro={t('takeIntro')}
      said={t('proves1')}
      limits={t('provesNot')}
      name={of && `${t(of.outcome || of.legal_entity_id || of.department_id || of.site_id ? 'titlePart' : 'title')} ${of.from} ${of.to}`}
      take={(wanted) => {
        const { outcome, ...period } = of!
        return ok(api.POST('/api/v1/reports/leavers/exports', { body: { ...period, outcomes: outcome, formats: wanted }, parseAs: 'blob' }))
      }}
    />
  )
}

/** Takes files of a report away, and says what they prove. */
export function TakeFiles(props: { open: boolean; close: () => void; title: string; intro: string; said: string; limits?: string; name?: string; take: (wanted: Format[]) => Promise<unknown> }) {
  const { open, close, title, intro, said, name } = props
  const t = useReportTexts()
  const { message } = App.useApp()
  const [wanted, setWanted] = useState<Format[]>(formats)
  const take = useMutation({
    gcTime: 0,
    mutationFn: async () => (await props.take(wanted)) as Blob,
    onSuccess: (content) => {
      const url = URL.createObjectURL(content)
      Object.assign(document.createElement('a'), { href: url, download: `${name}.zip` }).click()
      URL.revokeObjectURL(url)
      message.success(t('taken'))
      close()
    },
  })
  return (
    <Modal
      open={open}
      title={title}
      okText={t('download')}
      okButtonProps={{ icon: <DownloadOutlined />, loading: take.isPending, disabled: wanted.length === 0 }}
      onOk={() => take.mutate()}
      onCancel={() => {
        take.reset()
        close()
      }}
    >
      <Typography.Paragraph>{intro}</Typography.Paragraph>
      <Checkbox.Group aria-label={t('files')} value={wanted} onChange={setWanted} options={formats.map((f) => ({ value: f, label: t(f) }))} style={{ marginBottom: 12 }} />
      {wanted.length === 0 && <Typography.Paragraph type="danger">{t('atLeastOne')}</Typography.Paragraph>}
      <Alert
        type="info"
        title={t('proves')}
        description={
          <>
            <ul className="bullets">
              <li>{said}</li>
              <li>{t('proves2')}</li>
              <li>{t('proves3')}</li>
            </ul>
            {props.limits && <Typography.Paragraph style={{ margin: '6px 0 0' }}>{props.limits}</Typography.Paragraph>}
          </>
        }
      />
      <ProblemAlert error={take.error} />
    </Modal>
  )
}
