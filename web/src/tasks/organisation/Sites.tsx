import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Drawer, Flex, Form, Input, Skeleton, Typography } from 'antd'
import { useEffect, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useSites } from '../people/Edit'
import { useTexts } from './texts'

type Site = Schemas['SiteView']
type Edited = { of?: Site }

/** The places of work. */
export function Sites({ wanted, hr }: { wanted: string; hr: boolean }) {
  const t = useTexts()
  const sites = useSites()
  const [edited, setEdited] = useState<Edited>()
  const rows = (sites.data ?? []).filter((s) => [s.code, s.name_zh, s.name_en].some((text) => text.toLowerCase().includes(wanted)))
  return (
    <Card
      size="small"
      title={<h2 className="card-title organisation-name">{t('sites')}</h2>}
      extra={
        hr && (
          <Button size="small" onClick={() => setEdited({})}>
            {t('addSite')}
          </Button>
        )
      }
    >
      <Typography.Paragraph type="secondary">{t('sitesHint')}</Typography.Paragraph>
      <ProblemAlert error={sites.error} retry={() => void sites.refetch()} />
      {sites.isPending && <Skeleton active />}
      {sites.data && rows.length === 0 && <Typography.Text type="secondary">{t(wanted ? 'noSiteFound' : 'noSites')}</Typography.Text>}
      <ul className="departments">
        {rows.map((s) => (
          <li key={s.id}>
            <span className="department">
              <span>{s.name}</span> <Typography.Text type="secondary">{s.code}</Typography.Text>
            </span>
            {hr && (
              <Button type="text" size="small" onClick={() => setEdited({ of: s })} aria-label={t('changeOf', { name: s.name })}>
                {t('change')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <SiteForm edited={edited} close={() => setEdited(undefined)} />
    </Card>
  )
}

type Values = Schemas['NewSite']

function SiteForm({ edited, close }: { edited?: Edited; close: () => void }) {
  const t = useTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const of = edited?.of
  useEffect(() => {
    if (!edited) return
    setError(undefined)
    form.resetFields()
    if (edited.of) form.setFieldsValue(edited.of)
  }, [edited, form])
  const save = useMutation({
    mutationFn: (v: Values) =>
      of
        ? ok(api.PATCH('/api/v1/sites/{id}', { params: { path: { id: of.id } }, body: { name_zh: v.name_zh, name_en: v.name_en } }))
        : ok(api.POST('/api/v1/sites', { body: { code: v.code.trim(), name_zh: v.name_zh, name_en: v.name_en } })),
    onMutate: () => setError(undefined),
    onSuccess: () => {
      void message.success(t('saved'))
      void client.invalidateQueries({ queryKey: ['sites'] })
      close()
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  const required = [{ required: true, whitespace: true, message: t('required') }]
  return (
    <Drawer
      open={!!edited}
      onClose={close}
      size={460}
      forceRender
      mask={{ closable: false }}
      title={of ? t('changeOf', { name: of.name }) : t('addSite')}
      footer={
        <Flex justify="end">
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t(of ? 'save' : 'add')}
          </Button>
        </Flex>
      }
    >
      <Form form={form} layout="vertical" requiredMark={false} disabled={save.isPending} onFinish={(v: Values) => !save.isPending && save.mutate(v)}>
        {!of && (
          <Form.Item name="code" label={t('code')} extra={t('codeHint')} rules={required}>
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
        )}
        <Form.Item name="name_zh" label={t('nameZh')} rules={required}>
          <Input maxLength={200} autoComplete="off" />
        </Form.Item>
        <Form.Item name="name_en" label={t('nameEn')} rules={required}>
          <Input maxLength={200} autoComplete="off" />
        </Form.Item>
        <ProblemAlert error={error} />
      </Form>
    </Drawer>
  )
}
