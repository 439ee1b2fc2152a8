import { PhoneOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Form, Input, Space, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { Person, PersonPicker } from '../../shell/person'
import { Parts } from '../../shell/Parts'
import { longest } from '../../shell/longest'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { Calls } from './Calls'
import { Duty } from './Duty'
import { useTexts } from './texts'

/** Somebody needs HR now: who is on duty, with the number to call. HR sees what waits, and the rota. */
export default function Emergency() {
  const t = useTexts()
  const role = useMe().data?.role
  const call = { key: 'call', label: t('title'), children: <CallForm /> }
  const calls = { key: 'calls', label: t('calls'), children: <Calls /> }
  const hr = role === 'hr_admin' || role === 'reviewer' || role === 'auditor'
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Parts
        label={t('title')}
        items={[
          ...(role === 'hr_admin' ? [calls, call] : [call, calls]),
          ...(hr ? [{ key: 'duty', label: t('duty'), children: <Duty /> }] : []),
        ]}
      />
    </>
  )
}

function CallForm() {
  const t = useTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const finds = useMe().data?.role !== 'employee' // who sees nobody else finds nobody
  const [form] = Form.useForm<Schemas['CallInputBody']>()
  const call = useMutation({
    mutationFn: (body: Schemas['CallInputBody']) => ok(api.POST('/api/v1/emergency-calls', { body })),
    gcTime: 0,
    onSuccess: () => void client.invalidateQueries({ queryKey: ['calls'] }),
    onError: (error) => showInForm(form, error),
  })
  if (call.data) return <Answer of={call.data} again={() => call.reset()} />
  return (
    <Form form={form} layout="vertical" style={{ maxWidth: 560 }} onFinish={(body: Schemas['CallInputBody']) => call.mutate(body)}>
      <p>{t('intro')}</p>
      {finds && (
        <Form.Item name="employee_id" label={t('about')} extra={t('aboutHint')}>
          <PersonPicker />
        </Form.Item>
      )}
      <Form.Item name="who" label={finds ? t('who') : t('about')} rules={finds ? [] : [{ required: true, message: shell('required') }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="what" label={t('what')} extra={t('whatHint')} rules={[{ required: true, message: shell('required') }]}>
        <Input.TextArea rows={3} count={longest(500)} />
      </Form.Item>
      <ProblemAlert error={call.error} />
      <Button type="primary" danger htmlType="submit" loading={call.isPending} icon={<PhoneOutlined />}>
        {t('call')}
      </Button>
    </Form>
  )
}

function Answer({ of, again }: { of: Schemas['EmergencyAnswer']; again: () => void }) {
  const t = useTexts()
  // Without a single number nobody is called one after the other: they are found in another way.
  const reachable = [...of.call_now, ...of.others].some((r) => r.phone)
  const numbers = (list: Schemas['Reached'][]) =>
    list.map((r, i) => (
      <Flex key={i} gap={12} wrap align="center">
        <Person of={r.person} />
        {r.phone ? (
          <Typography.Link href={`tel:${r.phone.replace(/[^+\d]/g, '')}`} strong style={{ fontSize: 18 }}>
            {r.phone}
          </Typography.Link>
        ) : (
          <Typography.Text type="secondary">{t('noNumber')}</Typography.Text>
        )}
        {r.until && <Typography.Text type="secondary">{t('until', { at: instant(r.until) })}</Typography.Text>}
      </Flex>
    ))
  return (
    <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
      {!reachable ? <Alert type="warning" showIcon title={t('noNumbers')} description={t('noNumbersDo')} /> : of.call_now.length > 0 ? <Alert type="success" showIcon title={t('sent')} description={of.advice} /> : <Alert type="warning" showIcon title={t('nobody')} description={of.advice} />}
      {of.call_now.length > 0 && (
        <Card size="small" title={t(reachable ? 'callNow' : 'findNow')}>
          {numbers(of.call_now)}
        </Card>
      )}
      {of.others.length > 0 && (
        <Card size="small" title={t(of.call_now.length > 0 ? 'others' : reachable ? 'callNow' : 'findNow')}>
          {numbers(of.others)}
        </Card>
      )}
      <Typography.Text>{of.public_numbers}</Typography.Text>
      <Button onClick={again}>{t('again')}</Button>
    </Space>
  )
}
