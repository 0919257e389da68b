// A call graph out of stacks: functions with what they have, and between them what one has through the other.
import { ends, totals } from '../../flame/tree'
import type { Stacks } from '../../stacks'

export interface GraphNode {
  name: string
  own: number
  total: number
  package: string
}

export interface GraphEdge {
  from: string
  to: string
  value: number
  /** Functions that are not shown lie between. */
  isIndirect: boolean
}

export interface CallGraph {
  nodes: GraphNode[]
  edges: GraphEdge[]
  /** Functions that were too light to be shown. */
  leftOut: number
}

/** The `most` heaviest functions; an edge leads to the nearest callee that is shown. In a difference values are changes. */
export function graphOf(stacks: Stacks, most = 80): CallGraph {
  const { parent, frame, names, packages } = stacks
  const own = stacks.before ? stacks.own.map((value, node) => value - stacks.before![node]!) : stacks.own
  const total = totals(parent, own)
  const all = byName(stacks, own, total)
  const order = [...all.values()].sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1))
  const nodes = order.slice(0, most).filter(weight)
  const shown = new Set(nodes.map((node) => node.name))
  const edges = new Map<string, GraphEdge>()
  /** By node: the nearest caller that is shown, itself where it is. */
  const nearest: (string | null)[] = [null]
  const isFar = new Uint8Array(parent.length)
  for (let node = 1; node < parent.length; node++) {
    const name = names[frame[node]!]!
    const above = nearest[parent[node]!] ?? null
    const isShown = shown.has(name)
    nearest[node] = isShown ? name : above
    const isAway = isFar[parent[node]!]!
    if (!isShown) isFar[node] = above === null ? 0 : 1
    if (!isShown || above === null || above === name) continue
    const key = `${above}\n${name}`
    const edge = edges.get(key) ?? { from: above, to: name, value: 0, isIndirect: true }
    edge.value += total[node]!
    edge.isIndirect &&= isAway === 1
    edges.set(key, edge)
  }
  for (const node of nodes) node.package = packages[names.indexOf(node.name)] ?? ''
  const kept = [...edges.values()].filter((edge) => edge.value).sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  return { nodes, edges: kept.slice(0, most * 3), leftOut: order.length - nodes.length }
}

const weight = ({ own, total }: GraphNode): number => Math.max(Math.abs(own), Math.abs(total))

/** Sums by name; a call inside another one of the same name is counted with it. */
function byName({ parent, frame, names }: Stacks, own: Float64Array, total: Float64Array): Map<string, GraphNode> {
  const end = ends(parent)
  const found = new Map<string, GraphNode>()
  const open = new Map<string, number>()
  for (let node = 1; node < frame.length; node++) {
    const name = names[frame[node]!]!
    const sums = found.get(name) ?? { name, own: 0, total: 0, package: '' }
    found.set(name, sums)
    sums.own += own[node]!
    if (node < (open.get(name) ?? 0)) continue
    sums.total += total[node]!
    open.set(name, end[node]!)
  }
  return found
}
