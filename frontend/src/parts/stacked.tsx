// Kinds of memory over time, on each other: where it grew.

import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { Chart, type ChartProps } from './chart'

export interface StackedProps extends Omit<ChartProps, 'lines' | 'isStacked'> {
  /** The lowest first. */
  layers: ChartProps['lines']
}

/** Layers that hold nothing at any time are left out. */
export function Stacked({ layers, ...rest }: StackedProps): JSX.Element {
  const shown = useMemo(() => layers.filter((layer) => layer.values.some(Boolean)), [layers])
  return <Chart {...rest} lines={shown} isStacked />
}
