import type { components } from './schema'

export type Problem = components['schemas']['Problem']

/** What the API refused, in words for people (RFC 9457). */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title)
  }
}

/** No answer came: whether the request was carried out is not known. */
export class Unanswered extends Error {}

export function isProblem(error: unknown, ...codes: Problem['code'][]): error is Refused {
  return error instanceof Refused && (codes.length === 0 || codes.includes(error.problem.code))
}

/** The name of the form's field that a location of the API means: body.evidence.when is ['evidence', 'when']. */
export function fieldOf(location: string): (string | number)[] {
  return location
    .replace(/^(body|query|path)\.?/, '')
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}
