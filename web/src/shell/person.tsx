import { useQuery } from '@tanstack/react-query'
import { Select, Space, Typography } from 'antd'
import type { SelectProps } from 'antd'
import { useDeferredValue, useState } from 'react'

import { api, ok, type Schemas } from '../api/client'
import { useShellTexts } from './texts'

/** Somebody, never by the name alone: there are namesakes. */
export function Person({ of }: { of?: Schemas['PersonView'] }) {
  if (!of) return null
  return (
    <Space size={6} wrap>
      <span>{of.name}</span>
      <Typography.Text type="secondary">{[of.employee_no, of.department].filter(Boolean).join(' · ')}</Typography.Text>
    </Space>
  )
}

/** Whom a text finds. Nobody while another text's answer is all there is: Enter would take somebody of that one. */
export function useFoundPeople(text: string) {
  const q = useDeferredValue(text.trim())
  const found = useQuery({
    queryKey: ['people', 'found', q],
    enabled: q !== '',
    queryFn: () => ok(api.GET('/api/v1/employees', { params: { query: { q, limit: 20 } } })),
    retry: false,
  })
  const late = q !== text.trim()
  return { data: late ? undefined : found.data, error: found.error, isFetching: late || found.isFetching }
}

/** Finds somebody by name, pinyin or number. */
export function PersonPicker({ value, onChange, ...rest }: { value?: string; onChange?: (id: string | undefined, person?: Schemas['Employee']) => void } & Omit<SelectProps, 'value' | 'onChange'>) {
  const t = useShellTexts()
  const [text, setText] = useState('')
  const found = useFoundPeople(text)
  const chosen = useQuery({
    queryKey: ['person', value],
    enabled: !!value,
    queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: value! } } })),
    staleTime: 60_000,
  })
  const people = new Map<string, Schemas['Employee']>()
  if (chosen.data) people.set(chosen.data.id, chosen.data)
  for (const person of found.data?.items ?? []) people.set(person.id, person)
  return (
    <Select
      showSearch={{ filterOption: false, onSearch: setText }}
      allowClear
      placeholder={t('findPerson')}
      loading={found.isFetching}
      notFoundContent={text && !found.isFetching ? t('noResult') : null}
      value={value}
      onChange={(id: string | undefined) => onChange?.(id, id ? people.get(id) : undefined)}
      options={[...people.values()].map((p) => ({
        value: p.id,
        label: `${p.name} · ${p.employee_no} · ${p.department} · ${p.status_text}`,
      }))}
      // Until the person is there: never what stands in the address.
      labelRender={({ label, value: id }) => (people.has(String(id)) ? label : chosen.error ? t('noResult') : '…')}
      {...rest}
    />
  )
}
