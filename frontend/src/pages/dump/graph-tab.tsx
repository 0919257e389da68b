// The graph of the heaviest functions or types: laid out when it is asked for, moved and zoomed by hand, with its table.
import type { JSX, TargetedPointerEvent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { hasIsland } from '../../api'
import type { GraphAnswer } from '../../api-types'
import { formatShare, formatValue, visible } from '../../format'
import { hueOf } from '../../parts/palette'
import { Table, type Column } from '../../parts/table'
import { change, parameter } from '../../route'
import { hasObjects, question, type About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'
import { select, selected } from './asked'
import { fitted, laidOut, type GraphEdge, type GraphNode, type Laid, type View } from './graph-layout'
import { Choice, Notes } from './notes'
import { Bar } from './stacks-tabs'
import { signOf } from './selection'
import './graph.css'

export function Graph({ about }: { about: About }): JSX.Element {
  const found = useJson<GraphAnswer>(question(about, 'graph', { limit: parameter('nodes') }))
  const isTable = parameter('table') === '1'
  return (
    <>
      <Bar>
        <Choice label="Heaviest" value={parameter('nodes')} options={[['20', '20'], ['40', '40'], ['', '80']]} onPick={(nodes) => change({ nodes })} isOff={hasIsland()} />
        <button type="button" class="toggle" aria-pressed={isTable} onClick={() => change({ table: !isTable })}>Table</button>
        <span class="muted">dashed: others lie between</span>
      </Bar>
      <Answered found={found}>{(graph) => <Pane graph={graph} kind={hasObjects(about.page) ? 'type' : 'frame'} isTable={isTable} />}</Answered>
    </>
  )
}

function Pane({ graph, kind, isTable }: { graph: GraphAnswer; kind: 'type' | 'frame'; isTable: boolean }) {
  const [laid, lay] = useState<Laid | null>(null)
  useEffect(() => {
    let isWanted = true
    lay(null)
    void laidOut(graph, (node) => Math.max(labelOf(node.name).length, saidOf(node, graph).length)).then((found) => isWanted && lay(found))
    return () => void (isWanted = false)
  }, [graph])
  return (
    <>
      {isTable ? <Edges graph={graph} /> : laid ? <Drawing graph={graph} laid={laid} kind={kind} /> : <p class="muted answering">Laying out {graph.nodes.length} nodes …</p>}
      <Notes notes={graph.notes} />
    </>
  )
}

const READABLE = 0.85

const labelOf = (name: string): string => {
  const seen = visible(name, 200)
  return seen.length > 36 ? `…${seen.slice(-35)}` : seen
}

const saidOf = ({ own, total }: GraphNode, { unit, signed, total: whole }: GraphAnswer): string => {
  const value = (amount: number) => formatValue(amount, unit, signed)
  return `${value(total)} ${formatShare(total / (Math.abs(whole) || 1))}${own ? `, own ${value(own)}` : ''}`
}

function Drawing({ graph, laid, kind }: { graph: GraphAnswer; laid: Laid; kind: 'type' | 'frame' }) {
  const place = useRef<SVGSVGElement>(null)
  /** The least scale that the drawing is fitted with; null once it was moved by hand. */
  const least = useRef<number | null>(READABLE)
  const [view, look] = useState<View | null>(null)
  const called = (node: number) => visible(graph.nodes[node]!.name)
  const most = Math.max(...graph.edges.map((edge) => Math.abs(edge.value)), 1)
  const fit = () => {
    const room = place.current?.getBoundingClientRect()
    if (room && least.current !== null) look(fitted(laid, room, least.current))
  }
  useEffect(() => {
    least.current = READABLE
    const observer = new ResizeObserver(fit)
    if (place.current) observer.observe(place.current)
    return () => observer.disconnect()
  }, [laid])
  useEffect(() => {
    const svg = place.current
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY)
    }
    svg?.addEventListener('wheel', onWheel, { passive: false })
    return () => svg?.removeEventListener('wheel', onWheel)
  }, [])
  const zoom = (factor: number, x: number, y: number) => {
    least.current = null
    look((now) => {
      if (!now) return now
      const scale = Math.min(Math.max(now.scale * factor, 0.05), 4)
      return { scale, x: x - ((x - now.x) * scale) / now.scale, y: y - ((y - now.y) * scale) / now.scale }
    })
  }
  const drag = usePan((dx, dy) => {
    least.current = null
    look((now) => now && { ...now, x: now.x + dx, y: now.y + dy })
  })
  const middle = (factor: number) => zoom(factor, (place.current?.clientWidth ?? 0) / 2, (place.current?.clientHeight ?? 0) / 2)
  return (
    <div class="graph">
      <svg ref={place} class="graph-drawing" role="group" aria-label={`Graph of the ${graph.nodes.length} heaviest; the button Table shows it as a table`} {...drag}>
        <defs>
          <marker id="graph-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" /></marker>
        </defs>
        <g transform={view ? `translate(${view.x} ${view.y}) scale(${view.scale})` : undefined}>
          {laid.edges.map(({ edge, path }) => (
            <path key={`${edge.from} ${edge.to}`} class={`graph-edge ${graph.signed ? signOf(edge.value) : ''}`} d={path} marker-end="url(#graph-arrow)"
              stroke-dasharray={edge.is_residual ? '4 3' : undefined} stroke-width={0.75 + 3 * (Math.abs(edge.value) / most)}>
              <title>{`${called(edge.from)} → ${called(edge.to)}\n${formatValue(edge.value, graph.unit, graph.signed)}`}</title>
            </path>
          ))}
          {laid.nodes.map(({ node, x, y, width, height }) => (
            <Node key={node.name} node={node} graph={graph} kind={kind} x={x} y={y} width={width} height={height} />
          ))}
        </g>
      </svg>
      <div class="graph-zoom">
        <button type="button" aria-label="Zoom in" onClick={() => middle(1.4)}>+</button>
        <button type="button" aria-label="Zoom out" onClick={() => middle(1 / 1.4)}>−</button>
        <button type="button" onClick={() => ((least.current = 0), fit())}>Fit</button>
      </div>
    </div>
  )
}

interface NodeProps {
  node: GraphNode
  graph: GraphAnswer
  kind: 'type' | 'frame'
  x: number
  y: number
  width: number
  height: number
}

function Node({ node, graph, kind, x, y, width, height }: NodeProps) {
  const isChosen = selected.value?.name === node.name
  const choose = () => select({ kind, name: node.name })
  const said = saidOf(node, graph)
  const strength = 14 + 50 * Math.min(Math.abs(node.own) / (Math.abs(graph.total) || 1), 1)
  return (
    <g class={`graph-node ${isChosen ? 'graph-chosen' : ''} ${graph.signed ? signOf(node.total) : ''}`} transform={`translate(${x - width / 2} ${y - height / 2})`} role="button" tabIndex={0}
      aria-pressed={isChosen} style={{ '--hue': String(hueOf(node.package || node.name)), '--strength': `${Math.round(strength)}%` }}
      onClick={choose} onKeyDown={(event) => (event.key === 'Enter' || event.key === ' ') && (event.preventDefault(), choose())}>
      <title>{`${visible(node.name)}\n${said}`}</title>
      <rect width={width} height={height} rx="4" />
      <text x="8" y="16">{labelOf(node.name)}</text>
      <text class="graph-said" x="8" y="31">{said}</text>
    </g>
  )
}

function usePan(move: (dx: number, dy: number) => void) {
  const from = useRef<{ x: number; y: number } | null>(null)
  return {
    onPointerDown: (event: TargetedPointerEvent<SVGSVGElement>) => {
      if (event.button === 0 && !(event.target as Element).closest('.graph-node')) from.current = { x: event.clientX, y: event.clientY }
    },
    onPointerMove: (event: TargetedPointerEvent<SVGSVGElement>) => {
      if (!from.current) return
      event.currentTarget.setPointerCapture(event.pointerId)
      move(event.clientX - from.current.x, event.clientY - from.current.y)
      from.current = { x: event.clientX, y: event.clientY }
    },
    onPointerUp: () => (from.current = null),
    onPointerCancel: () => (from.current = null),
  }
}

function Edges({ graph }: { graph: GraphAnswer }) {
  const kind = graph.unit === 'bytes' ? 'bytes' : 'count'
  const columns: Column<GraphEdge>[] = [
    { key: 'from', title: 'From', kind: 'text', width: 0, value: (edge) => graph.nodes[edge.from]!.name },
    { key: 'to', title: 'To', kind: 'text', width: 0, value: (edge) => graph.nodes[edge.to]!.name },
    { key: 'value', title: graph.signed ? 'Δ' : 'Value', kind, signed: graph.signed, width: 12 },
  ]
  return <Table label="Edges of the graph" columns={columns} rows={graph.edges} rowKey={(edge) => `${edge.from} ${edge.to}`} height="100%" />
}
