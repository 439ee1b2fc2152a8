import { Tag } from 'antd'

import type { Schemas } from '../../api/client'

const colours = { active: 'green', pending_departure: 'orange', departed: 'default', purged: 'default' } as const

export function Status({ of }: { of: Pick<Schemas['Employee'], 'status' | 'status_text'> }) {
  return <Tag color={colours[of.status]}>{of.status_text}</Tag>
}
