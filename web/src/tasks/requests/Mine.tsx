import { useMutation } from '@tanstack/react-query'
import { App, Button, Card, Flex, Form, Input, Select, Tag, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { usePages } from '../../shell/pages'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { lastDayOf, When } from '../../shell/times'
import { kinds } from './Enter'
import { useTexts } from './texts'

/** What one asks for of the own data, with the answers. */
export function MyRequests({ fields }: { fields: { value: string; label: string }[] }) {
  const t = useTexts()
  const shell = useShellTexts()
  const { message } = App.useApp()
  const [form] = Form.useForm<Schemas['NewSubjectRequest']>()
  const requests = usePages(['my-requests'], (cursor) => ok(api.GET('/api/v1/me/requests', { params: { query: { cursor } } })))
  const refetch = () => void requests.refetch()
  const ask = useMutation({
    mutationFn: (body: Schemas['NewSubjectRequest']) => ok(api.POST('/api/v1/me/requests', { body })),
    onSuccess: () => {
      form.resetFields()
      void message.success(t('asked'))
      refetch()
    },
    onError: (error) => showInForm(form, error),
  })
  const withdraw = useMutation({ mutationFn: (id: string) => ok(api.POST('/api/v1/me/requests/{id}/withdrawal', { params: { path: { id } } })), onSettled: refetch })
  return (
    <Flex vertical gap={12}>
      <Typography.Text>{t('mineHint')}</Typography.Text>
      <ProblemAlert error={requests.error ?? withdraw.error} />
      {requests.rows.map((r) => (
        <Card key={r.id} size="small" title={<span className="sentence">{r.kind_text}</span>} extra={<Tag><span className="sentence">{r.answer_text ?? r.state_text}</span></Tag>}>
          <Flex vertical gap={4}>
            <Typography.Text type="secondary">
              <When at={r.entered_at} /> {r.state === 'open' && `· ${t('due', { at: lastDayOf(r.answer_due_at) })}`}
            </Typography.Text>
            {r.fields_text.length > 0 && <span>{listed(r.fields_text)}</span>}
            {r.written?.text && <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.written.text}</span>}
            {r.written?.answer && <strong style={{ whiteSpace: 'pre-wrap' }}>{r.written.answer}</strong>}
            {r.written?.basis && <Typography.Text type="secondary">{r.written.basis}</Typography.Text>}
            {r.state === 'open' && (
              <div>
                <Button size="small" onClick={() => withdraw.mutate(r.id)} loading={withdraw.isPending}>
                  {t('withdraw')}
                </Button>
              </div>
            )}
          </Flex>
        </Card>
      ))}
      <Card size="small" title={t('askNew')}>
        <Form form={form} layout="vertical" style={{ maxWidth: 560 }} onFinish={(body) => ask.mutate(body)}>
          <Form.Item name="kind" label={t('kind')} rules={[{ required: true, message: shell('required') }]}>
            <Select options={kinds.map((value) => ({ value, label: t(value) }))} />
          </Form.Item>
          <Form.Item name="fields" label={t('fields')}>
            <Select mode="multiple" options={fields} optionFilterProp="label" />
          </Form.Item>
          <Form.Item name="text" label={t('text')}>
            <Input.TextArea rows={3} count={longest(2000)} />
          </Form.Item>
          <ProblemAlert error={ask.error} />
          <Button htmlType="submit" loading={ask.isPending}>
            {t('ask')}
          </Button>
        </Form>
      </Card>
    </Flex>
  )
}
