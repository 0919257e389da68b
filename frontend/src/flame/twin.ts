/** The widest boxes, for those who read a table rather than a picture. */
import type { Boxes } from './boxes'

/** At most `limit` boxes without the whole, widest first; a box stands before those of its width inside it. */
export function widest({ end, parent, width, split, count }: Boxes, limit: number): number[] {
  const found: number[] = []
  // The widest that is not taken yet is a first callee of one taken, or the next sibling of one.
  const waiting = [...(split > 1 ? [1] : []), ...(split < count ? [split] : [])]
  while (waiting.length && found.length < limit) {
    let best = 0
    for (let at = 1; at < waiting.length; at++) {
      const more = width[waiting[at]!]! - width[waiting[best]!]!
      if (more > 0 || (more === 0 && waiting[at]! < waiting[best]!)) best = at
    }
    const [box] = waiting.splice(best, 1) as [number]
    found.push(box)
    const next = end[box]!
    if (box + 1 < next) waiting.push(box + 1)
    if (next < count && next !== split && parent[next] === parent[box]) waiting.push(next)
  }
  return found
}
