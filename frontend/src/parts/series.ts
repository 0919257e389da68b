// What a chart over time is made of, before it is drawn: series on one axis, layers on each other, marks, forecasts.

import { formatTime, formatValue } from '../format'

export type Values = readonly (number | null)[]

export interface Span {
  /** Seconds since 1970. */
  begin: number
  end: number
}

export interface Mark {
  /** Seconds since 1970. */
  at: number
  /** deploy, oom, dump, restart, limit, alert; anything else is a dot. */
  what: string
  text: string
  href?: string
}

/** A cone from `bytes` at `from` on. */
export interface Forecast {
  from: number
  bytes: number
  low_per_s: number
  high_per_s: number
}

/** The glyph of each kind of event, the gravest first. */
export const MARKS: Record<string, string> = { oom: '✂', alert: '!', deploy: '▼', restart: '↻', limit: '┄', dump: '◆' }

/** Each layer on top of those before it; a missing value is nothing, unless all of them are missing. */
export function stacked(layers: readonly Values[]): (number | null)[][] {
  const below = new Array<number>(layers[0]?.length ?? 0).fill(0)
  return layers.map((layer) =>
    layer.map((value, i) => {
      below[i]! += value ?? 0
      return layers.every((other) => other[i] == null) ? null : below[i]!
    }),
  )
}

/** Marks that would lie on each other at `position`, as one each, in order of time. */
export function gathered(marks: readonly Mark[], position: (mark: Mark) => number, room: number): Mark[][] {
  const groups: Mark[][] = []
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const last = groups.at(-1)
    if (last && position(mark) - position(last[0]!) < room) last.push(mark)
    else groups.push([mark])
  }
  return groups
}

/** What a tooltip says of a mark; the quotes around names are for where they are set apart. */
export const markText = (mark: Mark): string => `${formatTime(mark.at * 1000)}  ${mark.text.replaceAll('`', '')}`

/** Until when a forecast is drawn: a little beyond the limit, but never more than half of what was read. */
export function forecastEnd(forecast: Forecast, limit: number | null | undefined, span: number): number {
  const fastest = Math.max(forecast.high_per_s, forecast.low_per_s)
  const left = limit && fastest > 0 ? ((limit - forecast.bytes) / fastest) * 1.25 : Infinity
  return forecast.from + Math.min(Math.max(left, span * 0.1), span * 0.5)
}

/** How far the value axis reaches; a limit far above what is used is left out, so that the line is not flat. */
export function reach(most: number, limit: number | null | undefined): number {
  const top = limit && limit <= Math.max(most, 1) * 5 ? Math.max(most, limit) : most
  // Room above, so that the limit's name fits in.
  return top > 0 ? top * 1.1 : 1
}

/** Steps of an axis of bytes: powers of two, so that its labels are round. */
export const BYTE_STEPS: number[] = Array.from({ length: 53 }, (_, power) => 2 ** power)

/** A label of the value axis: `512 MB`, `1.5 GB`. */
export const axisLabel = (value: number, unit: string): string => formatValue(value, unit).replace(/(\.\d*?)0+(?= |$)/, (_, rest: string) => (rest === '.' ? '' : rest))

/** The index of the time nearest to `at`; -1 where there is none. */
export function nearest(times: readonly number[], at: number): number {
  if (!times.length) return -1
  let [low, high] = [0, times.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < at) low = middle + 1
    else high = middle
  }
  return low > 0 && at - times[low - 1]! <= times[low]! - at ? low - 1 : low
}
