import { describe, expect, it } from 'vitest'

import { changes, keyOf, placeOf, type Draft, type Field } from './draft'

const field = (key: string, more: Partial<Field> = {}): Field => ({
  key, section: 'custom_a', category: 'identity', type: 'text', label_zh: '甲', label_en: 'A', notice_zh: '甲', notice_en: 'A', basis_zh: '甲', basis_en: 'A', purposes: ['own_request'], ...more,
})
const before: Draft = { sections: [{ key: 'custom_a', label_zh: '甲', label_en: 'A' }], fields: [field('custom_a')], notices: [{ field: 'home_address', text_zh: '甲', text_en: 'A' }] }

describe('a draft of the field catalogue', () => {
  it('is no change as it is', () => expect(changes(before, structuredClone(before))).toEqual([]))
  it('tells each change', () => {
    const draft: Draft = {
      sections: [{ key: 'custom_a', label_zh: '乙', label_en: 'A' }, { key: 'custom_b', label_zh: '丙', label_en: 'C' }],
      fields: [field('custom_a', { basis_zh: '乙', retired: true }), field('custom_b')],
      notices: [],
    }
    expect(changes(before, draft).map((c) => [c.what, c.at])).toEqual([
      ['section', 'section custom_a'], ['sectionNew', 'section custom_b'], ['field', 'field custom_a'], ['retired', 'field custom_a'], ['fieldNew', 'field custom_b'], ['noticeGone', 'notice home_address'],
    ])
  })
  it('makes keys of its own', () => {
    expect(keyOf('Room, 2nd', 'custom_', [])).toBe('custom_room_2nd')
    expect(keyOf('Room', 'custom_', ['custom_room'])).toBe('custom_room_2')
    expect(keyOf('宿舍', 'custom_', [])).toBe('custom_x')
    expect(keyOf('a'.repeat(80), 'custom_', ['custom_' + 'a'.repeat(32)]).length).toBeLessThan(47)
  })
  it('finds what an error is about', () => {
    expect(placeOf(before, ['fields', 0, 'label_zh'])).toEqual({ at: 'field custom_a', name: ['label_zh'] })
    expect(placeOf(before, ['fields', 3, 'label_zh'])).toBeUndefined()
    expect(placeOf(before, ['base_version'])).toBeUndefined()
  })
})
