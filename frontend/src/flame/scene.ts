/** What is seen of a layout: the boxes wide enough to draw, and one grey box for each run of those that are not. */
import type { Boxes } from './boxes'

/** A part of the layout, in units of the measure, that is `pixels` wide on the screen. */
export interface Viewport {
  from: number
  to: number
  pixels: number
}

/** Boxes below this many pixels are drawn together. */
export const LEAST = 1

/** In place of a box: several that are too narrow, from `x` on for `width` pixels. */
export const RUN = -1

/** `box` is RUN for a run; then `above` is the box above it. `x` may lie left of the viewport, and the end right of it. */
export type Visit = (box: number, depth: number, x: number, width: number, above: number) => void

/** Depths that are drawn, both included. */
export interface Depths {
  first: number
  last: number
}

export const EVERY: Depths = { first: -Infinity, last: Infinity }

/**
 * Visits what is seen. Where a box around a pivot is zoomed to (`zoomed`), only its half is seen: how much of a caller
 * went to which callee is not known.
 *
 * A box is skipped with its whole subtree; siblings stand widest first, so the first that is too narrow ends its row.
 */
export function look(boxes: Boxes, viewport: Viewport, zoomed: number, depths: Depths, visit: Visit): void {
  const { from, to, pixels } = viewport
  const scale = pixels / (to - from)
  if (!Number.isFinite(scale)) return
  const { left, width } = boxes
  if (depths.first <= 0 && depths.last >= 0) visit(0, 0, (left[0]! - from) * scale, width[0]! * scale, RUN)
  if (zoomed < boxes.split) half(boxes, 1, boxes.split, boxes.reach[0]!, viewport, depths, visit)
  if (zoomed === 0 || zoomed >= boxes.split) {
    half(boxes, boxes.split, boxes.count, boxes.callersReach, viewport, depths, visit)
  }
}

/** The depths that anything is seen at. */
export function extent(boxes: Boxes, viewport: Viewport, zoomed: number): Depths {
  const found = { first: 0, last: 0 }
  look(boxes, viewport, zoomed, EVERY, (_, depth) => {
    if (depth < found.first) found.first = depth
    else if (depth > found.last) found.last = depth
  })
  return found
}

function half(
  { parent, end, depth, left, width, reach }: Boxes,
  begin: number,
  until: number,
  reachOfFirst: number,
  { from, to, pixels }: Viewport,
  { first, last }: Depths,
  visit: Visit,
): void {
  const scale = pixels / (to - from)
  let box = begin
  while (box < until) {
    const above = parent[box]!
    const x = (left[box]! - from) * scale
    const wide = width[box]! * scale
    const level = depth[box]!
    if (x >= pixels || (level > 0 ? level > last : level < first)) {
      // Younger siblings lie further to the right, and at the same depth.
      box = above ? end[above]! : until
    } else if (wide < LEAST) {
      const right = ((above ? reach[above]! : reachOfFirst) - from) * scale
      if (right > 0 && level >= first && level <= last) visit(RUN, level, x, right - x, above)
      box = above ? end[above]! : until
    } else if (x + wide <= 0) {
      box = end[box]!
    } else {
      if (level >= first && level <= last) visit(box, level, x, wide, above)
      box++
    }
  }
}

/** The box at `at` (units of the measure) and `depth`; a run as the edges it has; null where nothing is drawn. */
export function boxAt(boxes: Boxes, viewport: Viewport, zoomed: number, at: number, depth: number): Hit | null {
  let hit: Hit | null = null
  const x = ((at - viewport.from) / (viewport.to - viewport.from)) * viewport.pixels
  look(boxes, viewport, zoomed, { first: depth, last: depth }, (box, _, begin, width, above) => {
    if (x < begin || x >= begin + width) return
    const from = viewport.from + (begin / viewport.pixels) * (viewport.to - viewport.from)
    hit = { box, above, from, to: from + (width / viewport.pixels) * (viewport.to - viewport.from) }
  })
  return hit
}

/** A box, or a run (`box` is RUN) below `above`; its edges in units of the measure. */
export interface Hit {
  box: number
  above: number
  from: number
  to: number
}
