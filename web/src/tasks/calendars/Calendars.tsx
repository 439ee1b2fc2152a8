import { useQueries } from '@tanstack/react-query'
import { Alert, Card, Flex, Segmented, Select, Skeleton, Typography } from 'antd'
import dayjs from 'dayjs'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { language, listed } from '../../shell/language'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { day } from '../../shell/times'
import { lawName } from '../organisation/words'
import './calendars.css'
import { useTexts } from './texts'

type Day = Schemas['CalendarDayView']

const thisYear = dayjs().year()
const years = [thisYear - 1, thisYear, thisYear + 1]

/** Days of one name that follow each other, as one line. */
function spans(days: Day[]) {
  const all: { first: Day; last: Day }[] = []
  for (const d of days) {
    const before = all.at(-1)
    if (before && before.first.kind === d.kind && before.first.name === d.name && dayjs(d.date).diff(before.last.date, 'day') === 1) before.last = d
    else all.push({ first: d, last: d })
  }
  return all
}

const weekday = (date: string) => new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', { weekday: 'short', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))
const withWeekday = (date: string) => (language() === 'zh' ? `${day(date)} ${weekday(date)}` : `${weekday(date)}, ${day(date)}`)

/** By which days the periods of the law are counted, where the companies are. */
export default function Calendars() {
  const t = useTexts()
  const entities = usePages(['legal-entities', 'calendars'], (cursor) => ok(api.GET('/api/v1/legal-entities', { params: { query: { cursor, limit: 200 } } })))
  const places = [...new Map(entities.rows.filter((e) => /^[A-Z]{2}$/.test(e.jurisdiction)).map((e) => [`${e.jurisdiction} ${e.region ?? ''}`, e])).values()]
  const [chosen, setChosen] = useState<string>()
  const [year, setYear] = useState(thisYear)
  const keyOf = (e: Schemas['LegalEntityView']) => `${e.jurisdiction} ${e.region ?? ''}`
  const nameOf = (e: Schemas['LegalEntityView']) => [lawName(e.jurisdiction, ''), e.region].filter(Boolean).join(' · ')
  const calendars = useQueries({
    queries: places.flatMap((e) =>
      years.map((y) => ({
        queryKey: ['calendar', e.jurisdiction, e.region, y],
        queryFn: () => ok(api.GET('/api/v1/calendars/{jurisdiction}', { params: { path: { jurisdiction: e.jurisdiction }, query: { year: y, region: e.region } } })),
        staleTime: 300_000,
      })),
    ),
  })
  const of = (place: number, y: number) => calendars[place * years.length + years.indexOf(y)]
  const at = Math.max(0, places.findIndex((e) => keyOf(e) === chosen))
  const shown = of(at, year)
  const error = entities.error ?? calendars.find((c) => c.error)?.error
  const missing = places.flatMap((e, i) => {
    const unknown = years.filter((y) => y >= thisYear && of(i, y)?.data?.known === false)
    return unknown.length > 0 ? [{ key: keyOf(e), place: nameOf(e), years: listed(unknown.map(String)) }] : []
  })
  return (
    <div style={{ maxWidth: 900 }}>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
      <Flex vertical gap={16}>
        <ProblemAlert error={error} retry={() => void Promise.all([entities.refetch(), ...calendars.map((c) => c.refetch())])} />
        {missing.map((m) => (
          <Alert key={m.key} type="warning" showIcon title={t('missing', m)} />
        ))}
        {entities.isPending && <Skeleton active />}
        {places.length > 0 && (
          <>
            <Card size="small" title={<h2 className="card-title">{t('known')}</h2>}>
              <ul className="calendar">
                {places.map((e, i) => (
                  <li key={keyOf(e)}>
                    <Flex vertical>
                      <strong>{nameOf(e)}</strong>
                      <Typography.Text type="secondary">{t('companies', { names: listed(entities.rows.filter((x) => keyOf(x) === keyOf(e)).map((x) => x.name)) })}</Typography.Text>
                    </Flex>
                    <Flex gap={8} wrap>
                      {years.map((y) => {
                        const known = of(i, y)?.data?.known
                        return known === undefined ? null : (
                          <State key={y} tone={known ? 'good' : 'wait'}>
                            {t('year', { year: y })} {t(known ? 'yes' : 'no')}
                          </State>
                        )
                      })}
                    </Flex>
                  </li>
                ))}
              </ul>
            </Card>
            <Card size="small" title={<h2 className="card-title">{t('days')}</h2>}>
              <Flex gap={8} wrap style={{ marginBottom: 12 }}>
                <Select aria-label={t('choosePlace')} style={{ minWidth: 160 }} value={keyOf(places[at]!)} onChange={setChosen} options={places.map((e) => ({ value: keyOf(e), label: nameOf(e) }))} />
                <Segmented aria-label={t('chooseYear')} value={year} onChange={setYear} options={years.map((y) => ({ value: y, label: t('year', { year: y }) }))} />
              </Flex>
              {!shown || shown.isPending ? (
                <Skeleton active />
              ) : (
                shown.data && (
                  <>
                    <Typography.Paragraph>{shown.data.note}</Typography.Paragraph>
                    {shown.data.days.length === 0 && shown.data.known && <Typography.Text type="secondary">{t('none')}</Typography.Text>}
                    <ul className="calendar">
                      {spans(shown.data.days).map(({ first, last }) => (
                        <li key={`${first.date} ${first.name}`}>
                          <span>
                            <time dateTime={first.date}>{first === last ? withWeekday(first.date) : t('toDay', { from: withWeekday(first.date), to: withWeekday(last.date) })}</time>
                            {first.name !== first.kind_text && (
                              <>
                                <br />
                                <Typography.Text type="secondary">{first.name}</Typography.Text>
                              </>
                            )}
                          </span>
                          <State tone={first.kind === 'worked' ? 'wait' : 'calm'}>{first.kind_text}</State>
                        </li>
                      ))}
                    </ul>
                    {shown.data.source && <Typography.Paragraph type="secondary" style={{ margin: '12px 0 0', overflowWrap: 'anywhere' }}>{t('source')}<span lang={/[\u4e00-\u9fff]/.test(shown.data.source) ? 'zh-CN' : undefined}>{shown.data.source}</span></Typography.Paragraph>}
                  </>
                )
              )}
            </Card>
          </>
        )}
      </Flex>
    </div>
  )
}
