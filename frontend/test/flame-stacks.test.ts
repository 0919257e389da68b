import { expect, test } from 'vitest'
import { decode } from '../src/stacks'
import { encoded, stacksOf } from './flame-trees'

const SOME = stacksOf(['main;read 3', 'main;write 4 was 9', 'main 1'])

test('what was encoded is decoded', () => {
  expect(decode(encoded(SOME))).toEqual(SOME)
})

test('columns are read where they lie, without a copy', () => {
  const buffer = encoded(SOME)
  expect(decode(buffer).own.buffer).toBe(buffer)
})

test('a buffer cut short anywhere is refused with a sentence', () => {
  const whole = encoded(SOME)
  // Its last four bytes are padding.
  for (let length = 0; length < whole.byteLength - 4; length += 3) {
    expect(() => decode(whole.slice(0, length)), `${length} bytes`).toThrow(/^The stacks cannot be read: .+\. Load the page again/)
  }
})

const BROKEN: [string, RegExp, () => ArrayBuffer][] = [
  ['an error page instead of stacks', /its header claims/, () => new TextEncoder().encode('<!doctype html><title>502').buffer],
  ['another schema', /not of caulk\.stacks\/1/, () => encoded(SOME, (header) => (header.schema = 'caulk.table/1'))],
  ['a string that is none', /not of caulk\.stacks\/1/, () => encoded(SOME, (header) => (header.strings = [1, 2]))],
  ['too few strings', /points at string/, () => encoded(SOME, (header) => (header.strings = []))],
  ['no column own', /column own is missing/, () => encoded(SOME, (header) => drop(header, 'own'))],
  ['an unknown type', /unknown type, u8/, () => encoded(SOME, (header) => set(header, 'own', { type: 'u8' }))],
  ['ints as floats', /column lines? is no Int32Array|cut short/, () => encoded(SOME, (header) => set(header, 'line', { type: 'f64' }))],
  ['a negative length', /claims -1 entries/, () => encoded(SOME, (header) => set(header, 'own', { length: -1 }))],
  ['a column off its boundary', /at byte 4/, () => encoded(SOME, (header) => set(header, 'parent', { at: 4 }))],
  ['fewer frames than nodes', /columns of nodes differ/, () => encoded(SOME, (header) => set(header, 'own', { length: 1 }))],
  ['fewer lines than names', /columns of frames differ/, () => encoded(SOME, (header) => set(header, 'line', { length: 1 }))],
  ['no nodes', /has no node/, () => encoded({ ...SOME, parent: new Int32Array(0) })],
  ['a root with a caller', /node 0 has parent 0/, () => encoded({ ...SOME, parent: Int32Array.of(0, 0, 1, 1) })],
  ['a node before its caller', /node 1 has parent 2/, () => encoded({ ...SOME, parent: Int32Array.of(-1, 2, 1, 1) })],
  ['a node out of preorder', /node 4 has parent 2/, () =>
    encoded({ ...SOME, parent: Int32Array.of(-1, 0, 1, 1, 2), frame: Int32Array.of(-1, 0, 1, 1, 1), own: new Float64Array(5), before: null })],
  ['a second root', /node 2 has a frame/, () => encoded({ ...SOME, frame: Int32Array.of(-1, 0, -1, 1) })],
  ['a frame that is not there', /node 3 has frame 9 of 3/, () => encoded({ ...SOME, frame: Int32Array.of(-1, 0, 1, 9) })],
  ['a value that is no number', /node 1 has a value/, () => encoded({ ...SOME, own: Float64Array.of(0, NaN, 1, 1) })],
]

test.each(BROKEN)('%s is refused', (_, said, made) => {
  expect(() => decode(made())).toThrow(said)
})

type Columns = { name: string }[]

function drop(header: Record<string, unknown>, name: string): void {
  header.columns = (header.columns as Columns).filter((column) => column.name !== name)
}

function set(header: Record<string, unknown>, name: string, change: object): void {
  header.columns = (header.columns as Columns).map((column) => (column.name === name ? { ...column, ...change } : column))
}
