/** Draws what is seen into a canvas, and writes the same as SVG. */
import type { Boxes } from './boxes'
import type { Palette } from './colour'
import type { Labels } from './label'
import { extent, look, RUN, type Depths, type Viewport } from './scene'
import type { Matches } from './search'

export const ROW = 20
const FONT_SIZE = 12
const FONT_FAMILY = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace'
const DIM = 0.4
/** Pictures are not made larger than this, in pixels: browsers refuse. */
const LARGEST = 16_000

/** All that decides a picture, but not where it is put. */
export interface Picture {
  boxes: Boxes
  labels: Labels
  colourOf: (box: number) => string
  palette: Palette
  matches: Matches | null
  viewport: Viewport
  /** The box zoomed to; those above it are drawn pale. */
  zoomed: number
  /** Root below. */
  isFlame: boolean
  /** The depths there are; these decide where a row stands. */
  extent: Depths
}

/** The top of the row of boxes at `depth`, in pixels from the top of the picture. */
export function rowTop({ isFlame, extent: { first, last } }: Picture, depth: number): number {
  return (isFlame ? last - depth : depth - first) * ROW
}

/** The depth that is shown at `y` pixels from the top of the picture. */
export function depthAt({ isFlame, extent: { first, last } }: Picture, y: number): number {
  const row = Math.floor(y / ROW)
  return isFlame ? last - row : row + first
}

/** How high the whole picture is. */
export const heightOf = ({ extent: { first, last } }: Picture): number => (last - first + 1) * ROW

/** With the depths that the viewport has something at. */
export function framed(picture: Omit<Picture, 'extent'>): Picture {
  return { ...picture, extent: extent(picture.boxes, picture.viewport, picture.zoomed) }
}

/** One box of a picture, cut off at its edges. */
interface Part {
  box: number
  x: number
  y: number
  width: number
  /** Above the zoomed box, or no match where there is a search. */
  isPale: boolean
  isMatch: boolean
}

/** What there is to draw between two heights (pixels from the top of the picture). */
export function parts(picture: Picture, top: number, bottom: number): Part[] {
  const { boxes, viewport, zoomed, matches } = picture
  const found: Part[] = []
  const ends = [depthAt(picture, top), depthAt(picture, bottom)]
  const depths = { first: Math.min(...ends), last: Math.max(...ends) }
  look(boxes, viewport, zoomed, depths, (box, depth, begin, wide) => {
    const x = Math.max(begin, 0)
    const width = Math.min(begin + wide, viewport.pixels) - x
    const isMatch = matches !== null && box > RUN && matches[boxes.frame[box]!] === 1
    const isAbove = box > RUN && box < zoomed ? boxes.end[box]! > zoomed : false
    found.push({ box, x, y: rowTop(picture, depth), width, isPale: !isMatch && (isAbove || matches !== null), isMatch })
  })
  return found
}

/** Draws the heights from `top` on into a canvas of CSS pixels; a pivot and `focused` (or -1) are outlined. */
export function draw(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { top, height, focused }: { top: number; height: number; focused: number },
): void {
  const { palette, viewport } = picture
  context.fillStyle = palette.page
  context.fillRect(0, 0, viewport.pixels, height)
  const seen = parts(picture, top, top + height)
  context.globalAlpha = DIM
  for (const part of seen) if (part.isPale) fill(context, picture, part, top)
  context.globalAlpha = 1
  for (const part of seen) if (!part.isPale) fill(context, picture, part, top)
  write(context, picture, seen, top)
  for (const part of seen) {
    if (part.box < 0) continue
    if (part.box === 0 && picture.boxes.split < picture.boxes.count) outline(context, part, top, palette.ink)
    if (part.box === focused) outline(context, part, top, palette.focus)
  }
}

function fill(context: CanvasRenderingContext2D, picture: Picture, part: Part, top: number): void {
  context.fillStyle = colourOf(picture, part)
  context.fillRect(part.x, part.y - top, drawnWidth(part), ROW - 1)
}

function colourOf({ palette, colourOf }: Picture, { box, isMatch }: Part): string {
  return isMatch ? palette.match : box === RUN ? palette.plain : colourOf(box)
}

// A gap between neighbours, where there is room for one.
const drawnWidth = ({ width }: Part) => (width > 3 ? width - 1 : Math.max(width, 0.5))

function write(context: CanvasRenderingContext2D, { labels, palette }: Picture, seen: Part[], top: number): void {
  context.font = `${FONT_SIZE}px ${FONT_FAMILY}`
  context.textBaseline = 'middle'
  context.fillStyle = palette.ink
  const letter = context.measureText('0').width
  for (const { box, x, y, width } of seen) {
    const label = box === RUN ? '' : labels.label(box, Math.floor((width - 8) / letter))
    // Letters of other scripts may be wider; they are squeezed.
    if (label) context.fillText(label, x + 4, y - top + ROW / 2, width - 6)
  }
}

function outline(context: CanvasRenderingContext2D, part: Part, top: number, colour: string): void {
  context.strokeStyle = colour
  context.lineWidth = 2
  context.strokeRect(part.x + 1, part.y - top + 1, Math.max(drawnWidth(part) - 2, 0.5), ROW - 3)
}

/** The whole picture as a PNG, twice as large as on the screen where that is not too large. */
export function pngOf(picture: Picture): Promise<Blob> {
  const canvas = document.createElement('canvas')
  const { pixels } = picture.viewport
  const height = Math.min(heightOf(picture), LARGEST)
  const ratio = Math.min(2, LARGEST / height, LARGEST / pixels)
  canvas.width = Math.ceil(pixels * ratio)
  canvas.height = Math.ceil(height * ratio)
  const context = canvas.getContext('2d', { alpha: false })!
  context.scale(ratio, ratio)
  draw(context, picture, { top: 0, height, focused: -1 })
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture; save it as SVG.')))),
  )
}

/** The whole picture as an SVG of its own, with `title` in a row above it; every text escaped, no script. */
export function svgOf(picture: Picture, title: string): string {
  const { labels, palette, viewport } = picture
  const height = heightOf(picture) + ROW
  const letter = FONT_SIZE * 0.602
  const drawn = parts(picture, 0, heightOf(picture) - 1).map((part) => {
    const said = part.box === RUN ? 'several narrow boxes' : tellIn(labels, part.box)
    const label = part.box === RUN ? '' : labels.label(part.box, Math.floor((part.width - 8) / letter))
    const text = label && `<text x="${round(part.x + 4)}" y="${part.y + ROW + 14}">${escaped(label)}</text>`
    return (
      `<g${part.isPale ? ` opacity="${DIM}"` : ''}><title>${escaped(said)}</title><rect x="${round(part.x)}" ` +
      `y="${part.y + ROW}" width="${round(drawnWidth(part))}" height="${ROW - 1}" ` +
      `fill="${escaped(colourOf(picture, part))}"/>${text}</g>`
    )
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${viewport.pixels} ${height}" width="${viewport.pixels}" ` +
    `height="${height}" font-family="${escaped(FONT_FAMILY)}" font-size="${FONT_SIZE}" fill="${escaped(palette.ink)}">` +
    `<rect width="100%" height="100%" fill="${escaped(palette.page)}"/>` +
    `<text x="4" y="14" font-weight="600">${escaped(title)}</text>\n${drawn.join('\n')}\n</svg>\n`
  )
}

function tellIn(labels: Labels, box: number): string {
  const { title, place, value, share } = labels.facts(box)
  return [title, place, `${value}, ${share}`].filter(Boolean).join('\n')
}

const round = (pixels: number) => Math.round(pixels * 10) / 10

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
