// The table of workloads: as many rows as there are, of which those that are seen are drawn.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { FleetRow } from '../../fleet-types'
import { formatBytes, visible } from '../../format'
import { useKeys } from '../../keys'
import { GLYPHS, State } from '../../parts/state'
import { go } from '../../route'
import { More, moreHeight } from './more'
import { Row, rowId, targetAddress, type Acts } from './row'
import { counted, isDescendingFirst, items, STATES, tops, type Group, type Item, type Order } from './rows'
import { wantSparks } from './sparks'
import { useWindowed } from './windowed'

interface Heading {
  name: string
  title: string
  order?: Order
  isNumber?: boolean
  hint?: string
}

const HEADINGS: readonly Heading[] = [
  { name: 'fold', title: '' },
  { name: 'state', title: 'State', order: 'state' },
  { name: 'name', title: 'Workload', order: 'name' },
  { name: 'memory', title: 'Memory', order: 'memory', hint: 'What the kernel cannot take back, of all replicas' },
  { name: 'share', title: 'of limit', order: 'share', hint: 'The fullest replica' },
  { name: 'spark', title: '24 h', hint: 'Memory; the floor, what is left after each collection, is bold' },
  { name: 'growth', title: 'Growth', order: 'growth', isNumber: true, hint: 'With the interval that noise allows, at 99 %' },
  { name: 'limit', title: 'Limit in', order: 'limit', isNumber: true, hint: 'When the limit is met if growth stays as it is' },
  { name: 'dump', title: 'Last dump', order: 'dump' },
  { name: 'capture', title: '' },
]

export interface FleetTableProps {
  rows: readonly FleetRow[]
  order: Order
  isDescending: boolean
  group: Group
  onOrder: (order: Order, isDescending: boolean) => void
  /** Null where nothing may be captured; `whyNot` says why. */
  onCapture: ((row: FleetRow) => void) | null
  whyNot: string
  /** Whether somebody is at work in the table, so that its order has to stay. */
  onBusy: (isBusy: boolean) => void
}

export function FleetTable(props: FleetTableProps) {
  const { rows, group, order, isDescending } = props
  const [unfolded, unfold] = useState<ReadonlySet<string>>(new Set())
  const [folded, fold] = useState<ReadonlySet<string>>(new Set())
  const [active, activate] = useState<string | null>(null)
  const [pointed, point] = useState<string | null>(null)
  const isNarrow = useNarrow()
  const shown = useMemo(() => items(rows, group, unfolded, folded), [rows, group, unfolded, folded])
  const begins = useMemo(
    () => tops(shown, { row: isNarrow ? 84 : 38, group: 30, more: moreHeight }),
    [shown, isNarrow],
  )
  const view = useWindowed(begins, isNarrow ? 8 : 76)
  const grid = useRef<HTMLTableElement>(null)
  const drawn = shown.slice(view.first, view.end)
  const seen = drawn.filter((item) => item.kind === 'row').map((item) => item.key).join('\0')
  useEffect(() => wantSparks(seen ? seen.split('\0') : []), [seen])
  useEffect(() => props.onBusy(active !== null || unfolded.size > 0), [active !== null, unfolded.size > 0])

  const acts = useMemo<Acts>(
    () => ({ turn: (key) => unfold((old) => toggled(old, key)), point, activate, capture: props.onCapture }),
    [props.onCapture],
  )
  const { turn } = acts
  // Keys may come faster than the page is drawn: where they are is known at once.
  const at = useRef(active)
  at.current = active
  const walk = (by: number): void => {
    const walked = shown.flatMap((item, place) => (item.kind === 'row' ? [{ key: item.key, place }] : []))
    if (!walked.length) return
    const now = walked.findIndex((one) => one.key === at.current)
    const next = walked[Math.min(Math.max(now < 0 ? (by > 0 ? 0 : walked.length - 1) : now + by, 0), walked.length - 1)]!
    at.current = next.key
    activate(next.key)
    view.reveal(next.place)
    grid.current?.focus({ preventScroll: true })
  }
  const chosen = active === null ? undefined : rows.find((row) => row.key === active)
  const open = (): void => void (at.current !== null && go(targetAddress(at.current)))
  const capture = (): void => {
    const row = rows.find((one) => one.key === at.current)
    if (row?.is_capturable) props.onCapture?.(row)
  }
  useKeys(
    [
      { keys: 'j', what: 'Next workload', then: () => walk(1) },
      { keys: 'k', what: 'Previous workload', then: () => walk(-1) },
      { keys: 'x', what: 'Unfold or fold a workload', then: () => at.current !== null && turn(at.current) },
      { keys: 'c', what: 'Capture the workload', then: capture },
    ],
    [shown, active],
  )
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== grid.current) return
    const then: Record<string, () => void> = {
      ArrowDown: () => walk(1),
      ArrowUp: () => walk(-1),
      PageDown: () => walk(12),
      PageUp: () => walk(-12),
      Home: () => walk(-shown.length),
      End: () => walk(shown.length),
      Enter: open,
      ArrowRight: () => chosen && !unfolded.has(chosen.key) && turn(chosen.key),
      ArrowLeft: () => chosen && unfolded.has(chosen.key) && turn(chosen.key),
      Escape: () => activate(null),
    }
    const found = then[event.key]
    if (!found) return
    event.preventDefault()
    event.stopPropagation()
    found()
  }
  const said = rows.find((row) => row.key === (pointed ?? active))
  return (
    <div class="fleet-table">
      <table
        ref={grid}
        role="grid"
        aria-label="Workloads"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={active && drawn.some((item) => item.key === active) ? rowId(active) : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onMouseLeave={() => point(null)}
      >
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {HEADINGS.map((heading) => (
              <HeadingCell key={heading.name} heading={heading} order={order} isDescending={isDescending} onOrder={props.onOrder} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" ref={view.ref}>
          <Room height={begins[view.first]!} />
          {drawn.map((item) =>
            item.kind === 'row' ? (
              <Row
                key={item.key}
                row={item.row}
                isActive={item.key === active}
                isUnfolded={unfolded.has(item.key)}
                acts={acts}
                whyNot={props.whyNot}
              />
            ) : item.kind === 'group' ? (
              <GroupRow key={item.key} item={item} isFolded={folded.has(item.title)} turn={() => fold((old) => toggled(old, item.title))} />
            ) : (
              <tr key={item.key} role="row" class="fleet-more" style={{ height: `${moreHeight(item.row)}px` }}>
                <td role="gridcell" colSpan={HEADINGS.length}>
                  <More row={item.row} />
                </td>
              </tr>
            ),
          )}
          <Room height={begins[begins.length - 1]! - begins[view.end]!} />
        </tbody>
      </table>
      <p class={said ? 'fleet-said' : 'fleet-said fleet-hint'} role="status">
        {said ? (
          <>
            <State state={said.state} /> <b>{visible(said.name, 60)}</b> {said.why || 'Nothing is said of it yet.'}
          </>
        ) : (
          <span class="muted">
            <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>x</kbd> unfolds
            {props.onCapture && (
              <>
                , <kbd>c</kbd> captures
              </>
            )}
          </span>
        )}
      </p>
    </div>
  )
}

function HeadingCell({ heading, order, isDescending, onOrder }: {
  heading: Heading
  order: Order
  isDescending: boolean
  onOrder: FleetTableProps['onOrder']
}) {
  const { name, title, order: own } = heading
  const isIt = own === order
  const asked = (): void => void (own && onOrder(own, isIt ? !isDescending : isDescendingFirst(own)))
  return (
    <th
      role="columnheader"
      scope="col"
      class={`fleet-${name}${heading.isNumber ? ' number' : ''}${own ? '' : ' fixed'}`}
      aria-sort={isIt ? (isDescending ? 'descending' : 'ascending') : undefined}
      title={heading.hint}
    >
      {own ? (
        <button type="button" onClick={asked}>
          {title}
          <span aria-hidden="true">{isIt ? (isDescending ? ' ▾' : ' ▴') : ''}</span>
        </button>
      ) : (
        title || <span class="unseen">{name}</span>
      )}
    </th>
  )
} // prettier-ignore

function GroupRow({ item, isFolded, turn }: { item: Extract<Item, { kind: 'group' }>; isFolded: boolean; turn: () => void }) {
  const counts = counted(item.rows)
  const memory = item.rows.reduce((sum, row) => sum + row.memory_bytes, 0)
  return (
    <tr role="row" class="fleet-group">
      <td role="gridcell" colSpan={HEADINGS.length}>
        <button type="button" class="quiet" aria-expanded={!isFolded} onClick={turn}>
          <span aria-hidden="true">{isFolded ? '▸' : '▾'}</span> {visible(item.title)}
        </button>
        <span class="muted">
          {item.rows.length === 1 ? '1 workload' : `${item.rows.length} workloads`} · {formatBytes(memory)}
        </span>
        {STATES.filter((state) => counts.has(state)).map((state) => (
          <span key={state} class={`state-${state}`} title={state}>
            {GLYPHS[state]} {counts.get(state)}
          </span>
        ))}
      </td>
    </tr>
  )
}

function Room({ height }: { height: number }) {
  return height > 0 ? (
    <tr class="fleet-room" aria-hidden="true" style={{ height: `${height}px` }}>
      <td />
    </tr>
  ) : null
}

function toggled(old: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(old)
  if (!next.delete(key)) next.add(key)
  return next
}

/** Whether a workload takes several lines, as the style has it. */
function useNarrow(): boolean {
  const [media] = useState(() => matchMedia('(max-width: 860px)'))
  const [is, tell] = useState(media.matches)
  useEffect(() => {
    const changed = (): void => tell(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [media])
  return is
}
