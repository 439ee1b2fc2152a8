import type { Schemas } from '../../api/client'
import type { Tone } from '../../shell/state'

type Departure = Schemas['DepartureView']

export const stageTone: Record<Departure['stage'], Tone> = {
  pending_departure: 'wait', departed: 'busy', purging: 'busy', purged: 'good', withdrawn: 'calm', annulled: 'calm',
}

/** Accounts that are open after the cutoff are red, whatever the system says of them. */
export function accountsTone(d: Pick<Departure, 'accounts_state' | 'access_cutoff_at' | 'stage'>): Tone {
  switch (d.accounts_state) {
    case 'needs_attention':
      return 'bad'
    case 'settled':
      return 'good'
    case 'relinked':
      return 'calm'
    case 'unlinking':
    case 'relinking':
      return 'busy'
    default:
      return takenBack(d.stage) ? 'calm' : Date.parse(d.access_cutoff_at) < Date.now() - 60_000 ? 'bad' : 'calm'
  }
}

export const accountTone: Record<Schemas['AccountView']['state'], Tone> = {
  linked: 'calm', unlinking: 'busy', accepted: 'busy', disabled: 'good', detached: 'good', not_found: 'good', stuck: 'bad', waived: 'wait', relinking: 'busy', relinked: 'calm',
}

export const settledStates: Schemas['AccountView']['state'][] = ['disabled', 'detached', 'not_found', 'waived']

export const retentionTone: Record<Schemas['RetentionView']['state'], Tone> = {
  scheduled: 'calm', held: 'wait', in_review: 'wait', purging: 'busy', purged: 'good', cancelled: 'calm',
}

export const takenBack = (stage: Departure['stage']) => stage === 'withdrawn' || stage === 'annulled'
