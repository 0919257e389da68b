// A workload as a row of the table: what is judged, what it holds, how it grows, and what can be done.
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { FleetRow } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, visible } from '../../format'
import { Bar } from '../../parts/bar'
import { Ago } from '../../parts/prose'
import { axisLabel } from '../../parts/series'
import { Sparkline } from '../../parts/sparkline'
import { State } from '../../parts/state'
import { go, href } from '../../route'
import { sparkOf } from './sparks'

export const targetAddress = (key: string): string => `/t/${encodeURIComponent(key)}`

interface RowProps {
  row: FleetRow
  isActive: boolean
  isUnfolded: boolean
  acts: Acts
  whyNot: string
}

/** What rows do to the table; the same object as long as what they may do is the same. */
export interface Acts {
  turn: (key: string) => void
  point: (key: string) => void
  activate: (key: string) => void
  /** Null where nothing may be captured. */
  capture: ((row: FleetRow) => void) | null
}

// Rows are many and change seldom: one that is as it was is not even compared.
export const Row = (props: RowProps) => useMemo(() => <DrawnRow {...props} />, [props.row, props.isActive, props.isUnfolded, props.acts, props.whyNot])

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
      <Cell name="dump" second={row.last_dump?.suspect?.replaceAll('`', '')}>
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
export const rowId = (key: string): string => `w-${[...key].map((letter) => (/[\w-]/.test(letter) ? letter : `.${letter.codePointAt(0)}.`)).join('')}`
