// Which items of a long list are drawn while the page itself scrolls.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { itemAt } from './rows'

const BEYOND_PX = 240

export interface Windowed {
  /** For the element whose upper edge is that of the first item. */
  ref: { current: HTMLTableSectionElement | null }
  first: number
  end: number
  /** Scrolls as little as it takes to show an item below what sticks to the top. */
  reveal: (index: number) => void
}

export function useWindowed(begins: Float64Array, covered_px: number): Windowed {
  const ref = useRef<HTMLTableSectionElement>(null)
  const count = begins.length - 1
  const [shown, show] = useState({ first: 0, end: Math.min(count, 40) })
  const look = useRef(() => {})
  look.current = () => {
    const top = ref.current?.getBoundingClientRect().top
    if (top === undefined) return
    const first = count ? itemAt(begins, -top - BEYOND_PX) : 0
    const end = count ? itemAt(begins, -top + innerHeight + BEYOND_PX) + 1 : 0
    show((old) => (old.first === first && old.end === end ? old : { first, end }))
  }
  useLayoutEffect(() => look.current(), [begins])
  useEffect(() => {
    const moved = (): void => look.current()
    addEventListener('scroll', moved, { passive: true })
    addEventListener('resize', moved)
    return () => {
      removeEventListener('scroll', moved)
      removeEventListener('resize', moved)
    }
  }, [])
  const reveal = (index: number): void => {
    const top = ref.current?.getBoundingClientRect().top
    if (top === undefined) return
    const [from, to] = [top + begins[index]!, top + begins[index + 1]!]
    if (from < covered_px) scrollBy(0, from - covered_px)
    else if (to > innerHeight - 32) scrollBy(0, to - innerHeight + 32)
  }
  return { ref, first: Math.min(shown.first, count), end: Math.min(shown.end, count), reveal }
}
