import { useQuery } from '@tanstack/react-query'

import { api, begun, ok, type Schemas } from '../api/client'

export type Role = Schemas['Me']['role']

export const useMe = () => useQuery({
    queryKey: ['me'],
    queryFn: async () => {
      const me = await ok(api.GET('/api/v1/me'))
      begun(`${me.employee_id}/${me.role}`)
      return me
    },
    staleTime: 60_000,
    retry: false,
  })
