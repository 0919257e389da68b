// An incident: what happened, what proves it, and what was done; made to be pasted into a ticket.
import { useState } from 'preact/hooks'
import type { DumpRow } from '../../api-types'
import type { Incident } from '../../fleet-types'
import { formatTime, visible } from '../../format'
import { useKeys } from '../../keys'
import { mayCapture, useLive, useTitle, WHY_NOT } from '../../live'
import { Failure } from '../../parts/error'
import { Menu } from '../../parts/menu'
import { Ago, Prose } from '../../parts/prose'
import { go, href } from '../../route'
import { replicaName } from '../target/memory'
import { IncidentTable, lasted, OpenOrClosed } from './list'
import { Findings } from './findings'
import { Around } from './around'
import { Closing } from './closing'
import { ThenAndNow } from './then'
import { Timeline } from './timeline'
import './incident.css'

export function IncidentPage({ id }: { id: string }) {
  const asked = useLive<Incident>(`/api/i/${encodeURIComponent(id)}`, ['incident', 'capture'])
  const incident = asked.value
  useTitle(incident ? `${incident.workload.name}: ${incident.closed_at ? 'closed' : 'open'}` : `Incident ${id}`)
  if (!incident) {
    if (asked.problem) return <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />
    return <p class="nothing">Asking about {visible(id, 60)}…</p>
  }
  return (
    <>
      {asked.problem && <Failure what={`What you see may be old: ${asked.problem.what}`} hint={asked.problem.hint} onRetry={asked.again} />}
      <Shown incident={incident} again={asked.again} />
    </>
  )
}

function Shown({ incident, again }: { incident: Incident; again: () => void }) {
  const [isClosing, close] = useState(false)
  const at = `/i/${encodeURIComponent(incident.id)}`
  const workload = `/t/${encodeURIComponent(incident.workload.key)}`
  useKeys([{ keys: 'e', what: 'Export as one file', then: () => location.assign(`${at}/report.html`) }, { keys: 'w', what: 'Go to the workload', then: () => go(workload) }], [at])
  const isOpen = incident.closed_at === null
  return (
    <article class="incident">
      <header class="page-head">
        <h1>
          <Prose text={incident.headline || headline(incident)} />
        </h1>
        <span class="space" />
        <Menu
          label="Export"
          align="right"
          items={[
            { label: 'One file that opens anywhere', hint: 'HTML', href: `${at}/report.html`, download: `${incident.id}.html` },
            { label: 'For a ticket', hint: 'Markdown', href: `${at}/report.md`, download: `${incident.id}.md` },
            { label: 'For a program', hint: 'JSON', href: `${at}/report.json`, download: `${incident.id}.json` },
          ]}
        />
        {isOpen && (
          <button type="button" disabled={!mayCapture.value} title={mayCapture.value ? undefined : WHY_NOT} onClick={() => close(true)}>
            Close…
          </button>
        )}
      </header>
      <p class="incident-line">
        <OpenOrClosed closed_at={incident.closed_at} />
        <a href={href(workload)}>{incident.workload.name}</a>
        <span class="muted">
          rule {incident.rule} · opened {formatTime(incident.opened_at)} (<Ago at={incident.opened_at} />) · {isOpen ? 'lasts' : 'lasted'} {lasted(incident)}
          {incident.replica && ` · ${replicaName(incident.replica)}`} · {incident.id}
        </span>
      </p>
      <p class="incident-why">
        <Prose text={incident.why} />
      </p>
      {incident.alert && <AlertLabels alert={incident.alert} />}
      <Around incident={incident} />
      <div class="incident-pair">
        <Timeline incident={incident} again={again} />
        <div>
          <ThenAndNow incident={incident} />
          <Captures ids={incident.captures} />
        </div>
      </div>
      <Findings findings={incident.findings} sentence={incident.verdict?.sentence ?? ''} />
      {incident.similar?.length > 0 && (
        <section class="part" aria-label="Similar incidents">
          <h2>
            Similar <span class="muted">the same first finding</span>
          </h2>
          <IncidentTable rows={incident.similar} label="Similar incidents" />
        </section>
      )}
      <Closing incident={incident} isOpen={isClosing} end={() => close(false)} again={again} />
    </article>
  )
}

/** The incident in a sentence. */
function headline(incident: Pick<Incident, 'workload' | 'findings' | 'why' | 'opened_at' | 'closed_at'>): string {
  const name = incident.workload.name
  const [first] = incident.findings
  if (incident.closed_at) return `${name}: over after ${lasted(incident)}${first ? `, ${first.title}` : ''}`
  return `${name}: ${first ? first.title : incident.why}`
}

function AlertLabels({ alert }: { alert: NonNullable<Incident['alert']> }) {
  return (
    <p class="incident-alert">
      Alert <b>{alert.name}</b>
      {alert.is_resolved && ', resolved'}{' '}
      {Object.entries(alert.labels)
        .filter(([name]) => name !== 'alertname')
        .map(([name, value]) => (
        <code key={name}>
          {name}={visible(value, 60)}
        </code>
      ))}
    </p>
  )
}

function Captures({ ids }: { ids: readonly string[] }) {
  const dumps = useLive<{ dumps: DumpRow[] }>('/api/d', ['capture'])
  const names = new Map(dumps.value?.dumps.map((dump) => [dump.id, dump.name]))
  const isGrowth = ids.length > 2
  return (
    <section class="part" aria-label="Dumps">
      <h2>
        Dumps <span class="muted">{ids.length || ''}</span>{' '}
        {ids.length > 1 && (
          <a class="button" href={href(`/d/${ids.slice(-3).join('..')}`)}>
            {isGrowth ? 'Growth over the last three' : 'What grew between them'}
          </a>
        )}
      </h2>
      {ids.length === 0 && <p class="muted">None was taken.</p>}
      <ul class="incident-dumps">
        {ids.map((id) => (
          <li key={id}>
            <a href={href(`/d/${id}`)} title={id}>
              {visible(names.get(id) ?? id, 120)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
