/** What every function has: its own, and all below it with recursion counted once. The table beside a flame graph. */
import type { Stacks } from '../stacks'
import { ends, totals } from './tree'

/** Columns by frame of the stacks. In a difference `own` and `total` are what is there after. */
export interface Functions {
  own: Float64Array
  total: Float64Array
  ownBefore: Float64Array | null
  totalBefore: Float64Array | null
}

export function functions({ parent, frame, own, before, names }: Stacks): Functions {
  const end = ends(parent)
  const sums = (values: Float64Array) => byFrame(frame, end, values, totals(parent, values), names.length)
  const after = sums(own)
  const old = before && sums(before)
  return { own: after.own, total: after.total, ownBefore: old && old.own, totalBefore: old && old.total }
}

function byFrame(frame: Int32Array, end: Int32Array, values: Float64Array, total: Float64Array, frames: number) {
  const found = { own: new Float64Array(frames), total: new Float64Array(frames) }
  // Up to where a call of each function is still open: a call inside another one of the same function is counted with it.
  const open = new Int32Array(frames)
  for (let node = 1; node < values.length; node++) {
    const at = frame[node]!
    found.own[at]! += values[node]!
    if (node < open[at]!) continue
    found.total[at]! += total[node]!
    open[at] = end[node]!
  }
  return found
}
