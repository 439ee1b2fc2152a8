import type { Schemas } from '../../api/client'

export type Draft = Schemas['Draft']
export type Tier = Schemas['Tier']
export type Grant = Schemas['Grant']
export type Level = Grant['level']

/** The lists of people beside the tiers, which people are put into like into a tier. */
export const PROTECTED = 'protected:'
export const CONFIGURERS = 'configurers:'

/** Everything of a version that people decide: what was left out here would be taken back when it is sent. */
export function draftOf(p: Draft): Draft {
  return structuredClone({ tiers: p.tiers, grants: p.grants, protected: p.protected, configurers: p.configurers, limits: p.limits, patterns: p.patterns })
}

export function membersOf(d: Draft, key: string): string[] {
  if (key === PROTECTED) return d.protected
  if (key === CONFIGURERS) return d.configurers
  return d.tiers.find((tier) => tier.key === key)?.members ?? []
}

function withMembers(d: Draft, key: string, members: string[]): Draft {
  if (key === PROTECTED) return { ...d, protected: members }
  if (key === CONFIGURERS) return { ...d, configurers: members }
  return { ...d, tiers: d.tiers.map((tier) => (tier.key === key ? { ...tier, members } : tier)) }
}

export const put = (d: Draft, key: string, who: string) => (membersOf(d, key).includes(who) ? d : withMembers(d, key, [...membersOf(d, key), who]))

export const take = (d: Draft, key: string, who: string) => withMembers(d, key, membersOf(d, key).filter((id) => id !== who))

export const move = (d: Draft, from: string, to: string, who: string) => (from === to ? d : put(take(d, from, who), to, who))

type Cell = Pick<Grant, 'tier' | 'group' | 'purpose'>

const same = (a: Cell, b: Cell) => a.tier === b.tier && a.group === b.group && a.purpose === b.purpose

/** What a cell grants: nothing, unless it is there. */
export function levels(d: Draft, cell: Cell): { level: Level; protected: Level } {
  return d.grants.find((g) => same(g, cell)) ?? { level: 'none', protected: 'none' }
}

export function grant(d: Draft, cell: Cell, change: Partial<{ level: Level; protected: Level }>): Draft {
  const { level, protected: forProtected } = { ...levels(d, cell), ...change }
  const others = d.grants.filter((g) => !same(g, cell))
  return { ...d, grants: level === 'none' && forProtected === 'none' ? others : [...others, { ...cell, level, protected: forProtected }] }
}

export function addTier(d: Draft, tier: Omit<Tier, 'key' | 'members'>): Draft {
  for (let n = d.tiers.length + 1; ; n++) {
    const key = `tier_${n}`
    if (!d.tiers.some((t) => t.key === key)) return { ...d, tiers: [...d.tiers, { ...tier, key, members: [] }] }
  }
}

export const removeTier = (d: Draft, key: string): Draft => ({ ...d, tiers: d.tiers.filter((t) => t.key !== key), grants: d.grants.filter((g) => g.tier !== key) })

/** Whether patterns of looks by a legal entity's people are shown; undefined: by default. */
export const patternsOf = (d: Draft, entity: string) => d.patterns?.find((s) => s.legal_entity_id === entity)?.shown

export function showPatterns(d: Draft, entity: string, shown: boolean | undefined): Draft {
  const others = (d.patterns ?? []).filter((s) => s.legal_entity_id !== entity)
  return { ...d, patterns: shown === undefined ? others : [...others, { legal_entity_id: entity, shown }] }
}

export type Change =
  | { what: 'patterns'; entity: string; before: boolean | undefined; after: boolean | undefined }
  | { what: 'joined' | 'left'; key: string; who: string }
  | { what: 'tierNew' | 'tierGone' | 'tierChanged'; key: string }
  | { what: 'cell' | 'cellProtected'; cell: Cell; before: Level; after: Level }

/** What a draft changes, one line for each. */
export function changes(before: Draft, after: Draft): Change[] {
  const list: Change[] = []
  const keys = (d: Draft) => d.tiers.map((t) => t.key)
  for (const key of keys(after)) if (!keys(before).includes(key)) list.push({ what: 'tierNew', key })
  for (const key of keys(before)) if (!keys(after).includes(key)) list.push({ what: 'tierGone', key })
  for (const tier of after.tiers) {
    const was = before.tiers.find((t) => t.key === tier.key)
    if (was && (was.name_zh !== tier.name_zh || was.name_en !== tier.name_en || was.scope !== tier.scope)) list.push({ what: 'tierChanged', key: tier.key })
  }
  for (const key of new Set([...keys(before), ...keys(after), PROTECTED, CONFIGURERS])) {
    const [a, b] = [membersOf(before, key), membersOf(after, key)]
    for (const who of b) if (!a.includes(who)) list.push({ what: 'joined', key, who })
    for (const who of a) if (!b.includes(who)) list.push({ what: 'left', key, who })
  }
  const cells: Cell[] = []
  for (const g of [...before.grants, ...after.grants]) if (!cells.some((c) => same(c, g))) cells.push({ tier: g.tier, group: g.group, purpose: g.purpose })
  for (const cell of cells) {
    const [a, b] = [levels(before, cell), levels(after, cell)]
    if (a.level !== b.level) list.push({ what: 'cell', cell, before: a.level, after: b.level })
    if (a.protected !== b.protected) list.push({ what: 'cellProtected', cell, before: a.protected, after: b.protected })
  }
  for (const entity of new Set([...(before.patterns ?? []), ...(after.patterns ?? [])].map((s) => s.legal_entity_id))) {
    const [a, b] = [patternsOf(before, entity), patternsOf(after, entity)]
    if (a !== b) list.push({ what: 'patterns', entity, before: a, after: b })
  }
  return list
}
