// A tree as boxes, each as large as what it holds and with what it holds drawn in it. A click goes in.

import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { formatShare, formatValue, visible } from '../format'
import type { Stacks } from '../stacks'
import { hueOf } from './palette'
import { squarified, type Box } from './squarify'
import { Table, type Column } from './table'
import { above, children, hasChildren, nameOf, placeOf, shareOf, treeOf, type Tree } from './tree'
import './treemap.css'

export interface TreemapProps {
  label: string
  stacks: Stacks
  /** The node whose children are shown; 0 is the whole. */
  node: number
  onEnter: (node: number) => void
  /** A click on what nothing lies below, or with the secondary button on anything. */
  onSelect?: (node: number, frame: number) => void
  height?: number
  /** Of a difference: show what is not there any more. */
  vanished?: boolean
}

interface Drawn extends Box {
  node: number
  isInner: boolean
}

const STRIP = 16
const GAP = 2
/** Boxes with a smaller side are not drawn. */
const LEAST = 3
const MOST = 500
const MOST_SIBLINGS = 100

export function Treemap(props: TreemapProps): JSX.Element {
  const { label, stacks, onEnter, onSelect, height = 360, vanished = true } = props
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(800)
  const [isTable, setTable] = useState(false)
  const tree = useMemo(() => treeOf(stacks, vanished), [stacks, vanished])
  const node = props.node > 0 && props.node < tree.total.length ? props.node : 0
  const boxes = useMemo(() => laidOut(tree, node, width, height), [tree, node, width, height])
  useEffect(() => {
    const observer = new ResizeObserver(() => place.current && setWidth(Math.max(place.current.clientWidth, 120)))
    observer.observe(place.current!)
    return () => observer.disconnect()
  }, [])
  const enter = (box: number) => {
    onSelect?.(box, stacks.frame[box]!)
    if (hasChildren(tree, box)) onEnter(box)
  }
  return (
    <div class="treemap">
      <div class="treemap-head">
        <nav class="treemap-path" aria-label="Way to this level">
          {(node ? [0, ...above(tree, node)] : []).map((step) => (
            <span key={step}><button type="button" onClick={() => onEnter(step)}>{visible(nameOf(tree, step), 60)}</button> ›</span>
          ))}
          <b>{visible(nameOf(tree, node), 80)}</b> {formatValue(tree.total[node]!, stacks.unit, stacks.signed)}
        </nav>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>Table</button>
      </div>
      <div ref={place}>
        {isTable ? (
          <Level tree={tree} node={node} label={label} onEnter={enter} height={height} />
        ) : (
          <svg role="img" aria-label={`${label}: as boxes; the button shows a table`} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
            {boxes.map((box) => (
              <BoxOf key={box.node} tree={tree} box={box} onEnter={enter} />
            ))}
          </svg>
        )}
      </div>
      {!boxes.length && <p class="muted">Nothing lies below.</p>}
    </div>
  )
}

function BoxOf({ tree, box, onEnter }: { tree: Tree; box: Drawn; onEnter: (node: number) => void }) {
  const { node, x, y, width, height } = box
  const { unit, signed, packages, frame } = tree.stacks
  const value = formatValue(tree.total[node]!, unit, signed)
  const name = visible(nameOf(tree, node))
  const said = [name, visible(placeOf(tree, node)), `${value}, ${formatShare(shareOf(tree, node))}`].filter(Boolean).join('\n')
  const packaged = packages[frame[node]!]
  const sign = signed ? (tree.total[node]! < 0 ? 'treemap-shrank' : 'treemap-grew') : packaged ? 'treemap-packaged' : 'treemap-plain'
  const letters = Math.floor((width - 8) / 6.8)
  return (
    <g class={`treemap-box ${sign}${box.isInner ? ' treemap-inner' : ''}`} onClick={() => onEnter(node)}
      style={packaged ? { '--hue': String(hueOf(packaged)) } : undefined}>
      <title>{said}</title>
      <rect x={x} y={y} width={Math.max(width - 1, 1)} height={Math.max(height - 1, 1)} />
      {letters > 3 && height > STRIP - 2 && <text x={x + 4} y={y + 12}>{labelOf(name, value, letters)}</text>}
    </g>
  )
}

function Level({ tree, node, label, onEnter, height }: { tree: Tree; node: number; label: string; onEnter: (node: number) => void; height: number }) {
  const { unit, signed } = tree.stacks
  const columns: Column<number>[] = [
    { key: 'name', title: 'Name', kind: 'text', width: 0, value: (child) => nameOf(tree, child) },
    { key: 'total', title: 'Total', kind: unit === 'bytes' ? 'bytes' : 'count', signed, value: (child) => tree.total[child] },
    { key: 'share', title: 'Of all', kind: 'share', value: (child) => shareOf(tree, child) },
  ]
  return <Table label={label} columns={columns} rows={children(tree, node)} rowKey={String} onOpen={onEnter} height={`${height}px`} />
}

/** What lies below `node` as boxes in boxes, at most some hundreds, the largest first; each after the one it lies in. */
export function laidOut(tree: Tree, node: number, width: number, height: number): Drawn[] {
  const boxes = level(tree, node, { x: 0, y: 0, width, height }, false)
  const waiting = boxes.filter(hasRoom)
  while (waiting.length && boxes.length < MOST) {
    const largest = waiting.reduce((best, box, at) => (area(box) > area(waiting[best]!) ? at : best), 0)
    const [{ node: outer, x, y, width, height }] = waiting.splice(largest, 1) as [Drawn]
    const inside = { x: x + GAP, y: y + STRIP, width: width - 2 * GAP - 1, height: height - STRIP - GAP - 1 }
    const inner = level(tree, outer, inside, true)
    boxes.push(...inner)
    waiting.push(...inner.filter(hasRoom))
  }
  return boxes
}

const area = (box: Box): number => box.width * box.height
const hasRoom = (box: Box): boolean => box.height >= 3 * STRIP && box.width >= 40

function level(tree: Tree, node: number, into: Box, isInner: boolean): Drawn[] {
  const weight = (child: number) => Math.abs(tree.total[child]!)
  const below = children(tree, node).filter(weight).sort((a, b) => weight(b) - weight(a))
  const shown = below.slice(0, MOST_SIBLINGS)
  // What a node holds itself, and what is too small to be told apart, stays free: a last box that is not drawn.
  const free = below.slice(MOST_SIBLINGS).reduce((sum, child) => sum + weight(child), Math.abs(tree.own[node]!))
  const weights = shown.map(weight)
  return squarified(free ? [...weights, free] : weights, into)
    .slice(0, shown.length)
    .map((box, i) => ({ ...box, node: shown[i]!, isInner }))
    .filter((box) => box.width >= LEAST && box.height >= LEAST)
}

function labelOf(name: string, value: string, letters: number): string {
  if (name.length + value.length + 1 <= letters) return `${name} ${value}`
  return name.length <= letters ? name : `…${name.slice(1 - letters)}`
}
