// The table of workloads: as many rows as there are, of which those that are seen are drawn.
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { FleetRow } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, visible } from '../../format'
import { useKeys } from '../../keys'
import { Bar } from '../../parts/bar'
import { Ago } from '../../parts/prose'
import { axisLabel } from '../../parts/series'
import { Sparkline } from '../../parts/sparkline'
import { GLYPHS, State } from '../../parts/state'
import { go, href } from '../../route'
import { More, moreHeight } from './more'
import { counted, isDescendingFirst, items, STATES, tops, type Group, type Item, type Order } from './rows'
import { sparkOf, wantSparks } from './sparks'
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

export const targetAddress = (key: string): string => `/t/${encodeURIComponent(key)}`

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
      <p class="fleet-said" role="status">
        {said ? (
          <>
            <State state={said.state} /> <b>{visible(said.name, 60)}</b> {said.why || 'Nothing is said of it yet.'}
          </>
        ) : (
          <span class="muted">
            <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>x</kbd> unfolds, <kbd>c</kbd> captures
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
      class={`fleet-${name}${heading.isNumber ? ' number' : ''}`}
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

interface RowProps {
  row: FleetRow
  isActive: boolean
  isUnfolded: boolean
  acts: Acts
  whyNot: string
}

/** What rows do to the table; the same object as long as what they may do is the same. */
interface Acts {
  turn: (key: string) => void
  point: (key: string) => void
  activate: (key: string) => void
  capture: FleetTableProps['onCapture']
}

// Rows are many and change seldom: one that is as it was is not even compared.
const Row = (props: RowProps) => useMemo(() => <DrawnRow {...props} />, [props.row, props.isActive, props.isUnfolded, props.acts, props.whyNot])

function DrawnRow({ row, isActive, isUnfolded, acts: { turn, point, activate, capture }, whyNot }: RowProps) {
  const tab = isActive ? 0 : -1
  const clicked = (event: MouseEvent): void => {
    if (!(event.target as Element).closest('a, button')) activate(row.key)
  }
  return (
    <tr
      id={rowId(row.key)}
      role="row"
      class={`fleet-row${isActive ? ' active' : ''}`}
      aria-selected={isActive}
      onClick={clicked}
      onDblClick={() => go(targetAddress(row.key))}
      onMouseEnter={() => point(row.key)}
    >
      <Cell name="fold">
        <button type="button" class="quiet" tabIndex={tab} aria-expanded={isUnfolded} aria-label={`Replicas of ${row.name}`} onClick={() => turn(row.key)}>
          <span aria-hidden="true">{isUnfolded ? '▾' : '▸'}</span>
        </button>
      </Cell>
      <Cell name="state" second={row.since && row.state !== 'steady' ? <>since <Ago at={row.since} /></> : null}>
        <State state={row.state} why={[row.why, ...row.evidence].join('\n')} />
      </Cell>
      <Cell name="name" second={second(row)}>
        <a href={href(targetAddress(row.key))} tabIndex={tab} title={row.key}>
          {visible(row.name, 120)}
        </a>
      </Cell>
      <Cell name="memory" second={limitText(row)}>
        {formatBytes(row.memory_bytes)}
      </Cell>
      <Cell name="share">{row.share !== null && <Bar value={row.share} label={`Memory of ${row.name} of its limit`} />}</Cell>
      <Cell name="spark">
        <Spark row={row} />
      </Cell>
      <Cell name="growth" second={interval(row)}>
        {row.growth_bytes_per_hour === null ? <span class="muted">–</span> : <span class={rate(row)}>{formatRate(row.growth_bytes_per_hour)}</span>}
      </Cell>
      <Cell name="limit">
        {row.time_to_limit_s === null ? (
          <span class="muted">–</span>
        ) : (
          <b class={row.time_to_limit_s < 3600 ? 'soon' : undefined}>{row.time_to_limit_s < 1 ? 'now' : formatDuration(row.time_to_limit_s)}</b>
        )}
      </Cell>
      <Cell name="dump" second={row.last_dump?.suspect}>
        {row.last_dump ? (
          <a href={href(`/d/${row.last_dump.id}`)} tabIndex={tab}>
            {row.last_dump.taken_at ? <Ago at={row.last_dump.taken_at} /> : 'open'}
          </a>
        ) : (
          <span class="muted">–</span>
        )}
      </Cell>
      <Cell name="capture">
        {capture ? (
          <button
            type="button"
            tabIndex={tab}
            disabled={!row.is_capturable}
            title={row.is_capturable ? 'What it costs is said before anything is done (c)' : 'Nothing can be captured of it from here'}
            aria-label={`Capture ${row.name}`}
            onClick={() => capture(row)}
          >
            Capture…
          </button>
        ) : (
          <span class="muted" title={whyNot}>
            read only
          </span>
        )}
      </Cell>
    </tr>
  )
}

function Cell({ name, second, children }: { name: string; second?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <td role="gridcell" class={`fleet-${name}`}>
      <div>{children}</div>
      {second ? <div class="second">{typeof second === 'string' ? visible(second, 120) : second}</div> : null}
    </td>
  )
}

function Spark({ row }: { row: FleetRow }) {
  const spark = sparkOf(row.key)
  if (!spark) return <span class="fleet-nospark" aria-hidden="true" />
  return (
    <Sparkline
      values={spark.values}
      floor={spark.floor}
      marks={marks(row, spark)}
      width={118}
      height={28}
      label="Memory over 24 hours"
      {...(row.state === 'steady' || row.state === 'unknown' ? {} : { colour: row.state })}
    />
  )
}

function marks(row: FleetRow, spark: { begin: number | string; step_s: number }): { at: number; text: string }[] {
  if (!row.since || !row.since_event) return []
  const begin = typeof spark.begin === 'number' ? spark.begin : Date.parse(spark.begin) / 1000
  const at = (Date.parse(row.since) / 1000 - begin) / spark.step_s
  return at > 0 ? [{ at, text: `since ${row.since_event}` }] : []
}

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

/** The limit of a workload in words; each replica has its own. */
export const limitText = (row: FleetRow): string =>
  !row.limit_bytes ? 'no limit' : `of ${row.replicas > 1 ? `${row.replicas} × ` : ''}${axisLabel(row.limit_bytes, 'bytes')}`

const second = (row: FleetRow): string =>
  [row.name.startsWith(`${row.namespace}/`) ? '' : row.namespace, row.runtime, row.replicas === 1 ? '' : `${row.replicas} replicas`, row.owner].filter(Boolean).join(' · ') || row.place

const rate = (row: FleetRow): string => ((row.growth_interval?.[0] ?? 0) > 0 ? 'grew' : 'muted')

function interval({ growth_interval: found }: FleetRow): string | null {
  return found && `± ${formatBytes((found[1] - found[0]) / 2)}`
}

// Keys hold slashes and colons; an id has none.
const rowId = (key: string): string => `w-${[...key].map((letter) => (/[\w-]/.test(letter) ? letter : `.${letter.codePointAt(0)}.`)).join('')}`

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
