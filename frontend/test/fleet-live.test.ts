import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { remember, running, throttled } from '../src/live'
import type { Job } from '../src/api-types'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('what is asked for often is done at once, and then once in a while, the last one too', () => {
  const done = vi.fn()
  const often = throttled(done, () => 1000)
  often.ask()
  vi.advanceTimersByTime(0)
  expect(done).toHaveBeenCalledTimes(1)
  for (let i = 0; i < 5; i += 1) often.ask()
  vi.advanceTimersByTime(999)
  expect(done).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1)
  expect(done).toHaveBeenCalledTimes(2)
})

test('nothing is done after the end', () => {
  const done = vi.fn()
  const often = throttled(done, () => 1000)
  often.ask()
  often.end()
  vi.runAllTimers()
  expect(done).not.toHaveBeenCalled()
})

test('a job that is over runs no more', () => {
  const job = { id: 'one', state: 'running' } as Job
  remember(job)
  expect(running.value).toEqual([job])
  remember({ ...job, state: 'done' })
  expect(running.value).toEqual([])
  // The answer to a request, begun before it was over.
  remember(job)
  expect(running.value).toEqual([])
})
