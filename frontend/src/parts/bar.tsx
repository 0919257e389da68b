// How much of something is used, as a bar with its share in words.

import type { JSX } from 'preact'
import { formatShare, formatValue } from '../format'
import './bar.css'

export interface BarProps {
  value: number
  /** What `value` is a part of; without it `value` is a share of 1. */
  of?: number | null
  unit?: string
  label: string
  /** From which share on the bar warns; memory near its limit does. */
  warnsFrom?: number
  /** The bar alone; the words are its title. */
  isBare?: boolean
}

export function Bar({ value, of, unit = 'bytes', label, warnsFrom = 0.9, isBare }: BarProps): JSX.Element {
  const share = of ? value / of : of === null || of === 0 ? 0 : value
  const said = of ? `${formatValue(value, unit)} of ${formatValue(of, unit)}` : formatShare(share)
  const percent = Math.round(Math.min(Math.max(share, 0), 1) * 100)
  return (
    <span class="bar" title={`${label}: ${said}`}>
      <span class={share >= warnsFrom ? 'bar-track bar-full' : 'bar-track'} role="meter" aria-label={label} aria-valuemin={0}
        aria-valuemax={100} aria-valuenow={percent} aria-valuetext={said}>
        <span class="bar-used" style={{ width: `${percent}%` }} />
      </span>
      {!isBare && <span class="bar-share">{formatShare(share)}</span>}
    </span>
  )
}
