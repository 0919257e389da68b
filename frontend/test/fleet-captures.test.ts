import { expect, test } from 'vitest'
import type { DumpRow } from '../src/api-types'
import type { CaptureRow } from '../src/fleet-types'
import { comparison, listed } from '../src/pages/captures/rows'
import { dumpsOf } from '../src/pages/jobs/result'

const capture = (id: string, taken_at: string, has: Partial<CaptureRow> = {}): CaptureRow => ({
  id, workload: null, target: 'pid:1', taken_at, size_bytes: 9, packed_bytes: null, format: 'pprof', evidence: 'profile',
  method: '', complete: true, incident: null, is_open: false, ...has,
}) // prettier-ignore
const dump = (id: string, has: Partial<DumpRow> = {}): DumpRow => ({
  id, name: `${id}.hprof`, origin: 'upload', format: 'hprof', runtime: 'jvm', size_bytes: 9, taken_at: null, target: '', is_open: false, ...has,
}) // prettier-ignore

test('a dump is listed once, the newest first, and what has no time last', () => {
  const rows = listed([capture('old', '2026-01-01'), capture('new', '2026-02-01')], [dump('old', { origin: 'capture' }), dump('sent')])
  expect(rows.map((row) => [row.id, row.isCapture, row.note])).toEqual([['new', true, ''], ['old', true, ''], ['sent', false, 'sent here']]) // prettier-ignore
})

test('a capture that is not whole is cut, or still being taken while nothing of it is there', () => {
  const rows = listed([capture('a', '2', { complete: false }), capture('b', '1', { complete: false, size_bytes: 0 })], [])
  expect(rows.map((row) => row.note)).toEqual(['cut', 'being taken'])
})

test('a capture is called as on its own page, and its id is no name unless nothing else is known', () => {
  const rows = listed(
    [
      capture('c', '2026-03-01T10:20:30Z', { workload: { key: 'k8s:shop', name: 'api' }, complete: false }),
      capture('b', '2026-02-01T10:20:30Z'),
      capture('a', '2026-01-01T10:20:30Z'),
      capture('none', '', { target: '' }),
    ],
    [dump('a', { origin: 'capture', name: 'api 2026-01-01 10:20' })],
  )
  expect(rows.map((row) => row.name)).toEqual(['api 2026-03-01 10:20', 'pid:1 2026-02-01 10:20', 'api 2026-01-01 10:20', 'none'])
})

test('a job that is done leads to the dumps that it read or took', () => {
  expect(dumpsOf({ state: 'done', result: { dumps: ['a', 'b'] } })).toBe('a..b')
  expect(dumpsOf({ state: 'done', result: { id: 'c', complete: true } })).toBe('c')
  expect(dumpsOf({ state: 'done', result: { rows: 3 } })).toBeNull()
  expect(dumpsOf({ state: 'running', result: { id: 'c' } })).toBeNull()
  expect(dumpsOf({ state: 'done', result: null })).toBeNull()
})

test('chosen dumps are compared from the oldest on', () => {
  const rows = [{ id: 'c', taken_at: '3' }, { id: 'b', taken_at: '2' }, { id: 'a', taken_at: '1' }] // prettier-ignore
  expect(comparison(rows, [])).toBeNull()
  expect(comparison(rows, ['c'])).toBe('/d/c')
  expect(comparison(rows, ['c', 'a'])).toBe('/d/a..c')
  expect(comparison(rows, ['a', 'b', 'c', 'gone'])).toBe('/d/a..b..c')
})
