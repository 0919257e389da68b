// A share as a pie as small as a letter: how much of all it is, seen before it is read.
import type { JSX } from 'preact'
import { formatShare } from '../../format'
import './pie.css'

export function Pie({ share, size = 36, label }: { share: number; size?: number; label?: string }): JSX.Element {
  const part = Math.min(Math.max(share, 0), 1)
  const radius = 13
  const around = 2 * Math.PI * radius
  return (
    <svg class="pie" role="img" aria-label={label ?? formatShare(share)} viewBox="0 0 36 36" width={size} height={size}>
      <title>{label ?? formatShare(share)}</title>
      <circle class="pie-whole" cx="18" cy="18" r={radius} />
      <circle class="pie-part" cx="18" cy="18" r={radius} stroke-dasharray={`${part * around} ${around}`} transform="rotate(-90 18 18)" />
    </svg>
  )
}
