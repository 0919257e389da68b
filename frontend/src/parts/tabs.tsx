// Tabs that are links. One that cannot be had stays in its place, grey, and says why when it is pointed at or focused.

import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { classes } from './table'
import './tabs.css'

export interface Tab {
  name: string
  title: string
  is_available?: boolean
  why?: string | null
  href?: string
  /** A number beside the title. */
  count?: number | null
}

export interface TabsProps {
  label: string
  tabs: readonly Tab[]
  selected: string
  onSelect?: (name: string) => void
  /** The id of the element that the tabs change; it should have `role="tabpanel"`. */
  panel?: string
}

export function Tabs({ label, tabs, selected, onSelect, panel }: TabsProps): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const found = [...(ref.current?.querySelectorAll<HTMLElement>('[role=tab]') ?? [])]
    const at = found.indexOf(document.activeElement as HTMLElement)
    const to = {
      ArrowRight: (at + 1) % found.length, ArrowLeft: (at - 1 + found.length) % found.length, Home: 0, End: found.length - 1,
    }[event.key] // prettier-ignore
    if (event.key === ' ') found[at]?.click()
    else if (to === undefined) return
    else found[to]?.focus()
    event.preventDefault()
  }
  const pick = (tab: Tab, event: MouseEvent) => {
    if (tab.is_available === false) return event.preventDefault()
    // With a modifier the link opens elsewhere, as links do.
    if (tab.href && (event.ctrlKey || event.metaKey || event.shiftKey || event.button)) return
    if (onSelect) {
      event.preventDefault()
      onSelect(tab.name)
    }
  }
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={ref} onKeyDown={onKeyDown}>
      {tabs.map((tab) => {
        const isOff = tab.is_available === false
        const shared = {
          role: 'tab',
          class: classes('tab', tab.name === selected && 'tab-selected'),
          'aria-selected': tab.name === selected,
          'aria-disabled': isOff || undefined,
          'aria-controls': tab.name === selected ? panel : undefined,
          'aria-description': isOff ? (tab.why ?? undefined) : undefined,
          title: isOff ? (tab.why ?? undefined) : undefined,
          tabIndex: tab.name === selected ? 0 : -1,
          onClick: (event: MouseEvent) => pick(tab, event),
        } as const
        const content = (
          <>
            {tab.title}
            {tab.count != null && <span class="tab-count">{tab.count}</span>}
            {isOff && tab.why && <span class="tab-why" aria-hidden="true">{tab.why}</span>}
          </>
        )
        return tab.href && !isOff ? (
          <a key={tab.name} {...shared} href={tab.href}>{content}</a>
        ) : (
          <button key={tab.name} {...shared} type="button">{content}</button>
        )
      })}
    </div>
  )
}
