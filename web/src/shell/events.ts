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
