/** Trees as columns: totals, ends of subtrees, and how wide a node is by itself. */
import type { Stacks } from '../stacks'

/** Nodes after their parents; `frame` is -1 for the whole only. */
export interface Tree {
  parent: Int32Array
  frame: Int32Array
  own: Float64Array
  /** Of a difference: what was there before. */
  before: Float64Array | null
  /** The width of a node without what lies below it; never negative. */
  wide: Float64Array
}

/** What a box of a difference is as wide as: what changed below it, or the larger of what was and what is there. */
export type Widths = 'change' | 'size'

const known = new WeakMap<Float64Array, Float64Array>()

/** Sums over subtrees, by node: one backward pass, once for a column. Works on any order that has parents first. */
export function totals(parent: Int32Array, own: Float64Array): Float64Array {
  const before = known.get(own)
  if (before) return before
  const total = own.slice()
  for (let node = total.length - 1; node > 0; node--) total[parent[node]!]! += total[node]!
  known.set(own, total)
  return total
}

/** The first node behind the subtree of each; the nodes must be in preorder. */
export function ends(parent: Int32Array): Int32Array {
  const end = new Int32Array(parent.length)
  for (let node = parent.length - 1; node >= 0; node--) {
    if (end[node]! <= node) end[node] = node + 1
    const above = parent[node]!
    if (above >= 0 && end[above]! < end[node]!) end[above] = end[node]!
  }
  return end
}

/**
 * The stacks with widths. A gain and a loss that cancel out are not nothing, so the width of a difference is the sum of
 * all changes, gained and lost; without `vanished`, what is not there any more has none.
 */
export function weighed(stacks: Stacks, widths: Widths = 'change', vanished = true): Tree {
  const { parent, frame, own, before } = stacks
  if (!before && !hasLosses(own)) return { parent, frame, own, before, wide: own }
  const wide = new Float64Array(own.length)
  for (let node = 0; node < own.length; node++) {
    const old = before ? before[node]! : 0
    wide[node] = widths === 'size' ? Math.max(Math.abs(own[node]!), Math.abs(old)) : Math.abs(own[node]! - old)
  }
  if (before && !vanished) {
    const left = new Float64Array(own.length)
    for (let node = 0; node < own.length; node++) left[node] = Math.abs(own[node]!)
    const after = totals(parent, left)
    for (let node = 0; node < own.length; node++) if (!after[node]) wide[node] = 0
  }
  return { parent, frame, own, before, wide }
}

function hasLosses(own: Float64Array): boolean {
  for (let node = 0; node < own.length; node++) if (own[node]! < 0) return true
  return false
}

/** What stands in `column` at each of `order`. A loop, because `from` and `map` of typed arrays take ten times as long. */
export function picked<Column extends Int32Array | Float64Array>(column: Column, order: Int32Array, into: Column): Column {
  for (let at = 0; at < order.length; at++) into[at] = column[order[at]!]!
  return into
}
