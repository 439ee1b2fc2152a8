import { useQuery } from '@tanstack/react-query'

import { api, ok } from '../../api/client'

/** What sensitive fields are opened for, and what for never. */
export const usePurposes = (enabled = true) =>
  useQuery({ queryKey: ['disclosure-purposes'], enabled, queryFn: () => ok(api.GET('/api/v1/disclosure-purposes')), staleTime: 300_000 })
