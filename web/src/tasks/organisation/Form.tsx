import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Drawer, Flex, Form as AntForm, Input, Select, TimePicker } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useEffect, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useTexts } from './texts'
import { lawName, zoneName } from './words'

type Entity = Schemas['LegalEntityView']
type Department = Schemas['DepartmentView']

export type Edited =
  | { what: 'newEntity' }
  | { what: 'entity'; of: Entity }
  | { what: 'newDepartment'; entity: Entity; parent?: Department }
  | { what: 'department'; of: Department; entity: Entity }

interface Values {
  code: string
  name_zh: string
  name_en: string
  jurisdiction: string
  time_zone: string
  cutoff_time: Dayjs
  parent_id?: string
}

const laws = ['CN', 'DE', 'JP'] // those that the product has rules for

/** A company or a department, entered or changed. */
export function Form({ edited, entities, departments, close }: { edited?: Edited; entities: Entity[]; departments: Department[]; close: () => void }) {
  const t = useTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const [form] = AntForm.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const save = useMutation({
    mutationFn: (v: Values) => send(edited!, v),
    onMutate: () => setError(undefined),
    onSuccess: () => {
      void message.success(t('saved'))
      void client.invalidateQueries({ queryKey: ['legal-entities'] })
      void client.invalidateQueries({ queryKey: ['departments'] })
      close()
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  useEffect(() => {
    if (!edited) return
    setError(undefined)
    form.resetFields()
    form.setFieldsValue(valuesOf(edited))
  }, [edited, form])
  const required = [{ required: true, whitespace: true, message: t('required') }]
  const isNew = edited?.what === 'newEntity' || edited?.what === 'newDepartment'
  const ofEntity = edited?.what === 'newEntity' || edited?.what === 'entity'
  const entity = edited && 'entity' in edited ? edited.entity : undefined
  const own = edited?.what === 'department' ? edited.of : undefined
  const parents = departments.filter((d) => d.legal_entity_id === entity?.id && !isBelow(d, own, departments))
  const zones = [...new Set([...entities.map((e) => e.time_zone), 'Asia/Shanghai', ...Intl.supportedValuesOf('timeZone')])]
  return (
    <Drawer
      open={!!edited}
      onClose={close}
      destroyOnHidden
      size={460}
      mask={{ closable: false }}
      title={edited && titleOf(edited, t)}
      footer={
        <Flex justify="end" gap={8}>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t(isNew ? 'add' : 'save')}
          </Button>
        </Flex>
      }
    >
      <AntForm form={form} layout="vertical" requiredMark={false} disabled={save.isPending} onFinish={(v) => save.mutate(v)} initialValues={edited && valuesOf(edited)}>
        {isNew && (
          <AntForm.Item name="code" label={t('code')} extra={t('codeHint')} rules={required}>
            <Input maxLength={64} autoComplete="off" autoFocus />
          </AntForm.Item>
        )}
        <AntForm.Item name="name_zh" label={t('nameZh')} rules={required}>
          <Input maxLength={200} autoComplete="off" autoFocus={!isNew} />
        </AntForm.Item>
        <AntForm.Item name="name_en" label={t('nameEn')} rules={required}>
          <Input maxLength={200} autoComplete="off" />
        </AntForm.Item>
        {edited?.what === 'newEntity' && (
          <>
            <AntForm.Item name="jurisdiction" label={t('jurisdiction')} extra={t('jurisdictionHint')} rules={required}>
              <Select options={[...new Set([...laws, ...entities.map((e) => e.jurisdiction)])].map((value) => ({ value, label: lawName(value, t('demo')) }))} />
            </AntForm.Item>
            <AntForm.Item name="time_zone" label={t('zone')} extra={t('zoneHint')} rules={required}>
              <Select showSearch={{ optionFilterProp: 'label' }} options={zones.map((value) => ({ value, label: zoneName(value) }))} />
            </AntForm.Item>
          </>
        )}
        {ofEntity && (
          <AntForm.Item name="cutoff_time" label={t('cutoff')} extra={t('cutoffHint')} rules={[{ required: true, message: t('required') }]}>
            <TimePicker format="HH:mm" minuteStep={5} allowClear={false} needConfirm={false} />
          </AntForm.Item>
        )}
        {!ofEntity && (
          <AntForm.Item name="parent_id" label={t('parent')} extra={t('parentHint')}>
            <Select allowClear placeholder={t('noParent')} showSearch={{ optionFilterProp: 'label' }} options={parents.map((d) => ({ value: d.id, label: `${d.name} · ${d.code}` }))} />
          </AntForm.Item>
        )}
        <Flex vertical gap={12}>
          {edited?.what === 'entity' && <Alert type="info" showIcon title={`${t('jurisdiction')}: ${lawName(edited.of.jurisdiction, t('demo'))} · ${zoneName(edited.of.time_zone)}`} />}
          <ProblemAlert error={error} />
        </Flex>
      </AntForm>
    </Drawer>
  )
}

function titleOf(edited: Edited, t: ReturnType<typeof useTexts>) {
  switch (edited.what) {
    case 'newEntity':
      return t('addEntity')
    case 'newDepartment':
      return edited.parent ? t('belowOf', { name: edited.parent.name }) : t('departmentOf', { name: edited.entity.name })
    default:
      return t('changeOf', { name: edited.of.name })
  }
}

const time = (text: string) => dayjs(`2000-01-01T${text}`)

function valuesOf(edited: Edited): Partial<Values> {
  switch (edited.what) {
    case 'newEntity':
      return { jurisdiction: 'CN', time_zone: 'Asia/Shanghai', cutoff_time: time('18:00:00') }
    case 'entity':
      return { name_zh: edited.of.name_zh, name_en: edited.of.name_en, cutoff_time: time(edited.of.cutoff_time) }
    case 'newDepartment':
      return { parent_id: edited.parent?.id }
    case 'department':
      return { name_zh: edited.of.name_zh, name_en: edited.of.name_en, parent_id: edited.of.parent_id }
  }
}

/** Whether d is own, or stands below it: nothing is put below itself. */
function isBelow(d: Department, own: Department | undefined, all: Department[]): boolean {
  for (let at: Department | undefined = d; own && at; at = all.find((x) => x.id === at!.parent_id)) if (at.id === own.id) return true
  return false
}

function send(edited: Edited, v: Values): Promise<unknown> {
  switch (edited.what) {
    case 'newEntity':
      return ok(api.POST('/api/v1/legal-entities', { body: { code: v.code.trim(), name_zh: v.name_zh, name_en: v.name_en, jurisdiction: v.jurisdiction, time_zone: v.time_zone, cutoff_time: v.cutoff_time.format('HH:mm') } }))
    case 'entity':
      return ok(api.PATCH('/api/v1/legal-entities/{id}', { params: { path: { id: edited.of.id } }, body: { name_zh: v.name_zh, name_en: v.name_en, cutoff_time: v.cutoff_time.format('HH:mm') } }))
    case 'newDepartment':
      return ok(api.POST('/api/v1/departments', { body: { code: v.code.trim(), name_zh: v.name_zh, name_en: v.name_en, legal_entity_id: edited.entity.id, parent_id: v.parent_id } }))
    case 'department':
      return ok(
        api.PATCH('/api/v1/departments/{id}', {
          params: { path: { id: edited.of.id } },
          body: { name_zh: v.name_zh, name_en: v.name_en, ...(v.parent_id ? { parent_id: v.parent_id } : edited.of.parent_id ? { no_parent: true } : {}) },
        }),
      )
  }
}
