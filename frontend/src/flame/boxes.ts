/** The layout: boxes in preorder, the widest of siblings first, with left edge, width, depth and end of subtree. */
import { picked, totals, type Tree } from './tree'

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
  const sums = sumsOf(tree)
  const placed = place(tree.parent, sums.width)
  // As a server sends them they are in order.
  return placed ? boxesOf(tree, sums, placed) : laidAnew(tree, sums)
}

type Sums = Pick<Boxes, 'width' | 'total' | 'totalBefore'>

const sumsOf = ({ parent, own, before, wide }: Tree): Sums => ({
  width: totals(parent, wide),
  total: totals(parent, own),
  totalBefore: before && totals(parent, before),
})

function boxesOf({ parent, frame, own, before }: Omit<Tree, 'wide'>, sums: Sums, placed: Placed): Boxes {
  const count = parent.length
  return { count, split: count, parent, frame, own, ownBefore: before, ...sums, ...placed, callersReach: 0 }
}

function laidAnew(tree: Tree, sums: Sums): Boxes {
  const order = heaviestFirst(tree.parent, sums.width)
  const count = order.length
  const number = new Int32Array(tree.parent.length)
  for (let box = 0; box < count; box++) number[order[box]!] = box
  const pick = (column: Float64Array) => picked(column, order, new Float64Array(count))
  const maybe = (column: Float64Array | null) => column && pick(column)
  const parent = picked(tree.parent, order, new Int32Array(count))
  for (let box = 1; box < count; box++) parent[box] = number[parent[box]!]!
  const frame = picked(tree.frame, order, new Int32Array(count))
  const ordered = { parent, frame, own: pick(tree.own), before: maybe(tree.before) }
  const width = pick(sums.width)
  return boxesOf(ordered, { width, total: pick(sums.total), totalBefore: maybe(sums.totalBefore) }, place(parent, width)!)
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

type Placed = Pick<Boxes, 'depth' | 'end' | 'left' | 'reach'>

/** Where boxes stand; null where nodes are not in preorder, have no width, or stand before a sibling that is wider. */
function place(parent: Int32Array, width: Float64Array): Placed | null {
  const count = parent.length
  const depth = new Int32Array(count)
  const end = new Int32Array(count)
  const left = new Float64Array(count)
  const reach = new Float64Array(count)
  for (let box = 1; box < count; box++) {
    const above = parent[box]!
    let open = box - 1
    let older = 0
    while (open > above) {
      end[open] = box
      older = open
      open = parent[open]!
    }
    if (open !== above || !(width[box]! > 0) || (older && width[box]! > width[older]!)) return null
    depth[box] = depth[above]! + 1
    left[box] = reach[above]!
    // `reach` grows to the right with every callee; sums of the widths would drift from the parent's edge.
    reach[above] = left[box]! + width[box]!
    reach[box] = left[box]!
  }
  for (let open = count - 1; open >= 0; open = parent[open]!) end[open] = count
  return { depth, end, left, reach }
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
