// The tabs that are trees: calls as a table, dominators beside boxes, paths to the roots.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { hasIsland } from '../../api'
import { visible } from '../../format'
import { Copy } from '../../parts/copy'
import { Treemap } from '../../parts/treemap'
import { TreeTable } from '../../parts/treetable'
import { change, href, parameter } from '../../route'
import type { Stacks } from '../../stacks'
import { exactly, hasObjects, question, tabAt, usualSelection, type About } from './about'
import { Answered } from './answered'
import { useStacks } from './answers'
import { filter, references, select, selected } from './asked'
import { useLeft } from './left'
import { Choice, Notes } from './notes'
import { asLines, nodeOf, typeOf } from './tree-of'
import './stacks-tabs.css'

/** The node that stands for the selection: the heaviest of that name, or the one that was clicked. */
function useNode(stacks: Stacks, nameAt: (node: number) => string): [number, (node: number) => void] {
  const [node, choose] = useState(-1)
  const wanted = selected.value?.name ?? ''
  const usual = useMemo(() => (wanted ? nodeOf(stacks, wanted, nameAt) : -1), [stacks, wanted])
  const isStill = node > 0 && node < stacks.frame.length && nameAt(node) === wanted
  return [isStill ? node : usual, choose]
}

export function Tree({ about }: { about: About }): JSX.Element {
  const isInverted = parameter('inverted') === '1'
  const found = useStacks(question(about, 'tree', { inverted: isInverted }))
  return (
    <>
      <Bar>
        <Choice label="Order" value={isInverted ? '1' : ''} options={[['', hasObjects(about.page) ? 'from the holders' : 'from the callers'], ['1', 'from the allocations']]}
          onPick={(value) => change({ inverted: value })} isOff={hasIsland()} />
        <Granularity about={about} />
        <span class="muted">h unfolds the hot path</span>
      </Bar>
      <Answered found={found}>{(stacks) => <TreePane stacks={stacks} about={about} label="Tree" title={hasObjects(about.page) ? 'Type' : 'Function'} />}</Answered>
    </>
  )
}

function TreePane({ stacks, about, label, title, toName = (name) => name }: {
  stacks: Stacks; about: About; label: string; title: string; toName?: (name: string) => string
}) {
  const called = (node: number) => toName(stacks.names[stacks.frame[node]!] ?? '')
  const [node, choose] = useNode(stacks, called)
  const kind = hasObjects(about.page) ? 'type' : 'frame'
  useLeft(stacks)
  return (
    <>
      <TreeTable label={label} stacks={stacks} title={title} selected={node} height="100%" vanished={parameter('gone') === '1'}
        onSelect={(at) => {
          choose(at)
          select({ kind, name: called(at) })
        }} />
      <Notes notes={stacks.notes} leftOut={stacks.leftOut} />
    </>
  )
}

export function Dominators({ about }: { about: About }): JSX.Element {
  const found = useStacks(question(about, 'dominators'))
  return (
    <>
      <Bar><References /></Bar>
      <Answered found={found}>{(stacks) => <DominatorsPane stacks={stacks} />}</Answered>
    </>
  )
}

function DominatorsPane({ stacks }: { stacks: Stacks }) {
  const called = (node: number) => stacks.names[stacks.frame[node]!] ?? ''
  const [node, choose] = useNode(stacks, called)
  const [level, enter] = useState(0)
  const [room, measure] = useState(360)
  const sides = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const update = () => measure(Math.max((sides.current?.clientHeight ?? 0) - 40, 240))
    const observer = new ResizeObserver(update)
    if (sides.current) observer.observe(sides.current)
    return () => observer.disconnect()
  }, [])
  const pick = (at: number) => {
    choose(at)
    select({ kind: 'type', name: called(at) })
  }
  return (
    <>
      <div class="beside-treemap" ref={sides}>
        <TreeTable label="Dominators" stacks={stacks} title="Type, and what it alone keeps" selected={node} height="100%" vanished={parameter('gone') === '1'}
          onSelect={(at) => {
            pick(at)
            enter(stacks.parent[at] ?? 0)
          }} onOpen={enter} />
        <Treemap label="Dominators" stacks={stacks} node={level < stacks.parent.length ? level : 0} onEnter={enter} onSelect={pick} height={room} vanished={parameter('gone') === '1'} />
      </div>
      <Notes notes={stacks.notes} leftOut={stacks.leftOut} />
    </>
  )
}

export function Paths({ about }: { about: About }): JSX.Element {
  // Where the paths lead stays, whatever is selected on the way.
  const to = parameter('to')
  const name = to || ((selected.value ?? usualSelection(about))?.name ?? '')
  useEffect(() => {
    if (!to && name) change({ to: name })
  }, [to, name])
  const pattern = filter.value.pattern ?? (name ? exactly(name) : '')
  const found = useStacks(pattern ? question(about, 'paths', { pattern }) : null)
  if (!pattern) {
    return (
      <p class="answering">
        Paths lead to the objects of a type. Choose one <a href={href(tabAt(about.ids, 'types'))}>among the types</a>, or write <code>type:Name</code> into the filter.
      </p>
    )
  }
  return (
    <>
      <Bar>
        <span>to <code>{visible(filter.value.pattern ?? name)}</code></span>
        <References />
        {found.value && <Copy text={asLines(found.value)} label="Copy as text" />}
      </Bar>
      <Answered found={found} what="Looking for the shortest paths …">
        {(stacks) => <TreePane stacks={stacks} about={about} label="Paths to the roots" title="From the root: reference and type" toName={typeOf} />}
      </Answered>
    </>
  )
}

/** Which references count as holding. */
function References() {
  return (
    <Choice label="References" value={references()} isOff={hasIsland()}
      options={[['', 'strong'], ['soft', 'strong and soft'], ['all', 'all, weak too']]} onPick={(value) => change({ references: value })} />
  )
}

export function Granularity({ about }: { about: About }): JSX.Element | null {
  if (hasObjects(about.page)) return null
  return (
    <Choice label="By" value={parameter('granularity')} isOff={hasIsland()}
      options={[['', 'functions'], ['lines', 'lines'], ['files', 'files']]} onPick={(value) => change({ granularity: value })} />
  )
}

/** What can be chosen above a tab's picture or table. */
export const Bar = ({ children }: { children: ComponentChildren }): JSX.Element => <div class="tab-bar">{children}</div>
