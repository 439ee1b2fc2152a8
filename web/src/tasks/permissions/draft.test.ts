import { describe, expect, it } from 'vitest'

import { addTier, changes, CONFIGURERS, draftOf, grant, levels, move, patternsOf, put, PROTECTED, removeTier, showPatterns, take, type Draft } from './draft'

const base: Draft = {
  tiers: [
    { key: 'hr', name_zh: '人事', name_en: 'HR', role: 'hr_admin', scope: 'all', default: true, members: ['a'] },
    { key: 'pay', name_zh: '薪酬', name_en: 'Pay', role: 'hr_admin', scope: 'all', members: [] },
  ],
  grants: [{ tier: 'hr', group: 'identity', purpose: 'own_request', level: 'look', protected: 'none' }],
  protected: [],
  configurers: ['a'],
  limits: { people_per_day: 10, looks_per_week: 3 },
  patterns: [{ legal_entity_id: 'de', shown: true }],
}
const cell = { tier: 'hr', group: 'identity', purpose: 'own_request' } as const

describe('a draft of permissions', () => {
  it('has all that is decided, so that sending it resets nothing', () => {
    expect(draftOf(base)).toEqual(base)
  })
  it('moves somebody once, and back without a trace', () => {
    const moved = move(base, 'hr', 'pay', 'a')
    expect(changes(base, moved)).toEqual([
      { what: 'left', key: 'hr', who: 'a' },
      { what: 'joined', key: 'pay', who: 'a' },
    ])
    expect(changes(base, move(moved, 'pay', 'hr', 'a'))).toEqual([])
    expect(put(moved, 'pay', 'a')).toBe(moved)
  })
  it('keeps the lists beside the tiers apart', () => {
    const d = put(take(base, CONFIGURERS, 'a'), PROTECTED, 'a')
    expect(changes(base, d)).toEqual([
      { what: 'joined', key: PROTECTED, who: 'a' },
      { what: 'left', key: CONFIGURERS, who: 'a' },
    ])
  })
  it('grants nothing that is not there, and leaves nothing behind that grants nothing', () => {
    expect(levels(base, { ...cell, purpose: 'payroll' })).toEqual({ level: 'none', protected: 'none' })
    const none = grant(base, cell, { level: 'none' })
    expect(none.grants).toEqual([])
    expect(changes(base, none)).toEqual([{ what: 'cell', cell, before: 'look', after: 'none' }])
    expect(changes(base, grant(base, cell, { protected: 'look_after_review' }))).toEqual([{ what: 'cellProtected', cell, before: 'none', after: 'look_after_review' }])
  })
  it('removes a tier with what it granted', () => {
    const d = removeTier(addTier(base, { name_zh: '新', name_en: 'New', role: 'hr_admin', scope: 'legal_entity' }), 'hr')
    expect(d.grants).toEqual([])
    expect(changes(base, d).map((c) => c.what)).toEqual(['tierNew', 'tierGone', 'left', 'cell'])
  })
  it('switches patterns, and leaves them to the default again', () => {
    expect(patternsOf(base, 'cn')).toBeUndefined()
    const off = showPatterns(base, 'cn', false)
    expect(changes(base, off)).toEqual([{ what: 'patterns', entity: 'cn', before: undefined, after: false }])
    expect(changes(base, showPatterns(off, 'cn', undefined))).toEqual([])
    expect(showPatterns(base, 'de', undefined).patterns).toEqual([]) // not left out: that would change nothing
  })
})
