import type { Schemas } from '../../api/client'

/** Whether a field has to do with the person: what only HR on duty has is nothing to the others, who have none. */
export const concerns = (f: Pick<Schemas['Field'], 'key' | 'value' | 'masked' | 'purged'>) => !/^duty_(phone|email)$/.test(f.key) || !!f.value || !!f.masked || f.purged
