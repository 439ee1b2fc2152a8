import { StopOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Checkbox, Flex, Form, Input, Radio, Typography } from 'antd'
import { useNavigate, useSearchParams } from 'react-router'

import { api, ok } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { useCutTexts } from './texts'

interface Values {
  employee_id?: string
  some?: boolean
  systems?: string[]
  reason: string
  told?: boolean
}

/** One person's access, taken away now: one button, usable with one thumb. */
export default function New() {
  const t = useCutTexts()
  const shell = useShellTexts()
  const me = useMe().data
  const navigate = useNavigate()
  const client = useQueryClient()
  const [params] = useSearchParams()
  const [form] = Form.useForm<Values>()
  const id = Form.useWatch('employee_id', form)
  const some = Form.useWatch('some', form)
  const systems = useQuery({ queryKey: ['systems'], queryFn: () => ok(api.GET('/api/v1/systems')) })
  const person = useQuery({ queryKey: ['person', id], enabled: !!id, queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: id! } } })) })
  const standing = useQuery({
    queryKey: ['cuts', 'of', id],
    enabled: !!id,
    queryFn: () => ok(api.GET('/api/v1/access-cuts', { params: { query: { employee_id: id, standing: 'true', limit: 1 } } })),
  })
  const cut = useMutation({
    mutationFn: (v: Values) =>
      ok(api.POST('/api/v1/access-cuts', { body: { employee_id: v.employee_id!, reason: v.reason, systems: v.some ? v.systems : undefined, told: v.told || undefined } })),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['cuts'] })
      void client.invalidateQueries({ queryKey: ['accounts', made.employee_id] })
      client.setQueryData(['cuts', 'one', made.id], made)
      void navigate(`/cuts/${made.id}`)
    },
    onError: (error) => showInForm(form, error),
  })
  const whom = id ? person.data : undefined
  const name = whom && `${whom.name} ${whom.employee_no}`
  const own = !!id && id === me?.employee_id
  const already = standing.data?.items[0]
  return (
    <div style={{ maxWidth: 640 }}>
      <Heading>{t('newTitle')}</Heading>
      <Typography.Paragraph type="secondary">{t('what')}</Typography.Paragraph>
      <Form form={form} layout="vertical" initialValues={{ employee_id: params.get('person') ?? undefined, some: false }} onFinish={(v) => cut.mutate(v)} disabled={cut.isPending}>
        <Form.Item name="employee_id" label={t('who')} rules={[{ required: true, message: shell('required') }]}>
          <PersonPicker autoFocus={!params.get('person')} />
        </Form.Item>
        {whom && (
          <Card size="small" style={{ marginBottom: 16 }}>
            <Typography.Text strong style={{ fontSize: 18 }}>
              {whom.name}
            </Typography.Text>
            <div>{[whom.employee_no, whom.department, whom.post, whom.site, whom.status_text].filter(Boolean).join(' · ')}</div>
          </Card>
        )}
        {own && <Alert type="warning" showIcon title={t('own')} style={{ marginBottom: 16 }} />}
        {already && <Alert type="warning" showIcon title={t('standing')} action={<Button onClick={() => void navigate(`/cuts/${already.id}`)}>{t('open')}</Button>} style={{ marginBottom: 16 }} />}
        <Form.Item name="some" label={t('systems')} style={{ marginBottom: some ? 4 : undefined }}>
          <Radio.Group options={[{ value: false, label: t('all') }, { value: true, label: t('some') }]} />
        </Form.Item>
        {some && (
          <Form.Item name="systems" rules={[{ required: true, message: t('atLeastOne') }]}>
            <Checkbox.Group aria-label={t('systems')} options={(systems.data?.items ?? []).map((s) => ({ value: s.name, label: s.system_text }))} />
          </Form.Item>
        )}
        <ProblemAlert error={systems.error ?? person.error ?? standing.error} />
        <Form.Item name="reason" label={t('reason')} extra={t('reasonHint')} rules={[{ required: true, whitespace: true, message: shell('required') }]}>
          <Input.TextArea rows={3} count={longest(500)} autoFocus={!!params.get('person')} />
        </Form.Item>
        <Form.Item name="told" valuePropName="checked" extra={t('talkedHint')}>
          <Checkbox>{t('talked')}</Checkbox>
        </Form.Item>
        <Typography.Paragraph type="secondary">{t('holder')} {t('twoStay')}</Typography.Paragraph>
        <Flex vertical gap={12}>
          <ProblemAlert error={cut.error} />
          <Button type="primary" danger htmlType="submit" size="large" block icon={<StopOutlined />} loading={cut.isPending} disabled={!whom || own || !!already} style={{ whiteSpace: 'normal', height: 'auto', minHeight: 48 }}>
            {name ? t('button', { person: name }) : t('pick')}
          </Button>
        </Flex>
      </Form>
    </div>
  )
}
