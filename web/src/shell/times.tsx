import { Tooltip } from 'antd'
import { useSyncExternalStore } from 'react'

import { language } from './language'
import { useShellTexts } from './texts'

const locale = () => (language() === 'zh' ? 'zh-CN' : 'en-GB')

/** An instant in a zone, by default the person's own: 2026年12月1日 18:00. */
export function instant(at: string, zone?: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(new Date(at))
}

/** A day without a time, as the calendar has it, in no zone. */
export function day(date: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))
}

/** The day of an instant in a zone, of what counts by days. */
export function dayOf(at: string, zone?: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: zone }).format(new Date(at))
}

/** The last day on which something is in time that has to be done before an instant: the day before, if that is a midnight. */
export const lastDayOf = (at: string, zone?: string) => dayOf(new Date(Date.parse(at) - 1).toISOString(), zone)

/** Whether an instant is the end of a day in a zone. */
const endsDay = (at: string, zone?: string) => new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: zone }).format(new Date(at)) === '00:00:00'

/** Until when something is kept: the last day of a period of days; of one that is counted otherwise, the instant. */
export const lastOf = (at: string, zone?: string) => (endsDay(at, zone) ? lastDayOf(at, zone) : instant(at, zone))

/** The same, as an element: every screen that says when something is due says the same day. */
export function Until({ at, zone }: { at: string; zone?: string }) {
  return endsDay(at, zone) ? (
    <time dateTime={at} title={zoneName(zone ?? ownZone, Date.parse(at))}>
      {lastDayOf(at, zone)}
    </time>
  ) : (
    <When at={at} zone={zone} />
  )
}

/** Chinese with a blank between its characters and what a number says: 3 天后, 约 2 小时. */
export const apart = (said: string) =>
  said.replace(/(\d)\s*(秒|分|小|天)/g, '$1 $2').replace(/(约)\s*(\d)/g, '$1 $2').replace(/秒钟/g, '秒')

/** How long until an instant or since it: 3 天后, 2 hours ago. */
export function relative(at: string, now = Date.now()) {
  const seconds = (Date.parse(at) - now) / 1000
  const [size, unit] = ([[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']] as const).find(([s]) => Math.abs(seconds) >= s) ?? [1, 'second']
  return apart(new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(Math.trunc(seconds / size), unit))
}

let clock = Date.now()
const watchers = new Set<() => void>()
let ticking: ReturnType<typeof setInterval> | undefined
const tick = () => {
  clock = Date.now()
  for (const watcher of watchers) watcher()
}

const watch = (watcher: () => void) => {
  if (watchers.size === 0) {
    clock = Date.now()
    ticking = setInterval(tick, 30_000)
  }
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
    if (watchers.size === 0) clearInterval(ticking)
  }
}
const time = () => clock

/** The time, on half a minute: what is told by it goes on while a screen stays open. */
export const useNow = () => useSyncExternalStore(watch, time)

/** How long until an instant or since it, as it goes on. */
export function Ago({ at }: { at: string }) {
  useNow()
  return <>{relative(at)}</>
}

const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What people call a zone: China Standard Time. */
export const zoneName = (zone: string, at = Date.now()) =>
  new Intl.DateTimeFormat(locale(), { timeZone: zone, timeZoneName: 'long' }).formatToParts(at).find((p) => p.type === 'timeZoneName')?.value ?? zone

/** An instant in the zone that matters, with the own one beside it where they differ; which zone it is, it says when pointed at. */
export function When({ at, zone }: { at: string; zone?: string }) {
  const t = useShellTexts()
  const shown = instant(at, zone)
  const own = instant(at)
  if (!zone || zone === ownZone || own === shown) return <time dateTime={at} title={zoneName(zone ?? ownZone, Date.parse(at))}>{shown}</time>
  return (
    <Tooltip title={zoneName(zone, Date.parse(at))}>
      <time dateTime={at}>
        {shown} <small>({t('yourTime', { time: own })})</small>
      </time>
    </Tooltip>
  )
}
