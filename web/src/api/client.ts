import createClient from 'openapi-fetch'

import { language } from '../shell/language'
import { isProblem, Refused, Unanswered, type Problem } from './problem'
import { prompt } from './prompts'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

/** Keys of commands whose answer never came: the same command sent again has one effect. */
const unanswered = new Map<string, string>()

const loggedOut = new Set<Problem['code']>(['token_missing', 'session_unknown', 'token_unknown', 'user_ended', 'access_ended'])

async function problemOf(response: Response): Promise<Problem | undefined> {
  if (response.ok || !response.headers.get('Content-Type')?.includes('problem+json')) return undefined
  return (await response.clone().json()) as Problem
}

/** What makes a command the same one; of a file its digest, since it may be large. */
async function contentOf(request: Request): Promise<string> {
  if (request.headers.get('Content-Type')?.includes('json') ?? true) return request.text()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await request.arrayBuffer()))
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('')
}

/** For whom the page is: what was typed is never sent as somebody else, who logged in from another window. */
let person = ''

async function send(request: Request): Promise<Response> {
  if (person) request.headers.set('Lethe-Person', person)
  request.headers.set('Accept-Language', language() === 'zh' ? 'zh-CN' : 'en')
  const command = request.method === 'POST' ? `${request.url} ${await contentOf(request.clone())}` : ''
  if (command) {
    const key = unanswered.get(command) ?? crypto.randomUUID()
    unanswered.set(command, key)
    request.headers.set('Idempotency-Key', key)
  }
  let response: Response
  try {
    response = await fetch(request)
  } catch (cause) {
    throw new Unanswered('no answer', { cause })
  }
  if (response.status < 500) unanswered.delete(command)
  return response
}

/** Sends a request, and again once the person has logged in or confirmed that it is them. */
async function guarded(request: Request): Promise<Response> {
  for (;;) {
    const again = request.clone()
    const response = await send(request)
    const problem = await problemOf(response)
    if (!problem) return response
    if (problem.code === 'session_of_another') {
      await prompt('other')
      location.reload()
      return response
    }
    const wants = loggedOut.has(problem.code) ? (former ? undefined : 'login') : problem.code === 'step_up_required' ? 'stepUp' : undefined
    if (!wants || quiet(request) || !(await prompt(wants))) return response
    request = again
  }
}

let loggedIn = false

/** Whether it is the session of somebody who has left, who logs in by a mailed link alone. */
let former = false

/**
 * Called once somebody is logged in: from then on a session that ended is asked for again, over what is being done. If it
 * is somebody else by now, nothing of the page stays.
 */
export function begun(who: string, byLink: boolean) {
  loggedIn = true
  former = byLink
  if (person && person !== who) location.reload()
  person = who
}

/** Called on logging out: nobody is asked to come back. */
export function ended() {
  loggedIn = false
  person = ''
}

const quiet = (request: Request) => !loggedIn || request.method === 'POST' && /\/(sessions|step-ups|enrolments)(\/|$)/.test(new URL(request.url).pathname)

export const api = createClient<paths>({ baseUrl: location.origin, fetch: guarded, querySerializer: { array: { style: 'form', explode: false } } })

/** The data of an answer; what was refused is thrown as a Refused. */
export async function ok<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer
  if (response.ok) return data as T
  if (error && typeof error === 'object' && 'code' in error) throw new Refused(error as Problem)
  throw new Unanswered(`answered ${response.status}`)
}

/** A step that takes two people is answered with the request for the second one's agreement. */
export function asRequest(answer: object | undefined): Schemas['ApprovalView'] | undefined {
  return answer && 'operation' in answer && 'expires_at' in answer && 'requester' in answer ? (answer as Schemas['ApprovalView']) : undefined
}

export const isNotThere = (error: unknown) => isProblem(error) && error.problem.status === 404
