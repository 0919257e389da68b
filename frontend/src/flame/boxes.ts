/** The layout: boxes in preorder, the widest of siblings first, with left edge, width, depth and end of subtree. */
import { ends, picked, totals, type Tree } from './tree'

/**
 * Boxes as columns. Box 0 is the whole (or the pivot). Up to `split` lie callees, depth 1, 2, …; from it on the callers
 * of a pivot, depth -1, -2, …. Edges and widths are in units of the measure; siblings leave no gap.
 */
export interface Boxes {
  count: number
  split: number
  parent: Int32Array
  frame: Int32Array
  depth: Int32Array
  /** The first box behind the subtree. */
  end: Int32Array
  own: Float64Array
  total: Float64Array
  /** Of a difference: own and total as they were. */
  ownBefore: Float64Array | null
  totalBefore: Float64Array | null
  left: Float64Array
  width: Float64Array
  /** Right edge of the last callee. */
  reach: Float64Array
  /** Right edge of the last caller of a pivot. */
  callersReach: number
}

/** Every node that has a width, as a box. Linear but for siblings that are not in order yet. */
export function layOut(tree: Tree): Boxes {
  const width = totals(tree.parent, tree.wide)
  if (isHeaviestFirst(tree.parent, width)) return asItStands(tree, width)
  const order = heaviestFirst(tree.parent, width)
  const count = order.length
  const number = new Int32Array(tree.parent.length)
  for (let box = 0; box < count; box++) number[order[box]!] = box
  const pick = (column: Float64Array) => picked(column, order, new Float64Array(count))
  const parent = picked(tree.parent, order, new Int32Array(count))
  for (let box = 1; box < count; box++) parent[box] = number[parent[box]!]!
  const placed = place(parent, pick(width))
  return {
    count,
    split: count,
    parent,
    frame: picked(tree.frame, order, new Int32Array(count)),
    end: ends(parent),
    own: pick(tree.own),
    total: pick(totals(tree.parent, tree.own)),
    ownBefore: tree.before && pick(tree.before),
    totalBefore: tree.before && pick(totals(tree.parent, tree.before)),
    ...placed,
  }
}

/** The nodes are the boxes: as a server sends them, they are in order already. */
function asItStands(tree: Tree, width: Float64Array): Boxes {
  const { parent, frame, own, before } = tree
  return {
    count: parent.length,
    split: parent.length,
    parent,
    frame,
    end: ends(parent),
    own,
    total: totals(parent, own),
    ownBefore: before,
    totalBefore: before && totals(parent, before),
    ...place(parent, width),
  }
}

/** Whether nodes stand in preorder, none without a width, siblings by width. */
function isHeaviestFirst(parent: Int32Array, width: Float64Array): boolean {
  const last = new Float64Array(parent.length).fill(Infinity)
  for (let node = 1; node < parent.length; node++) {
    const above = parent[node]!
    if (!(width[node]! > 0) || width[node]! > last[above]!) return false
    last[above] = width[node]!
    let open = node - 1
    while (open > above) open = parent[open]!
    if (open !== above) return false
  }
  return true
}

/** The callees of a pivot and its callers in one: the callers' own box 0 is dropped, being the same. */
export function joined(callees: Boxes, callers: Boxes): Boxes {
  const split = callees.count
  const shift = (box: number) => (box > 0 ? box + split - 1 : box)
  const count = split + callers.count - 1
  const ints = (a: Int32Array, b: Int32Array, change?: (value: number) => number) => {
    const both = new Int32Array(count)
    both.set(a)
    both.set(change ? b.subarray(1).map(change) : b.subarray(1), split)
    return both
  }
  const floats = (a: Float64Array, b: Float64Array) => {
    const both = new Float64Array(count)
    both.set(a)
    both.set(b.subarray(1), split)
    return both
  }
  const maybe = (a: Float64Array | null, b: Float64Array | null) => a && b && floats(a, b)
  const end = ints(callees.end, callers.end, shift)
  end[0] = count
  return {
    count,
    split,
    parent: ints(callees.parent, callers.parent, shift),
    frame: ints(callees.frame, callers.frame),
    depth: ints(callees.depth, callers.depth, (depth) => -depth),
    end,
    own: floats(callees.own, callers.own),
    total: floats(callees.total, callers.total),
    ownBefore: maybe(callees.ownBefore, callers.ownBefore),
    totalBefore: maybe(callees.totalBefore, callers.totalBefore),
    left: floats(callees.left, callers.left),
    width: floats(callees.width, callers.width),
    reach: floats(callees.reach, callers.reach),
    callersReach: callers.reach[0]!,
  }
}

function place(parent: Int32Array, width: Float64Array) {
  const count = parent.length
  const depth = new Int32Array(count)
  const left = new Float64Array(count)
  const reach = new Float64Array(count)
  for (let box = 1; box < count; box++) {
    const above = parent[box]!
    depth[box] = depth[above]! + 1
    left[box] = reach[above]!
    // `reach` grows to the right with every callee; sums of the widths would drift from the parent's edge.
    reach[above] = left[box]! + width[box]!
    reach[box] = left[box]!
  }
  return { depth, left, width, reach, callersReach: 0 }
}

/** The nodes that have a width, in preorder, siblings by width and then by number. */
function heaviestFirst(parent: Int32Array, width: Float64Array): Int32Array {
  const { first, children } = childrenOf(parent, width)
  const order = new Int32Array(children.length + 1)
  const waiting = new Int32Array(children.length + 1)
  let open = 1
  let count = 0
  while (open) {
    const node = waiting[--open]!
    order[count++] = node
    for (let at = first[node + 1]! - 1; at >= first[node]!; at--) waiting[open++] = children[at]!
  }
  return order
}

/** The children of all nodes one after another, and where those of each begin. */
function childrenOf(parent: Int32Array, width: Float64Array): { first: Int32Array; children: Int32Array } {
  const nodes = parent.length
  const first = new Int32Array(nodes + 2)
  for (let node = 1; node < nodes; node++) if (width[node]! > 0) first[parent[node]! + 2]!++
  for (let at = 2; at < first.length; at++) first[at]! += first[at - 1]!
  const children = new Int32Array(first[nodes + 1]!)
  // `first` is one ahead while it is filled, and right afterwards.
  for (let node = 1; node < nodes; node++) if (width[node]! > 0) children[first[parent[node]! + 1]!++] = node
  for (let node = 0; node < nodes; node++) sortByWidth(children, first[node]!, first[node + 1]!, width)
  return { first, children }
}

function sortByWidth(children: Int32Array, from: number, to: number, width: Float64Array): void {
  for (let at = from + 1; at < to; at++) {
    if (width[children[at]!]! > width[children[at - 1]!]!) {
      children.subarray(from, to).sort((a, b) => width[b]! - width[a]! || a - b)
      return
    }
  }
}
