import { DeleteOutlined, UploadOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Popconfirm, Space, Typography, Upload } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { instant } from '../../shell/times'
import { usePeopleTexts } from './texts'

const MIB = 1024 * 1024

const size = (bytes: number) => (bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`)

/** The documents of a field: what there is, without names; names and content are shown by a look. */
export function Documents({ person, field, of, error }: { person: Schemas['EmployeeView']; field: Schemas['Field']; of: Schemas['AttachmentView'][]; error: unknown }) {
  const t = usePeopleTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [failed, setFailed] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const changed = () => {
    void client.invalidateQueries({ queryKey: ['documents', person.id] })
    void client.invalidateQueries({ queryKey: ['file', person.id] })
  }
  const run = async (what: () => Promise<unknown>, said: string) => {
    setBusy(true)
    setFailed(undefined)
    try {
      await what()
      void message.success(said)
      changed()
    } catch (e) {
      setFailed(e)
    } finally {
      setBusy(false)
    }
  }
  const upload = (content: File) =>
    run(
      () =>
        ok(
          api.POST('/api/v1/employees/{id}/attachments', {
            params: { path: { id: person.id }, query: { field: field.key }, header: { 'Content-Type': content.type, 'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(content.name)}` } },
            headers: { 'Content-Type': content.type },
            body: content as unknown as string,
            bodySerializer: (body: unknown) => body as BodyInit,
          } as never),
        ),
      t('uploaded'),
    )
  return (
    <Space orientation="vertical" size={4} style={{ width: '100%' }}>
      {of.map((d) => (
        <Space key={d.id} wrap>
          <span>
            {d.type_text} · {size(d.size)}
          </span>
          <Typography.Text type="secondary">{t('uploadedOn', { day: instant(d.uploaded_at), who: d.uploaded_by?.name ?? '' })}</Typography.Text>
          <Popconfirm
            title={t('removeAsk')}
            description={<div style={{ maxWidth: 320 }}>{t('removeText')}</div>}
            okText={t('remove')}
            okButtonProps={{ danger: true }}
            cancelText={t('keep')}
            onConfirm={() => run(() => ok(api.DELETE('/api/v1/attachments/{id}', { params: { path: { id: d.id } } })), t('removed'))}
          >
            <Button type="text" size="small" danger icon={<DeleteOutlined />} aria-label={`${t('remove')}: ${d.type_text}, ${instant(d.uploaded_at)}`} />
          </Popconfirm>
        </Space>
      ))}
      {person.status !== 'purged' && !field.purged && (
        <Space wrap>
          <Upload
            accept="application/pdf,image/jpeg,image/png"
            showUploadList={false}
            disabled={busy}
            beforeUpload={(content) => {
              if (content.size > 20 * MIB) void message.error(t('tooLarge'))
              else void upload(content)
              return false
            }}
          >
            <Button size="small" icon={<UploadOutlined />} loading={busy} aria-label={`${t('upload')}: ${field.label}`}>
              {t('upload')}
            </Button>
          </Upload>
          <Typography.Text type="secondary">{t('uploadHint')}</Typography.Text>
        </Space>
      )}
      <ProblemAlert error={failed ?? error} />
    </Space>
  )
}
