// The uPlot instance behind a chart: its options, and what is painted under and over its lines.

import uPlot from 'uplot'
import { brushedByTouch } from './brush'
import { resolved } from './palette'
import { axisLabel, BYTE_STEPS, forecastEnd, reach, type Forecast, type Mark, type Span, type Values } from './series'

export interface Line {
  label: string
  values: Values
  /** A colour or one of the page's variables (`--accent`). */
  colour: string
  isBold?: boolean
  isDashed?: boolean
}

/** What is drawn; read anew at every drawing, so that it may change. */
export interface Drawn {
  times: readonly number[]
  /** As drawn: layers already on each other. */
  values: readonly Values[]
  lines: readonly Line[]
  unit: string
  isStacked: boolean
  limit: number | null
  marks: readonly Mark[]
  forecast: Forecast | null
  ranges: readonly (Span | null)[]
  height: number
  syncKey: string | null
}

export interface Heard {
  onCursor: (index: number | null) => void
  /** The range that was brushed; without it brushing zooms. */
  onBrush: ((span: Span) => void) | null
  onDraw: (plot: uPlot) => void
}

// Increment, usual form, and what is added where a new year, month, day … begins.
const TIMES: uPlot.Axis.Values = [
  [3600 * 24 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600 * 24, '{MMM} {D}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
]

/** A plot in `place`; `drawn` and `heard` are asked whenever they are needed. */
export function plotOf(place: HTMLElement, drawn: () => Drawn, heard: () => Heard): uPlot {
  const { lines, unit, isStacked, height, syncKey } = drawn()
  const colour = (name: string) => () => resolved(place, name)
  // Charts that share a cursor zoom together; a range that is brushed in one zooms no other.
  const follows = (event: string) => event === 'mousemove' || event === 'mouseleave' || !heard().onBrush
  const axis = { stroke: colour('--fg-muted'), font: fontOf(place), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  return new uPlot(
    {
      width: place.clientWidth || 600,
      height,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: true, range: (_, from, to) => timeRange(drawn(), from, to) },
        y: { range: (_, low, high) => [Math.min(low ?? 0, 0), reach(high ?? 0, drawn().limit)] },
      },
      axes: [
        { ...axis, values: TIMES, size: 38 },
        {
          ...axis, size: 64, splits: unit === 'bytes' ? byteSplits : undefined,
          values: (_, splits) => splits.map((value) => axisLabel(value, unit)),
        } as uPlot.Axis,
      ],
      series: [{}, ...lines.map((line, i) => seriesOf(line, colour(line.colour), isStacked && i === 0))],
      bands: isStacked ? lines.slice(1).map((line, i) => ({ series: [i + 2, i + 1], fill: filled(colour(line.colour)) })) : [],
      cursor: {
        y: false,
        points: { show: !isStacked },
        drag: { x: true, y: false, setScale: !heard().onBrush },
        ...(syncKey ? { sync: { key: syncKey, setSeries: false, scales: ['x', null], filters: { pub: follows, sub: follows } } } : {}),
      },
      hooks: {
        ready: [(plot) => heard().onBrush && brushedByTouch(plot)],
        drawAxes: [(plot) => under(plot, place, drawn())],
        draw: [(plot) => over(plot, place, drawn()), (plot) => heard().onDraw(plot)],
        setCursor: [(plot) => heard().onCursor(plot.cursor.idx ?? null)],
        setSelect: [(plot) => brushed(plot, heard())],
      },
    },
    [drawn().times, ...drawn().values] as uPlot.AlignedData,
    place,
  )
}

function seriesOf(line: Line, stroke: () => string, isLowest: boolean): uPlot.Series {
  return {
    label: line.label,
    stroke,
    width: line.isBold ? 2.5 : 1.5,
    points: { show: false },
    ...(line.isDashed ? { dash: [5, 4] } : {}),
    ...(isLowest ? { fill: filled(stroke) } : {}),
  }
}

const filled = (colour: () => string) => () => `color-mix(in srgb, ${colour()} 55%, transparent)`

const fontOf = (place: Element): string => `11px ${getComputedStyle(place).fontFamily}`

function timeRange({ times, forecast, limit }: Drawn, from: number | null, to: number | null): [number, number] {
  const [begin, end] = [from ?? 0, to ?? 1]
  if (begin === end) return [begin - 1800, end + 1800]
  const isWhole = begin === times[0] && end === times.at(-1)
  return [begin, isWhole && forecast ? Math.max(end, forecastEnd(forecast, limit, end - begin)) : end]
}

function byteSplits(plot: uPlot, _: number, low: number, high: number): number[] {
  const wanted = ((high - low) * 32 * devicePixelRatio) / Math.max(plot.bbox.height, 1)
  const step = BYTE_STEPS.find((size) => size >= wanted) ?? 2 ** 52
  const splits = []
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) splits.push(at)
  return splits
}

function brushed(plot: uPlot, { onBrush }: Heard): void {
  const { left, width } = plot.select
  if (!onBrush || width < 3) return
  const span = { begin: plot.posToVal(left, 'x'), end: plot.posToVal(left + width, 'x') }
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  onBrush(span)
}

function under(plot: uPlot, place: Element, { ranges, forecast, times }: Drawn): void {
  const { ctx, bbox } = plot
  const x = (at: number) => plot.valToPos(at, 'x', true)
  const y = (value: number) => plot.valToPos(value, 'y', true)
  clipped(plot, () => {
    ranges.forEach((range, i) => {
      if (!range) return
      const [from, to] = [x(range.begin), x(range.end)]
      ctx.fillStyle = resolved(place, i ? '--warming' : '--undersized')
      ctx.globalAlpha = 0.16
      ctx.fillRect(from, bbox.top, to - from, bbox.height)
      ctx.globalAlpha = 1
      ctx.font = `bold ${12 * devicePixelRatio}px ${getComputedStyle(place).fontFamily}`
      ctx.textBaseline = 'top'
      ctx.textAlign = 'left'
      ctx.fillText('AB'[i] ?? '', from + 4 * devicePixelRatio, bbox.top + 3 * devicePixelRatio)
    })
    if (!forecast || !times.length) return
    const end = plot.scales.x?.max ?? forecast.from
    const left = end - forecast.from
    ctx.beginPath()
    ctx.moveTo(x(forecast.from), y(forecast.bytes))
    ctx.lineTo(x(end), y(forecast.bytes + forecast.low_per_s * left))
    ctx.lineTo(x(end), y(forecast.bytes + forecast.high_per_s * left))
    ctx.closePath()
    ctx.fillStyle = ctx.strokeStyle = resolved(place, '--leaking')
    ctx.globalAlpha = 0.2
    ctx.fill()
    // What is known well is a cone without width: its edges show.
    ctx.globalAlpha = 0.7
    ctx.lineWidth = devicePixelRatio
    ctx.stroke()
  })
}

function over(plot: uPlot, place: Element, { limit, marks, unit }: Drawn): void {
  const { ctx, bbox } = plot
  clipped(plot, () => {
    ctx.lineWidth = devicePixelRatio
    ctx.strokeStyle = resolved(place, '--fg-muted')
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
    for (const mark of marks) line(plot, crisp(plot.valToPos(mark.at, 'x', true)), bbox.top, 0, bbox.height)
    if (!limit || limit > (plot.scales.y?.max ?? 0)) return
    const at = crisp(plot.valToPos(limit, 'y', true))
    ctx.strokeStyle = ctx.fillStyle = resolved(place, '--leaking')
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
    line(plot, bbox.left, at, bbox.width, 0)
    ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(place).fontFamily}`
    ctx.textBaseline = 'bottom'
    ctx.textAlign = 'right'
    ctx.fillText(`limit ${axisLabel(limit, unit)}`, bbox.left + bbox.width - 4 * devicePixelRatio, at - 2 * devicePixelRatio)
  })
}

function clipped({ ctx, bbox }: uPlot, paint: () => void): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  paint()
  ctx.restore()
}

function line({ ctx }: uPlot, x: number, y: number, width: number, height: number): void {
  ctx.beginPath()
  ctx.moveTo(x, y)
  ctx.lineTo(x + width, y + height)
  ctx.stroke()
}

// A line of one pixel lies on the middle of it, else it is two grey ones.
const crisp = (position: number): number => Math.round(position) + 0.5
