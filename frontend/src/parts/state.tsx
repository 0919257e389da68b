// The state of a workload: a glyph and a word beside the colour, since colour alone tells not everybody.

import type { JSX } from 'preact'
import './state.css'

export type StateName = 'leaking' | 'undersized' | 'suspect' | 'warming' | 'steady' | 'unknown'

/** Worst first. */
const STATES: readonly StateName[] = ['leaking', 'undersized', 'suspect', 'warming', 'unknown', 'steady']
export const GLYPHS: Record<StateName, string> = {
  leaking: '▲', undersized: '◆', suspect: '?', warming: '~', steady: '✓', unknown: '–',
} // prettier-ignore

/** What the API says, or `unknown`. */
export const stateOf = (name: string): StateName => STATES.find((state) => state === name) ?? 'unknown'

/** `why` shows when the state is pointed at. */
export function State({ state, why }: { state: string; why?: string | null | undefined }): JSX.Element {
  const name = stateOf(state)
  return (
    <span class={`state state-${name}`} title={why ?? undefined}>
      <span class="state-glyph" aria-hidden="true">{GLYPHS[name]}</span>
      {name}
    </span>
  )
}
