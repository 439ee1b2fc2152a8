import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Flex, Form, Input, Popconfirm, Radio, Skeleton, Switch, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { useTexts } from './texts'

type Body = Schemas['RemindersInputBody']

/** How one is told by mail what waits. */
export function Reminders() {
  const t = useTexts()
  const shell = useShellTexts()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Body>()
  const set = useQuery({ queryKey: ['reminders'], queryFn: () => ok(api.GET('/api/v1/me/reminders')), gcTime: 0 })
  const again = () => client.invalidateQueries({ queryKey: ['reminders'] })
  const keep = useMutation({
    mutationFn: (body: Body) => ok(api.PUT('/api/v1/me/reminders', { body })),
    onSuccess: () => {
      void message.success(t('saved'))
      void again()
    },
    onError: (error) => showInForm(form, error),
  })
  const stop = useMutation({
    mutationFn: () => ok(api.DELETE('/api/v1/me/reminders')),
    onSuccess: async () => {
      await again()
      form.resetFields()
    },
  })
  if (set.error) return <ProblemAlert error={set.error} retry={() => void set.refetch()} />
  if (!set.data) return <Skeleton active />
  const now = set.data
  return (
    <Card size="small" title={t('reminders')}>
      <Typography.Paragraph type="secondary">{t('remindersHint')}</Typography.Paragraph>
      {!now.mail_server && <Alert type="info" showIcon title={t('noMailServer')} style={{ marginBottom: 16 }} />}
      <Form
        form={form}
        layout="vertical"
        style={{ maxWidth: 520 }}
        disabled={!now.mail_server}
        initialValues={{ address: now.address, digest: now.address ? now.digest : 'daily', urgent: now.address ? now.urgent : true, language: now.language }}
        onFinish={(body: Body) => keep.mutate(body)}
      >
        <Form.Item name="address" label={t('workAddress')} extra={t('workAddressHint')} rules={[{ required: true, message: shell('required') }]}>
          <Input type="email" autoComplete="email" maxLength={254} />
        </Form.Item>
        <Form.Item name="digest" label={t('digest')}>
          <Radio.Group options={(['daily', 'weekly', 'never'] as const).map((value) => ({ value, label: t(value) }))} />
        </Form.Item>
        <Form.Item name="urgent" label={t('urgent')} extra={t('urgentHint')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="language" label={t('mailLanguage')}>
          <Radio.Group options={[{ value: 'zh', label: '中文' }, { value: 'en', label: 'English' }]} />
        </Form.Item>
        <ProblemAlert error={keep.error ?? stop.error} />
        <Flex gap={8} wrap>
          <Button type="primary" htmlType="submit" loading={keep.isPending}>
            {t('keepReminders')}
          </Button>
          {now.address && (
            <Popconfirm title={t('stopReminders')} description={t('stopHint')} okText={t('stopReminders')} onConfirm={() => stop.mutate()}>
              <Button loading={stop.isPending}>{t('stopReminders')}</Button>
            </Popconfirm>
          )}
        </Flex>
      </Form>
    </Card>
  )
}
