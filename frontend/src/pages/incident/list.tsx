// Incidents: what rules and alerts opened, those that are open first.
import type { IncidentRow } from '../../fleet-types'
import { formatDuration, formatTime } from '../../format'
import { useLive, useTitle } from '../../live'
import { Failure } from '../../parts/error'
import { Ago, Prose } from '../../parts/prose'
import { Table, type Column } from '../../parts/table'
import { change, href, parameter } from '../../route'
import './incident.css'

const STATES = [
  { name: '', title: 'All' },
  { name: 'open', title: 'Open' },
  { name: 'closed', title: 'Closed' },
]

const COLUMNS: Column<IncidentRow>[] = [
  { key: 'state', title: 'State', kind: 'text', width: 9, render: (one) => <OpenOrClosed closed_at={one.closed_at} /> },
  { key: 'what', title: 'What', kind: 'text', value: (one) => one.what, render: (one) => <Prose text={one.what} /> },
  { key: 'workload', title: 'Workload', kind: 'text', width: 26, value: (one) => one.workload.name },
  { key: 'rule', title: 'Rule', kind: 'text', width: 14 },
  { key: 'opened_at', title: 'Opened', kind: 'text', width: 15, value: (one) => one.opened_at, render: (one) => <Ago at={one.opened_at} /> },
  { key: 'lasted', title: 'Lasted', kind: 'text', width: 9, value: lasted },
  { key: 'captures', title: 'Dumps', kind: 'count', width: 7 },
]

export function IncidentsPage() {
  const state = parameter('state')
  const asked = useLive<{ incidents: IncidentRow[] }>(state ? `/api/incidents?state=${encodeURIComponent(state)}` : '/api/incidents', ['incident'])
  const rows = asked.value?.incidents ?? []
  const open = rows.filter((row) => row.closed_at === null).length
  const text = parameter('q').toLowerCase()
  const shown = rows.filter((row) => `${row.what} ${row.workload.name} ${row.rule} ${row.id}`.toLowerCase().includes(text))
  useTitle(open ? `${open} open` : 'Incidents')
  return (
    <section>
      <header class="page-head">
        <h1>Incidents</h1>
        <span class="muted">What rules and alerts opened</span>
      </header>
      <div class="incidents-tools">
        <div class="target-ranges" role="group" aria-label="State">
          {STATES.map((one) => (
            <button key={one.name} type="button" aria-pressed={one.name === state} onClick={() => change({ state: one.name })}>
              {one.title}
            </button>
          ))}
        </div>
        <input type="search" aria-label="Filter incidents" placeholder="Filter" value={parameter('q')} onInput={(event) => change({ q: event.currentTarget.value })} />
      </div>
      {asked.problem && <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />}
      {rows.length === 0 ? (
        <p class="nothing">{asked.isLoading ? 'Asking…' : asked.problem ? '' : state ? `No incident is ${state}.` : 'No rule has fired, and no alert has come.'}</p>
      ) : (
        <IncidentTable rows={shown} />
      )}
    </section>
  )
}

export function IncidentTable({ rows, label = 'Incidents' }: { rows: readonly IncidentRow[]; label?: string }) {
  return (
    <div class="incidents">
      <Table label={label} columns={COLUMNS} rows={rows} rowKey={(row) => row.id} href={(row) => href(`/i/${encodeURIComponent(row.id)}`)} height="70vh" />
    </div>
  )
}

export function OpenOrClosed({ closed_at }: { closed_at: string | null }) {
  return closed_at === null ? (
    <b class="incident-open">● open</b>
  ) : (
    <span class="muted" title={formatTime(closed_at, true)}>
      ○ closed
    </span>
  )
}

export function lasted(one: { opened_at: string; closed_at: string | null }): string {
  const end = one.closed_at ? Date.parse(one.closed_at) : Date.now()
  return formatDuration(Math.max((end - Date.parse(one.opened_at)) / 1000, 1))
}
