import { expect, test } from 'vitest'
import type { FleetRow } from '../src/fleet-types'
import { counted, itemAt, items, kept, ordered, tops, wants, type Wanted } from '../src/pages/fleet/rows'

const row = (name: string, has: Partial<FleetRow> = {}): FleetRow => ({
  key: name, name, runtime: 'go', place: 'local', namespace: '', owner: '', state: 'steady', why: '', evidence: [],
  replicas: 1, memory_bytes: 0, limit_bytes: null, share: null, growth_bytes_per_hour: null, growth_interval: null,
  time_to_limit_s: null, since: null, since_event: null, read_at: null, last_dump: null, is_capturable: true, ...has,
}) // prettier-ignore
const ALL: Wanted = { states: [], runtime: '', namespace: '', owner: '', text: '' }
const names = (rows: readonly FleetRow[]) => rows.map((one) => one.name)

test('what meets its limit first stands first, and what never does stands last, worst state first', () => {
  const rows = [row('calm'), row('odd', { state: 'suspect' }), row('later', { time_to_limit_s: 900 }), row('soon', { time_to_limit_s: 60 })]
  expect(names(ordered(rows, 'limit', false))).toEqual(['soon', 'later', 'odd', 'calm'])
  expect(names(ordered(rows, 'limit', true))).toEqual(['later', 'soon', 'odd', 'calm'])
})

test('every word has to be there, and none that is taken away', () => {
  const rows = [row('shop/cart'), row('shop/pay', { runtime: 'jvm' }), row('auth/pay')]
  expect(names(rows.filter(wants({ ...ALL, text: 'SHOP pay' })))).toEqual(['shop/pay'])
  expect(names(rows.filter(wants({ ...ALL, text: 'pay -jvm' })))).toEqual(['auth/pay'])
  expect(names(rows.filter(wants({ ...ALL, text: '-' })))).toEqual([])
})

test('states and fields are all asked at once', () => {
  const rows = [row('a', { state: 'leaking', owner: 'x' }), row('b', { state: 'leaking' }), row('c', { owner: 'x' })]
  expect(names(rows.filter(wants({ ...ALL, states: ['leaking', 'suspect'], owner: 'x' })))).toEqual(['a'])
  expect(counted(rows).get('leaking')).toBe(2)
})

test('figures that change leave the order that is shown; what is new goes where it belongs', () => {
  const fresh = [row('new'), row('b'), row('a'), row('last')]
  expect(names(kept(fresh, ['a', 'b', 'gone']))).toEqual(['new', 'a', 'b', 'last'])
})

test('groups stand in the order of their first rows, and fold', () => {
  const rows = [row('a', { namespace: 'two' }), row('b', { namespace: 'one' }), row('c', { namespace: 'two' })]
  const shown = items(rows, 'namespace', new Set(['a']), new Set(['one']))
  expect(shown.map((item) => item.key)).toEqual(['group\ntwo', 'a', 'a\nmore', 'c', 'group\none'])
})

test('an item is found by the height at which it stands', () => {
  const shown = items([row('a'), row('b')], '', new Set(['a']), new Set())
  const begins = tops(shown, { row: 30, group: 20, more: () => 100 })
  expect([...begins]).toEqual([0, 30, 130, 160])
  expect([0, 29, 30, 129, 130, 999].map((y) => itemAt(begins, y))).toEqual([0, 0, 1, 1, 2, 2])
})

test('nothing is found where nothing is', () => {
  expect(itemAt(tops([], { row: 1, group: 1, more: () => 1 }), 5)).toBe(0)
})
