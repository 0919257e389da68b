// The layout of a graph, by dagre, which is begun only when a graph is looked at.
import type { GraphAnswer } from '../../api-types'
import { connected, packed, type Size } from './graph-pack'

export type GraphNode = GraphAnswer['nodes'][number]
export type GraphEdge = GraphAnswer['edges'][number]

export interface Laid {
  width: number
  height: number
  nodes: { node: GraphNode; x: number; y: number; width: number; height: number }[]
  edges: { edge: GraphEdge; path: string }[]
}

const LETTER = 6.7
const HEIGHT = 40
const MARGIN = 8
const APART = 18
/** About that of the room beside the selection. */
const ASPECT = 2

/** Places for nodes, from the top down, and paths for edges. `lettersOf` says how wide what is written in a node is. */
export async function laidOut(graph: GraphAnswer, lettersOf: (node: GraphNode) => number): Promise<Laid> {
  const dagre = await import('@dagrejs/dagre')
  const most = Math.max(...graph.edges.map((edge) => Math.abs(edge.value)), 1)
  const parts = connected(graph.nodes.length, graph.edges).map((numbers) => {
    const edges = graph.edges.filter((edge) => numbers.includes(edge.from))
    return partOf(dagre, graph, numbers, edges, most, lettersOf)
  })
  const { width, height, places } = packed(parts, APART, ASPECT)
  const moved = parts.map((part, i) => shifted(part, places[i]!.x + MARGIN, places[i]!.y + MARGIN))
  const nodes = new Map(moved.flatMap((part) => part.nodes).map((one) => [one.node, one]))
  return {
    width: width + 2 * MARGIN,
    height: height + 2 * MARGIN,
    nodes: graph.nodes.map((node) => nodes.get(node)!),
    edges: moved.flatMap((part) => part.edges.map(({ edge, points }) => ({ edge, path: curve(points) }))),
  }
}

interface Part extends Size {
  nodes: Laid['nodes']
  edges: { edge: GraphEdge; points: Point[] }[]
}

function partOf(
  { graphlib, layout }: typeof import('@dagrejs/dagre'),
  graph: GraphAnswer, numbers: readonly number[], edges: readonly GraphEdge[], most: number, lettersOf: (node: GraphNode) => number,
): Part {
  const drawing = new graphlib.Graph({ multigraph: false })
  drawing.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 34 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const at of numbers) drawing.setNode(String(at), { width: lettersOf(graph.nodes[at]!) * LETTER + 16, height: HEIGHT })
  // Heavy edges are straight: they are what is followed.
  for (const edge of edges) drawing.setEdge(String(edge.from), String(edge.to), { weight: 1 + Math.round((9 * Math.abs(edge.value)) / most) })
  layout(drawing)
  const { width = 0, height = 0 } = drawing.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: numbers.map((at) => ({ node: graph.nodes[at]!, ...(drawing.node(String(at)) as Point & Size) })),
    edges: edges.map((edge) => ({ edge, points: (drawing.edge(String(edge.from), String(edge.to)) as { points?: Point[] }).points ?? [] })),
  }
} // prettier-ignore

const shifted = ({ nodes, edges, ...size }: Part, dx: number, dy: number): Part => ({
  ...size,
  nodes: nodes.map(({ node, x, y, width, height }) => ({ node, x: x + dx, y: y + dy, width, height })),
  edges: edges.map(({ edge, points }) => ({ edge, points: points.map(({ x, y }) => ({ x: x + dx, y: y + dy })) })),
})

/** How a drawing lies in the room it has: moved by `x` and `y`, after it was scaled. */
export interface View {
  x: number
  y: number
  scale: number
}

/** Letters of a drawing are no larger than those of headings. */
const LARGEST = 1.6

/**
 * The whole drawing as large as the room allows. What would then be smaller than `least` is no first look: the part
 * around the heaviest node is shown instead, from the first line on.
 */
export function fitted(laid: Laid, room: Size, least = 0): View {
  const scale = Math.max(Math.min(room.width / laid.width, room.height / laid.height, LARGEST), least)
  const [width, height] = [laid.width * scale, laid.height * scale]
  const heaviest = laid.nodes[0]
  const beside = heaviest ? Math.min(Math.max(room.width / 2 - heaviest.x * scale, room.width - width), 0) : 0
  return { scale, x: width > room.width ? beside : (room.width - width) / 2, y: Math.max((room.height - height) / 2, 0) }
}

interface Point {
  x: number
  y: number
}

/** A smooth line through the points that dagre gives: each bend is rounded towards its middle. */
export function curve(points: readonly Point[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  let drawn = `M${at(first)}`
  rest.forEach((point, i) => {
    const next = rest[i + 1]
    drawn += next ? `Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}` : `L${at(point)}`
  })
  return drawn
}

const at = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`
