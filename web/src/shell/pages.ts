import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'

/** A list of the API, page by page. */
export function usePages<T>(key: QueryKey, page: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor: string | null }>, enabled = true) {
  const query = useInfiniteQuery({
    queryKey: key,
    enabled,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => page(pageParam),
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    retry: false,
  })
  return { ...query, rows: query.data?.pages.flatMap((p) => p.items) ?? [] }
}
