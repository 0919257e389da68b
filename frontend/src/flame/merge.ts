/**
 * Trees out of trees: callers of everything (inverted), and callers and callees of one function (pivot).
 *
 * Both grow level by level. The members of a group stand one after another; one pass finds the group of the next level
 * that each goes to, a counting sort puts these one after another again. No paths, no hashes, no objects.
 */
import { Growing } from './growing'
import { ends, picked, totals, type Tree } from './tree'

/** Groups below this share of the whole are not taken apart further: they would be narrower than a pixel's tenth. */
const FINEST = 1 / 50_000

/** The tree of callers: below the whole the functions that have something of their own, below each its callers. */
export function inverted(tree: Tree): Tree {
  const nodes: number[] = []
  for (let node = 0; node < tree.own.length; node++) {
    if (tree.own[node] || tree.before?.[node] || tree.wide[node]) nodes.push(node)
  }
  const next = new Int32Array(nodes)
  return callersOf(tree, { next, own: tree.own, before: tree.before, wide: tree.wide }, next)
}

/** The callers and the callees of all frames that `isPivot` marks, recursion counted once; sums of both are equal. */
export function pivoted(tree: Tree, isPivot: Uint8Array): { callees: Tree; callers: Tree } {
  const end = ends(tree.parent)
  const outermost: number[] = []
  for (let node = 1; node < end.length; ) {
    const isOne = isPivot[tree.frame[node]!]
    if (isOne) outermost.push(node)
    node = isOne ? end[node]! : node + 1
  }
  const nodes = new Int32Array(outermost)
  const start = {
    next: nodes.map((node) => tree.parent[node]!),
    own: totals(tree.parent, tree.own),
    before: tree.before && totals(tree.parent, tree.before),
    wide: totals(tree.parent, tree.wide),
  }
  const frame = nodes.length ? tree.frame[nodes[0]!]! : -1
  const callees = calleesOf(tree, nodes, end)
  const callers = callersOf(tree, start, nodes)
  callees.frame[0] = callers.frame[0] = frame
  return { callees, callers }
}

interface Start {
  /** The node each member goes to next, 0 or less where its way ends. */
  next: Int32Array
  own: Float64Array
  before: Float64Array | null
  wide: Float64Array
}

/** Members carry the values of `nodes` upwards; where the way of one ends, the group has them for its own. */
function callersOf(tree: Tree, { next, own, before, wide }: Start, nodes: Int32Array): Tree {
  const grown = new Growing(tree)
  let level: Level = { member: nodes, next, group: new Int32Array(nodes.length) }
  let whole = 0
  for (const node of nodes) whole += wide[node]!
  while (level.member.length) {
    const began = grown.count
    const goes = new Int32Array(level.member.length)
    for (let at = 0; at < goes.length; at++) {
      const up = level.next[at]!
      goes[at] = up > 0 ? grown.below(level.group[at]!, tree.frame[up]!, wide[level.member[at]!]!) : -1
    }
    const least = whole * FINEST
    for (let at = 0; at < goes.length; at++) {
      const group = goes[at]!
      const isFine = group >= 0 && grown.weight[group]! < least
      if (group >= 0 && !isFine) continue
      grown.add(group < 0 ? level.group[at]! : group, level.member[at]!, own, before, wide)
      goes[at] = -1
    }
    level = climbed(level, goes, began, grown.count, tree.parent)
  }
  return grown.tree()
}

/** Nodes of one group at a time go down to their callees; each node's own values are its group's. */
function calleesOf(tree: Tree, nodes: Int32Array, end: Int32Array): Tree {
  const grown = new Growing(tree)
  let members = nodes
  let groups = new Int32Array(nodes.length)
  const below = new Int32Array(tree.parent.length)
  const goes = new Int32Array(tree.parent.length)
  while (members.length) {
    const began = grown.count
    let found = 0
    for (let at = 0; at < members.length; at++) {
      const node = members[at]!
      grown.add(groups[at]!, node, tree.own, tree.before, tree.wide)
      for (let callee = node + 1; callee < end[node]!; callee = end[callee]!) {
        below[found] = callee
        goes[found++] = grown.below(groups[at]!, tree.frame[callee]!, 0)
      }
    }
    const sorted = byGroup(goes.subarray(0, found), began, grown.count)
    members = picked(below, sorted, new Int32Array(found))
    groups = picked(goes, sorted, new Int32Array(found))
  }
  return grown.tree()
}

interface Level {
  member: Int32Array
  next: Int32Array
  group: Int32Array
}

function climbed(level: Level, goes: Int32Array, from: number, until: number, parent: Int32Array): Level {
  const sorted = byGroup(goes, from, until)
  const pick = (column: Int32Array) => picked(column, sorted, new Int32Array(sorted.length))
  return { member: pick(level.member), next: picked(parent, pick(level.next), new Int32Array(sorted.length)), group: pick(goes) }
}

/** Places in `goes`, ordered by the group `from`..`until` that stands there; those without a group (-1) are left out. */
function byGroup(goes: Int32Array, from: number, until: number): Int32Array {
  const first = new Int32Array(until - from + 1)
  for (let at = 0; at < goes.length; at++) if (goes[at]! >= 0) first[goes[at]! - from + 1]!++
  for (let at = 1; at < first.length; at++) first[at]! += first[at - 1]!
  const sorted = new Int32Array(first[until - from]!)
  for (let at = 0; at < goes.length; at++) {
    const group = goes[at]!
    if (group >= 0) sorted[first[group - from]!++] = at
  }
  return sorted
}
