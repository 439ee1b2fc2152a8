import { useEffect } from 'react'

/** Follows a stream of events of the API (SSE); the browser goes on by itself where it broke off. */
export function useEvents(url: string | undefined, on: (data: unknown, kind: string) => void, kinds: string[] = ['message']) {
  useEffect(() => {
    if (!url) return
    const source = new EventSource(url)
    const listen = (event: MessageEvent<string>) => on(JSON.parse(event.data) as unknown, event.type)
    for (const kind of kinds) source.addEventListener(kind, listen)
    return () => source.close()
    // The callers' functions change with each render; the stream is of the address alone.
  }, [url]) // eslint-disable-line react-hooks/exhaustive-deps
}

/** What the stream of a departure tells of; whatever it is, the departure is read again, in the language of the screen. */
export const told = [
  'snapshot', 'changed', 'departure_started', 'dates_changed', 'withdrawn', 'annulment_requested', 'annulment_dropped', 'annulled', 'unlinking_started', 'nothing_connected',
  'relinking_started', 'accounts_settled', 'accounts_need_attention', 'accounts_resumed', 'accounts_relinked', 'departed', 'purging_began', 'category_purged', 'purged',
]
