import type { Schemas } from '../../api/client'

export type Section = Schemas['OwnSection']
export type Field = Schemas['OwnField']
export type Notice = Schemas['OwnNotice']
export type Draft = { sections: Section[]; fields: Field[]; notices: Notice[] }

/** What may change of a field that is in force. */
export const editable = ['label_zh', 'label_en', 'notice_zh', 'notice_en', 'basis_zh', 'basis_en', 'purposes', 'choices'] as const

export type Change =
  | { what: 'sectionNew'; at: string; section: Section }
  | { what: 'section'; at: string; section: Section; before: Section }
  | { what: 'fieldNew'; at: string; field: Field }
  | { what: 'field'; at: string; field: Field; parts: (typeof editable)[number][] }
  | { what: 'retired' | 'revived'; at: string; field: Field }
  | { what: 'notice'; at: string; notice: Notice }
  | { what: 'noticeGone'; at: string; field: string }

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** What a draft changes of what is in force, each with the place that it is about. */
export function changes(before: Draft, draft: Draft): Change[] {
  const all: Change[] = []
  for (const section of draft.sections) {
    const was = before.sections.find((s) => s.key === section.key)
    if (!was) all.push({ what: 'sectionNew', at: `section ${section.key}`, section })
    else if (!same(was, section)) all.push({ what: 'section', at: `section ${section.key}`, section, before: was })
  }
  for (const field of draft.fields) {
    const at = `field ${field.key}`
    const was = before.fields.find((f) => f.key === field.key)
    if (!was) {
      all.push({ what: 'fieldNew', at, field })
      continue
    }
    const parts = editable.filter((part) => !same(was[part], field[part]))
    if (parts.length > 0) all.push({ what: 'field', at, field, parts })
    if (!!was.retired !== !!field.retired) all.push({ what: field.retired ? 'retired' : 'revived', at, field })
  }
  for (const notice of draft.notices) if (!same(before.notices.find((n) => n.field === notice.field), notice)) all.push({ what: 'notice', at: `notice ${notice.field}`, notice })
  for (const notice of before.notices) if (!draft.notices.some((n) => n.field === notice.field)) all.push({ what: 'noticeGone', at: `notice ${notice.field}`, field: notice.field })
  return all
}

/** A key that nobody sees: from the English name, and unlike those that there are. */
export function keyOf(name: string, prefix: string, taken: string[]): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 32) || 'x'
  for (let n = 1; ; n++) {
    const key = prefix + (n === 1 ? slug : `${slug}_${n}`)
    if (!taken.includes(key)) return key
  }
}

/** Of what a location of the API's answer tells: fields[2].label_zh is about the third field, its Chinese name. */
export function placeOf(draft: Draft, path: (string | number)[]): { at: string; name: (string | number)[] } | undefined {
  const [list, i, ...name] = path
  if (typeof i !== 'number') return undefined
  if (list === 'sections' && draft.sections[i]) return { at: `section ${draft.sections[i].key}`, name }
  if (list === 'fields' && draft.fields[i]) return { at: `field ${draft.fields[i].key}`, name }
  if (list === 'notices' && draft.notices[i]) return { at: `notice ${draft.notices[i].field}`, name }
  return undefined
}
