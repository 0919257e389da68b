// Boxes as large as their weights, near squares, since areas of long strips cannot be compared.
// Source: Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000; as in caulk.views.treemap.

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Side by side in `into`; the weights come largest first and are above zero. */
export function squarified(weights: readonly number[], into: Box): Box[] {
  const boxes: Box[] = []
  let { x, y, width, height } = into
  let left = weights.reduce((sum, weight) => sum + weight, 0)
  for (let start = 0; start < weights.length; ) {
    const side = Math.min(width, height)
    const { end, row } = rowFrom(weights, start, side, left > 0 ? (width * height) / left : 0)
    const thick = side > 0 && left > 0 ? (row * width * height) / left / side : 0
    let at = 0
    for (const weight of weights.slice(start, end)) {
      const long = row > 0 ? (side * weight) / row : 0
      boxes.push(width >= height ? { x, y: y + at, width: thick, height: long } : { x: x + at, y, width: long, height: thick })
      at += long
    }
    if (width >= height) [x, width] = [x + thick, width - thick]
    else [y, height] = [y + thick, height - thick]
    left -= row
    start = end
  }
  return boxes
}

// As many weights in one row as make its worst box no worse.
function rowFrom(weights: readonly number[], start: number, side: number, scale: number): { end: number; row: number } {
  const first = weights[start]!
  let row = first
  let worst = stretch(first, first, row, side, scale)
  let end = start + 1
  for (; end < weights.length; end += 1) {
    const next = stretch(first, weights[end]!, row + weights[end]!, side, scale)
    if (next > worst) break
    row += weights[end]!
    worst = next
  }
  return { end, row }
}

// How far the worst box of a row is from a square: the longer side by the shorter.
function stretch(largest: number, smallest: number, row: number, side: number, scale: number): number {
  if (!(row > 0 && side > 0 && scale > 0 && smallest > 0)) return Infinity
  const square = (side * side) / (row * row * scale)
  return Math.max(square * largest, 1 / (square * smallest))
}
