// The filter box: text in the one grammar of filters, its terms as chips that can be taken out, and what is wrong.

import type { JSX, Ref, TargetedKeyboardEvent } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { visible } from '../format'
import { chips, parse } from '../filter'
import './chips.css'

export interface FilterBoxProps {
  /** The text as the page has it. */
  text: string
  /** After Enter, after a pause in typing, when a chip is taken out. Text with errors comes too: what is right counts. */
  onChange: (text: string) => void
  /** For the page's `/` key. */
  inputRef?: Ref<HTMLInputElement>
  label?: string
  placeholder?: string
  /** What is said beside the chips: how much the filter leaves. */
  said?: string | null
}

const PAUSE_MS = 400
const GRAMMAR: readonly [string, string][] = [
  ['word, focus=X', 'keep what matches (regular expressions)'], ['-word, ignore=X', 'drop what matches'],
  ['hide=X, show=X', 'take frames out, keep only these'], ['from=X', 'begin stacks at X'],
  ['type:X', 'rows of a table'], ['retained:>10M', 'at least so many bytes'], ['by:packages', 'or types, owners'],
  ['"two words"', 'blanks stand in quotes'],
] // prettier-ignore

export function FilterBox(props: FilterBoxProps): JSX.Element {
  const { text, onChange, label = 'Filter', placeholder = 'focus  -ignore  type:X  retained:>10M' } = props
  const [draft, setDraft] = useState(text)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const id = useId()
  const { errors } = parse(draft)
  useEffect(() => setDraft(text), [text])
  useEffect(() => () => clearTimeout(timer.current), [])

  const commit = (next: string) => {
    clearTimeout(timer.current)
    setDraft(next)
    if (next !== text) onChange(next)
  }
  const onInput = (next: string) => {
    setDraft(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => commit(next), PAUSE_MS)
  }
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter') commit(event.currentTarget.value)
    else if (event.key === 'Escape') event.currentTarget.blur()
    else return
    event.stopPropagation()
  }
  return (
    <div class="filter">
      <div class="filter-line">
        <input ref={props.inputRef} type="search" value={draft} aria-label={label} placeholder={placeholder} spellcheck={false}
          autocomplete="off" autocapitalize="off" aria-invalid={errors.length > 0} aria-describedby={`${id}-errors`}
          aria-keyshortcuts="/" onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={onKeyDown}
          onBlur={(event) => commit(event.currentTarget.value)} />
        <details class="filter-help">
          <summary aria-label="How filters are written">?</summary>
          <dl>{GRAMMAR.map(([written, means]) => <div key={written}><dt>{written}</dt><dd>{means}</dd></div>)}</dl>
        </details>
      </div>
      <Chips text={text} onChange={commit} said={props.said ?? null} />
      <div id={`${id}-errors`} class="filter-errors" role="status">
        {errors.map((error) => <div key={error.at}>{visible(error.what)}</div>)}
      </div>
    </div>
  )
}

/** The terms of a filter; each goes when its button is pressed. */
function Chips({ text, onChange, said }: { text: string; onChange: (text: string) => void; said?: string | null }) {
  const found = chips(text)
  if (!found.length) return null
  return (
    <div class="chips">
      {found.map((chip, i) => (
        <button key={i} type="button" class={chip.what ? 'chip chip-wrong' : `chip chip-${chip.key}`} title={chip.what ?? 'Take out'}
          aria-label={`Take ${chip.label} out of the filter`} onClick={() => onChange(chip.without)}>
          <span class="chip-label">{visible(chip.label)}</span>
          <span class="chip-x" aria-hidden="true">✕</span>
        </button>
      ))}
      {found.length > 1 && <button type="button" class="chips-reset" onClick={() => onChange('')}>Reset</button>}
      {said && <span class="chips-said">{said}</span>}
    </div>
  )
}
