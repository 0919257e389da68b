// The layout of a graph, by dagre, which is begun only when a graph is looked at.
import type { GraphAnswer } from '../../api-types'

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

/** Places for nodes, from the top down, and paths for edges. `lettersOf` says how wide what is written in a node is. */
export async function laidOut(graph: GraphAnswer, lettersOf: (node: GraphNode) => number): Promise<Laid> {
  const { graphlib, layout } = await import('@dagrejs/dagre')
  const drawing = new graphlib.Graph({ multigraph: false })
  drawing.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 34, marginx: 8, marginy: 8 })
  drawing.setDefaultEdgeLabel(() => ({}))
  graph.nodes.forEach((node, at) => {
    drawing.setNode(String(at), { width: lettersOf(node) * LETTER + 16, height: HEIGHT })
  })
  const most = Math.max(...graph.edges.map((edge) => Math.abs(edge.value)), 1)
  for (const edge of graph.edges) {
    // Heavy edges are straight: they are what is followed.
    drawing.setEdge(String(edge.from), String(edge.to), { weight: 1 + Math.round((9 * Math.abs(edge.value)) / most) })
  }
  layout(drawing)
  const size = drawing.graph() as { width?: number; height?: number }
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: graph.nodes.map((node, at) => {
      const { x, y, width, height } = drawing.node(String(at)) as { x: number; y: number; width: number; height: number }
      return { node, x, y, width, height }
    }),
    edges: graph.edges.map((edge) => {
      const { points = [] } = drawing.edge(String(edge.from), String(edge.to)) as { points?: Point[] }
      return { edge, path: curve(points) }
    }),
  }
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
