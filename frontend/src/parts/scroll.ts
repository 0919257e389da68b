// The hook behind tables of many rows: it follows a scrolling element and says which rows to draw.

import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { windowed, type Window } from './rows'

const ROW = 26

export interface Rows {
  /** For the element that scrolls. */
  ref: { current: HTMLDivElement | null }
  window: Window
  /** Height of a row in pixels, and rows in a screenful. */
  row: number
  page: number
  /** Scrolls until row `index` is seen, below the sticky heading. */
  reveal: (index: number) => void
}

export function useRows(count: number): Rows {
  const ref = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ row: ROW, height: 600 })
  const [shown, setShown] = useState<Window>(() => windowed(count, 0, 600, ROW))
  const update = useCallback(() => {
    const element = ref.current
    if (!element) return
    const next = windowed(count, element.scrollTop, element.clientHeight, size.row)
    setShown((now) => (now.first === next.first && now.end === next.end && now.below === next.below ? now : next))
  }, [count, size])

  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const measure = () => {
      const row = parseFloat(getComputedStyle(element).getPropertyValue('--row')) || ROW
      setSize((now) => (now.row === row && now.height === element.clientHeight ? now : { row, height: element.clientHeight }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    const element = ref.current
    update()
    element?.addEventListener('scroll', update, { passive: true })
    return () => element?.removeEventListener('scroll', update)
  }, [update])

  const reveal = useCallback(
    (index: number) => {
      const element = ref.current
      if (!element) return
      const head = element.querySelector('thead')?.offsetHeight ?? 0
      const [top, bottom] = [index * size.row, (index + 1) * size.row]
      if (top < element.scrollTop) element.scrollTop = top
      else if (bottom > element.scrollTop + element.clientHeight - head)
        element.scrollTop = bottom - element.clientHeight + head
    },
    [size],
  )
  return { ref, window: shown, row: size.row, page: Math.max(Math.floor(size.height / size.row) - 2, 1), reveal }
}
