// Lines over time on a canvas (uPlot), with their limit, events, a forecast, and ranges that are brushed.
//
// Whoever sees no canvas reads it with the arrow keys, value by value, or as a table, which a button shows.

import type { JSX } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatDuration, formatTime, formatValue } from '../format'
import { ChartTable } from './charttable'
import { onTheme, SERIES } from './palette'
import { plotOf, type Drawn, type Heard, type Line } from './plot'
import { gathered, MARKS, markText, stacked, type Forecast, type Mark, type Span, type Values } from './series'
import './chart.css'

export type { Mark, Span } from './series'

export interface ChartLine {
  label: string
  values: Values
  colour?: string
  isBold?: boolean
  isDashed?: boolean
}

export interface ChartProps {
  label: string
  /** Seconds since 1970, ascending. */
  times: readonly number[]
  lines: readonly ChartLine[]
  unit?: string
  height?: number
  limit?: number | null
  marks?: readonly Mark[]
  forecast?: Forecast | null
  /** Ranges A and B. With `onRanges` dragging sets them; else it zooms, and a double click undoes that. */
  ranges?: readonly [Span | null, Span | null]
  onRanges?: (ranges: [Span | null, Span | null]) => void
  /** Layers on each other instead of lines. */
  isStacked?: boolean
  /** Charts with the same key share their cursor. */
  syncKey?: string
  /** Without a legend and buttons: one of many small ones. */
  isSmall?: boolean
}

const NONE: readonly never[] = []
const NO_RANGES: readonly [null, null] = [null, null]
/** Marks nearer than this many pixels are one. */
const MARK_ROOM = 13

export function Chart(props: ChartProps): JSX.Element {
  const { label, times, unit = 'bytes', height = 240, marks = NONE, ranges = NO_RANGES, onRanges, isStacked = false } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [index, setIndex] = useState<number | null>(null)
  const [placed, setPlaced] = useState<readonly Placed[]>(NONE)
  const [isTable, setTable] = useState(false)
  const [brush, setBrush] = useState<0 | 1>(0)
  const lines = useMemo(() => coloured(props.lines), [props.lines])
  const values = useMemo(() => (isStacked ? stacked(lines.map((line) => line.values)) : lines.map((line) => line.values)), [lines, isStacked])

  const drawn: Drawn = {
    times, values, lines, unit, isStacked, marks, ranges, height, limit: props.limit ?? null,
    forecast: props.forecast ?? null, syncKey: props.syncKey ?? null,
  } // prettier-ignore
  const heard: Heard = {
    onCursor: setIndex,
    onBrush: onRanges ? (span) => chosen(span) : null,
    onDraw: (drawing) => setPlaced((now) => placedAnew(now, placesOf(drawing, marks))),
  }
  const latest = useRef({ drawn, heard })
  latest.current = { drawn, heard }

  const chosen = useCallback((span: Span) => {
    const next: [Span | null, Span | null] = [...latest.current.drawn.ranges] as [Span | null, Span | null]
    next[brush] = span
    setBrush(brush ? 0 : 1)
    onRanges?.(next)
  }, [brush, onRanges]) // prettier-ignore

  // A plot is made anew when what it consists of changes; values alone are only drawn anew.
  const made = JSON.stringify([lines.map(({ values: _, ...rest }) => rest), unit, isStacked, Boolean(onRanges), props.syncKey])
  useEffect(() => {
    const element = place.current
    if (!element || !times.length) return
    const current = plotOf(element, () => latest.current.drawn, () => latest.current.heard)
    plot.current = current
    const resized = new ResizeObserver(() => current.setSize({ width: element.clientWidth, height: latest.current.drawn.height }))
    resized.observe(element)
    const untheme = onTheme(() => current.redraw(false))
    return () => {
      resized.disconnect()
      untheme()
      current.destroy()
      plot.current = null
    }
  }, [made, times.length > 0])
  useEffect(() => {
    if (plot.current) renew(plot.current, [times, ...values] as uPlot.AlignedData)
  }, [times, values, props.limit, props.forecast])
  useEffect(() => plot.current?.redraw(false), [ranges, marks])

  const onKeyDown = (event: KeyboardEvent) => {
    const at = plot.current && keyed(event.key, index, times.length)
    if (at === null || !plot.current) return
    event.preventDefault()
    event.stopPropagation()
    plot.current.setCursor({ left: plot.current.valToPos(times[at]!, 'x'), top: 0 })
    setIndex(at)
    if (!event.shiftKey || !onRanges) return
    const edge = ranges[brush] ?? { begin: times[index ?? at]!, end: times[index ?? at]! }
    const next: [Span | null, Span | null] = [ranges[0], ranges[1]]
    next[brush] = at > (index ?? at) ? { ...edge, end: times[at]! } : { ...edge, begin: Math.min(times[at]!, edge.end) }
    onRanges(next)
  }

  return (
    <figure class={onRanges ? 'chart chart-brushed' : 'chart'} aria-label={label}>
      {!props.isSmall && (
        <figcaption class="chart-head">
          <Legend lines={lines} times={times} unit={unit} index={index} />
          <span class="chart-tools">
            {onRanges && <Brushes ranges={ranges} brush={brush} onBrush={setBrush} onRanges={onRanges} />}
            <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>Table</button>
          </span>
        </figcaption>
      )}
      <div class="chart-marks" style={{ height: marks.length ? undefined : 0 }}>
        {placed.map((one) => <MarkGlyph key={one.left} placed={one} />)}
      </div>
      <div class="chart-plot" ref={place} style={{ minHeight: `${height}px` }} tabIndex={0} role="application"
        aria-label={`${label}: arrow keys read values${onRanges ? ', with Shift they choose a range' : ''}`} onKeyDown={onKeyDown}>
        {!times.length && <p class="chart-none">Nothing was read in this time.</p>}
      </div>
      <div class="unseen" role="status">{index === null ? '' : spoken(lines, times, unit, index)}</div>
      {isTable && <ChartTable label={label} times={times} lines={lines} unit={unit} marks={marks} />}
    </figure>
  )
}

function Legend({ lines, times, unit, index }: { lines: readonly Line[]; times: readonly number[]; unit: string; index: number | null }) {
  return (
    <ul class="chart-legend">
      {lines.map((line) => (
        <li key={line.label}>
          <span class="chart-swatch" style={{ background: line.colour.startsWith('--') ? `var(${line.colour})` : line.colour }} />
          {line.label} <b>{read(line, unit, index ?? lastKnown(line.values))}</b>
        </li>
      ))}
      <li class="chart-at">{index === null || times[index] === undefined ? '' : formatTime(times[index]! * 1000)}</li>
    </ul>
  )
}

type Ranges = NonNullable<ChartProps['ranges']>

function Brushes({ ranges, brush, onBrush, onRanges }: {
  ranges: Ranges; brush: 0 | 1; onBrush: (which: 0 | 1) => void; onRanges: (ranges: [Span | null, Span | null]) => void
}) {
  return (
    <>
      {([0, 1] as const).map((which) => (
        <button key={which} type="button" class={`chart-brush chart-brush-${which}`} aria-pressed={brush === which} onClick={() => onBrush(which)}
          title={`Drag over the chart to set range ${'AB'[which]}`}>
          {'AB'[which]} {ranges[which] ? formatDuration(ranges[which].end - ranges[which].begin) : '–'}
        </button>
      ))}
      {(ranges[0] || ranges[1]) && <button type="button" onClick={() => onRanges([null, null])}>Clear</button>}
    </>
  )
} // prettier-ignore

interface Placed {
  left: number
  marks: Mark[]
}

function MarkGlyph({ placed: { left, marks } }: { placed: Placed }) {
  const text = marks.map(markText).join('\n')
  // Of several the gravest is drawn.
  const gravest = Object.keys(MARKS).find((what) => marks.some((mark) => mark.what === what)) ?? 'other'
  const glyph = (MARKS[gravest] ?? '•') + (marks.length > 1 ? '⁺' : '')
  const shared = { class: `chart-mark chart-mark-${gravest}`, style: { left: `${left}px` }, title: text }
  const href = marks.find((mark) => mark.href)?.href
  return href ? <a {...shared} href={href} aria-label={text}>{glyph}</a> : <span {...shared} role="img" aria-label={text}>{glyph}</span>
}

// Whoever has zoomed in stays there when new values come.
function renew(plot: uPlot, data: uPlot.AlignedData): void {
  const isZoomed = (plot.scales.x?.min ?? 0) > (plot.data[0]?.[0] ?? 0)
  plot.setData(data, !isZoomed)
  if (isZoomed) plot.redraw()
}

const coloured = (lines: readonly ChartLine[]): Line[] =>
  lines.map((line, i) => ({ ...line, colour: line.colour ?? SERIES[i % SERIES.length]! }))

function placesOf(plot: uPlot, marks: readonly Mark[]): Placed[] {
  const [begin, end] = [plot.scales.x?.min ?? 0, plot.scales.x?.max ?? 0]
  const left = plot.bbox.left / devicePixelRatio
  const position = (mark: Mark) => Math.round(left + plot.valToPos(mark.at, 'x'))
  const seen = marks.filter((mark) => mark.at >= begin && mark.at <= end)
  return gathered(seen, position, MARK_ROOM).map((group) => ({ left: position(group[0]!), marks: group }))
}

const placedAnew = (now: readonly Placed[], next: Placed[]): readonly Placed[] =>
  now.length === next.length && now.every((one, i) => one.left === next[i]!.left && one.marks.length === next[i]!.marks.length && one.marks.every((mark, j) => mark === next[i]!.marks[j]))
    ? now
    : next

function keyed(key: string, index: number | null, count: number): number | null {
  const at = index ?? count
  const to = { ArrowLeft: at - 1, ArrowRight: index === null ? 0 : at + 1, Home: 0, End: count - 1, PageUp: at - 10, PageDown: at + 10 }[key]
  return to === undefined || !count ? null : Math.min(Math.max(to, 0), count - 1)
}

const lastKnown = (values: Values): number => values.findLastIndex((value) => value != null)

function read(line: Line, unit: string, index: number): string {
  const value = line.values[index]
  return value == null ? '–' : formatValue(value, unit)
}

const spoken = (lines: readonly Line[], times: readonly number[], unit: string, index: number): string =>
  times[index] === undefined ? '' : `${formatTime(times[index]! * 1000)}: ${lines.map((line) => `${line.label} ${read(line, unit, index)}`).join(', ')}`
