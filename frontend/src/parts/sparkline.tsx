// A line as small as a word: memory over a day, its floor bold, deploys as ticks.

import type { JSX } from 'preact'
import { formatValue } from '../format'
import './sparkline.css'

export interface SparklineProps {
  values: readonly (number | null)[]
  /** What is still there after each collection; drawn bold. */
  floor?: readonly (number | null)[] | null
  /** Where something happened: a place among the values, which may lie between two. */
  marks?: readonly { at: number; text: string }[]
  unit?: string
  width?: number
  height?: number
  /** What the line is of; the figures are said by themselves. */
  label?: string
  /** `leaking`, `grew` … : the variable of the colour, without it the text's. */
  colour?: string
}

export function Sparkline(props: SparklineProps): JSX.Element {
  const { values, floor, marks = [], unit = 'bytes', width = 120, height = 20, label = 'over time' } = props
  const known = [...values, ...(floor ?? [])].filter((value) => value !== null)
  const [low, high] = bounds(known)
  const x = (at: number) => 1 + (values.length > 1 ? at / (values.length - 1) : 0.5) * (width - 2)
  const y = (value: number) => height - 2 - ((value - low) / (high - low || 1)) * (height - 4)
  const said = summary(label, values, floor, unit)
  return (
    <svg class="sparkline" role="img" aria-label={said} width={width} height={height} viewBox={`0 0 ${width} ${height}`}
      style={props.colour ? { color: `var(--${props.colour})` } : undefined}>
      <title>{[said, ...marks.map((mark) => mark.text)].join('\n')}</title>
      {marks.map((mark) => (
        <path key={mark.at} class="sparkline-mark" d={`M${x(mark.at).toFixed(1)} 0V${height}`} />
      ))}
      <path class="sparkline-line" d={path(values, x, y)} />
      {floor && <path class="sparkline-floor" d={path(floor, x, y)} />}
    </svg>
  )
}

/** A path through `values`, broken where one is missing; a lone value is a dot. */
export function path(
  values: readonly (number | null)[], x: (at: number) => number, y: (value: number) => number,
): string {
  let drawn = ''
  values.forEach((value, at) => {
    if (value === null) return
    const isBegin = at === 0 || values[at - 1] == null
    const isAlone = isBegin && values[at + 1] == null
    drawn += `${isBegin ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}${isAlone ? 'h0.1' : ''}`
  })
  return drawn
} // prettier-ignore

/** From a little below the lowest to the highest; small changes of large values stay small. */
export function bounds(known: readonly number[]): [number, number] {
  if (!known.length) return [0, 1]
  const [least, most] = [Math.min(...known), Math.max(...known)]
  return [Math.min(least, most - Math.abs(most) * 0.1), most]
}

function summary(label: string, values: SparklineProps['values'], floor: SparklineProps['floor'], unit: string): string {
  const said = (line: readonly (number | null)[]) => {
    const known = line.filter((value) => value !== null)
    return known.length ? `${formatValue(known[0]!, unit)} to ${formatValue(known.at(-1)!, unit)}` : 'nothing read'
  }
  return floor?.some((value) => value !== null) ? `${label}: ${said(values)}, floor ${said(floor)}` : `${label}: ${said(values)}`
}
