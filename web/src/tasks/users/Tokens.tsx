import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, DatePicker, Descriptions, Empty, Flex, Form, Input, Modal, Skeleton, Tag, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { CopyButton } from '../../shell/copy'
import { listed } from '../../shell/language'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { Ago, When } from '../../shell/times'
import { useUserTexts } from './texts'

const scopes = ['read', 'people', 'departures', 'accounts'] as const

/** What programs call with in the person's name. */
export function Tokens() {
  const t = useUserTexts()
  const { message, modal } = App.useApp()
  const client = useQueryClient()
  const [issuing, setIssuing] = useState(false)
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: () => ok(api.GET('/api/v1/tokens')) })
  const revoke = useMutation({
    mutationFn: (id: string) => ok(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => void message.success(t('revoked')),
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  const scope = (s: string) => { const known = scopes.find((x) => x === s); return known ? t(known) : s }
  return (
    <div style={{ maxWidth: 760 }}>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <Typography.Text type="secondary" style={{ flex: '1 1 300px' }}>{t('tokensHint')}</Typography.Text>
        <Button type="primary" onClick={() => setIssuing(true)}>{t('issue')}</Button>
      </Flex>
      <ProblemAlert error={tokens.error ?? revoke.error} retry={() => void tokens.refetch()} />
      {tokens.isPending && <Skeleton active />}
      {tokens.data?.items.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('noTokens')} /></Card>}
      <Flex vertical gap={12}>
        {tokens.data?.items.map((k) => (
          <Card
            key={k.id}
            size="small"
            title={<h2 className="card-title">{k.label || k.prefix}</h2>}
            extra={
              <Button size="small" danger onClick={() => void modal.confirm({ title: t('revoke'), content: t('revokeWill'), okText: t('revoke'), okButtonProps: { danger: true }, cancelText: t('cancel'), onOk: () => { revoke.mutate(k.id) } })}>
                {t('revoke')}
              </Button>
            }
          >
            <Descriptions
              column={{ xs: 1, md: 2 }}
              size="small"
              items={[
                { key: 'role', label: t('role'), children: k.role_text },
                { key: 'scopes', label: t('scopes'), children: k.scopes.length ? listed(k.scopes.map(scope)) : t('allScopes') },
                { key: 'expires', label: t('expires'), children: <span><When at={k.expires_at} /> (<Ago at={k.expires_at} />) {Date.parse(k.expires_at) < Date.now() && <Tag>{t('expired')}</Tag>}</span> },
                { key: 'prefix', label: t('prefix'), children: <code>{k.prefix}</code> },
              ]}
            />
          </Card>
        ))}
      </Flex>
      <Issue open={issuing} close={() => setIssuing(false)} />
    </div>
  )
}

interface Values {
  label: string
  expires_at: Dayjs
  scopes?: Schemas['TokenBody']['scopes']
}

function Issue({ open, close }: { open: boolean; close: () => void }) {
  const t = useUserTexts()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const issue = useMutation({
    mutationFn: (body: Schemas['TokenBody']) => ok(api.POST('/api/v1/tokens', { body })),
    gcTime: 0,
    onMutate: () => setError(undefined),
    onSuccess: async () => {
      close()
      await client.invalidateQueries({ queryKey: ['tokens'] })
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  return (
    <>
      <Modal
        open={open}
        title={t('issue')}
        okText={t('issue')}
        cancelText={t('cancel')}
        confirmLoading={issue.isPending}
        onOk={() => form.submit()}
        onCancel={close}
        mask={{ closable: false }}
        destroyOnHidden
        afterClose={() => setError(undefined)}
      >
        <Form
          form={form}
          layout="vertical"
          preserve={false}
          requiredMark={false}
          disabled={issue.isPending}
          initialValues={{ expires_at: dayjs().add(90, 'day').endOf('day') }}
          onFinish={(v) => issue.mutate({ label: v.label.trim(), expires_at: v.expires_at.endOf('day').toISOString(), scopes: v.scopes?.length ? v.scopes : undefined })}
        >
          <Form.Item name="label" label={t('label')} extra={t('labelHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
            <Input autoFocus maxLength={100} autoComplete="off" />
          </Form.Item>
          <Form.Item name="expires_at" label={t('expires')} rules={[{ required: true, message: t('required') }]}>
            <DatePicker minDate={dayjs()} maxDate={dayjs().add(365, 'day')} style={{ width: 200 }} />
          </Form.Item>
          <Form.Item name="scopes" label={t('scopes')} extra={t('scopesHint')}>
            <Checkbox.Group options={scopes.map((s) => ({ value: s, label: t(s) }))} />
          </Form.Item>
        </Form>
        <ProblemAlert error={error} />
      </Modal>
      <Modal
        open={!!issue.data}
        title={t('secret')}
        closable={false}
        keyboard={false}
        mask={{ closable: false }}
        destroyOnHidden
        footer={<Button type="primary" onClick={() => issue.reset()}>{t('secretDone')}</Button>}
      >
        <Typography.Paragraph code style={{ overflowWrap: 'anywhere' }}>{issue.data?.token}</Typography.Paragraph>
        <Flex vertical gap={12} align="start">
          <CopyButton text={issue.data?.token ?? ''} />
          <Alert type="warning" showIcon title={t('secretHint')} />
        </Flex>
      </Modal>
    </>
  )
}
