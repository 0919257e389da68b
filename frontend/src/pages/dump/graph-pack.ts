// Parts of a graph that hang together with nothing else: which they are, and where each stands so that none is far off.

export interface Size {
  width: number
  height: number
}

export interface Packed extends Size {
  /** The upper left corner of each part. */
  places: { x: number; y: number }[]
}

/** Nodes by number, in the parts that edges hold together; parts and the nodes in them are in the order of nodes. */
export function connected(count: number, edges: readonly { from: number; to: number }[]): number[][] {
  const above = Array.from({ length: count }, (_, node) => node)
  const head = (node: number): number => (above[node] === node ? node : (above[node] = head(above[node]!)))
  for (const { from, to } of edges) {
    const [one, other] = [head(from), head(to)]
    above[Math.max(one, other)] = Math.min(one, other)
  }
  const parts = new Map<number, number[]>()
  above.forEach((_, node) => parts.set(head(node), [...(parts.get(head(node)) ?? []), node]))
  return [...parts.values()]
}

/** Places for boxes, none over another, `gap` apart, so that they fill a room well that is `aspect` times as wide as high. */
export function packed(boxes: readonly Size[], gap: number, aspect: number): Packed {
  const area = boxes.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0)
  const least = Math.max(...boxes.map(({ width }) => width))
  const needs = ({ width, height }: Size) => Math.max(width / aspect, height)
  const tried = ROOMIER.map((factor) => shelved(boxes, gap, Math.max(least, Math.sqrt(area * aspect) * factor)))
  return tried.reduce((best, one) => (needs(one) < needs(best) ? one : best))
}
/** Shelves are never filled to the last: how much wider they are tried than their boxes' area asks for. */
const ROOMIER = [1, 1.1, 1.2, 1.35, 1.5]

/**
 * Boxes on shelves that are `widest` wide.
 *
 * The first stands first; then the highest begins each shelf, and the next ones stand beside it, below each other where
 * they are as flat as that.
 */
function shelved(boxes: readonly Size[], gap: number, widest: number): Packed {
  const places = boxes.map(() => ({ x: 0, y: 0 }))
  const all = { width: 0, height: 0 }
  const shelf = { top: 0, height: 0 }
  const column = { left: 0, width: 0, bottom: 0 }
  const order = [...boxes.keys()].sort((a, b) => Number(b === 0) - Number(a === 0) || boxes[b]!.height - boxes[a]!.height || a - b)
  for (const box of order) {
    const { width, height } = boxes[box]!
    const isBelow = column.width > 0 && column.bottom + height <= shelf.top + shelf.height && column.left + width <= widest
    if (!isBelow) {
      const left = column.width ? column.left + column.width + gap : 0
      const isNext = left > 0 && left + width > widest
      if (isNext) Object.assign(shelf, { top: shelf.top + shelf.height + gap, height: 0 })
      Object.assign(column, { left: isNext ? 0 : left, width: 0, bottom: shelf.top })
    }
    places[box] = { x: column.left, y: column.bottom }
    column.width = Math.max(column.width, width)
    column.bottom += height + gap
    shelf.height = Math.max(shelf.height, height)
    all.width = Math.max(all.width, column.left + width)
    all.height = Math.max(all.height, shelf.top + shelf.height)
  }
  return { ...all, places }
}
