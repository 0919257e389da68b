// What an answer says beside its figures, and small choices above it.
import type { JSX } from 'preact'
import { formatCount } from '../../format'
import { Prose } from '../../parts/prose'
import './notes.css'

export function Notes({ notes, leftOut = 0 }: { notes: readonly string[]; leftOut?: number }): JSX.Element | null {
  const lines = [...notes, ...(leftOut ? [`${formatCount(leftOut)} lighter nodes are left out; what they have is in (rest).`] : [])]
  if (!lines.length) return null
  return (
    <ul class="notes">
      {lines.map((line) => <li key={line}><Prose text={line} /></li>)}
    </ul>
  )
}

export interface ChoiceProps {
  label: string
  value: string
  /** Value and title of each. */
  options: readonly (readonly [string, string])[]
  onPick: (value: string) => void
  /** Whether a report in one file has no other answer. */
  isOff?: boolean
}

/** One of a few, all in sight. */
export function Choice({ label, value, options, onPick, isOff }: ChoiceProps): JSX.Element {
  return (
    <span class="choice" role="group" aria-label={label}>
      <span class="muted">{label}</span>
      <span class="choice-options">
        {options.map(([one, title]) => (
          <button key={one} type="button" aria-pressed={one === value} disabled={isOff && one !== value}
            title={isOff && one !== value ? 'This is one file: `caulk serve FILE` has it.' : undefined} onClick={() => onPick(one)}>
            {title}
          </button>
        ))}
      </span>
    </span>
  )
}
