import { useQuery } from '@tanstack/react-query'

import { api, begun, ok, type Schemas } from '../api/client'

export type Role = Schemas['Me']['role']

/** Whether it is somebody who has left, with a session for the own data alone. */
export const hasLeft = (me: Schemas['Me']) => me.session?.authenticated === 'link_totp'

export const useMe = () => useQuery({
    queryKey: ['me'],
    queryFn: async () => {
      const me = await ok(api.GET('/api/v1/me'))
      begun(`${me.employee_id}/${me.role}`, hasLeft(me))
      return me
    },
    staleTime: 60_000,
    retry: false,
  })
