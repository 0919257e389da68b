// A tree of stacks as its readers walk it. Nodes are in preorder, so a node's subtree is a range of numbers:
// its first child is the next node, and each child's sibling begins where the child's own range ends.

import { ends, totals } from '../flame/tree'
import type { Stacks } from '../stacks'

export interface Tree {
  stacks: Stacks
  /** One past the last node below each node. */
  end: Int32Array
  /** What is shown, with all below: bytes there, or the change where the tree is a difference. */
  total: Float64Array
  own: Float64Array
  /** Of a difference, what was there before, with all below. */
  before: Float64Array | null
  /** Of a difference, whether nodes are left out of which nothing is there any more. */
  isLeft: boolean
}

/** Two backward passes over the columns. Without `vanished`, what is not there any more is no child of anything. */
export function treeOf(stacks: Stacks, vanished = true): Tree {
  const { parent, before } = stacks
  const own = before ? stacks.own.map((value, node) => value - before[node]!) : stacks.own
  const total = totals(parent, own)
  return { stacks, end: ends(parent), own, total, before: before && totals(parent, before), isLeft: !vanished }
}

/** Of a difference: whether a node was there before, and nothing of it or below it is any more. */
const isVanished = ({ total, before }: Tree, node: number): boolean => before !== null && before[node]! > 0 && total[node] === -before[node]!

/** The nodes right below `node`, as they are ordered in the answer: heaviest first. */
export function children(tree: Tree, node: number): number[] {
  const found: number[] = []
  for (let child = node + 1; child < tree.end[node]!; child = tree.end[child]!) {
    if (!(tree.isLeft && isVanished(tree, child))) found.push(child)
  }
  return found
}

export const hasChildren = (tree: Tree, node: number): boolean =>
  tree.isLeft && tree.before ? children(tree, node).length > 0 : tree.end[node]! > node + 1

/** The nodes on the way to `node` from the root on, without either. */
export function above(tree: Tree, node: number): number[] {
  const path: number[] = []
  for (let at = tree.stacks.parent[node] ?? -1; at > 0; at = tree.stacks.parent[at]!) path.unshift(at)
  return path
}

export const nameOf = (tree: Tree, node: number): string => {
  const frame = tree.stacks.frame[node]!
  return frame < 0 ? 'all' : (tree.stacks.names[frame] ?? '')
}

/** `file:line` as far as it is known. */
export function placeOf(tree: Tree, node: number): string {
  const frame = tree.stacks.frame[node]!
  const file = frame < 0 ? '' : (tree.stacks.files[frame] ?? '')
  const line = frame < 0 ? 0 : (tree.stacks.lines[frame] ?? 0)
  return file && line > 0 ? `${file}:${line}` : file
}

/** Part of what shares are of: the answer's own total (filters leave it as it was), else all that is there. */
export const shareOf = (tree: Tree, node: number): number =>
  tree.total[node]! / (Math.abs(tree.stacks.total) || Math.abs(tree.total[0]!) || 1)

export interface Line {
  node: number
  depth: number
  /** Its place among its siblings, from 1, and how many they are. */
  position: number
  siblings: number
}

/** The lines that are seen when the nodes of `open` are unfolded; the root itself is not a line. */
export function lines(tree: Tree, open: ReadonlySet<number>): Line[] {
  const shown: Line[] = []
  const waiting: Line[] = []
  const unfold = (node: number, depth: number) => {
    const below = children(tree, node)
    for (let i = below.length - 1; i >= 0; i -= 1)
      waiting.push({ node: below[i]!, depth, position: i + 1, siblings: below.length })
  }
  unfold(0, 1)
  // An explicit stack: a tree may be deeper than calls can nest.
  for (let line = waiting.pop(); line; line = waiting.pop()) {
    shown.push(line)
    if (open.has(line.node)) unfold(line.node, line.depth + 1)
  }
  return shown
}

/** The hot path from `node` down: always the heaviest child, as long as it has at least half of what is above it. */
export function hotPath(tree: Tree, node: number): number[] {
  const path: number[] = []
  for (let at = node; ; ) {
    path.push(at)
    const heaviest = children(tree, at).reduce(
      (most, child) => (most < 0 || Math.abs(tree.total[child]!) > Math.abs(tree.total[most]!) ? child : most), -1,
    ) // prettier-ignore
    if (heaviest < 0 || (at !== node && Math.abs(tree.total[heaviest]!) < Math.abs(tree.total[at]!) / 2)) return path
    at = heaviest
  }
}
