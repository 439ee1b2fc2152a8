import { Tag } from 'antd'
import type { ReactNode } from 'react'

export type Tone = 'good' | 'wait' | 'bad' | 'busy' | 'calm'

// Text on its ground at 4.5:1 or better, which Ant Design's green and orange are not.
const tones: Record<Tone, { color: string; background: string }> = {
  good: { color: '#1d6210', background: '#e9f5e1' },
  wait: { color: '#874400', background: '#fdf0dc' },
  bad: { color: '#a8071a', background: '#ffecea' },
  busy: { color: '#0b4a9e', background: '#e6f0fc' },
  calm: { color: 'rgba(0,0,0,0.75)', background: '#efefef' },
}

/** How something stands: a word in a colour, never the colour alone. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <Tag variant="filled" className="sentence" style={{ ...tones[tone], marginInlineEnd: 0, whiteSpace: 'normal' }}>
      {children}
    </Tag>
  )
}
