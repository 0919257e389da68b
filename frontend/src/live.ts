// What changes while the page is open: whether the server is heard, its jobs, and answers that are asked for again.
import { computed, signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, connection, hear, Problem, type Happening } from './api'
import type { Job, Session } from './api-types'
import type { Loaded } from './loading'

/** Who looks, and what they may; known once the page is shown. */
export const session = signal<Session | null>(null)

/** Whether captures, uploads and notes may be made here; until it is known nothing is offered. */
export const mayCapture = computed(() => session.value?.roles.includes('capture') ?? false)
/** Why not, for those who wonder where the buttons are. */
export const WHY_NOT = 'You may read here, not capture: the token that you came with has the role “read”.'

/** Whether what happens is heard: `true`, `false` while the browser tries again, null before it began. */
export const isHeard = connection

const known = signal<ReadonlyMap<string, Job>>(new Map())
/** All jobs that were heard of, the newest first. */
export const jobs = computed(() => [...known.value.values()].reverse())
/** Those that are not over. */
export const running = computed(() => jobs.value.filter(isRunning))

export const isRunning = (job: Job): boolean => job.state === 'waiting' || job.state === 'running'

/** Takes over what a page was told of jobs. */
export function remember(...told: Job[]): void {
  known.value = newest([...known.value.values(), ...told])
}

/** Jobs by id as they were told last; an answer may be older than what was heard meanwhile, but what is over stays so. */
export function newest(told: readonly Job[]): Map<string, Job> {
  const jobs = new Map<string, Job>()
  for (const job of told) {
    const before = jobs.get(job.id)
    if (!before || isRunning(before) || !isRunning(job)) jobs.set(job.id, job)
  }
  return jobs
}

/** Hears of jobs from now on. */
export function listen(): () => void {
  const end = hear('job', (record) => remember(record as Job))
  void ask<{ jobs: Job[] }>('/api/jobs').then(
    (said) => remember(...[...said.jobs].reverse()),
    () => {},
  )
  return end
}

/** An answer is asked for again after so many times of what it took. */
const SHARE = 20

/**
 * An answer that is asked for again when one of `events` happens and when the server is heard again, at most once in
 * `pause_ms`, and less often where it takes long. The last answer stays while the next is on its way, and when it does
 * not come.
 */
export function useLive<T>(at: string | null, events: readonly Happening[], pause_ms = 2000): Loaded<T> {
  const [found, tell] = useState<Omit<Loaded<T>, 'again'> & { at: string | null }>({ isLoading: true, at })
  const asking = useRef<AbortController | null>(null)
  const turn = useRef<() => void>(() => {})
  useEffect(() => {
    if (at === null) return
    let isGone = false
    let took_ms = 0
    const again = (): void => {
      asking.current?.abort()
      const control = (asking.current = new AbortController())
      const begun = performance.now()
      tell((old) => (old.at === at ? { ...old, isLoading: true } : { isLoading: true, at }))
      ask<T>(at, { signal: control.signal, onJob: (job) => tell((old) => ({ ...old, job })) }).then(
        (value) => {
          if (isGone || asking.current !== control) return
          took_ms = performance.now() - begun
          tell({ value, isLoading: false, at })
        },
        (error: unknown) => {
          if (isGone || asking.current !== control || (error as Error).name === 'AbortError') return
          const problem = error instanceof Problem ? error : new Problem(String(error))
          tell((old) => ({ value: old.value, problem, isLoading: false, at }))
        },
      )
    }
    turn.current = again
    const soon = throttled(() => document.visibilityState === 'visible' && again(), () => Math.max(pause_ms, SHARE * took_ms))
    const ends = events.map((event) => hear(event, soon.ask))
    let wasHeard = connection.value
    ends.push(
      connection.subscribe((is) => {
        if (is && wasHeard === false) soon.ask()
        wasHeard = is
      }),
    )
    const back = (): void => void (document.visibilityState === 'visible' && soon.ask())
    document.addEventListener('visibilitychange', back)
    again()
    return () => {
      isGone = true
      asking.current?.abort()
      soon.end()
      document.removeEventListener('visibilitychange', back)
      for (const end of ends) end()
    }
  }, [at, events.join()])
  return { ...(found.at === at ? found : { isLoading: true }), again: () => turn.current() }
}

/** Calls `then` at once, and after that at most once in `pause_ms` milliseconds, but always after the last call. */
export function throttled(then: () => void, pause_ms: () => number): { ask: () => void; end: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = -Infinity
  const call = (): void => {
    timer = undefined
    last = Date.now()
    then()
  }
  return {
    ask: () => void (timer ??= setTimeout(call, Math.max(last + pause_ms() - Date.now(), 0))),
    end: () => clearTimeout(timer),
  }
}

/** The title of the browser's tab while a page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · caulk` : 'caulk'
  }, [title])
}
