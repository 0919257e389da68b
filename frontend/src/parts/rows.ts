// What every list of rows shares: which rows a window shows, where a key moves to, and the order of a column.

import type { Kind } from '../format'

/** More rows than this are drawn as a window of them. */
const MOST_WHOLE = 200
const OVERSCAN = 12

export interface Window {
  /** Rows [first, end) are drawn; spacers of so many pixels stand for the others. */
  first: number
  end: number
  above: number
  below: number
}

/** The rows to draw of `count`; the window moves in steps, so that most scrolling draws nothing anew. */
export function windowed(count: number, scrolled: number, height: number, row: number): Window {
  if (count <= MOST_WHOLE) return { first: 0, end: count, above: 0, below: 0 }
  const seen = Math.ceil(height / row)
  const at = Math.max(Math.min(Math.floor(scrolled / row), count - seen), 0)
  const step = at - (at % OVERSCAN)
  const first = Math.max(step - OVERSCAN, 0)
  const end = Math.min(step + seen + 2 * OVERSCAN, count)
  return { first, end, above: first * row, below: (count - end) * row }
}

/** The row that `key` leads to from `index` (-1: none yet), or null where the key moves nothing. */
export function moved(key: string, index: number, count: number, page: number): number | null {
  const to = {
    ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1,
  }[key] // prettier-ignore
  return to === undefined || !count ? null : Math.min(Math.max(to, 0), count - 1)
}

export interface Sort {
  key: string
  isDescending: boolean
}

/** What a click on a heading asks for: numbers largest first, text from A; then the other way round. */
export function toggled(sort: Sort | null, key: string, kind: Kind): Sort {
  return sort?.key === key ? { key, isDescending: !sort.isDescending } : { key, isDescending: kind !== 'text' }
}

/** The rows in order of `value`; what has none is last either way, and equals keep their order. */
export function sorted<Row>(rows: readonly Row[], value: (row: Row) => unknown, isDescending: boolean): Row[] {
  const keyed = rows.map((row) => ({ row, key: value(row) }))
  const sign = isDescending ? -1 : 1
  keyed.sort((a, b) => {
    const missing = Number(isMissing(a.key)) - Number(isMissing(b.key))
    return missing || (isMissing(a.key) ? 0 : sign * compared(a.key, b.key))
  })
  return keyed.map(({ row }) => row)
}

const isMissing = (key: unknown): boolean => key === null || key === undefined || key === ''

function compared(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [one, other] = [String(a), String(b)]
  return one < other ? -1 : one > other ? 1 : 0
}
