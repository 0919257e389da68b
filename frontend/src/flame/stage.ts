/** The drawn flame graph: what part is shown, what is pointed at and what is in focus. Elements in, callbacks out. */
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'
import { colouring, type Colour } from './colour'
import { depthAt, draw, framed, heightOf, pngOf, ROW, rowTop, svgOf, type Picture } from './draw'
import { listen } from './gestures'
import type { Facts, Labels } from './label'
import { Minimap } from './minimap'
import { onTheme, paletteOf } from './palette'
import { boxAt, RUN, type Hit } from './scene'
import { Sight } from './sight'
import { nextMatch, type Matches } from './search'
import { boxOf, keyOf, step, type Step } from './steps'
import { showTip } from './tip'

/** Elements of a flame graph; `space` is as high as all rows, `canvas` stays in sight inside it, `mark` frames a box. */
export interface Elements {
  root: HTMLElement
  stage: HTMLElement
  space: HTMLElement
  canvas: HTMLCanvasElement
  strip: HTMLCanvasElement
  mark: HTMLElement
  tip: HTMLElement
  live: HTMLElement
}

/** The elements in `root`, by their classes (view.tsx). */
export function elementsOf(root: HTMLElement): Elements {
  const part = <Kind extends HTMLElement>(name: string) => root.querySelector<Kind>(`.flame-${name}`)!
  return {
    root,
    stage: part('stage'),
    space: part('space'),
    canvas: part<HTMLCanvasElement>('canvas'),
    strip: part<HTMLCanvasElement>('strip'),
    mark: part('mark'),
    tip: part('tip'),
    live: part('live'),
  }
}

export interface Shown {
  stacks: Stacks
  boxes: Boxes
  labels: Labels
  colour: Colour
  isFlame: boolean
  matches: Matches | null
  /** As `onZoom` gave it. */
  zoom: string
}

export interface Told {
  /** The box that fills the width now, as a key for addresses; '' for the whole. */
  onZoom(zoom: string): void
  onSelect(facts: Facts): void
  onPivot(name: string): void
}

const STEPS: Record<string, Step> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'previous',
  ArrowRight: 'next',
  w: 'up',
  s: 'down',
  a: 'previous',
  d: 'next',
}

/** With the root below, up is away from it. */
const TURNED: Record<Step, Step> = { up: 'down', down: 'up', previous: 'previous', next: 'next' }

/** Of what is shown, all that a picture is made of but where it is looked at. */
const LOOKS = ['stacks', 'boxes', 'labels', 'colour', 'isFlame', 'matches'] as const

/** What the picture is made of besides where it is looked at. */
type Look = Pick<Picture, 'boxes' | 'palette' | 'colourOf' | 'labels' | 'isFlame' | 'matches'>

type Colours = Pick<Picture, 'boxes' | 'palette' | 'colourOf'> & { colour: Colour }

export class Stage {
  #shown: Shown | null = null
  #colours: Colours | null = null
  #look: Look | null = null
  #sight: Sight | null = null
  #picture: Picture | null = null
  #isFramed = false
  #isPainted = false
  #isPlacedAnew = true
  #told = ''
  #isZoomUntold = false
  #chosen = -1
  #telling: ReturnType<typeof setTimeout> | undefined
  #focused = -1
  #frame = 0
  readonly #context: CanvasRenderingContext2D
  readonly #minimap: Minimap
  readonly #endings: (() => void)[]

  constructor(
    readonly elements: Elements,
    readonly told: Told,
  ) {
    const { canvas, stage, strip } = elements
    this.#context = canvas.getContext('2d', { alpha: false })!
    this.#minimap = new Minimap(strip, (part) => this.#move((sight) => sight.centre(part)))
    const resized = new ResizeObserver(() => this.#move((sight) => (sight.pixels = stage.clientWidth)))
    resized.observe(stage)
    const scrolled = () => {
      this.#leave()
      this.#paintSoon()
    }
    stage.addEventListener('scroll', scrolled, { passive: true })
    this.#endings = [
      () => resized.disconnect(),
      () => stage.removeEventListener('scroll', scrolled),
      onTheme(() => this.#dress(true)),
      listen(canvas, {
        hover: (x, y) => this.#hover(x, y),
        leave: () => this.#leave(),
        click: (x, y) => this.#click(x, y),
        reset: () => this.zoom(0),
        zoom: (factor, x) => this.#move((sight) => sight.scale(factor, x)),
        pan: (dx, dy) => this.#pan(dx, dy),
        key: (key) => this.#key(key),
      }),
    ]
  }

  end(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#telling)
    for (const end of this.#endings) end()
  }

  show(shown: Shown): void {
    const before = this.#shown
    this.#shown = shown
    const { boxes, stacks, zoom } = shown
    const isOther = this.#sight?.boxes !== boxes
    if (!this.#sight || isOther) {
      this.#sight = new Sight(boxes, this.elements.stage.clientWidth)
      this.#focused = this.#chosen = -1
      this.#isZoomUntold = false
      this.#isPlacedAnew = true
    }
    if (before?.isFlame !== shown.isFlame) this.#isPlacedAnew = true
    // What was told and comes back is shown already.
    const isElsewhere = isOther || (zoom !== before?.zoom && zoom !== this.#told)
    if (isElsewhere) {
      this.#told = zoom
      this.#sight.fill(boxOf(boxes, stacks, zoom))
    }
    if (isElsewhere || !before || LOOKS.some((part) => before[part] !== shown[part])) this.#dress()
    // Who opens the page waits for no further frame.
    if (!this.#isPainted) this.paint()
  }

  /** Makes a box as wide as the graph. */
  zoom(box: number): void {
    this.#move((sight) => sight.fill(box))
  }

  /** Puts the focus on a box, brings it into sight, and says what it is once it is drawn. */
  focus(box: number): void {
    if (!this.#shown) return
    this.#focused = box
    this.#chosen = box
    this.#move((sight) => sight.reveal(box))
    this.#scrollTo(box)
  }

  /** Focuses the next match of the search, or the one before. */
  nextMatch(direction: 1 | -1): void {
    if (!this.#shown?.matches) return
    const box = nextMatch(this.#shown.boxes, this.#shown.matches, Math.max(this.#focused, 0), direction)
    if (box >= 0) this.focus(box)
  }

  /** What is shown, with all rows, as an SVG text. */
  svg(): string {
    const picture = this.#framed()
    return picture ? svgOf(picture, this.#title(picture.zoomed)) : ''
  }

  /** What is shown, with all rows, as a PNG. */
  async png(): Promise<Blob> {
    const picture = this.#framed()
    if (!picture) throw new Error('There is no flame graph to make a picture of.')
    return pngOf(picture)
  }

  /** Draws now; else drawing waits for the next frame. */
  paint(): void {
    const picture = this.#framed()
    if (!picture) return
    const { canvas, stage } = this.elements
    const { pixels, from, to } = picture.viewport
    const ratio = devicePixelRatio || 1
    const height = stage.clientHeight
    const size = [Math.round(pixels * ratio), Math.round(height * ratio)] as const
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0)
    draw(this.#context, picture, { top: this.#top(picture), height, focused: this.#focused })
    if (!this.#isPainted) {
      this.#isPainted = true
      // `bench/web` measures until here; the strip follows in the next frame.
      performance.mark('caulk-painted')
      this.#paintSoon()
      return
    }
    const whole = picture.boxes.width[0]! || 1
    this.#minimap.draw(picture, from / whole, to / whole)
    // A gesture is seen first; the page follows it in a frame of its own.
    clearTimeout(this.#telling)
    if (this.#isZoomUntold || this.#chosen >= 0) this.#telling = setTimeout(() => this.#tell())
  }

  #tell(): void {
    if (!this.#shown || !this.#sight) return
    const { boxes, stacks, labels } = this.#shown
    const [chosen, isZoomUntold] = [this.#chosen, this.#isZoomUntold]
    this.#chosen = -1
    this.#isZoomUntold = false
    if (isZoomUntold) this.told.onZoom((this.#told = keyOf(boxes, stacks, this.#sight.zoomed)))
    if (chosen < 0) return
    this.elements.live.textContent = labels.sentence(chosen)
    this.told.onSelect(labels.facts(chosen))
  }

  #title(zoomed: number): string {
    const { stacks, labels } = this.#shown!
    return `${stacks.report} ${stacks.measure}: ${labels.value(zoomed)}${zoomed ? ` in ${labels.title(zoomed)}` : ''}`
  }

  // The picture: asked for anew only when something is drawn or pointed at.

  #dress(isOtherTheme = false): void {
    if (!this.#shown) return
    const { stacks, boxes, labels, colour, isFlame, matches } = this.#shown
    // Colours are kept as long as they hold: the strip is drawn anew for others.
    if (!this.#colours || isOtherTheme || this.#colours.boxes !== boxes || this.#colours.colour !== colour) {
      const palette = paletteOf(this.elements.root)
      this.#colours = { boxes, colour, palette, colourOf: colouring(stacks, boxes, colour, palette) }
    }
    this.#look = { ...this.#colours, labels, isFlame, matches }
    this.#move(() => {})
  }

  #move(move: (sight: Sight) => void): void {
    const sight = this.#sight
    if (!sight || !this.#shown) return
    const before = sight.zoomed
    move(sight)
    // Another box is under the pointer now; it is said when the pointer moves.
    this.#leave()
    this.#isFramed = false
    this.#paintSoon()
    if (sight.zoomed !== before) this.#isZoomUntold = true
  }

  #framed(): Picture | null {
    const { stage, space, canvas, strip } = this.elements
    if (this.#isFramed || !this.#look || !this.#sight || !stage.clientWidth) return this.#picture
    this.#isFramed = true
    this.#sight.pixels = stage.clientWidth
    const height = stage.clientHeight
    const before = this.#picture
    const stood = before ? rowTop(before, 0) - this.#top(before) : 0
    const picture = framed({ ...this.#look, viewport: this.#sight.viewport, zoomed: this.#sight.zoomed })
    this.#picture = picture
    space.style.height = `${Math.max(heightOf(picture), height)}px`
    canvas.style.height = `${height}px`
    strip.style.width = `${stage.clientWidth}px`
    // The whole (or the pivot) stays where it is on the screen.
    const stands = this.#isPlacedAnew || !before ? firstPlace(picture, height) : stood
    this.#isPlacedAnew = false
    stage.scrollTop = rowTop(picture, 0) + this.#rise(picture) - stands
    return picture
  }

  /** Room above the picture: one with its root below stands on the ground. */
  #rise(picture: Picture): number {
    return picture.isFlame ? Math.max(0, this.elements.stage.clientHeight - heightOf(picture)) : 0
  }

  /** What is at the upper edge of the canvas, in pixels from the top of the picture. */
  #top(picture: Picture): number {
    return this.elements.stage.scrollTop - this.#rise(picture)
  }

  #scrollTo(box: number): void {
    const picture = this.#framed()
    if (!picture) return
    const { stage } = this.elements
    const y = rowTop(picture, picture.boxes.depth[box]!) + this.#rise(picture)
    if (y < stage.scrollTop) stage.scrollTop = y - ROW
    else if (y + ROW > stage.scrollTop + stage.clientHeight) stage.scrollTop = y + 2 * ROW - stage.clientHeight
  }

  #paintSoon(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      this.paint()
    })
  }

  // Gestures

  #hit(x: number, y: number): Hit | null {
    const picture = this.#framed()
    if (!picture || !this.#sight) return null
    const depth = depthAt(picture, y + this.#top(picture))
    return boxAt(picture.boxes, picture.viewport, picture.zoomed, this.#sight.at(x), depth)
  }

  #hover(x: number, y: number): void {
    const hit = this.#hit(x, y)
    if (!hit || !this.#shown) return this.#leave()
    const { labels } = this.#shown
    const { left, top } = this.elements.canvas.getBoundingClientRect()
    const narrow = `Several narrow boxes in ${labels.title(Math.max(hit.above, 0))}. Click to see them.`
    showTip(this.elements.tip, hit.box === RUN ? narrow : labels.facts(hit.box), left + x, top + y)
    this.elements.canvas.style.cursor = 'pointer'
    this.#mark(hit)
  }

  #leave(): void {
    this.elements.tip.hidden = this.elements.mark.hidden = true
    this.elements.canvas.style.cursor = ''
  }

  // An element, so that nothing is drawn anew while the pointer moves.
  #mark({ box, from, to }: Hit): void {
    const { mark } = this.elements
    const picture = this.#picture!
    mark.hidden = box === RUN
    if (mark.hidden) return
    const { viewport, boxes } = picture
    const x = (at: number) => Math.max(0, Math.min((at - viewport.from) / (viewport.to - viewport.from), 1)) * viewport.pixels
    mark.style.left = `${x(from)}px`
    mark.style.width = `${x(to) - x(from)}px`
    mark.style.top = `${rowTop(picture, boxes.depth[box]!) + this.#rise(picture)}px`
  }

  #click(x: number, y: number): void {
    const hit = this.#hit(x, y)
    if (!hit) return
    if (hit.box === RUN) return this.#move((sight) => sight.show(hit.from, hit.to))
    this.zoom(hit.box)
    this.focus(hit.box)
  }

  #pan(dx: number, dy: number): void {
    this.elements.stage.scrollTop -= dy
    if (dx) this.#move((sight) => sight.pan(dx))
  }

  #key(key: string): boolean {
    const sight = this.#sight
    if (!this.#shown || !sight) return false
    const at = this.#focused < 0 ? sight.zoomed : this.#focused
    const wanted = STEPS[key]
    if (wanted) this.#step(at, wanted)
    else if (key === 'Home') this.focus(0)
    else if (key === 'Enter') this.zoom(at)
    else if (key === '+' || key === '=') this.#move(() => sight.scale(0.5, sight.middleOf(at)))
    else if (key === '-') this.#move(() => sight.scale(2, sight.middleOf(at)))
    else if (key === 'n') this.nextMatch(1)
    else if (key === 'N') this.nextMatch(-1)
    else if (key === 'p' && at > 0) this.told.onPivot(this.#shown.labels.facts(at).name)
    else if (key === 'Escape' && !sight.isWhole) this.zoom(0)
    else return false
    return true
  }

  #step(at: number, wanted: Step): void {
    const { boxes, isFlame } = this.#shown!
    const box = this.#focused < 0 ? at : step(boxes, at, isFlame ? TURNED[wanted] : wanted)
    if (box >= 0) this.focus(box)
  }
}

/** Where the row of the whole stands at first, in pixels: at its edge; a pivot with callers and callees in the middle. */
function firstPlace({ extent: { first, last }, isFlame }: Picture, height: number): number {
  if (first < 0 && last > 0) return (height - ROW) / 2
  const isBelow = isFlame !== (first < 0)
  return isBelow ? height - ROW : 0
}
