// What a job that is done has made, or has read.
import type { Job } from '../../api-types'

/** The ids of its dumps as an address has them, `a..b`; null where it has none, or none yet. */
export function dumpsOf({ state, result }: Pick<Job, 'state' | 'result'>): string | null {
  if (state !== 'done' || !result) return null
  const { id, dumps } = result
  const ids = Array.isArray(dumps) ? dumps : [id]
  return ids.every((one) => typeof one === 'string' && one) && ids.length ? ids.join('..') : null
}
