// The graph of the heaviest functions or types: laid out when it is asked for, moved and zoomed by hand, with its table.
import type { JSX, TargetedPointerEvent } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { formatShare, formatValue, visible } from '../../format'
import { hueOf } from '../../parts/palette'
import { Table, type Column } from '../../parts/table'
import { change, parameter } from '../../route'
import type { Stacks } from '../../stacks'
import { hasObjects, question, type About } from './about'
import { Answered } from './answered'
import { useStacks } from './answers'
import { select, selected } from './asked'
import { graphOf, type CallGraph, type GraphEdge, type GraphNode } from './graph-of'
import { laidOut, type Laid } from './graph-layout'
import { Choice } from './notes'
import { Bar } from './stacks-tabs'
import { signOf } from './selection'
import './graph.css'

const MOST = 80

export function Graph({ about }: { about: About }): JSX.Element {
  const found = useStacks(question(about, 'flame'))
  return <Answered found={found}>{(stacks) => <Pane about={about} stacks={stacks} />}</Answered>
}

function Pane({ about, stacks }: { about: About; stacks: Stacks }) {
  const most = Math.min(Math.max(Number(parameter('nodes')) || 40, 10), MOST)
  const graph = useMemo(() => graphOf(stacks, most), [stacks, most])
  const [laid, lay] = useState<Laid | null>(null)
  useEffect(() => {
    let isWanted = true
    lay(null)
    void laidOut(graph, labelOf).then((found) => isWanted && lay(found))
    return () => void (isWanted = false)
  }, [graph])
  const kind = hasObjects(about.page) ? 'type' : 'frame'
  const isTable = parameter('table') === '1'
  return (
    <>
      <Bar>
        <Choice label="Heaviest" value={String(most)} options={[['20', '20'], ['40', '40'], ['80', '80']]} onPick={(nodes) => change({ nodes })} />
        <button type="button" class="toggle" aria-pressed={isTable} onClick={() => change({ table: !isTable })}>Table</button>
        <span class="muted">{graph.leftOut ? `${graph.leftOut} lighter ones are left out; dashed edges lead over some of them.` : ''}</span>
      </Bar>
      {isTable ? <Edges graph={graph} unit={stacks.unit} signed={stacks.signed} /> : laid ? <Drawing graph={graph} laid={laid} stacks={stacks} kind={kind} /> : <p class="muted answering">Laying out {graph.nodes.length} nodes …</p>}
    </>
  )
}

const labelOf = (name: string): string => {
  const seen = visible(name, 200)
  return seen.length > 36 ? `…${seen.slice(-35)}` : seen
}

interface View {
  x: number
  y: number
  scale: number
}

function Drawing({ graph, laid, stacks, kind }: { graph: CallGraph; laid: Laid; stacks: Stacks; kind: 'type' | 'frame' }) {
  const place = useRef<SVGSVGElement>(null)
  const [view, look] = useState<View | null>(null)
  const whole = Math.abs(stacks.total) || 1
  const most = Math.max(...graph.edges.map((edge) => Math.abs(edge.value)), 1)
  const fit = () => {
    const box = place.current!.getBoundingClientRect()
    const scale = Math.min(box.width / laid.width, box.height / laid.height, 1)
    look({ scale, x: (box.width - laid.width * scale) / 2, y: scale < 1 ? (box.height - laid.height * scale) / 2 : 8 })
  }
  useEffect(fit, [laid])
  useEffect(() => {
    const svg = place.current!
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY)
    }
    svg.addEventListener('wheel', onWheel, { passive: false })
    return () => svg.removeEventListener('wheel', onWheel)
  }, [])
  const zoom = (factor: number, x: number, y: number) =>
    look((now) => {
      if (!now) return now
      const scale = Math.min(Math.max(now.scale * factor, 0.05), 4)
      return { scale, x: x - ((x - now.x) * scale) / now.scale, y: y - ((y - now.y) * scale) / now.scale }
    })
  const drag = usePan((dx, dy) => look((now) => now && { ...now, x: now.x + dx, y: now.y + dy }))
  const middle = (factor: number) => zoom(factor, (place.current?.clientWidth ?? 0) / 2, (place.current?.clientHeight ?? 0) / 2)
  return (
    <div class="graph">
      <svg ref={place} class="graph-drawing" role="group" aria-label={`Graph of the ${graph.nodes.length} heaviest; the button Table shows it as a table`} {...drag}>
        <defs>
          <marker id="graph-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" /></marker>
        </defs>
        <g transform={view ? `translate(${view.x} ${view.y}) scale(${view.scale})` : undefined}>
          {laid.edges.map(({ edge, path }) => (
            <path key={`${edge.from}\n${edge.to}`} class={`graph-edge ${stacks.signed ? signOf(edge.value) : ''}`} d={path} marker-end="url(#graph-arrow)"
              stroke-dasharray={edge.isIndirect ? '4 3' : undefined} stroke-width={0.75 + 3 * (Math.abs(edge.value) / most)}>
              <title>{`${visible(edge.from)} → ${visible(edge.to)}\n${formatValue(edge.value, stacks.unit, stacks.signed)}`}</title>
            </path>
          ))}
          {laid.nodes.map(({ node, x, y, width, height }) => (
            <Node key={node.name} node={node} kind={kind} unit={stacks.unit} signed={stacks.signed} whole={whole} x={x} y={y} width={width} height={height} />
          ))}
        </g>
      </svg>
      <div class="graph-zoom">
        <button type="button" aria-label="Zoom in" onClick={() => middle(1.4)}>+</button>
        <button type="button" aria-label="Zoom out" onClick={() => middle(1 / 1.4)}>−</button>
        <button type="button" onClick={fit}>Fit</button>
      </div>
    </div>
  )
}

interface NodeProps {
  node: GraphNode
  kind: 'type' | 'frame'
  unit: string
  signed: boolean
  whole: number
  x: number
  y: number
  width: number
  height: number
}

function Node({ node, kind, unit, signed, whole, x, y, width, height }: NodeProps) {
  const isChosen = selected.value?.name === node.name
  const value = (amount: number) => formatValue(amount, unit, signed)
  const choose = () => select({ kind, name: node.name })
  const said = `${value(node.total)} ${formatShare(node.total / whole)}${node.own ? `, own ${value(node.own)}` : ''}`
  return (
    <g class={`graph-node ${isChosen ? 'graph-chosen' : ''} ${signed ? signOf(node.total) : ''}`} transform={`translate(${x - width / 2} ${y - height / 2})`} role="button" tabIndex={0}
      aria-label={`${visible(node.name)}: ${said}`} aria-pressed={isChosen} style={{ '--hue': String(hueOf(node.package || node.name)), '--strength': `${Math.round(14 + 50 * Math.min(Math.abs(node.own) / whole, 1))}%` }}
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

function Edges({ graph, unit, signed }: { graph: CallGraph; unit: string; signed: boolean }) {
  const kind = unit === 'bytes' ? 'bytes' : 'count'
  const columns: Column<GraphEdge>[] = [
    { key: 'from', title: 'From', kind: 'text', width: 0 },
    { key: 'to', title: 'To', kind: 'text', width: 0 },
    { key: 'value', title: signed ? 'Δ' : 'Value', kind, signed, width: 12 },
  ]
  return <Table label="Edges of the graph" columns={columns} rows={graph.edges} rowKey={(edge) => `${edge.from}\n${edge.to}`} height="100%" />
}
