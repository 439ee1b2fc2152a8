import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, DatePicker, Form, Input, Modal, Select } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'

import { api, ok, type Schemas } from '../../api/client'
import { isProblem } from '../../api/problem'
import { longest } from '../../shell/longest'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useShellTexts } from '../../shell/texts'
import { lastDayOf } from '../../shell/times'
import { useTexts } from './texts'

export const kinds = ['correction', 'erasure', 'copy'] as const

/** The fields that a request may be about, by their names. */
export function useFieldOptions() {
  const fields = useQuery({ queryKey: ['field-catalogue'], queryFn: () => ok(api.GET('/api/v1/field-catalogue')), staleTime: 60_000, retry: false })
  return (fields.data?.items ?? []).map((f) => ({ value: f.key, label: `${f.section_label} · ${f.label}` }))
}

const relations = ['spouse', 'parent', 'child', 'sibling', 'grandparent', 'grandchild'] as const

interface OnPaper extends Omit<Schemas['EnterInputBody'], 'paper'> {
  by_relative?: boolean
  employee_id: string
  paper: { received_on: Dayjs; kept_at: string }
}

/** What somebody asked for on paper. */
export function Enter({ open, close }: { open: boolean; close: () => void }) {
  const t = useTexts()
  const shell = useShellTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const options = useFieldOptions()
  const [form] = Form.useForm<OnPaper>()
  const byRelative = Form.useWatch('by_relative', form)
  const kind = Form.useWatch('kind', form)
  const required = [{ required: true, message: shell('required') }]
  const send = useMutation({
    mutationFn: ({ employee_id, paper, by_relative: _, ...body }: OnPaper) =>
      ok(api.POST('/api/v1/employees/{id}/requests', { params: { path: { id: employee_id } }, body: { ...body, paper: { ...paper, received_on: paper.received_on.format('YYYY-MM-DD') } } })),
    onSuccess: (entered) => {
      void client.invalidateQueries({ queryKey: ['subject-requests'] })
      close()
      void message.success(t(entered.by_relative && !entered.objected ? 'enteredRelative' : 'entered', { at: lastDayOf(entered.answer_due_at, entered.person?.time_zone) }), 8)
    },
    onError: (error) => {
      if (isProblem(error, 'relative_not_dead')) {
        form.setFields([{ name: 'employee_id', errors: [`${error.problem.title}${t('stop')}${error.problem.hint ?? ''}`] }])
        form.scrollToField('employee_id', { block: 'center' })
      } else showInForm(form, error)
    },
  })
  return (
    <Modal open={open} title={t('enter')} footer={null} onCancel={close} destroyOnHidden mask={{ closable: false }}>
      <p>{t('enterHint')}</p>
      <Form form={form} layout="vertical" onFinish={(body) => send.mutate(body)}>
        <Form.Item name="by_relative" valuePropName="checked">
          <Checkbox>{t('byRelative')}</Checkbox>
        </Form.Item>
        <Form.Item name="employee_id" label={t(byRelative ? 'whoDied' : 'person')} rules={required}>
          <PersonPicker />
        </Form.Item>
        {byRelative && (
          <>
            <Form.Item name={['relative', 'name']} label={t('relativeName')} rules={required}>
              <Input maxLength={200} autoComplete="off" />
            </Form.Item>
            <Form.Item name={['relative', 'relation']} label={t('relation')} rules={required}>
              <Select options={relations.map((value) => ({ value, label: t(value) }))} />
            </Form.Item>
            <Form.Item name={['relative', 'proof']} label={t('proof')} extra={t('proofHint')} rules={required}>
              <Input.TextArea rows={2} count={longest(2000)} />
            </Form.Item>
            <Form.Item name={['relative', 'interest']} label={t('interest')} extra={t('interestHint')} rules={required}>
              <Input.TextArea rows={2} count={longest(2000)} />
            </Form.Item>
            <Form.Item name={['relative', 'objected']} valuePropName="checked" extra={t('objectedHint')}>
              <Checkbox>{t('objected')}</Checkbox>
            </Form.Item>
          </>
        )}
        <Form.Item name="kind" label={t('asksFor')} rules={required}>
          <Select options={kinds.map((value) => ({ value, label: t(value) }))} />
        </Form.Item>
        <Form.Item name="fields" label={t('fields')}>
          <Select mode="multiple" options={options} optionFilterProp="label" />
        </Form.Item>
        <Form.Item name="text" label={t(kind === 'copy' ? 'textCopy' : kind === 'correction' ? 'textCorrection' : kind === 'erasure' ? 'textErasure' : 'text')}>
          <Input.TextArea rows={3} count={longest(2000)} />
        </Form.Item>
        <Form.Item name={['paper', 'received_on']} label={t('received')} rules={required}>
          <DatePicker style={{ width: '100%' }} maxDate={dayjs()} />
        </Form.Item>
        <Form.Item name={['paper', 'kept_at']} label={t('keptAt')} rules={required}>
          <Input maxLength={200} />
        </Form.Item>
        <ProblemAlert error={isProblem(send.error, 'relative_not_dead') ? undefined : send.error} />
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('enterSend')}
        </Button>
      </Form>
    </Modal>
  )
}
