/** The whole graph in a strip, and the part of it that is shown. */
import type { Boxes } from './boxes'
import type { Picture } from './draw'
import { look, extent, RUN, EVERY } from './scene'
import type { Palette } from './colour'

export const STRIP = 28

/** Drawn once for a layout, a width and a theme; the part shown is drawn over it every time. */
export class Minimap {
  readonly #context: CanvasRenderingContext2D
  readonly #whole = document.createElement('canvas')
  #drawnFor: unknown[] = []

  constructor(
    readonly canvas: HTMLCanvasElement,
    moved: (part: number) => void,
  ) {
    this.#context = canvas.getContext('2d')!
    const move = (event: PointerEvent) => moved(event.offsetX / canvas.clientWidth)
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId)
      move(event)
    })
    canvas.addEventListener('pointermove', (event) => event.buttons && move(event))
  }

  /** `from` and `to` are parts of the width. */
  draw({ boxes, colourOf, palette, viewport: { pixels } }: Picture, from: number, to: number): void {
    const ratio = devicePixelRatio || 1
    const wanted = [boxes, colourOf, palette, pixels, ratio]
    if (wanted.some((part, at) => part !== this.#drawnFor[at])) {
      this.#drawnFor = wanted
      for (const canvas of [this.#whole, this.canvas]) {
        canvas.width = Math.round(pixels * ratio)
        canvas.height = STRIP * ratio
      }
      drawWhole(this.#whole, boxes, colourOf, palette, ratio)
    }
    const context = this.#context
    const { width, height } = this.canvas
    context.drawImage(this.#whole, 0, 0)
    if (to <= from || to - from >= 1) return
    context.fillStyle = palette.page
    context.globalAlpha = 0.65
    context.fillRect(0, 0, from * width, height)
    context.fillRect(to * width, 0, (1 - to) * width, height)
    context.globalAlpha = 1
    context.strokeStyle = palette.focus
    context.lineWidth = ratio
    const half = ratio / 2
    context.strokeRect(from * width + half, half, Math.max((to - from) * width - ratio, ratio), height - ratio)
  }
}

function drawWhole(
  canvas: HTMLCanvasElement,
  boxes: Boxes,
  colourOf: (box: number) => string,
  palette: Palette,
  ratio: number,
): void {
  const context = canvas.getContext('2d')!
  context.fillStyle = palette.page
  context.fillRect(0, 0, canvas.width, canvas.height)
  const viewport = { from: 0, to: boxes.width[0]!, pixels: canvas.width }
  const { first, last } = extent(boxes, viewport, 0)
  const row = Math.min(4 * ratio, canvas.height / (last - first + 1))
  look(boxes, viewport, 0, EVERY, (box, depth, x, width) => {
    context.fillStyle = box === RUN ? palette.plain : colourOf(box)
    context.fillRect(x, (depth - first) * row, width, row)
  })
}
