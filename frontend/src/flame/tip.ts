/** What is shown beside the pointer: an element of its own, filled with text nodes only. */
import type { Facts } from './label'

const AWAY = 14

/** Shows `facts` (or a sentence) near a point of the window, inside the window. */
export function showTip(tip: HTMLElement, facts: Facts | string, x: number, y: number): void {
  const lines = typeof facts === 'string' ? [line('', facts)] : linesOf(facts)
  tip.replaceChildren(...lines)
  tip.hidden = false
  const { offsetWidth, offsetHeight, style } = tip
  style.left = `${Math.max(4, Math.min(x + AWAY, innerWidth - offsetWidth - 4))}px`
  const below = y + AWAY + 4
  style.top = `${below + offsetHeight > innerHeight ? Math.max(4, y - offsetHeight - AWAY) : below}px`
}

function linesOf({ title, place, value, share, own, ofParent, change }: Facts): HTMLElement[] {
  const said: [string, string][] = [
    ['name', title],
    ['place', place],
    ['', change],
    ['', `${value}, ${share}`],
    ['', ofParent],
    ['', own && `own ${own}`],
  ]
  return said.filter(([, text]) => text).map(([kind, text]) => line(kind, text))
}

function line(kind: string, text: string): HTMLElement {
  const made = document.createElement('div')
  made.className = kind
  made.textContent = text
  return made
}
