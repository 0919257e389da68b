import { describe, expect, test } from 'vitest'
import { moved, sorted, toggled, windowed } from '../src/parts/rows'
import { fromAnswer } from '../src/parts/table'

describe('a window of rows', () => {
  test('few rows are all drawn', () => {
    expect(windowed(200, 999, 100, 26)).toEqual({ first: 0, end: 200, above: 0, below: 0 })
  })

  test('covers what is seen wherever it is scrolled to, and with its spacers is as high as all rows', () => {
    for (let scrolled = -50; scrolled < 5000 * 26 + 500; scrolled += 37) {
      const { first, end, above, below } = windowed(5000, scrolled, 600, 26)
      const top = Math.min(Math.max(scrolled, 0), 5000 * 26 - 600)
      expect(first * 26).toBeLessThanOrEqual(top)
      expect(end * 26).toBeGreaterThanOrEqual(top + 600)
      expect(above + (end - first) * 26 + below).toBe(5000 * 26)
      expect(end - first).toBeLessThan(80)
    }
  })

  test('does not move with every pixel', () => {
    const firsts = new Set(Array.from({ length: 260 }, (_, pixel) => windowed(5000, 26000 + pixel, 600, 26).first))
    expect(firsts.size).toBeLessThanOrEqual(2)
  })
})

test('keys walk rows and stop at the ends', () => {
  expect(moved('ArrowDown', -1, 3, 10)).toBe(0)
  expect(moved('ArrowDown', 2, 3, 10)).toBe(2)
  expect(moved('ArrowUp', 0, 3, 10)).toBe(0)
  expect(moved('PageDown', 1, 100, 10)).toBe(11)
  expect(moved('End', 1, 100, 10)).toBe(99)
  expect(moved('x', 1, 100, 10)).toBeNull()
  expect(moved('ArrowDown', -1, 0, 10)).toBeNull()
})

describe('sorting', () => {
  const rows = [{ n: 2, id: 'a' }, { n: null, id: 'b' }, { n: 10, id: 'c' }, { n: 2, id: 'd' }]
  const ids = (isDescending: boolean) => sorted(rows, (row) => row.n, isDescending).map((row) => row.id).join('')

  test('keeps equals in their order, and what has no value last', () => {
    expect(ids(false)).toBe('adcb')
    expect(ids(true)).toBe('cadb')
  })

  test('begins with the largest number, and with A', () => {
    expect(toggled(null, 'bytes', 'bytes')).toEqual({ key: 'bytes', isDescending: true })
    expect(toggled(null, 'name', 'text')).toEqual({ key: 'name', isDescending: false })
    expect(toggled({ key: 'name', isDescending: false }, 'name', 'text')).toEqual({ key: 'name', isDescending: true })
    expect(toggled({ key: 'name', isDescending: false }, 'bytes', 'bytes')).toEqual({ key: 'bytes', isDescending: true })
  })
})

test('a table of the API becomes columns and rows', () => {
  const headings = [{ key: 'type', title: 'Type', kind: 'text' as const, signed: false }]
  const rows = [{ type: '<script>' }]
  expect(fromAnswer({ headings, rows })).toEqual({ columns: headings, rows, notes: [] })
})
