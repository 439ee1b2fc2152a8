import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { Alert, App, Button } from 'antd'
import { useEffect, useRef } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'

import { api, ok, type Schemas } from '../api/client'
import { useShellTexts } from './texts'
import { relative, useNow } from './times'

const KEY = ['calls', 'open']

/** How often a broken stream is opened again while nobody does anything: asking on and on would keep the session alive. */
const PATIENCE = 3

/** Follows the open calls while the window is looked at: of many windows, one has a connection. */
function follow(client: QueryClient) {
  let source: EventSource | undefined
  let later: ReturnType<typeof setTimeout> | undefined
  let breaks = 0
  const put = (event: MessageEvent<string>) => {
    client.setQueryData(KEY, JSON.parse(event.data))
    if (event.type === 'changed') void client.invalidateQueries({ predicate: ({ queryKey: [of, which] }) => of === KEY[0] && which !== KEY[1] })
  }
  const end = () => {
    clearTimeout(later)
    source?.close()
    source = undefined
  }
  const begin = () => {
    if (source || document.hidden) return
    source = new EventSource('/api/v1/emergency-calls/events')
    for (const kind of ['snapshot', 'changed']) source.addEventListener(kind, put)
    source.onerror = () => {
      end()
      if (breaks++ < PATIENCE) later = setTimeout(begin, 5_000)
    }
  }
  const active = () => {
    breaks = 0
    if (document.hidden) end()
    else begin()
  }
  const signs = [[document, 'visibilitychange'], [window, 'pointerdown'], [window, 'keydown']] as const
  for (const [on, sign] of signs) on.addEventListener(sign, active)
  begin()
  return () => {
    for (const [on, sign] of signs) on.removeEventListener(sign, active)
    end()
  }
}

/** Somebody calls HR in an emergency, and nobody looks after it yet: told on every screen, at once. */
export function OpenCalls() {
  const t = useShellTexts()
  const client = useQueryClient()
  const navigate = useNavigate()
  const here = useLocation().pathname
  const { notification } = App.useApp()
  const now = useNow()
  const known = useRef<ReadonlySet<string>>(undefined)
  const calls = useQuery({
    queryKey: KEY,
    queryFn: () => ok(api.GET('/api/v1/emergency-calls', { params: { query: { state: 'open', limit: 50 } } })),
    retry: false,
    staleTime: 20_000,
  })
  useEffect(() => follow(client), [client])
  const items = calls.data?.items
  const first = items?.[0]
  const about = (call: Schemas['EmergencyCall']) => [t('callBy', { who: call.caller?.name ?? '' }), call.person && t('callAbout', { who: `${call.person.name} ${call.person.employee_no}` }), relative(call.called_at, Math.max(now, Date.parse(call.called_at)))].filter(Boolean).join(' · ')
  useEffect(() => {
    if (!items) return
    const before = known.current
    known.current = new Set(items.map((c) => c.id))
    if (items.length === 0) return notification.destroy(KEY.join())
    const fresh = before && items.find((c) => !before.has(c.id))
    // Over whatever is open, a dialog too; the emergency screen shows it by itself.
    if (!fresh || here === '/emergency') return
    notification.error({
      key: KEY.join(),
      title: t('openCalls', { n: items.length }),
      description: about(fresh),
      duration: 0,
      placement: 'bottomRight', // the menu, the search and the banner stay free
      role: 'alert',
      actions: (
        <Button
          type="primary"
          danger
          onClick={() => {
            notification.destroy(KEY.join())
            void navigate('/emergency')
          }}
        >
          {t('openCallsDo')}
        </Button>
      ),
    })
    // Told once, when the list changes.
  }, [items]) // eslint-disable-line react-hooks/exhaustive-deps
  if (!items || !first) return null
  return (
    <div className="calls">
      <Alert type="error" showIcon role="alert" title={t('openCalls', { n: items.length })} description={about(first)} action={here === '/emergency' ? undefined : <Link to="/emergency">{t('openCallsDo')}</Link>} />
    </div>
  )
}
