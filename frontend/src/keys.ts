// The keyboard: each part says which keys it hears and what they do, and `?` lists them.
import { useLayoutEffect } from 'preact/hooks'

export interface Key {
  /** As KeyboardEvent.key has it; two keys one after the other are `g f`. `mod+k` is Ctrl or ⌘. */
  keys: string
  what: string
  then: () => void
}

const heard = new Set<Key>()
let before = ''
let beforeAt = 0

/** All that is heard now. */
export const keys = (): Key[] => [...heard]

/** Hears keys while a part is shown; not while somebody writes into a field. */
export function useKeys(wanted: Key[], after: unknown[] = []): void {
  // Before anything is painted: who sees a page may press its keys.
  useLayoutEffect(() => {
    for (const key of wanted) heard.add(key)
    return () => {
      for (const key of wanted) heard.delete(key)
    }
  }, after)
}

addEventListener('keydown', (event) => {
  const at = event.target as HTMLElement | null
  const isWriting = !!at?.closest?.('input, textarea, select, [contenteditable]')
  const name = `${event.metaKey || event.ctrlKey ? 'mod+' : ''}${event.key}`
  if (event.altKey || (isWriting && !name.startsWith('mod+'))) return
  // What lies over the page has the keyboard to itself.
  if (!name.startsWith('mod+') && document.querySelector('dialog:modal')) return
  const now = performance.now()
  const both = now - beforeAt < 1000 ? `${before} ${name}` : ''
  const found = [...heard].reverse().find((key) => key.keys === both) ?? [...heard].reverse().find((key) => key.keys === name)
  before = found?.keys === both ? '' : name
  beforeAt = now
  if (!found) return
  event.preventDefault()
  found.then()
})
