// What a selection has, counted from stacks: for pages that have no server to ask, as a report in one file.
import type { Related, Selection } from '../../api-types'
import { ends, totals } from '../../flame/tree'
import type { Stacks } from '../../stacks'
import type { Selected } from './asked'

const MOST = 30

/** The selection of a function or type in stacks, recursion counted once; null where it does not occur. */
export function selectionIn(stacks: Stacks, { kind, name }: Selected): Selection | null {
  const { parent, frame, before, names } = stacks
  const end = ends(parent)
  const [after, old] = [totals(parent, stacks.own), before && totals(parent, before)]
  const found = { own: 0, total: 0, was: 0, seen: -1 }
  const above = new Map<string, number>()
  const below = new Map<string, number>()
  const there = new Map<string, number>()
  const now = (side: string, name: string, node: number) => there.set(side + name, (there.get(side + name) ?? 0) + after[node]!)
  const change = (node: number) => after[node]! - (old ? old[node]! : 0)
  const called = (node: number) => names[frame[node]!] ?? ''
  for (let node = 1, open = 0; node < frame.length; node++) {
    if (called(node) !== name) continue
    found.seen = frame[node]!
    found.own += stacks.own[node]!
    for (let child = node + 1; child < end[node]!; child = end[child]!)
      if (called(child) !== name) {
        below.set(called(child), (below.get(called(child)) ?? 0) + change(child))
        now('▼', called(child), child)
      }
    if (node < open) continue
    open = end[node]!
    found.total += after[node]!
    found.was += old ? old[node]! : 0
    const caller = parent[node]! > 0 ? called(parent[node]!) : '(root)'
    above.set(caller, (above.get(caller) ?? 0) + change(node))
    now('▲', caller, node)
  }
  if (found.seen < 0) return null
  const line = stacks.lines[found.seen] ?? 0
  const file = stacks.files[found.seen] ?? ''
  const grown = found.total - found.was
  const isType = kind === 'type'
  const side = (glyph: string) => (name: string) => (old ? (there.get(glyph + name) ?? 0) : null)
  return {
    kind, name, location: file && line > 0 ? `${file}:${line}` : file, package: stacks.packages[found.seen] ?? '', unit: stacks.unit,
    own: found.own, total: found.total, share: found.total / (after[0] || 1), count: null,
    growth: old ? { bytes: grown, per_hour: null, count: null } : null, series: [],
    above: listed(above, grown || found.total, side('▲')), below: listed(below, grown || found.total, side('▼')),
    above_title: isType ? 'holders' : 'callers', below_title: isType ? 'holds' : 'callees', matched: 1,
  } // prettier-ignore
}

function listed(sums: ReadonlyMap<string, number>, whole: number, now: (name: string) => number | null): Related[] {
  return [...sums]
    .filter(([, value]) => value)
    .sort(([a, x], [b, y]) => Math.abs(y) - Math.abs(x) || (a < b ? -1 : 1))
    .slice(0, MOST)
    .map(([name, value]) => ({ name, value, share: value / (whole || 1), label: '', now: now(name) }))
}
