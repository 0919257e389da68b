// The palette: what is typed finds targets, dumps, types, frames, incidents and commands; the keyboard is enough.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { address, ask } from './api'
import type { Found } from './fleet-types'
import { visible } from './format'
import { Prose } from './parts/prose'
import { go } from './route'
import './palette.css'

export interface Command {
  title: string
  detail: string
  keys: string
  then: () => void
}

interface Entry {
  kind: string
  title: string
  detail: string
  keys?: string
  then: () => void
}

const PAUSE_MS = 120
const KINDS: Record<Found['kind'], string> = { target: 'target', dump: 'dump', type: 'type', frame: 'frame', incident: 'incident' }

export function Palette({ close, commands }: { close: () => void; commands: readonly Command[] }) {
  const [text, write] = useState('')
  const [found, tell] = useState<readonly Found[]>([])
  const [isAsking, asks] = useState(false)
  const [problem, fail] = useState('')
  const [at, move] = useState(0)
  const dialog = useRef<HTMLDialogElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const id = useId()
  // At once: the next letter is meant for it.
  useLayoutEffect(() => dialog.current?.showModal(), [])
  useEffect(() => {
    const wanted = text.trim()
    if (!wanted) return tell([])
    const control = new AbortController()
    asks(true)
    const timer = setTimeout(() => {
      ask<{ found: Found[] }>(address('/api/find', { q: wanted }), { signal: control.signal }).then(
        (said) => {
          tell(said.found)
          fail('')
          asks(false)
        },
        (error: Error) => {
          if (error.name === 'AbortError') return
          fail(error.message)
          asks(false)
        },
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      control.abort()
    }
  }, [text])
  const entries = entriesOf(text, found, commands)
  const chosen = Math.min(at, entries.length - 1)
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' }), [chosen])
  const pick = (entry: Entry | undefined): void => {
    if (!entry) return
    close()
    entry.then()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + 8, PageUp: chosen - 8 }[event.key]
    if (event.key === 'Enter') pick(entries[chosen])
    else if (to !== undefined) move(Math.min(Math.max(to, 0), Math.max(entries.length - 1, 0)))
    else return
    event.preventDefault()
  }
  return (
    <dialog ref={dialog} class="palette" aria-label="Find" onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={entries.length ? `${id}-${chosen}` : undefined}
        aria-autocomplete="list"
        aria-label="Find target, dump, type, frame, incident"
        placeholder="Find target, dump, type, frame, incident…"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          write(event.currentTarget.value)
          move(0)
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={id} role="listbox" aria-label="Found">
        {entries.map((entry, i) => (
          <li key={`${entry.kind} ${i}`} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onClick={() => pick(entry)} onMouseMove={() => i !== chosen && move(i)}>
            <span class="palette-kind">{entry.kind}</span>
            <span class="palette-title"><Prose text={visible(entry.title, 120)} /></span>
            <span class="palette-detail">{visible(entry.detail, 120)}</span>
            {entry.keys && <kbd>{entry.keys}</kbd>}
          </li>
        ))}
      </ul>
      <p class="palette-said" role="status">
        {problem || (entries.length ? '↑ ↓ choose, Enter opens, Escape closes' : isAsking ? 'Looking…' : `Nothing is called “${visible(text, 60)}”.`)}
      </p>
    </dialog>
  )
}

function entriesOf(text: string, found: readonly Found[], commands: readonly Command[]): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const fitting = commands.filter((command) => words.every((word) => command.title.toLowerCase().includes(word)))
  return [
    ...(words.length ? found.map((one) => ({ kind: KINDS[one.kind] ?? one.kind, title: one.title, detail: one.detail, then: () => go(one.href) })) : []),
    ...fitting.map((one) => ({ kind: one.detail, title: one.title, detail: '', keys: one.keys, then: one.then })),
  ]
}
