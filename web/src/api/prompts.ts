/**
 * What the shell asks the person for while a request waits: to log in again, to confirm that it is them, or to go on as
 * whoever logged in from another window.
 */
export type Prompt = { kind: 'login' | 'stepUp' | 'other'; done: () => void; cancel: () => void }

let current: { prompt: Prompt; promise: Promise<boolean> } | undefined
const listeners = new Set<() => void>()

function tell() {
  for (const listener of listeners) listener()
}

export function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const currentPrompt = () => current?.prompt

/** Says whether the person did what they were asked for; requests that wait for the same share one dialog. */
export function prompt(kind: Prompt['kind']): Promise<boolean> {
  if (current?.prompt.kind === kind) return current.promise
  current?.prompt.cancel()
  let end!: (done: boolean) => void
  const promise = new Promise<boolean>((resolve) => {
    end = (done) => {
      current = undefined
      tell()
      resolve(done)
    }
  })
  current = { prompt: { kind, done: () => end(true), cancel: () => end(false) }, promise }
  tell()
  return promise
}
