import { useQuery } from '@tanstack/react-query'

import { api, ok } from '../../api/client'

/** What sensitive fields are opened for, and what for never; of a person, as far as the permissions let oneself. */
export const usePurposes = (person?: string, enabled = true) =>
  useQuery({
    queryKey: ['disclosure-purposes', person],
    enabled,
    queryFn: () => ok(api.GET('/api/v1/disclosure-purposes', { params: { query: { employee_id: person } } })),
    staleTime: person ? 0 : 300_000,
  })
