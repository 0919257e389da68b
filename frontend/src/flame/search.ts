/** Search: which functions match, and how much of the whole they are, each byte counted once. */
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'
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

/** The frames that `pattern`, a regular expression without regard to case, matches; null for none, a string for an error. */
export function matching(stacks: Stacks, pattern: string): Matches | null | string {
  if (!pattern) return null
  let wanted: RegExp
  try {
    wanted = new RegExp(pattern, 'i')
  } catch {
    return 'not a regular expression'
  }
  const isFile = new Map<string, boolean>()
  const fits = (file: string) => {
    if (!isFile.has(file)) isFile.set(file, wanted.test(file))
    return isFile.get(file)!
  }
  const found = new Uint8Array(stacks.names.length)
  for (let frame = 0; frame < found.length; frame++) {
    if (wanted.test(stacks.names[frame]!) || fits(stacks.files[frame]!)) found[frame] = 1
  }
  return found
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
