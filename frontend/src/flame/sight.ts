/** The part of a layout that is shown: zoomed to a box, or anywhere between by hand. */
import type { Boxes } from './boxes'
import type { Viewport } from './scene'

/** A box that is brought into sight is at least this wide, in pixels. */
const READABLE = 24
/** Nothing narrower is shown, as a part of the whole; sums of floats are not exact below. */
const NARROWEST = 1e-9

export class Sight {
  /** The innermost box known to fill the width; 0 for the whole. */
  zoomed = 0
  #from = 0
  #to: number

  /** `pixels` is the width there is to draw on. */
  constructor(
    readonly boxes: Boxes,
    public pixels: number,
  ) {
    this.#to = boxes.width[0]!
  }

  get viewport(): Viewport {
    return { from: this.#from, to: this.#to, pixels: this.pixels }
  }

  get isWhole(): boolean {
    return this.#to - this.#from >= this.#whole
  }

  /** Makes `box` as wide as the picture. */
  fill(box: number): void {
    const { left, width } = this.boxes
    this.zoomed = box
    this.#from = left[box]!
    this.#to = left[box]! + width[box]!
  }

  /** Shows what lies between, as far as there is anything. What is zoomed to becomes the box that still fills it. */
  show(from: number, to: number): void {
    const span = Math.min(this.#whole, Math.max(to - from, this.#whole * NARROWEST))
    this.#from = Math.max(0, Math.min(from, this.#whole - span))
    this.#to = this.#from + span
    while (this.zoomed > 0 && !this.#isFilledBy(this.zoomed)) this.zoomed = this.boxes.parent[this.zoomed]!
  }

  /** A factor below 1 shows less, larger; what is at pixel `x` stays there. */
  scale(factor: number, x: number): void {
    const at = this.at(x)
    this.show(at - (at - this.#from) * factor, at + (this.#to - at) * factor)
  }

  /** Moves what is shown by `dx` pixels to the right. */
  pan(dx: number): void {
    const away = (dx / this.pixels) * (this.#to - this.#from)
    this.show(this.#from - away, this.#to - away)
  }

  /** Puts what is at `part` of the whole (0 to 1) in the middle. */
  centre(part: number): void {
    const half = (this.#to - this.#from) / 2
    this.show(part * this.#whole - half, part * this.#whole + half)
  }

  /** Moves as little as needed to see `box`. */
  reveal(box: number): void {
    const { left, width, split } = this.boxes
    if (box && this.zoomed && box < split !== this.zoomed < split) this.zoomed = 0
    const [begin, wide, span] = [left[box]!, width[box]!, this.#to - this.#from]
    if (begin < this.#to && begin + wide > this.#from && (wide / span) * this.pixels >= 2) return
    const wanted = Math.max(wide, Math.min(span, (wide * this.pixels) / READABLE))
    this.show(begin + (wide - wanted) / 2, begin + (wide + wanted) / 2)
  }

  /** What is at pixel `x`, in units of the measure. */
  at(x: number): number {
    return this.#from + (x / this.pixels) * (this.#to - this.#from)
  }

  /** The pixel in the middle of `box`, inside the picture. */
  middleOf(box: number): number {
    const { left, width } = this.boxes
    const x = ((left[box]! + width[box]! / 2 - this.#from) / (this.#to - this.#from)) * this.pixels
    return Math.max(0, Math.min(x, this.pixels))
  }

  get #whole(): number {
    return this.boxes.width[0]!
  }

  #isFilledBy(box: number): boolean {
    const { left, width } = this.boxes
    const slack = this.#whole * NARROWEST
    return left[box]! <= this.#from + slack && left[box]! + width[box]! >= this.#to - slack
  }
}
