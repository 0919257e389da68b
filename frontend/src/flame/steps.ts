/** From box to box: neighbours, and a key by which a box is found again in an address. */
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'

/** `down` is towards larger depth: from callers over the pivot to callees. */
export type Step = 'up' | 'down' | 'previous' | 'next'

/** The neighbour of `box`, or -1: the box above or the widest below it, or the sibling before or after it. */
export function step(boxes: Boxes, box: number, to: Step): number {
  const { parent, end, split, count } = boxes
  if (to === 'next') return isSibling(boxes, end[box]!, box) ? end[box]! : -1
  if (to === 'previous') {
    let before = box - 1
    while (before > 0 && parent[before]! > parent[box]!) before = parent[before]!
    return isSibling(boxes, before, box) ? before : -1
  }
  if (box === 0) return to === 'down' ? (split > 1 ? 1 : -1) : split < count ? split : -1
  const isAway = (to === 'down') === box < split
  return isAway ? (end[box]! > box + 1 ? box + 1 : -1) : parent[box]!
}

/** The boxes from the whole down to `box`, without it. */
export function ancestors({ parent }: Boxes, box: number): number[] {
  const found: number[] = []
  for (let above = parent[box]!; above >= 0; above = parent[above]!) found.push(above)
  return found.reverse()
}

/** A short text that stands for the functions on the way to `box`: the same in every dump that has this way. */
export function keyOf(boxes: Boxes, stacks: Stacks, box: number): string {
  if (box <= 0) return ''
  let key = seed(boxes, box)
  for (const on of [...ancestors(boxes, box).slice(1), box]) key = mixed(key, hash(stacks, boxes.frame[on]!))
  return written(key)
}

/** The box that `key` was given for, else 0. */
export function boxOf(boxes: Boxes, stacks: Stacks, key: string): number {
  if (!key) return 0
  const hashes = stacks.names.map((_, frame) => hash(stacks, frame))
  const keys = new Int32Array(boxes.count)
  for (let box = 1; box < boxes.count; box++) {
    const above = boxes.parent[box]!
    keys[box] = mixed(above ? keys[above]! : seed(boxes, box), hashes[boxes.frame[box]!]!)
    if (written(keys[box]!) === key) return box
  }
  return 0
}

function isSibling({ parent, split, count }: Boxes, other: number, box: number): boolean {
  return other > 0 && other < count && parent[other] === parent[box] && other < split === box < split
}

// A caller and a callee of a pivot may have the same name.
const seed = ({ split }: Boxes, box: number) => (box < split ? 1 : 2)
const written = (key: number) => (key >>> 0).toString(36)
const mixed = (key: number, name: number) => Math.imul((key << 5) ^ (key >>> 27) ^ name, 0x9e3779b1)

// FNV-1a over UTF-16; where lines are told apart, they have a number.
function hash({ names, lines }: Stacks, frame: number): number {
  const text = names[frame]!
  let found = 0x811c9dc5 ^ lines[frame]!
  for (let at = 0; at < text.length; at++) found = Math.imul(found ^ text.charCodeAt(at), 0x01000193)
  return found
}
