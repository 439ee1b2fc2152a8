import { Button, DatePicker, Flex } from 'antd'
import dayjs from 'dayjs'
import timezone from 'dayjs/plugin/timezone'
import utc from 'dayjs/plugin/utc'
import { useEffect, useState } from 'react'

import { language } from '../../shell/language'
import { day, instant } from '../../shell/times'
import { useDepartureTexts } from './texts'

dayjs.extend(utc)
dayjs.extend(timezone)

/** A time zone as people call it: 中国标准时间. */
export function zoneName(zone: string, at = new Date().toISOString()) {
  const parts = new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: zone, timeZoneName: 'long' }).formatToParts(new Date(at))
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? zone
}

/** 邮箱、财务; mail, finance. */
export const listed = (items: string[]) => items.join(language() === 'zh' ? '、' : ', ')

/** A date or an instant as the API writes it into the texts of changes, as it is written here. */
export function changeText(text: string | undefined) {
  if (!text) return ''
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return day(text)
  const at = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d) \(([^,]+), UTC([+-]\d\d:\d\d)?\)$/.exec(text)
  return at ? instant(`${at[1]}T${at[2]}:00${at[4] ?? 'Z'}`, at[3]) : text
}

// Of a fixed width, so that no date is taken for typed before its last digit is.
const days = ['YYYY-MM-DD', 'YYYYMMDD', 'YYYY/MM/DD', 'YYYY.MM.DD']
const instants = ['YYYY-MM-DD HH:mm', 'YYYYMMDD HH:mm', 'YYYY/MM/DD HH:mm']

interface Input<T> {
  id?: string
  value?: T
  onChange?: (value: T | undefined) => void
  /** What it is if it is left out; shown as if it had been typed. */
  derived?: T
  required?: boolean
  disabled?: boolean
  presets?: { label: string; value: dayjs.Dayjs }[]
}

/** A day, that is typed or chosen. */
export function DayInput({ id, value, onChange, derived, required, disabled, presets }: Input<string>) {
  const shown = value ?? derived
  return (
    <DatePicker
      id={id}
      style={{ width: '100%' }}
      format={days}
      value={shown ? dayjs(shown) : null}
      onChange={(d) => onChange?.(d ? d.format('YYYY-MM-DD') : undefined)}
      allowClear={value !== undefined}
      aria-required={required}
      disabled={disabled}
      presets={presets}
      placeholder="YYYY-MM-DD"
    />
  )
}

/** An instant by the clock of a zone, whatever the zone of this computer is. */
export function InstantInput({ id, value, onChange, derived, disabled, zone }: Input<string> & { zone?: string }) {
  const t = useDepartureTexts()
  const shown = value ?? derived
  const wall = shown && (zone ? dayjs(shown).tz(zone) : dayjs(shown)).format('YYYY-MM-DDTHH:mm')
  return (
    <Flex gap={8}>
      <DatePicker
        id={id}
        style={{ width: '100%' }}
        showTime={{ format: 'HH:mm' }}
        showNow={false}
        format={instants}
        value={wall ? dayjs(wall) : null}
        onChange={(d) => onChange?.(d ? (zone ? dayjs.tz(d.format('YYYY-MM-DDTHH:mm'), zone) : d).toISOString() : undefined)}
        needConfirm={false}
        allowClear={value !== undefined}
        disabled={disabled}
        placeholder="YYYY-MM-DD HH:mm"
      />
      <Button disabled={disabled} onClick={() => onChange?.(new Date().toISOString())}>
        {t('now')}
      </Button>
    </Flex>
  )
}

/** A value once it has rested for a moment. */
export function useRested<T>(value: T, ms = 300): T {
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms)
    return () => clearTimeout(timer)
    // Values are compared by what they say: each render makes new objects.
  }, [JSON.stringify(value), ms]) // eslint-disable-line react-hooks/exhaustive-deps
  return rested
}
