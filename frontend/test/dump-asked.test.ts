import './dump-address'
import { expect, test } from 'vitest'
import type { DumpPage, Finding } from '../src/api-types'
import { blamed, observedHours, question, selectionOf, tabAt, usualSelection, warningsOf } from '../src/pages/dump/about'
import { parametersOf, selected, selectedOf, setFilter, written } from '../src/pages/dump/asked'
import { go, path } from '../src/route'

const dump = (has: Partial<DumpPage['dumps'][number]> = {}): DumpPage['dumps'][number] => ({
  id: 'a', name: 'a.pb.gz', format: 'pprof', runtime: 'go', kind: 'heap', size_bytes: 1, taken_at: null, coverage: 1, mode: null, warnings: [], ...has,
}) // prettier-ignore
const page = (...dumps: DumpPage['dumps']): DumpPage => ({
  ids: dumps.map(({ id }) => id), dumps, totals: [], measures: [], tabs: [], previous: null, next: null, siblings: [],
}) // prettier-ignore
const finding = (has: Partial<Finding>): Finding => ({ stack: [], path: [], type: null, location: null, ...has }) as Finding

test('a selection is written into the address and read from it, whatever stands in its name', () => {
  for (const name of ['main.work', 'std::map<a:b>', 'type:frame:x', 'a b?c&d=e#f']) {
    for (const kind of ['frame', 'type'] as const) {
      expect(selectedOf(written({ kind, name }))).toEqual({ kind, name })
    }
  }
  expect([selectedOf(''), selectedOf('frame:'), selectedOf('other:x'), written(null)]).toEqual([null, null, null, ''])
})

test('a tab is asked for what the address says that it takes notice of, and for nothing that is usual', () => {
  go('/d/a/types?q=work+-idle+type:Quote+retained:%3E1k+by:owners&measure=objects&references=soft')
  const asked = (tab: string) => Object.fromEntries(Object.entries(parametersOf(tab)).filter(([, value]) => value))
  expect(asked('types')).toEqual({ pattern: 'Quote', least: 1024, by: 'owners', references: 'soft' })
  expect(asked('flame')).toEqual({ focus: 'work', ignore: 'idle', measure: 'objects', references: 'soft' })
  expect(asked('roots')).toEqual({ references: 'soft' })
  go('/d/a/paths?to=a.B%24C')
  expect(asked('paths')).toEqual({ pattern: '^a\\.B\\$C$' })
  go('/d/a/types?q=by:types&references=strong')
  expect(asked('types')).toEqual({})
})

test('an answer without filters is asked for at its plain address, which a report in one file has', () => {
  go('/d/a..b')
  const about = { ids: 'a..b', page: page(dump(), dump({ id: 'b' })), analysis: undefined }
  expect(question(about, 'flame')).toBe('/api/d/a..b/flame')
  expect(question(about, 'paths', { pattern: '^a\\.B$' })).toBe('/api/d/a..b/paths?pattern=%5Ea%5C.B%24')
})

test('going to another tab keeps the filter and the selection, and leaves behind what belongs to the tab', () => {
  go('/d/a/types?q=work&sel=type%3AQuote&sort=objects&limit=5000')
  expect(tabAt('a', 'flame')).toBe('/d/a/flame?q=work&sel=type%3AQuote')
  expect(tabAt('a', 'suspects', { sel: '' })).toBe('/d/a?q=work')
})

test('the filter and the selection follow the address', () => {
  go('/d/a?sel=frame%3Amain.work')
  expect(selected.value).toEqual({ kind: 'frame', name: 'main.work' })
  setFilter('idle')
  expect([path.value, parametersOf('flame').focus]).toEqual(['/d/a', 'idle'])
})

test('of warnings that differ by their numbers alone the newest is told', () => {
  const both = page(dump({ warnings: ['56 addresses stay unnamed', 'cut short'] }), dump({ warnings: ['86 addresses stay unnamed'] }))
  expect(warningsOf(both)).toEqual(['86 addresses stay unnamed', 'cut short'])
})

test('a finding blames the innermost call at its own place, or what allocated', () => {
  const stack = [
    { function: 'main', file: 'a.go', line: 1 },
    { function: 'open', file: 'b.go', line: 7 },
    { function: 'make', file: 'c.go', line: 9 },
  ]
  expect(blamed(finding({ stack, location: 'b.go:7' }))?.function).toBe('open')
  expect(blamed(finding({ stack }))?.function).toBe('make')
  expect(blamed(finding({ stack, allocator: 'open' }))?.function).toBe('open')
  expect(blamed(finding({ stack: [...stack, ...stack], allocator: 'open', location: 'b.go:7' }))).toBe(stack[1])
  expect(blamed(finding({}))).toBeUndefined()
})

test('of a heap dump the type of a finding is selected, of a profile its function', () => {
  const stack = [{ function: 'make', file: 'c.go', line: 9 }]
  const heap = page(dump({ kind: 'objects', mode: 'exact' }))
  expect(selectionOf(finding({ type: 'Quote', stack }), heap)).toEqual({ kind: 'type', name: 'Quote' })
  expect(selectionOf(finding({ type: 'Quote', stack }), page(dump()))).toEqual({ kind: 'frame', name: 'make' })
  expect(selectionOf(finding({ type: 'Quote' }), page(dump({ kind: 'objects', mode: 'streaming' })))).toEqual({ kind: 'frame', name: 'Quote' })
})

test('without a selection the first finding that names something is shown', () => {
  const findings = [finding({}), finding({ stack: [{ function: 'make', file: '', line: 0 }] })]
  const analysis = { findings } as never
  expect(usualSelection({ ids: 'a', page: page(dump()), analysis })).toEqual({ kind: 'frame', name: 'make' })
  expect(usualSelection({ ids: 'a', page: page(dump()), analysis: undefined })).toBeNull()
})

test('how long was observed is known only where both ends have a time', () => {
  const at = (taken_at: string | null) => dump({ taken_at })
  expect(observedHours(page(at('2026-01-01T00:00:00Z'), at(null), at('2026-01-01T01:30:00Z')))).toBe(1.5)
  expect(observedHours(page(at(null), at('2026-01-01T01:30:00Z')))).toBe(0)
})
