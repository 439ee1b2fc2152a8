import { Select, Tabs } from 'antd'
import { useState, type ReactNode } from 'react'

import { useWide } from './wide'

/** The parts of a page: as tabs where there is room, on a phone as a list to choose from. */
export function Parts({ label, items }: { label: string; items: { key: string; label: string; children: ReactNode }[] }) {
  const wide = useWide()
  const [chosen, setChosen] = useState(items[0]?.key)
  if (wide) return <Tabs activeKey={chosen} onChange={setChosen} items={items} />
  return (
    <>
      <Select
        aria-label={label}
        value={chosen}
        onChange={setChosen}
        options={items.map((i) => ({ value: i.key, label: i.label }))}
        style={{ width: '100%', marginBottom: 16 }}
      />
      {items.find((i) => i.key === chosen)?.children}
    </>
  )
}
