import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'

/** A list of the API, page by page. One whose reading is recorded is read when somebody asks, never by itself. */
export function usePages<P extends { items: unknown[]; next_cursor: string | null }>(
  key: QueryKey,
  page: (cursor: string | undefined) => Promise<P>,
  enabled = true,
  recorded = false,
) {
  const query = useInfiniteQuery({
    queryKey: key,
    enabled,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => page(pageParam),
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    retry: false,
    ...(recorded && { staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false }),
  })
  return { ...query, rows: (query.data?.pages.flatMap((p) => p.items) ?? []) as P['items'] }
}
