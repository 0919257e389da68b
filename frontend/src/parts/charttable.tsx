// The values of a chart as a table, and its events as a list: the same for those who see no canvas.

import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { formatTime, visible, type Kind } from '../format'
import type { Line } from './plot'
import { markText, type Mark } from './series'
import { Table, type Column } from './table'

interface Props {
  label: string
  times: readonly number[]
  lines: readonly Line[]
  unit: string
  marks: readonly Mark[]
}

export function ChartTable({ label, times, lines, unit, marks }: Props): JSX.Element {
  const kind = (unit === 'bytes' || unit === 'nanoseconds' ? unit : 'count') as Kind
  const rows = useMemo(() => times.map((_, index) => index), [times])
  const columns: Column<number>[] = [
    { key: 'time', title: 'Time', kind: 'text', width: 18, value: (index) => formatTime(times[index]! * 1000) },
    ...lines.map((line, i) => ({ key: String(i), title: line.label, kind, value: (index: number) => line.values[index] })),
  ]
  return (
    <div class="chart-table">
      <Table label={`${label}, as a table`} columns={columns} rows={rows} height="320px" />
      {marks.length > 0 && <ul aria-label="Events">{marks.map((mark, i) => <li key={i}>{visible(markText(mark))}</li>)}</ul>}
    </div>
  )
}
