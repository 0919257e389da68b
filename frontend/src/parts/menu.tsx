// A button that unfolds a menu: walked with the arrow keys, closed with Escape or a click elsewhere.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import './menu.css'

export interface MenuItem {
  label: string
  onPick?: () => void
  href?: string
  /** Suggests a file name: the link downloads. */
  download?: string | boolean
  /** A second, muted part: a key, a cost. */
  hint?: string
  /** Of a choice: whether it is the one. */
  isChecked?: boolean
  /** Why it cannot be picked. */
  why?: string | null
}

export interface MenuProps {
  /** What the button does: written in it, or, where `children` are, said when it is pointed at. */
  label: string
  items: readonly MenuItem[]
  children?: ComponentChildren
  /** Which edges of the button and the menu meet. */
  align?: 'left' | 'right'
  isDisabled?: boolean
}

/** Letters of a hint that stays in one line. */
const SHORT = 28

export function Menu({ label, items, children, align = 'left', isDisabled }: MenuProps): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()

  const entries = () => [...(root.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])]
  const close = (isBack: boolean) => {
    setOpen(false)
    if (isBack) button.current?.focus()
  }
  useEffect(() => {
    if (!isOpen) return
    const found = entries()
    ;(found.find((entry) => entry.getAttribute('aria-checked') === 'true') ?? found[0])?.focus()
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [isOpen])

  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
      setOpen(true)
    } else {
      const found = entries()
      const at = found.indexOf(document.activeElement as HTMLElement)
      const to = next(event.key, at, found)
      if (event.key === 'Escape') close(true)
      else if (event.key === 'Tab') return close(false)
      else if (to >= 0) found[to]?.focus()
      else return
    }
    event.preventDefault()
    event.stopPropagation()
  }
  const pick = (item: MenuItem, event: Event) => {
    if (item.why) return event.preventDefault()
    close(!item.href)
    item.onPick?.()
  }

  return (
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <button type="button" ref={button} class="menu-button" aria-haspopup="menu" aria-expanded={isOpen} aria-controls={id}
        title={children ? label : undefined} disabled={isDisabled} onClick={() => setOpen(!isOpen)}>
        {children ?? label} <span aria-hidden="true">▾</span>
      </button>
      <div id={id} role="menu" aria-label={label} class={`menu-items menu-${align}`} hidden={!isOpen}>
        {isOpen && items.map((item) => <Entry key={item.label} item={item} onPick={pick} />)}
      </div>
    </div>
  )
}

function Entry({ item, onPick }: { item: MenuItem; onPick: (item: MenuItem, event: Event) => void }) {
  const shared = {
    role: item.isChecked === undefined ? 'menuitem' : 'menuitemradio',
    'aria-checked': item.isChecked,
    'aria-disabled': item.why ? true : undefined,
    title: item.why ?? undefined,
    tabIndex: -1,
    class: 'menu-item',
    onClick: (event: Event) => onPick(item, event),
  } as const
  const content = (
    <>
      <span class="menu-check" aria-hidden="true">{item.isChecked ? '•' : ''}</span>
      <span class="menu-label">{item.label}</span>
      {(item.why ?? item.hint) && <span class={(item.why ?? item.hint ?? '').length > SHORT ? 'menu-hint' : 'menu-hint menu-short'}>{item.why ?? item.hint}</span>}
    </>
  )
  return item.href && !item.why ? (
    <a {...shared} href={item.href} download={item.download}>{content}</a>
  ) : (
    <button {...shared} type="button">{content}</button>
  )
}

// The entry that a key leads to: arrows go round, a letter finds the next that begins with it; -1: no such key.
function next(key: string, at: number, entries: HTMLElement[]): number {
  const count = entries.length
  if (key === 'ArrowDown') return (at + 1) % count
  if (key === 'ArrowUp') return (Math.max(at, 0) + count - 1) % count
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  if (key.length !== 1 || key === ' ') return -1
  const order = entries.map((_, i) => (at + 1 + i) % count)
  const label = (i: number) => entries[i]!.querySelector('.menu-label')?.textContent?.toLowerCase() ?? ''
  return order.find((i) => label(i).startsWith(key.toLowerCase())) ?? -1
}
