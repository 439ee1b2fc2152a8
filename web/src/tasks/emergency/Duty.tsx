import { useMutation } from '@tanstack/react-query'
import { Button, Card, DatePicker, Empty, Flex, Form, InputNumber, Skeleton, Tag, TimePicker, Typography } from 'antd'
import type { Dayjs } from 'dayjs'

import { api, ok } from '../../api/client'
import { useMe } from '../../shell/me'
import { Person, PersonPicker } from '../../shell/person'
import { usePages } from '../../shell/pages'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { When } from '../../shell/times'
import { useTexts } from './texts'

interface Shift {
  employee_id: string
  date: Dayjs
  start: Dayjs
  end: Dayjs
  times?: number
  every_days?: number
}

/** Who of HR is on duty, and when. */
export function Duty() {
  const t = useTexts()
  const shell = useShellTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const [form] = Form.useForm<Shift>()
  const shifts = usePages(['duty'], (cursor) => ok(api.GET('/api/v1/duty-shifts', { params: { query: { cursor } } })))
  const done = () => void shifts.refetch()
  const add = useMutation({
    mutationFn: (s: Shift) =>
      ok(
        api.POST('/api/v1/duty-shifts', {
          body: {
            employee_id: s.employee_id, date: s.date.format('YYYY-MM-DD'), start: s.start.format('HH:mm'), end: s.end.format('HH:mm'),
            time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, times: s.times ?? 1, every_days: s.every_days ?? 1,
          },
        }),
      ),
    onSuccess: () => {
      form.resetFields()
      done()
    },
    onError: (error) => showInForm(form, error),
  })
  const remove = useMutation({ mutationFn: (id: string) => ok(api.POST('/api/v1/duty-shifts/{id}/removal', { params: { path: { id } } })), onSettled: done })
  const required = [{ required: true, message: shell('required') }]
  if (shifts.isPending) return <Skeleton active />
  return (
    <Flex vertical gap={16}>
      <Typography.Text>{t('dutyHint')}</Typography.Text>
      <ProblemAlert error={shifts.error ?? remove.error} />
      {shifts.rows.length === 0 && <Empty description={t('noDuty')} />}
      {shifts.rows.map((s) => (
        <Card key={s.id} size="small">
          <Flex gap={12} wrap align="center" justify="space-between">
            <Person of={s.person} />
            <span>
              <When at={s.starts_at} zone={s.time_zone} /> – <When at={s.ends_at} zone={s.time_zone} />
            </span>
            {s.on_duty && <Tag color="green">{t('now')}</Tag>}
            {s.gap_text && <Tag color="red">{s.gap_text}</Tag>}
            {hr && !s.removed && (
              <Button size="small" onClick={() => remove.mutate(s.id)}>
                {t('remove')}
              </Button>
            )}
          </Flex>
        </Card>
      ))}
      {hr && (
        <Card size="small" title={t('addDuty')}>
          <Form form={form} layout="vertical" onFinish={(s: Shift) => add.mutate(s)}>
            <Flex gap={12} wrap>
              <Form.Item name="employee_id" label={t('person')} rules={required} style={{ flex: '1 1 240px' }}>
                <PersonPicker />
              </Form.Item>
              <Form.Item name="date" label={t('date')} rules={required}>
                <DatePicker />
              </Form.Item>
              <Form.Item name="start" label={t('from')} rules={required}>
                <TimePicker format="HH:mm" minuteStep={15} />
              </Form.Item>
              <Form.Item name="end" label={t('to')} rules={required}>
                <TimePicker format="HH:mm" minuteStep={15} />
              </Form.Item>
              <Form.Item name="times" label={t('times')}>
                <InputNumber min={1} max={60} />
              </Form.Item>
              <Form.Item name="every_days" label={t('every')}>
                <InputNumber min={1} max={60} />
              </Form.Item>
            </Flex>
            <ProblemAlert error={add.error} />
            <Button htmlType="submit" loading={add.isPending}>
              {t('addDuty')}
            </Button>
          </Form>
        </Card>
      )}
    </Flex>
  )
}
