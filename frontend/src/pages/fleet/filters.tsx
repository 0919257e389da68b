// What of the fleet is shown: states by their counts, fields, words, and in which groups.
import { useMemo, useRef } from 'preact/hooks'
import type { State as StateName } from '../../api-types'
import type { FleetRow } from '../../fleet-types'
import { useKeys } from '../../keys'
import { GLYPHS } from '../../parts/state'
import { change } from '../../route'
import { counted, GROUPS, STATES, values, type Group } from './rows'

const WORDS: Record<StateName, string> = {
  leaking: 'leaking',
  undersized: 'undersized',
  suspect: 'suspect',
  warming: 'warming up',
  unknown: 'not judged yet',
  steady: 'steady',
}

export function Counts({ rows, states }: { rows: readonly FleetRow[]; states: readonly string[] }) {
  const counts = counted(rows)
  const turn = (state: StateName): void => {
    const next = states.includes(state) ? states.filter((one) => one !== state) : [...states, state]
    change({ state: next.join(',') })
  }
  return (
    <div class="fleet-counts" role="group" aria-label="Only these states">
      {STATES.filter((state) => counts.has(state) || states.includes(state)).map((state) => (
        <button key={state} type="button" class={`fleet-count state-${state}`} aria-pressed={states.includes(state)} onClick={() => turn(state)}>
          <span aria-hidden="true">{GLYPHS[state]}</span> <b>{(counts.get(state) ?? 0).toLocaleString('en')}</b> {WORDS[state]}
        </button>
      ))}
    </div>
  )
}

export function Filters({ rows, wanted, group, shown }: {
  rows: readonly FleetRow[]
  wanted: { runtime: string; namespace: string; owner: string; text: string }
  group: Group
  shown: number
}) {
  const box = useRef<HTMLInputElement>(null)
  useKeys([{ keys: '/', what: 'Filter', then: () => box.current?.focus() }])
  const fields = useMemo(
    () => (['runtime', 'namespace', 'owner'] as const).map((field) => ({ field, values: values(rows, field) })),
    [rows],
  )
  return (
    <div class="fleet-filters" role="search">
      <input
        ref={box}
        type="search"
        aria-label="Filter workloads"
        placeholder="Filter ( / )   words, -without"
        value={wanted.text}
        onInput={(event) => change({ q: event.currentTarget.value })}
        onKeyDown={(event) => (event.key === 'Escape' || event.key === 'Enter') && box.current?.blur()}
      />
      {fields.map(({ field, values: known }) =>
        known.length > 1 || wanted[field] ? (
          <select key={field} aria-label={field} value={wanted[field]} onChange={(event) => change({ [field]: event.currentTarget.value })}>
            <option value="">{field}: all</option>
            {known.map((value) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </select>
        ) : null,
      )}
      <select aria-label="Group by" value={group} onChange={(event) => change({ group: event.currentTarget.value })}>
        {GROUPS.map((one) => (
          <option key={one} value={one}>
            {one ? `by ${one}` : 'no groups'}
          </option>
        ))}
      </select>
      <span class="muted" role="status">
        {shown === rows.length ? `${rows.length.toLocaleString('en')}` : `${shown.toLocaleString('en')} of ${rows.length.toLocaleString('en')}`}
      </span>
    </div>
  )
} // prettier-ignore
