import { expect, test } from 'vitest'
import * as format from '../src/format'
import { hueOf } from '../src/parts/palette'
import units from './units.json'

test.each(units.format_value as [number, string, boolean, string][])('%d %s (signed: %s) is %s', (value, unit, signed, said) => {
  expect(format.formatValue(value, unit, signed)).toBe(said)
})
test.each(units.format_share as [number, string][])('a share of %d is %s', (share, said) => {
  expect(format.formatShare(share)).toBe(said)
})
test.each(units.format_duration as [number, string][])('%d seconds are %s', (span, said) => {
  expect(format.formatDuration(span)).toBe(said)
})
test.each(units.parse_bytes as [string, number | null][])('the size %j is %s', (text, bytes) => {
  expect(format.parseBytes(text)).toBe(bytes)
})
test.each(units.plain as [string, string][])('%j is seen as %j', (text, seen) => {
  expect(format.visible(text)).toBe(seen)
})
test.each(units.hue as [string, number][])('the package %j has hue %d', (name, hue) => {
  expect(hueOf(name)).toBe(hue)
})

test('a cell is written by its kind, and nothing where there is no value', () => {
  expect(format.formatCell(null, 'bytes')).toBe('')
  expect(format.formatCell(0, 'bytes')).toBe('0 B')
  expect(format.formatCell(1536, 'bytes', true)).toBe('+1.50 kB')
  expect(format.formatCell(0.25, 'share', true)).toBe('+25 %')
  expect(format.formatCell(1234, 'number')).toBe('1234')
  expect(format.formatCell('a\u202eb', 'text')).toBe('a\\u202eb')
})

test('a moment is so long ago, or so far ahead', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  expect(format.formatAgo('2026-11-20T11:00:00Z', now)).toBe('60 min ago')
  expect(format.formatAgo('2026-11-20T12:00:00Z', now)).toBe('1.0 s ago')
  expect(format.formatAgo('2026-11-20T14:00:00Z', now)).toBe('in 2 h')
})

test('a rate says its sign and its hour', () => {
  expect(format.formatRate(21 * 2 ** 20)).toBe('+21.0 MB/h')
  expect(format.formatRate(-1024)).toBe('-1.00 kB/h')
})

test('half of a character is shown as its number', () => {
  expect(format.visible('a\ud800b')).toBe('a\\ud800b')
})
