import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Form, Input, Modal, Select, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { usePeopleTexts } from './texts'

type Basics = Pick<Schemas['EmployeePatch'], 'name' | 'post' | 'department_id' | 'site_id' | 'no_site'>

export const useDepartments = (entity?: string) =>
  useQuery({
    queryKey: ['departments', entity],
    queryFn: () => ok(api.GET('/api/v1/departments', { params: { query: { limit: 200, legal_entity_id: entity } } })),
    staleTime: 300_000,
  })

/** The places of work, all of them. */
export const useSites = () =>
  useQuery({
    queryKey: ['sites', 'all'],
    queryFn: async () => {
      const items: Schemas['SiteView'][] = []
      for (let cursor: string | undefined; ; ) {
        const page: Schemas['PageSiteView'] = await ok(api.GET('/api/v1/sites', { params: { query: { cursor, limit: 200 } } }))
        items.push(...page.items)
        if (page.next_cursor === null) return items
        cursor = page.next_cursor
      }
    },
    staleTime: 300_000,
  })

/** Changes what is not sensitive; only what was changed is sent. */
export function Edit({ person, close }: { person: Schemas['EmployeeView']; close: () => void }) {
  const t = usePeopleTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const [form] = Form.useForm<Basics>()
  const departments = useDepartments(person.legal_entity_id)
  const sites = useSites()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (asked: Basics) => {
    const body: Basics = {}
    if (asked.name?.trim() !== person.name) body.name = asked.name?.trim()
    if ((asked.post ?? '').trim() !== person.post) body.post = (asked.post ?? '').trim()
    if (asked.department_id !== person.department_id) body.department_id = asked.department_id
    if (asked.site_id !== person.site_id) {
      if (asked.site_id) body.site_id = asked.site_id
      else body.no_site = true
    }
    if (Object.keys(body).length === 0) return close()
    setBusy(true)
    setError(undefined)
    try {
      const done = outcome(await ok<Schemas['EmployeeView'] | Schemas['ApprovalView']>(api.PATCH('/api/v1/employees/{id}', { params: { path: { id: person.id } }, body })))
      if (done) void message.success(t('saved'))
      void client.invalidateQueries({ queryKey: ['file', person.id] })
      void client.invalidateQueries({ queryKey: ['people'] })
      close()
    } catch (e) {
      if (!showInForm(form, e)) setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal open title={`${t('edit')} · ${person.name} ${person.employee_no}`} okText={t('save')} cancelText={t('cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={busy} mask={{ closable: false }}>
      <Typography.Paragraph type="secondary">{t('editHint')}</Typography.Paragraph>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ name: person.name, post: person.post, department_id: person.department_id, site_id: person.site_id }} onFinish={(asked) => void save(asked)}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="department_id" label={t('department')} rules={[{ required: true }]}>
          <Select loading={departments.isFetching} showSearch={{ optionFilterProp: 'label' }} options={departments.data?.items.map((d) => ({ value: d.id, label: d.name })) ?? [{ value: person.department_id, label: person.department }]} />
        </Form.Item>
        <Form.Item name="site_id" label={t('site')}>
          <Select allowClear placeholder={t('noSite')} loading={sites.isFetching} showSearch={{ optionFilterProp: 'label' }} options={sites.data?.map((s) => ({ value: s.id, label: s.name })) ?? (person.site_id ? [{ value: person.site_id, label: person.site }] : [])} />
        </Form.Item>
        <Form.Item name="post" label={t('post')}>
          <Input maxLength={100} />
        </Form.Item>
      </Form>
      <ProblemAlert error={error} />
    </Modal>
  )
}
