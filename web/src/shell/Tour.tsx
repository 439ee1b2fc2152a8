import { Button, Tour as Steps } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'

import { language, texts } from './language'
import type { Toured } from './Heading'
import { tours } from './tours'

const useTexts = texts(
  'tour',
  { back: '上一步', next: '下一步', end: '知道了', of: '第 {{n}} 步，共 {{all}} 步' },
  { back: 'Back', next: 'Next', end: 'Done', of: 'Step {{n}} of {{all}}' },
)

const targetOf = (key: string) => {
  const found = document.querySelector<HTMLElement>(key === 'heading' ? '#content h1' : `#content [data-tour="${key}"]`)
  if (!found || found.getClientRects().length === 0) return null
  // What is higher than the screen leaves no room for words: its heading is pointed at.
  return found.offsetHeight > window.innerHeight * 0.5 ? (found.querySelector<HTMLElement>('h2, h3') ?? found) : found
}

/** Shows what stands on a screen, step by step; a step whose target this person does not have is left out. */
export default function Tour({ of }: { of: Toured }) {
  const t = useTexts()
  const here = useLocation()
  const navigate = useNavigate()
  const [steps, setSteps] = useState<(typeof tours)[Toured]>([])
  const [current, setCurrent] = useState(0)
  const next = useRef<HTMLButtonElement>(null)
  const running = steps.length > 0
  const end = () => void navigate(here, { replace: true, state: null })

  // The screen first gets what it asks for.
  useEffect(() => {
    let calm = 0
    const begun = Date.now()
    const look = setInterval(() => {
      const busy = !targetOf('heading') || !!document.querySelector('#content .ant-skeleton')
      calm = busy ? 0 : calm + 1
      if (calm < 3 && Date.now() - begun < 10_000) return
      clearInterval(look)
      setSteps(tours[of].filter((s) => targetOf(s.at)))
    }, 100)
    return () => clearInterval(look)
  }, [of])

  // What is behind cannot be reached meanwhile; afterwards one is where one began.
  useEffect(() => {
    const behind = document.getElementById('root')!
    behind.inert = running
    return () => {
      behind.inert = false
      if (running) document.querySelector<HTMLElement>('.screen-help')?.focus()
    }
  }, [running])
  useEffect(() => {
    if (!running) return
    const later = setTimeout(() => {
      const panel = next.current?.closest('.ant-tour')
      for (const [name, value] of Object.entries({ role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'tour-title', 'aria-describedby': 'tour-text' })) panel?.setAttribute(name, value)
      next.current?.focus({ preventScroll: true })
    }, 100)
    return () => clearTimeout(later)
  }, [running, current])

  if (!running) return null
  const last = current === steps.length - 1
  return (
    <Steps
      open
      current={current}
      onChange={setCurrent}
      onClose={end}
      scrollIntoViewOptions={{ block: 'center' }}
      steps={steps.map((s) => ({
        title: <span id="tour-title">{s[language()][0]}</span>,
        description: <span id="tour-text">{s[language()][1]}</span>,
        target: () => targetOf(s.at)!,
      }))}
      indicatorsRender={(n, all) => <span aria-label={t('of', { n: n + 1, all })} role="img">{`${n + 1} / ${all}`}</span>}
      actionsRender={() => (
        <>
          {current > 0 && <Button onClick={() => setCurrent(current - 1)}>{t('back')}</Button>}
          <Button ref={next} type="primary" autoInsertSpace={false} aria-describedby="tour-title tour-text" onClick={() => (last ? end() : setCurrent(current + 1))}>
            {t(last ? 'end' : 'next')}
          </Button>
        </>
      )}
    />
  )
}
