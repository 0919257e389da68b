// Answers that were given are kept for a while: going back to a tab shows it at once.
import { ask, askStacks } from '../../api'
import type { Job } from '../../api-types'
import { useAnswer, type Loaded } from '../../loading'
import type { Stacks } from '../../stacks'

/** Stacks may be some MB each. */
const MOST = 24
type OnJob = (job: Job) => void
const asked = new Map<string, Promise<unknown>>()
const given = new Map<string, unknown>()

function kept<T>(at: string, ask: () => Promise<T>): Promise<T> {
  const found = asked.get(at) as Promise<T> | undefined
  if (found) return found
  const answer = ask()
  asked.set(at, answer)
  answer.then(
    (value) => given.set(at, value),
    () => forget(at),
  )
  for (const oldest of [...asked.keys()].slice(0, -MOST)) forget(oldest)
  return answer
}

/** Asks again the next time. */
function forget(at: string): void {
  asked.delete(at)
  given.delete(at)
}

function useKept<T>(at: string | null, ask: (onJob: OnJob) => Promise<T>): Loaded<T> {
  const found = useAnswer<T>(at, (_, onJob) => kept(at!, () => ask(onJob)))
  const had = at === null ? undefined : (given.get(at) as T | undefined)
  return had === undefined ? found : { ...found, value: had, isLoading: false }
}

/** A JSON answer of the API; null asks nothing. */
export const useJson = <T>(at: string | null): Loaded<T> => useKept(at, (onJob) => ask<T>(at!, { onJob }))

/** Stacks of the API. */
export const useStacks = (at: string | null): Loaded<Stacks> => useKept(at, (onJob) => askStacks(at!, { onJob }))
