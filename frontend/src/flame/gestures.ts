/** Pointer, wheel and keys over a flame graph, as what they mean. */

/** What a gesture means; places are pixels from the top left corner of the canvas. */
export interface Meanings {
  hover(x: number, y: number): void
  leave(): void
  click(x: number, y: number): void
  reset(): void
  /** Factor below 1 shows less, larger, around `x`. */
  zoom(factor: number, x: number): void
  /** The picture moves with the hand. */
  pan(dx: number, dy: number): void
  key(key: string): boolean
}

/** A hand is never quite still. */
const STILL = 4

/** Listens on `canvas` until the returned function is called. */
export function listen(canvas: HTMLCanvasElement, meanings: Meanings): () => void {
  const ending = new AbortController()
  const on = <Kind extends keyof HTMLElementEventMap>(kind: Kind, then: (event: HTMLElementEventMap[Kind]) => void) =>
    canvas.addEventListener(kind, then, { signal: ending.signal, passive: false })
  const pointers = new Pointers(canvas, meanings)
  on('pointerdown', (event) => pointers.down(event))
  on('pointermove', (event) => pointers.move(event))
  on('pointerup', (event) => pointers.up(event))
  on('pointercancel', (event) => pointers.forget(event))
  on('pointerleave', () => meanings.leave())
  on('dblclick', () => meanings.reset())
  on('wheel', (event) => wheel(event, meanings))
  on('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !meanings.key(event.key)) return
    // What is meant for the graph is not for the page: `d` and `Esc` mean something there as well.
    event.preventDefault()
    event.stopPropagation()
  })
  return () => ending.abort()
}

function wheel(event: WheelEvent, meanings: Meanings): void {
  const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
  const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX
  // A pinch on a touch pad comes as a wheel with ctrl.
  if (event.ctrlKey || event.metaKey) {
    meanings.zoom(Math.exp((Math.max(-50, Math.min(50, event.deltaY * unit)) * Math.LN2) / 100), event.offsetX)
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    meanings.pan(-sideways * unit, 0)
  } else {
    return
  }
  event.preventDefault()
}

interface Place {
  x: number
  y: number
}

/** One pointer clicks or drags, two pinch. */
class Pointers {
  readonly #down = new Map<number, Place>()
  #begun: Place | null = null
  #isDragging = false

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly meanings: Meanings,
  ) {}

  down(event: PointerEvent): void {
    if (event.button !== 0) return
    this.#down.set(event.pointerId, placeOf(event))
    this.#begun = placeOf(event)
    this.#isDragging = this.#down.size > 1
  }

  move(event: PointerEvent): void {
    // The button may have been let go outside.
    if (!event.buttons) this.forget(event)
    const before = this.#down.get(event.pointerId)
    const now = placeOf(event)
    if (!before || !this.#begun) return this.meanings.hover(event.offsetX, event.offsetY)
    if (!this.#isDragging && Math.hypot(now.x - this.#begun.x, now.y - this.#begun.y) < STILL) return
    if (!this.#isDragging) this.canvas.setPointerCapture(event.pointerId)
    this.#isDragging = true
    this.meanings.leave()
    const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1]
    if (other) this.#pinch(before, now, other)
    // A finger scrolls up and down by itself.
    else this.meanings.pan(now.x - before.x, event.pointerType === 'touch' ? 0 : now.y - before.y)
    this.#down.set(event.pointerId, now)
  }

  up(event: PointerEvent): void {
    const wasDown = this.#down.delete(event.pointerId)
    if (wasDown && !this.#isDragging) this.meanings.click(event.offsetX, event.offsetY)
  }

  forget(event: PointerEvent): void {
    this.#down.delete(event.pointerId)
  }

  #pinch(before: Place, now: Place, other: Place): void {
    const apart = (one: Place) => Math.max(Math.abs(one.x - other.x), 8)
    const middle = (now.x + other.x) / 2 - this.canvas.getBoundingClientRect().left
    this.meanings.zoom(apart(before) / apart(now), middle)
    this.meanings.pan((now.x - before.x) / 2, 0)
  }
}

const placeOf = (event: PointerEvent): Place => ({ x: event.clientX, y: event.clientY })
