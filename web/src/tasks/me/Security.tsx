import { useMutation } from '@tanstack/react-query'
import { App, Button, Card, Flex, Form, Input, Tag, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { usePages } from '../../shell/pages'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { useTexts } from './texts'

export function Security() {
  const t = useTexts()
  const shell = useShellTexts()
  const { message } = App.useApp()
  const [form] = Form.useForm<Schemas['PasswordBody']>()
  const sessions = usePages(['sessions'], () => ok(api.GET('/api/v1/sessions')))
  const end = useMutation({ mutationFn: (id: string) => ok(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })), onSettled: () => void sessions.refetch() })
  const change = useMutation({
    mutationFn: (body: Schemas['PasswordBody']) => ok(api.PUT('/api/v1/me/password', { body })),
    onSuccess: () => {
      form.resetFields()
      void message.success(t('changed'))
      void sessions.refetch()
    },
    onError: (error) => showInForm(form, error),
  })
  return (
    <Flex vertical gap={16}>
      <Card size="small" title={t('sessions')}>
        <ProblemAlert error={sessions.error ?? end.error} />
        <Flex vertical gap={12}>
          {sessions.rows.map((s) => (
            <Flex key={s.id} justify="space-between" gap={12} wrap>
              <div>
                <div>
                  {s.role_text} {s.current && <Tag color="green">{t('thisOne')}</Tag>}
                </div>
                <Typography.Text type="secondary">
                  {s.agent} · {s.address} · {s.authenticated_text} · {t('lastSeen', { at: instant(s.seen_at) })}
                </Typography.Text>
              </div>
              {!s.current && (
                <Button size="small" onClick={() => end.mutate(s.id)}>
                  {t('end')}
                </Button>
              )}
            </Flex>
          ))}
        </Flex>
      </Card>
      <Card size="small" title={t('password')}>
        <Form form={form} layout="vertical" style={{ maxWidth: 420 }} onFinish={(body: Schemas['PasswordBody']) => change.mutate(body)}>
          <Form.Item name="current_password" label={t('current')} rules={[{ required: true, message: shell('required') }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Form.Item name="new_password" label={t('fresh')} extra={t('freshHint')} rules={[{ required: true, message: shell('required') }]}>
            <Input.Password autoComplete="new-password" />
          </Form.Item>
          <ProblemAlert error={change.error} />
          <Button htmlType="submit" loading={change.isPending}>
            {t('password')}
          </Button>
        </Form>
      </Card>
    </Flex>
  )
}
