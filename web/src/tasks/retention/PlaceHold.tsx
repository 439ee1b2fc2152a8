import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Checkbox, DatePicker, Drawer, Flex, Form, Input, Radio, Select, Typography } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { categories, useRetentionTexts } from './texts'

interface Values {
  scope: 'person' | 'filter' | 'everybody'
  employee_id?: string
  query?: { legal_entity_id?: string; department_id?: string }
  left?: [Dayjs | null, Dayjs | null] | null
  matter: string
  categories?: Schemas['HoldView']['categories']
  approval_reason?: string
}

/** Suspends the deletion of somebody's data; says before it is sent what that will do. */
export function PlaceHold({ open, close }: { open: boolean; close: () => void }) {
  const t = useRetentionTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const [person, setPerson] = useState<Schemas['Employee']>()
  const scope = Form.useWatch('scope', form) ?? 'person'
  const chosen = Form.useWatch('categories', form) ?? []
  const entity = Form.useWatch(['query', 'legal_entity_id'], form) as string | undefined
  const entities = useQuery({ queryKey: ['legal-entities'], enabled: open && scope === 'filter', queryFn: () => ok(api.GET('/api/v1/legal-entities', { params: { query: { limit: 200 } } })) })
  const departments = useQuery({ queryKey: ['departments'], enabled: open && scope === 'filter', queryFn: () => ok(api.GET('/api/v1/departments', { params: { query: { limit: 200 } } })) })
  const place = useMutation({
    mutationFn: (body: Schemas['NewHold']) => ok(api.POST('/api/v1/holds', { body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer) => {
      const hold = outcome(answer)
      if (hold) void message.success(t('placed', { people: hold.covers?.people ?? 0, files: hold.covers?.files ?? 0 }), 6)
      form.resetFields()
      setPerson(undefined)
      close()
      await client.invalidateQueries({ predicate: (q) => ['holds', 'deadlines', 'purges', 'approvals', 'departure', 'departures'].includes(String(q.queryKey[0])) })
    },
    onError: (refused) => {
      if (!showInForm(form, refused) || isProblem(refused, 'hold_too_late')) setError(refused)
    },
  })
  const send = (v: Values) => {
    const query = { ...v.query, left_from: v.left?.[0]?.format('YYYY-MM-DD'), left_to: v.left?.[1]?.format('YYYY-MM-DD') }
    if (v.scope === 'filter' && !Object.values(query).some(Boolean)) {
      form.setFields([{ name: 'left', errors: [t('oneCondition')] }])
      return
    }
    place.mutate({
      matter: v.matter.trim(),
      categories: v.categories?.length ? v.categories : undefined,
      approval_reason: v.approval_reason?.trim() || undefined,
      ...(v.scope === 'person' ? { employee_id: v.employee_id } : v.scope === 'filter' ? { query } : { everybody: true }),
    })
  }
  const what = chosen.length ? listed(chosen.map((c) => t(c))) : t('everything')
  const will = scope === 'person' ? t('willPerson', { who: person ? `${person.name} (${person.employee_no})` : '…', what }) : t(scope === 'filter' ? 'willFilter' : 'willEverybody', { what })
  return (
    <Drawer
      open={open}
      onClose={close}
      title={t('place')}
      size={520}
      mask={{ closable: false }}
      footer={
        <Flex justify="end" gap={8}>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button type="primary" loading={place.isPending} onClick={() => form.submit()}>{t('place')}</Button>
        </Flex>
      }
    >
      <Form form={form} layout="vertical" initialValues={{ scope: 'person' }} disabled={place.isPending} onFinish={send} requiredMark={false}>
        <Form.Item name="scope" label={t('whose')}>
          <Radio.Group>
            <Flex vertical gap={8}>
              <Radio value="person">{t('onePerson')}<br /><Typography.Text type="secondary">{t('onePersonHint')}</Typography.Text></Radio>
              <Radio value="filter">{t('byFilter')}<br /><Typography.Text type="secondary">{t('byFilterHint')}</Typography.Text></Radio>
              <Radio value="everybody">{t('everybody')}<br /><Typography.Text type="secondary">{t('everybodyHint')}</Typography.Text></Radio>
            </Flex>
          </Radio.Group>
        </Form.Item>
        {scope === 'person' && (
          <Form.Item name="employee_id" label={t('person')} rules={[{ required: true, message: t('choosePerson') }]}>
            <PersonPickerItem onPerson={setPerson} />
          </Form.Item>
        )}
        {scope === 'filter' && (
          <>
            <Form.Item name={['query', 'legal_entity_id']} label={t('entity')}>
              <Select allowClear placeholder={t('anyEntity')} options={entities.data?.items.map((e) => ({ value: e.id, label: e.name }))} />
            </Form.Item>
            <Form.Item name={['query', 'department_id']} label={t('department')}>
              <Select allowClear placeholder={t('anyDepartment')} options={departments.data?.items.filter((d) => !entity || d.legal_entity_id === entity).map((d) => ({ value: d.id, label: d.name }))} />
            </Form.Item>
            <Form.Item name="left" label={t('leftBetween')}>
              <DatePicker.RangePicker allowEmpty={[true, true]} style={{ width: '100%' }} />
            </Form.Item>
          </>
        )}
        <Form.Item name="matter" label={t('matter')} extra={t('matterHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
        <Form.Item name="categories" label={t('which')} extra={t('whichHint')}>
          <Checkbox.Group options={categories.map((c) => ({ value: c, label: t(c) }))} />
        </Form.Item>
        {scope !== 'person' && (
          <Form.Item name="approval_reason" label={t('reasonForSecond')} extra={t('reasonHint')}>
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
          </Form.Item>
        )}
        <Flex vertical gap={12}>
          <Alert type="info" showIcon title={t('will')} description={<>{will}<br />{t('willFields')}</>} />
          <ProblemAlert error={error} />
        </Flex>
      </Form>
    </Drawer>
  )
}

/** The picker as a form's field, which tells whom it found too. */
function PersonPickerItem({ onPerson, onChange, ...rest }: { id?: string; value?: string; onChange?: (id: string | undefined) => void; onPerson: (person?: Schemas['Employee']) => void }) {
  return (
    <PersonPicker
      {...rest}
      onChange={(id, person) => {
        onPerson(person)
        onChange?.(id)
      }}
    />
  )
}
