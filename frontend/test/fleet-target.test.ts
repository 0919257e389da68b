import { expect, test } from 'vitest'
import type { ReplicaMemory, TargetAnswer } from '../src/fleet-types'
import { marksOf, textOf } from '../src/pages/target/marks'
import { floorOf, fullest, held, kindsOf, replicaName } from '../src/pages/target/memory'
import { timeAround } from '../src/pages/incident/time'

const replica = (name: string, has: Partial<ReplicaMemory> = {}): ReplicaMemory => {
  const times = has.times ?? [0, 60, 120]
  const none = times.map(() => null)
  return { name, times, rss: none, anonymous: none, file: none, shared: none, heap: none, ...has }
}

test('held is what the kernel cannot take back, and without kinds resident memory without pages of files', () => {
  expect(held(replica('a', { anonymous: [10, 20, null], shared: [1, null, null], rss: [99, 99, null] }))).toEqual([11, 20, null])
  expect(held(replica('a', { rss: [100, 100, 100], file: [30, null, 20], shared: [null, null, 5] }))).toEqual([70, 100, 5])
  expect(held(replica('a', { rss: [100, 100, 100], file: [30, 0, 200] }))).toEqual([70, 100, 0])
})

test('the floor is the least around each time, and nothing where nothing was read', () => {
  expect(floorOf([5, 9, null, 7, 8, 3], 1)).toEqual([5, 5, null, 7, 3, 3])
  expect(floorOf([], 1)).toEqual([])
})

test('the replica that is shown is the fullest of those that still run', () => {
  const replicas = [
    replica('small', { anonymous: [1, 2, 3] }),
    replica('full', { anonymous: [1, 2, 9] }),
    replica('gone', { times: [-9000, -8000, -7000], anonymous: [50, 50, 50] }),
  ]
  expect(fullest({ replicas, limit: null, forecast: null })?.name).toBe('full')
  expect(fullest({ replicas: [], limit: null, forecast: null })).toBeNull()
})

test('kinds add up to anonymous, shared and files, the heap being a part of the first', () => {
  const layers = kindsOf(replica('a', { rss: [9, 9, 9], anonymous: [10, 10, 10], heap: [4, null, 99], shared: [1, 0, 0], file: [3, 2, 0] }))
  expect(layers.map((layer) => [layer.label, layer.values])).toEqual([
    ['Heap in use', [4, 0, 10]],
    ['Other anonymous', [6, 10, 0]],
    ['Shared', [1, 0, 0]],
    ['Files', [2, 2, 0]],
  ])
})

test('marks are those of the replica and of all, within the time', () => {
  const at = (seconds: number) => new Date(seconds * 1000).toISOString()
  const target: Pick<TargetAnswer, 'events' | 'dumps' | 'incidents'> = {
    events: [
      { at: at(10), what: 'restart', replica: 'a', limit: 0 },
      { at: at(11), what: 'restart', replica: 'b', limit: 0 },
      { at: at(12), what: 'deploy', replica: 'b', limit: 0 },
      { at: at(99), what: 'oom', replica: 'a', limit: 0 },
    ],
    dumps: [{ id: 'd1', taken_at: at(20), size_bytes: 1, format: 'pprof', state: 'complete', method: '', suspect: 'cache' }],
    incidents: [],
  }
  const marks = marksOf(target, 0, 50, 'a')
  expect(marks.map((mark) => [mark.at, mark.what])).toEqual([[10, 'restart'], [12, 'deploy'], [20, 'dump']]) // prettier-ignore
  expect(marks[2]).toMatchObject({ text: 'dump d1: cache', href: '/d/d1' })
})

test('replicas that are only numbered are called so', () => {
  expect(replicaName('0')).toBe('replica 1')
  expect(textOf('oom', '2', 0)).toBe('replica 3 was killed for lack of memory')
  expect(textOf('limit', 'pod-a', 512 * 2 ** 20)).toBe('limit of pod-a: 512 MB')
})

test('an incident is shown with a third of its length around it, an hour at least, and never beyond now', () => {
  const hour = 3600
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
  expect(timeAround(iso(100 * hour), iso(109 * hour), 1000 * hour)).toEqual({ begin: 97 * hour, end: 112 * hour })
  expect(timeAround(iso(100 * hour), null, 100.5 * hour)).toEqual({ begin: 99 * hour, end: 100.5 * hour })
})
