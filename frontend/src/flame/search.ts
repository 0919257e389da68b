/** Search: which functions match, and how much of the whole they are, each byte counted once. */
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'
import { longest, refusal } from './patterns'
import { totals } from './tree'

/** By frame 1 where its name or file matches. */
export type Matches = Uint8Array

export interface Found {
  /** Functions that match. */
  functions: number
  /** What lies in or below a match; in a difference the change of that. */
  value: number
  /** `value` as a part of the whole. */
  share: number
}

/** A search takes no longer than this, in milliseconds. */
const PATIENCE = 1000

/**
 * The frames that `pattern`, a regular expression without regard to case, matches; null for none, a string that says why
 * it is not looked for. `patience` in milliseconds.
 */
export function matching(stacks: Stacks, pattern: string, patience = PATIENCE): Matches | null | string {
  if (!pattern) return null
  const wanted = compiled(pattern)
  if (typeof wanted === 'string') return wanted
  const most = longest(pattern)
  const ends = performance.now() + patience
  const isFile = new Map<string, boolean>()
  const found = new Uint8Array(stacks.names.length)
  for (let frame = 0; frame < found.length; frame++) {
    const [name, file] = [stacks.names[frame]!, stacks.files[frame]!]
    if (Math.max(name.length, file.length) > most) return 'may take for ever with names as long as here: use fewer repeats'
    if (!isFile.has(file)) isFile.set(file, wanted.test(file))
    if (isFile.get(file) || wanted.test(name)) found[frame] = 1
    if (!(frame % OFTEN) && performance.now() > ends) return 'takes too long here: use fewer repeats'
  }
  return found
}
const OFTEN = 64

function compiled(pattern: string): RegExp | string {
  try {
    return refusal(pattern) ?? new RegExp(pattern, 'i')
  } catch {
    return 'not a regular expression'
  }
}

/** What the outermost matches have; a match inside a match is in it already. */
export function found(stacks: Stacks, matches: Matches): Found {
  const { parent, frame, own, before } = stacks
  const total = totals(parent, own)
  const old = before && totals(parent, before)
  const isInside = new Uint8Array(parent.length)
  let value = 0
  for (let node = 1; node < parent.length; node++) {
    if (isInside[parent[node]!]) isInside[node] = 1
    else if (matches[frame[node]!]) {
      isInside[node] = 1
      value += total[node]! - (old ? old[node]! : 0)
    }
  }
  return { functions: matches.reduce((sum, is) => sum + is, 0), value, share: value / wholeOf(stacks) }
}

/** What shares are of: the total the server gave, which what is left out is in as well. */
export function wholeOf({ total, own }: Stacks): number {
  return Math.abs(total) || own.reduce((sum, value) => sum + Math.abs(value), 0) || 1
}

/** The next box that matches, after `from` or before it, around the ends; -1 where none does. */
export function nextMatch({ count, frame }: Boxes, matches: Matches, from: number, direction: 1 | -1): number {
  for (let away = 1; away <= count; away++) {
    const box = (from + direction * away + count * 2) % count
    if (frame[box]! >= 0 && matches[frame[box]!]) return box
  }
  return -1
}
