import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Alert, Button, Drawer, Flex, Form, Input, Select, Switch, Typography } from 'antd'
import type { FormInstance } from 'antd'
import { useEffect } from 'react'

import type { Schemas } from '../../api/client'
import type { Trouble } from './Changes'
import { keyOf, type Draft, type Field, type Notice, type Section } from './draft'
import { inOwn, type Catalogue } from './Fields'
import { useTexts } from './texts'

export type Edited =
  | { what: 'section'; of?: Section }
  | { what: 'field'; section: string; of?: Field; isNew?: boolean }
  | { what: 'notice'; field: Schemas['CatalogueField']; of?: Notice }

type Values = Partial<Field & Notice>

/** A section, a field or a notice, put into the draft. */
export function Edit({ edited, catalogue, draft, before, trouble, set, close }: { edited?: Edited; catalogue: Catalogue; draft: Draft; before: Draft; trouble: Trouble[]; set: (next: Draft, at: string) => void; close: () => void }) {
  const t = useTexts()
  const [form] = Form.useForm<Values>()
  const at = edited && placed(edited)
  useEffect(() => {
    if (!edited) return
    form.resetFields()
    form.setFieldsValue(edited.of ?? (edited.what === 'field' ? { section: edited.section } : {}))
    const found: FormInstance = form // of whatever part of the values
    found.setFields(trouble.filter((x) => x.at === at).map((x) => ({ name: x.name, errors: [x.message] })))
  }, [edited]) // eslint-disable-line react-hooks/exhaustive-deps
  const put = (v: Values) => {
    if (!edited) return
    const next = putInto(draft, edited, v)
    set(next, at ?? '')
    close()
  }
  const takeOut = () => {
    if (!edited) return
    if (edited.what === 'notice') set({ ...draft, notices: draft.notices.filter((n) => n.field !== edited.field.key) }, at!)
    else if (edited.what === 'field') set({ ...draft, fields: draft.fields.filter((f) => f.key !== edited.of!.key) }, at!)
    else set({ ...draft, sections: draft.sections.filter((s) => s.key !== edited.of!.key), fields: draft.fields.filter((f) => f.section !== edited.of!.key) }, at!)
    close()
  }
  const added = !!edited?.of && (edited.what === 'section' ? !before.sections.some((s) => s.key === edited.of!.key) : edited.what === 'field' ? !before.fields.some((f) => f.key === edited.of!.key) : false)
  return (
    <Drawer
      open={!!edited}
      onClose={close}
      size={560}
      mask={{ closable: false }}
      destroyOnHidden
      title={edited && titleOf(edited, draft, t)}
      footer={
        <Flex justify="space-between" gap={8} wrap>
          <span>
            {added && (
              <Button danger onClick={takeOut}>
                {t('remove')}
              </Button>
            )}
            {edited?.what === 'notice' && edited.of && <Button onClick={takeOut}>{t('restore')}</Button>}
          </span>
          <Flex gap={8}>
            <Button onClick={close}>{t('cancel')}</Button>
            <Button type="primary" onClick={() => form.submit()}>
              {t('keep')}
            </Button>
          </Flex>
        </Flex>
      }
    >
      <Form form={form} layout="vertical" requiredMark={false} onFinish={put}>
        {edited?.what === 'section' && (
          <>
            <Line name="label_zh" label={t('labelZh')} most={60} autoFocus />
            <Line name="label_en" label={t('labelEn')} most={60} />
            {!edited.of && <Alert type="info" showIcon title={t('grant')} />}
          </>
        )}
        {edited?.what === 'notice' && (
          <>
            <Typography.Paragraph>{t('programNotice', { text: edited.field.notice })}</Typography.Paragraph>
            {edited.field.section === 'emergency_contact' && <Typography.Paragraph type="secondary">{t('after')}</Typography.Paragraph>}
            <Line name="text_zh" label={t('noticeZh')} most={300} rows autoFocus />
            <Line name="text_en" label={t('noticeEn')} most={300} rows extra={t('noticeHint')} />
          </>
        )}
        {edited?.what === 'field' && <FieldParts catalogue={catalogue} draft={draft} inForce={before.fields.some((f) => f.key === edited.of?.key)} />}
      </Form>
    </Drawer>
  )
}

function FieldParts({ catalogue, draft, inForce }: { catalogue: Catalogue; draft: Draft; inForce: boolean }) {
  const t = useTexts()
  const type = Form.useWatch<Field['type']>('type')
  const required = [{ required: true, message: t('required') }]
  const options = (words: Schemas['Word'][]) => words.map((w) => ({ value: w.value, label: w.text }))
  return (
    <>
      <Line name="label_zh" label={t('labelZh')} most={60} autoFocus />
      <Line name="label_en" label={t('labelEn')} most={60} />
      <Form.Item name="section" label={t('section')} extra={t('stays')} rules={required}>
        <Select disabled={inForce} options={draft.sections.map((s) => ({ value: s.key, label: inOwn(s.label_zh, s.label_en) }))} />
      </Form.Item>
      <Form.Item name="type" label={t('type')} extra={t('stays')} rules={required}>
        <Select disabled={inForce} options={options(catalogue.offers.types)} />
      </Form.Item>
      {type === 'choice' && <Choices />}
      <Form.Item name="category" label={t('category')} extra={`${t('categoryHint')} · ${t('stays')}`} rules={required}>
        <Select disabled={inForce} options={options(catalogue.offers.categories)} />
      </Form.Item>
      <Line name="notice_zh" label={t('noticeZh')} most={300} rows />
      <Line name="notice_en" label={t('noticeEn')} most={300} rows extra={t('noticeHint')} />
      <Line name="basis_zh" label={t('basisZh')} most={300} rows />
      <Line name="basis_en" label={t('basisEn')} most={300} rows extra={t('basisHint')} />
      <Form.Item name="purposes" label={t('purposes')} extra={t('purposesHint')} rules={required}>
        <Select mode="multiple" options={options(catalogue.offers.purposes)} showSearch={{ optionFilterProp: 'label' }} />
      </Form.Item>
      {inForce && (
        <Form.Item name="retired" label={t('retire')} valuePropName="checked">
          <Switch />
        </Form.Item>
      )}
    </>
  )
}

function Choices() {
  const t = useTexts()
  return (
    <Form.List name="choices" rules={[{ validator: (_, all?: unknown[]) => (all?.length ? Promise.resolve() : Promise.reject(new Error(t('required')))) }]}>
      {(rows, { add, remove }, { errors }) => (
        <Form.Item label={t('choices')} extra={t('choicesHint')}>
          {rows.map((row) => (
            <div className="choice" key={row.key}>
              {(['text_zh', 'text_en'] as const).map((part) => (
                <Form.Item key={part} name={[row.name, part]} rules={[{ required: true, whitespace: true, message: t('required') }]}>
                  <Input aria-label={t(part === 'text_zh' ? 'choiceZh' : 'choiceEn')} placeholder={t(part === 'text_zh' ? 'choiceZh' : 'choiceEn')} maxLength={100} autoComplete="off" />
                </Form.Item>
              ))}
              <Button icon={<DeleteOutlined />} aria-label={t('removeChoice')} onClick={() => remove(row.name)} />
            </div>
          ))}
          <Button icon={<PlusOutlined />} onClick={() => add({})}>
            {t('addChoice')}
          </Button>
          <Form.ErrorList errors={errors} />
        </Form.Item>
      )}
    </Form.List>
  )
}

function Line({ name, label, most, rows, extra, autoFocus }: { name: keyof Values; label: string; most: number; rows?: boolean; extra?: string; autoFocus?: boolean }) {
  const t = useTexts()
  return (
    <Form.Item name={name} label={label} extra={extra} rules={[{ required: true, whitespace: true, message: t('required') }]}>
      {rows ? <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} maxLength={most} autoFocus={autoFocus} /> : <Input maxLength={most} autoComplete="off" autoFocus={autoFocus} />}
    </Form.Item>
  )
}

function placed(edited: Edited): string {
  return edited.what === 'notice' ? `notice ${edited.field.key}` : `${edited.what} ${edited.of?.key ?? ''}`
}

function titleOf(edited: Edited, draft: Draft, t: ReturnType<typeof useTexts>) {
  if (edited.what === 'notice') return t('noticeOf', { name: edited.field.label })
  if (edited.of) return t('changeOf', { name: inOwn(edited.of.label_zh, edited.of.label_en) })
  if (edited.what === 'section') return t('addSection')
  const section = draft.sections.find((s) => s.key === edited.section)
  return t('addFieldIn', { name: section ? inOwn(section.label_zh, section.label_en) : '' })
}

/** The draft with what was edited. Keys and codes, which nobody sees, are made from the English names. */
function putInto(draft: Draft, edited: Edited, v: Values): Draft {
  const replaced = <T,>(all: T[], is: (one: T) => boolean, next: T) => (all.some(is) ? all.map((one) => (is(one) ? next : one)) : [...all, next])
  if (edited.what === 'section') {
    const key = edited.of?.key ?? keyOf(v.label_en ?? '', 'custom_', draft.sections.map((s) => s.key))
    return { ...draft, sections: replaced(draft.sections, (s) => s.key === key, { key, label_zh: v.label_zh!.trim(), label_en: v.label_en!.trim() }) }
  }
  if (edited.what === 'notice') {
    const field = edited.field.key
    return { ...draft, notices: replaced(draft.notices, (n) => n.field === field, { field, text_zh: v.text_zh!.trim(), text_en: v.text_en!.trim() }) }
  }
  const key = edited.of?.key ?? keyOf(v.label_en ?? '', 'custom_', draft.fields.map((f) => f.key))
  const codes: string[] = []
  const choices = (v.choices ?? []).map((o) => {
    const code = o.code || keyOf(o.text_en, '', [...codes, ...(v.choices ?? []).map((x) => x.code).filter(Boolean)])
    codes.push(code)
    return { code, text_zh: o.text_zh.trim(), text_en: o.text_en.trim() }
  })
  const { choices: _, retired, ...rest } = { ...edited.of, ...v }
  const next = { ...rest, key, ...(rest.type === 'choice' && { choices }), ...(retired && { retired }) } as Field
  return { ...draft, fields: replaced(draft.fields, (f) => f.key === key, next) }
}
