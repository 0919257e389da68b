// A range of a chart chosen with a finger: to the side it chooses, up and down it scrolls the page as everywhere.

import type uPlot from 'uplot'

/** Where a brush lies that was begun at `from` and is now at `to`: from the left, in pixels, within `width`. */
export function brushFrom(from: number, to: number, width: number): { left: number; width: number } {
  const [low, high] = [from, to].map((x) => Math.min(Math.max(x, 0), width)).sort((a, b) => a - b) as [number, number]
  return { left: low, width: high - low }
}

/** Lets fingers brush a plot as mice do; the plot hears of it as of those (`setCursor`, `setSelect`). */
export function brushedByTouch(plot: uPlot): void {
  let from: number | null = null
  const select = (to: number, isDone: boolean) => {
    const { clientWidth, clientHeight } = plot.over
    plot.setSelect({ ...brushFrom(from ?? to, to, clientWidth), top: 0, height: clientHeight }, isDone)
  }
  const at = (event: PointerEvent) => event.clientX - plot.over.getBoundingClientRect().left
  const heard = (name: 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel', then: (event: PointerEvent) => void) =>
    plot.over.addEventListener(name, (event) => event.pointerType === 'touch' && event.isPrimary && then(event))
  heard('pointerdown', (event) => (from = at(event)))
  heard('pointermove', (event) => {
    if (from === null) return
    plot.setCursor({ left: at(event), top: 0 })
    select(at(event), false)
  })
  heard('pointerup', (event) => {
    if (from !== null) select(at(event), true)
    from = null
  })
  // The browser takes the finger for scrolling.
  heard('pointercancel', () => {
    from = null
    select(0, false)
  })
}
