import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Form, Select, Tag, Tooltip } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import type { Draft } from './draft'
import { useTexts } from './texts'

type Asked = Pick<Schemas['PreviewInputBody'], 'looker_id' | 'employee_id' | 'role'>

/** What somebody would see of somebody, and why; by the changes, if there are any. */
export function Preview({ permissions, draft }: { permissions: Schemas['Permissions']; draft?: Draft }) {
  const t = useTexts()
  const shell = useShellTexts()
  const ask = useMutation({ mutationFn: (body: Asked) => ok(api.POST('/api/v1/permissions/preview', { body: { ...body, draft } })) })
  const required = [{ required: true, message: shell('required') }]
  return (
    <Flex vertical gap={16}>
      {draft && <Alert type="info" showIcon title={t('draftUsed')} />}
      <Form layout="vertical" initialValues={{ role: 'hr_admin' }} onFinish={(body: Asked) => ask.mutate(body)}>
        <Flex gap={12} wrap>
          <Form.Item name="looker_id" label={t('looker')} rules={required} style={{ flex: '1 1 240px' }}>
            <PersonPicker />
          </Form.Item>
          <Form.Item name="role" label={t('role')} style={{ flex: '0 1 160px' }}>
            <Select options={permissions.roles.map((w) => ({ value: w.value, label: w.text }))} />
          </Form.Item>
          <Form.Item name="employee_id" label={t('target')} rules={required} style={{ flex: '1 1 240px' }}>
            <PersonPicker />
          </Form.Item>
        </Flex>
        <Button htmlType="submit" loading={ask.isPending}>
          {t('show')}
        </Button>
      </Form>
      <ProblemAlert error={ask.error} />
      <Flex wrap gap={12}>
        {ask.data?.groups.map((g) => (
          <Card key={g.group} size="small" title={g.group_text} extra={g.shown === 'hidden' ? t('shownHidden') : t('shownMasked')} style={{ flex: '1 1 300px' }}>
            {g.purposes
              .filter((p) => p.level !== 'none')
              .map((p) => (
                <div key={p.purpose}>
                  {p.purpose_text}{' '}
                  <Tooltip title={`${t('because')}: ${listed(p.because.map((s) => `${s.tier_text}${s.in_scope ? '' : ` (${t('outOfScope')})`}`))}`}>
                    <Tag color={p.level === 'look' ? 'green' : 'gold'}>{p.level_text}</Tag>
                  </Tooltip>
                </div>
              ))}
          </Card>
        ))}
      </Flex>
    </Flex>
  )
}
