// What is being asked: a value, an error, or neither yet; a new question ends the old one.
import { useEffect, useState } from 'preact/hooks'
import { Problem } from './api'
import type { Job } from './api-types'

export interface Loaded<T> {
  value?: T
  problem?: Problem
  job?: Job
  isLoading: boolean
  again: () => void
}

/** Asks when `key` changes; the last value stays while the next is on its way. */
export function useAnswer<T>(key: string | null, ask: (signal: AbortSignal, onJob: (job: Job) => void) => Promise<T>): Loaded<T> {
  const [found, tell] = useState<Omit<Loaded<T>, 'again'>>({ isLoading: true })
  const [round, turn] = useState(0)
  useEffect(() => {
    if (key === null) return
    const control = new AbortController()
    tell((old) => ({ ...old, isLoading: true, problem: undefined }))
    ask(control.signal, (job) => !control.signal.aborted && tell((old) => ({ ...old, job })))
      .then((value) => !control.signal.aborted && tell({ value, isLoading: false }))
      .catch((error: unknown) => {
        if (control.signal.aborted || (error as Error).name === 'AbortError') return
        const problem = error instanceof Problem ? error : new Problem(String(error))
        tell({ problem, isLoading: false })
      })
    return () => control.abort()
  }, [key, round])
  return { ...found, again: () => turn((old) => old + 1) }
}
