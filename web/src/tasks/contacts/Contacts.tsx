import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, DatePicker, Flex, Form, Input, Modal, Select, Skeleton, Space, Typography } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { State } from '../../shell/state'
import { day, When } from '../../shell/times'
import '../people/look.css'
import { useTexts } from './texts'

type Contact = Schemas['EmergencyContact']

const useContacts = (id: string) => useQuery({ queryKey: ['contacts', id], queryFn: () => ok(api.GET('/api/v1/employees/{id}/emergency-contacts', { params: { path: { id } } })) })

function useNames() {
  const t = useTexts()
  return (n: number) => (n === 1 ? t('first') : t('nth', { n }))
}

function Removed({ of: r }: { of: Schemas['RemovedContact'] }) {
  const t = useTexts()
  const name = useNames()
  return (
    <li>
      <span>
        {name(r.contact)}: {t('removedAs', { form: r.form_text, day: day(r.received_on) })}
      </span>
      <Typography.Text type="secondary">
        <When at={r.removed_at} />
        {r.removed_by && ` · ${t('removedBy', { who: `${r.removed_by.name} ${r.removed_by.employee_no}` })}`}
        {r.kept_at && ` · ${t('storedAt', { where: r.kept_at })}`}
      </Typography.Text>
    </li>
  )
}

/** The own contacts: whether they were told, and who asked to be removed. */
export function OwnContacts({ id }: { id: string }) {
  const t = useTexts()
  const name = useNames()
  const contacts = useContacts(id)
  if (contacts.isPending) return <Skeleton active title={false} paragraph={{ rows: 1 }} />
  if (contacts.error) return <ProblemAlert error={contacts.error} retry={() => void contacts.refetch()} />
  const { contacts: there, removed } = contacts.data
  if (there.length + removed.length === 0) return null
  return (
    <Card size="small" title={<h2 className="card-title">{t('aboutOwn')}</h2>}>
      <Typography.Paragraph type="secondary">{t('ownHint')}</Typography.Paragraph>
      <ul className="looks" style={{ margin: 0 }}>
        {there.map((c) => (
          <li key={`${c.employment_id} ${c.contact}`}>
            <Space wrap>
              {name(c.contact)}
              <State tone={c.told ? 'good' : 'calm'}>{t(c.told ? 'told' : 'untold')}</State>
            </Space>
          </li>
        ))}
        {removed.map((r) => (
          <Removed key={`${r.employment_id} ${r.contact} ${r.removed_at}`} of={r} />
        ))}
      </ul>
    </Card>
  )
}

/** Beside the contacts of a file: whether they were told that they were named, and their removal, which they may ask for. */
export function Contacts({ person }: { person: Schemas['EmployeeView'] }) {
  const t = useTexts()
  const name = useNames()
  const contacts = useContacts(person.id)
  const [telling, setTelling] = useState<Contact>()
  const [removing, setRemoving] = useState<Contact>()
  if (contacts.isPending) return <Skeleton active title={false} paragraph={{ rows: 2 }} />
  if (contacts.error) return <ProblemAlert error={contacts.error} retry={() => void contacts.refetch()} />
  const { contacts: there, removed } = contacts.data
  const works = person.status === 'active' || person.status === 'pending_departure'
  return (
    <section style={{ marginTop: 20 }} aria-labelledby="contacts">
      <h2 className="sub" id="contacts">
        {t('about')}
      </h2>
      {there.length + removed.length === 0 && <Typography.Text type="secondary">{t('noContacts')}</Typography.Text>}
      <ul className="looks">
        {there.map((c) => {
          const former = c.employment_id !== person.employment_id
          const called = former ? `${name(c.contact)} (${t('former')})` : name(c.contact)
          return (
            <li key={`${c.employment_id} ${c.contact}`}>
              <Flex justify="space-between" align="center" wrap gap={8}>
                <Space wrap>
                  {called}
                  <State tone={c.told ? 'good' : 'wait'}>{t(c.told ? 'told' : 'untold')}</State>
                </Space>
                <Space wrap>
                  {!c.told && works && !former && (
                    <Button size="small" onClick={() => setTelling(c)} aria-label={t('tellOf', { name: called })}>
                      {t('tell')}
                    </Button>
                  )}
                  <Button size="small" onClick={() => setRemoving(c)} aria-label={t('removeOf', { name: called })}>
                    {t('remove')}
                  </Button>
                </Space>
              </Flex>
            </li>
          )
        })}
        {removed.map((r) => (
          <Removed key={`${r.employment_id} ${r.contact} ${r.removed_at}`} of={r} />
        ))}
      </ul>
      {telling && <Tell person={person} contact={telling} name={name(telling.contact)} close={() => setTelling(undefined)} />}
      {removing && <Remove person={person} contact={removing} name={name(removing.contact)} close={() => setRemoving(undefined)} />}
    </section>
  )
}

interface Dialog {
  person: Schemas['EmployeeView']
  contact: Contact
  name: string
  close: () => void
}

function useChanged(id: string) {
  const client = useQueryClient()
  return () => {
    for (const queryKey of [['contacts', id], ['file', id], ['person', id], ['untold-contacts'], ['home', 'untold']]) void client.invalidateQueries({ queryKey })
  }
}

const notLater = (d: Dayjs) => d.isAfter(dayjs(), 'day')

function Tell({ person, contact, name, close }: Dialog) {
  const t = useTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const changed = useChanged(person.id)
  const [form] = Form.useForm<{ on: Dayjs; by: string }>()
  const [error, setError] = useState<unknown>()
  const ways = person.fields.find((f) => f.key === 'emergency_contact_informed_by')?.choices ?? []
  const prefix = contact.contact === 1 ? 'emergency_contact_' : `emergency_contact_${contact.contact}_`
  const save = useMutation({
    mutationFn: ({ on, by }: { on: Dayjs; by: string }) =>
      ok<Schemas['EmployeeView'] | Schemas['ApprovalView']>(
        api.PATCH('/api/v1/employees/{id}', { params: { path: { id: person.id } }, body: { fields: { [`${prefix}informed`]: 'yes', [`${prefix}informed_on`]: on.format('YYYY-MM-DD'), [`${prefix}informed_by`]: by } } }),
      ),
    onMutate: () => setError(undefined),
    onSuccess: (answer) => {
      if (outcome(answer)) void message.success(t('saved'))
      changed()
      close()
    },
    onError: setError,
  })
  const required = [{ required: true, message: t('required') }]
  return (
    <Modal open title={t('tellTitle', { name })} okText={t('save')} cancelText={t('cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={save.isPending} mask={{ closable: false }}>
      <Typography.Paragraph type="secondary">{t('tellHint')}</Typography.Paragraph>
      <Form form={form} layout="vertical" requiredMark={false} disabled={save.isPending} initialValues={{ on: dayjs() }} onFinish={(v) => save.mutate(v)}>
        <Form.Item name="on" label={t('on')} rules={required}>
          <DatePicker disabledDate={notLater} style={{ width: '100%' }} />
        </Form.Item>
        <Form.Item name="by" label={t('by')} rules={required}>
          <Select options={ways.map((w) => ({ value: w.code, label: w.text }))} />
        </Form.Item>
        <ProblemAlert error={error} />
      </Form>
    </Modal>
  )
}

interface Asked {
  form: Schemas['RemoveContactInputBody']['form']
  received_on: Dayjs
  kept_at: string
}

function Remove({ person, contact, name, close }: Dialog) {
  const t = useTexts()
  const { message } = App.useApp()
  const changed = useChanged(person.id)
  const [form] = Form.useForm<Asked>()
  const [error, setError] = useState<unknown>()
  const send = useMutation({
    mutationFn: (asked: Asked) =>
      ok(
        api.POST('/api/v1/employees/{id}/emergency-contacts/{contact}/removal', {
          params: { path: { id: person.id, contact: contact.contact } },
          body: { employment_id: contact.employment_id, form: asked.form, received_on: asked.received_on.format('YYYY-MM-DD'), kept_at: asked.kept_at.trim() },
        }),
      ),
    onMutate: () => setError(undefined),
    onSuccess: () => {
      void message.success(t('removed'))
      changed()
      close()
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  const required = [{ required: true, message: t('required') }]
  return (
    <Modal open title={t('removeTitle', { name })} okText={t('removeNow')} okButtonProps={{ danger: true }} cancelText={t('cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={send.isPending} mask={{ closable: false }}>
      <Alert type="warning" showIcon title={t('removeWill', { person: `${person.name} ${person.employee_no}`, name })} style={{ marginBottom: 16 }} />
      <Form form={form} layout="vertical" requiredMark={false} disabled={send.isPending} onFinish={(v) => send.mutate(v)}>
        <Form.Item name="form" label={t('how')} rules={required}>
          <Select options={(['written', 'in_person', 'called_back'] as const).map((value) => ({ value, label: t(value) }))} />
        </Form.Item>
        <Form.Item name="received_on" label={t('received')} rules={required}>
          <DatePicker disabledDate={notLater} style={{ width: '100%' }} />
        </Form.Item>
        <Form.Item name="kept_at" label={t('keptAt')} extra={t('keptAtHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
          <Input maxLength={200} autoComplete="off" />
        </Form.Item>
        <ProblemAlert error={error} />
      </Form>
    </Modal>
  )
}
