import { Flex, Segmented, Select, Table, Typography } from 'antd'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { language } from '../../shell/language'
import { grant, levels, type Draft, type Level } from './draft'
import type { Names } from './People'
import { useTexts } from './texts'

const colours: Record<Level, string> = { none: '#f5f5f5', look_after_review: '#fff3d6', look: '#d9f0e3' }

/** What one tier may see: purposes down, groups of fields across. */
export function Matrix({ permissions, draft, set, names }: { permissions: Schemas['Permissions']; draft: Draft; set: (d: Draft) => void; names: Names }) {
  const t = useTexts()
  const [chosen, setChosen] = useState(draft.tiers[0]?.key)
  const [of, setOf] = useState<'level' | 'protected'>('level')
  const tier = draft.tiers.find((x) => x.key === chosen) ?? draft.tiers[0]
  if (!tier) return null
  const options = permissions.levels.map((w) => ({ value: w.value as Level, label: w.text }))
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} wrap align="center">
        <Select aria-label={t('tier')} style={{ minWidth: 200 }} value={tier.key} onChange={setChosen} options={draft.tiers.map((x) => ({ value: x.key, label: names.tier(x.key) }))} />
        <Segmented
          aria-label={t('ofProtected')}
          value={of}
          onChange={setOf}
          options={[
            { value: 'level', label: t('ordinary') },
            { value: 'protected', label: t('ofProtected') },
          ]}
        />
      </Flex>
      <Table
        size="small"
        pagination={false}
        rowKey="value"
        scroll={{ x: 'max-content' }}
        dataSource={permissions.purposes}
        columns={[
          { title: t('purpose'), dataIndex: 'text', fixed: 'left', width: 150, render: (text: string) => <Typography.Text strong>{text}</Typography.Text> },
          ...permissions.groups.map((group) => ({
            title: group.text,
            key: group.value,
            render: (_: unknown, purpose: Schemas['Word']) => {
              const cell = { tier: tier.key, group: group.value, purpose: purpose.value } as Parameters<typeof levels>[1]
              const level = levels(draft, cell)[of]
              return (
                <Select
                  size="small"
                  variant="filled"
                  style={{ width: language() === 'zh' ? 122 : 178, background: colours[level], borderRadius: 6 }}
                  aria-label={`${names.tier(tier.key)}, ${purpose.text}, ${group.text}`}
                  value={level}
                  options={options}
                  onChange={(value) => set(grant(draft, cell, { [of]: value }))}
                />
              )
            },
          })),
        ]}
      />
    </Flex>
  )
}
