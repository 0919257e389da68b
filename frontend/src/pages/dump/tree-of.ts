// Trees of stacks by name: where a type stands, what a path's step is called, a path as text.
import { ends, totals } from '../../flame/tree'
import { formatShare, formatValue } from '../../format'
import type { Stacks } from '../../stacks'

/** The heaviest node that is called `name`, or -1. */
export function nodeOf(stacks: Stacks, name: string, called: (node: number) => string): number {
  const total = totals(stacks.parent, stacks.own)
  let found = -1
  for (let node = 1; node < total.length; node++)
    if (called(node) === name && (found < 0 || Math.abs(total[node]!) > Math.abs(total[found]!))) found = node
  return found
}

const LABEL = /^(\.\S+|\[[^\]]*\]|local \S+|local|variable \S+|\([^()]*\))\s+(?=\S)/

/** The type in a step of a path: `.OPEN java.util.HashMap` leads to a `java.util.HashMap`. */
export const typeOf = (step: string): string => step.replace(LABEL, '')

/** Least share of all that is written. */
const TOLD = 0.005

/** A tree as indented lines, for a bug report. */
export function asLines(stacks: Stacks, most = 200): string {
  const total = totals(stacks.parent, stacks.own)
  const end = ends(stacks.parent)
  const depth = new Int32Array(total.length)
  const lines = [...stacks.notes]
  const whole = Math.abs(total[0]!) || 1
  for (let node = 1; node < total.length && lines.length < most; ) {
    depth[node] = depth[stacks.parent[node]!]! + 1
    if (Math.abs(total[node]!) < TOLD * whole) {
      node = end[node]!
      continue
    }
    const said = `${formatValue(total[node]!, stacks.unit).padStart(10)} ${formatShare(total[node]! / whole).padStart(7)}`
    lines.push(`${said}  ${'  '.repeat(depth[node]! - 1)}${stacks.names[stacks.frame[node]!]}`)
    node += 1
  }
  return lines.join('\n')
}
