// A tree of stacks as a table: unfolded line by line or along its hot path, with shares of all and of the line above.

import type { JSX } from 'preact'
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks'
import { formatShare, formatValue, visible } from '../format'
import type { Stacks } from '../stacks'
import { moved } from './rows'
import { Same } from './same'
import { useRows } from './scroll'
import { classes, Spacer } from './table'
import { above, hasChildren, hotPath, lines, nameOf, placeOf, shareOf, treeOf, type Line, type Tree } from './tree'
import './table.css'
import './treetable.css'

export interface TreeTableProps {
  label: string
  stacks: Stacks
  /** What the first column names: callers to callees, or holders to what they hold. */
  title?: string
  /** The chosen node; it is unfolded into view. */
  selected?: number | null
  onSelect?: (node: number, frame: number) => void
  /** Enter or a double click. */
  onOpen?: (node: number, frame: number) => void
  height?: string
  /** Of a difference: show what is not there any more. */
  vanished?: boolean
}

export function TreeTable(props: TreeTableProps): JSX.Element {
  const { stacks, selected, onSelect, onOpen } = props
  const { vanished = true } = props
  const tree = useMemo(() => treeOf(stacks, vanished), [stacks, vanished])
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const [active, setActive] = useState(-1)
  const shown = useMemo(() => lines(tree, open), [tree, open])
  const numbers = useMemo(() => new Map(shown.map((line, index) => [line.node, index])), [shown])
  const view = useRows(shown.length)
  const id = useId()
  const index = numbers.get(active) ?? -1

  useEffect(() => {
    setOpen(new Set(hotPath(tree, 0).slice(1)))
    setActive(-1)
  }, [tree])
  useEffect(() => {
    if (selected == null || selected < 1 || selected >= tree.total.length) return
    setOpen((now) => new Set([...now, ...above(tree, selected)]))
    setActive(selected)
  }, [tree, selected])
  useEffect(() => {
    if (index >= 0) view.reveal(index)
  }, [active])

  const go = (node: number) => {
    setActive(node)
    onSelect?.(node, stacks.frame[node]!)
  }
  const fold = (node: number, isOpen: boolean) => {
    const next = new Set(open)
    if (isOpen) next.add(node)
    else next.delete(node)
    setOpen(next)
  }
  const unfoldHotPath = () => {
    const path = hotPath(tree, Math.max(active, 0))
    setOpen(new Set([...open, ...path]))
    if (path.length > 1) go(path.at(-1)!)
  }
  const act = (key: string): boolean => {
    const to = moved(key, index, shown.length, view.page)
    if (to !== null) go(shown[to]!.node)
    else if (key === 'h') unfoldHotPath()
    else if (active < 1) return false
    else if (key === 'ArrowRight') {
      if (!open.has(active)) fold(active, hasChildren(tree, active))
      else if (hasChildren(tree, active)) go(active + 1)
    } else if (key === 'ArrowLeft') {
      if (open.has(active)) fold(active, false)
      else if (stacks.parent[active]! > 0) go(stacks.parent[active]!)
    } else if (key === 'Enter') onOpen?.(active, stacks.frame[active]!)
    else return false
    return true
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (act(event.key)) {
      event.preventDefault()
      event.stopPropagation()
    }
  }

  // Rows hold the same object for ever, so that they stay as they are while others come and go.
  const acts = useRef<Acts>({ fold, go, onOpen })
  acts.current = { fold, go, onOpen }
  const { first, end, above: over, below } = view.window
  const isDifference = stacks.signed
  return (
    <div class="table treetable" ref={view.ref} style={{ maxHeight: props.height }}>
      <table role="treegrid" aria-label={props.label} aria-rowcount={shown.length + 1} tabIndex={0} onKeyDown={onKeyDown}
        aria-activedescendant={index >= first && index < end ? `${id}-${active}` : undefined}>
        <colgroup>
          <col />
          <col class="figure" />
          <col class="figure" />
          {tree.before && <col class="figure" />}
          <col class="part" />
          <col class="part" />
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">{props.title ?? 'Function'}</th>
            <th scope="col" class="number">{isDifference ? 'Δ total' : 'Total'}</th>
            <th scope="col" class="number">{isDifference ? 'Δ own' : 'Own'}</th>
            {tree.before && <th scope="col" class="number">Before</th>}
            <th scope="col" class="number">{isDifference ? 'Of growth' : 'Of all'}</th>
            <th scope="col" class="number">Of above</th>
          </tr>
        </thead>
        <tbody>
          {over > 0 && <Spacer height={over} />}
          {shown.slice(first, end).map((line, i) => (
            <TreeRow key={line.node} id={`${id}-${line.node}`} tree={tree} {...line} rowIndex={first + i + 2}
              isOpen={open.has(line.node)} isSelected={line.node === selected} isActive={line.node === active} acts={acts} />
          ))}
          {below > 0 && <Spacer height={below} />}
        </tbody>
      </table>
      {!shown.length && <div class="table-empty">Nothing to show.</div>}
    </div>
  )
}

interface Acts {
  fold: (node: number, isOpen: boolean) => void
  go: (node: number) => void
  onOpen: TreeTableProps['onOpen']
}

interface TreeRowProps extends Line {
  id: string
  tree: Tree
  rowIndex: number
  isOpen: boolean
  isSelected: boolean
  isActive: boolean
  acts: { current: Acts }
}

class TreeRow extends Same<TreeRowProps> {
  override render(props: TreeRowProps) {
    return drawnRow(props)
  }
}

function drawnRow({ id, tree, node, depth, position, siblings, rowIndex, isOpen, isSelected, isActive, acts }: TreeRowProps) {
  const { unit, signed, parent, frame } = tree.stacks
  const canOpen = hasChildren(tree, node)
  const share = shareOf(tree, node)
  const value = (bytes: number) => (bytes ? formatValue(bytes, unit, signed) : '')
  const sign = (bytes: number) => (signed ? (bytes > 0 ? 'grew' : bytes < 0 ? 'shrank' : '') : '')
  const ofAbove = tree.total[node]! / (tree.total[parent[node]!]! || 1)
  return (
    <tr id={id} class={classes('walked', isSelected && 'selected', isActive && 'active')} aria-rowindex={rowIndex}
      aria-level={depth} aria-setsize={siblings} aria-posinset={position} aria-selected={isSelected}
      aria-expanded={canOpen ? isOpen : undefined} onClick={() => acts.current.go(node)}
      onDblClick={() => {
        const { onOpen, fold } = acts.current
        if (onOpen) onOpen(node, frame[node]!)
        else if (canOpen) fold(node, !isOpen)
      }}>
      <td class="tree-name" style={{ paddingLeft: `calc(8px + ${Math.min(depth - 1, 40)} * var(--step))` }}
        title={[visible(nameOf(tree, node)), visible(placeOf(tree, node))].filter(Boolean).join('\n')}>
        <div class="tree-line">
          <span class={classes('fold', !canOpen && 'leaf')} aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation()
              if (canOpen) acts.current.fold(node, !isOpen)
            }}>
            {canOpen ? (isOpen ? '▾' : '▸') : ''}
          </span>
          {depth > 41 && <span class="tree-depth">{depth} </span>}
          <span class="name"><bdi dir="ltr">{visible(nameOf(tree, node))}</bdi></span> <span class="tree-place">{visible(placeOf(tree, node))}</span>
        </div>
      </td>
      <td class={classes('number', sign(tree.total[node]!))}>{value(tree.total[node]!)}</td>
      <td class={classes('number', sign(tree.own[node]!))}>{value(tree.own[node]!)}</td>
      {tree.before && <td class="number">{formatValue(tree.before[node]!, unit)}</td>}
      <td class="number barred">
        <span class="share-bar" style={{ width: `${Math.min(Math.abs(share), 1) * 100}%` }} />
        <span>{formatShare(share)}</span>
      </td>
      <td class="number">{formatShare(ofAbove)}</td>
    </tr>
  )
}
