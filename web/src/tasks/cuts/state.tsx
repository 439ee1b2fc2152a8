import { useQuery } from '@tanstack/react-query'
import { Flex } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { useMe } from '../../shell/me'
import { State } from '../../shell/state'
import { useCutTexts } from './texts'

type Cut = Schemas['AccessCut']

/** Whether a cut keeps closed what it closed; with the employment it ends, lifted it is open again. */
export const standing = (c: Cut) => c.state === 'unconfirmed' || c.state === 'confirmed'

/** How a cut stands: it is not called cut before everything was read back. */
export function CutState({ of: c }: { of: Cut }) {
  const t = useCutTexts()
  if (c.state === 'lifted') return <State tone="good">{c.state_text}</State>
  if (!standing(c)) return <State tone="calm">{c.state_text}</State>
  if (c.still_on === 0 && c.own_access_off) return <State tone={c.state === 'unconfirmed' ? 'wait' : 'calm'}>{c.state_text}</State>
  return (
    <Flex gap={4} wrap component="span">
      <State tone="bad">{t('partly')}</State>
      {c.state === 'unconfirmed' && <State tone="wait">{t('waits')}</State>}
    </Flex>
  )
}

/** Whether the person has a user here; who does not see users is told what counts: whether there is a login. */
export function useHasUser(c: Cut): boolean {
  const role = useMe().data?.role
  const no = c.person?.employee_no
  const users = useQuery({
    queryKey: ['users', 'of', no],
    enabled: c.own_access_off && !!no && (role === 'hr_admin' || role === 'it_ops' || role === 'auditor'),
    retry: false,
    queryFn: () => ok(api.GET('/api/v1/users', { params: { query: { q: no, limit: 200 } } })),
  })
  return !users.data || users.data.next_cursor !== null || users.data.items.some((u) => u.employee_id === c.employee_id)
}
