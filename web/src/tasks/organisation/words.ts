import { language } from '../../shell/language'

const locale = () => (language() === 'zh' ? 'zh-CN' : 'en-GB')

/** By whose law: a country by its name. */
export const lawName = (code: string, demo: string) => (/^[A-Z]{2}$/.test(code) ? (new Intl.DisplayNames(locale(), { type: 'region' }).of(code) ?? code) : demo)

/** A time zone by its name and its city, which people know. */
export function zoneName(zone: string) {
  const long = new Intl.DateTimeFormat(locale(), { timeZone: zone, timeZoneName: 'longGeneric' }).formatToParts(new Date()).find((p) => p.type === 'timeZoneName')?.value
  return long ? `${long} (${zone})` : zone
}

/** 18:00:00 as 18:00. */
export const clockTime = (time: string) => time.slice(0, 5)
