/** The boxes that a flame graph draws, as asked for: as they are, inverted, or around a pivot. */
import type { Stacks } from '../stacks'
import { joined, layOut, type Boxes } from './boxes'
import { inverted, pivoted } from './merge'
import { weighed, type Widths } from './tree'

export interface Shape {
  /** Callers below their callees. */
  inverted: boolean
  /** The name of a function: callers above it, callees below it. */
  pivot: string
  widths: Widths
  /** Of a difference: show what is not there any more. */
  vanished: boolean
}

const SHAPE: Shape = { inverted: false, pivot: '', widths: 'change', vanished: true }

/** 200,000 nodes take less than 100 ms. A pivot that does not occur gives one box without width. */
export function modelOf(stacks: Stacks, shape: Partial<Shape> = {}): Boxes {
  const wanted = { ...SHAPE, ...shape }
  const tree = weighed(stacks, wanted.widths, wanted.vanished)
  if (wanted.pivot) {
    const isPivot = Uint8Array.from(stacks.names, (name) => (name === wanted.pivot ? 1 : 0))
    const { callees, callers } = pivoted(tree, isPivot)
    return joined(layOut(callees), layOut(callers))
  }
  return layOut(wanted.inverted ? inverted(tree) : tree)
}
