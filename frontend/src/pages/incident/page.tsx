// An incident: what happened, what proves it, and what was done; made to be pasted into a ticket.
import { useState } from 'preact/hooks'
import { Problem, send } from '../../api'
import type { Incident, Judgement, Moment } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, formatShare, formatTime, visible } from '../../format'
import { useKeys } from '../../keys'
import { mayCapture, useLive, useTitle, WHY_NOT } from '../../live'
import { Dialog } from '../../parts/dialog'
import { Failure } from '../../parts/error'
import { Menu } from '../../parts/menu'
import { Ago, Prose } from '../../parts/prose'
import { State } from '../../parts/state'
import { go, href } from '../../route'
import { replicaName } from '../target/memory'
import { IncidentTable, lasted, OpenOrClosed } from './list'
import { Findings } from './findings'
import { Around } from './around'
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
export function headline(incident: Pick<Incident, 'workload' | 'findings' | 'why' | 'opened_at' | 'closed_at'>): string {
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
      {Object.entries(alert.labels).map(([name, value]) => (
        <code key={name}>
          {name}={visible(value, 60)}
        </code>
      ))}
    </p>
  )
}

const GLYPHS: Record<string, string> = {
  opened: '●', captured: '◆', collected: '◆', looked: '◇', analysed: '∴', notified: '✉', ran: '▸', waits: '…', skipped: '–',
  failed: '▲', judged: '≈', closed: '○', note: '✎',
} // prettier-ignore

function Timeline({ incident, again }: { incident: Incident; again: () => void }) {
  const moments: Moment[] = [{ at: incident.opened_at, what: 'opened', text: incident.why }, ...incident.timeline]
  return (
    <section class="part" aria-label="What happened">
      <h2>What happened</h2>
      <ol class="timeline">
        {moments.map((moment, i) => (
          <li key={i} class={`timeline-${moment.what}`}>
            <time dateTime={moment.at} title={formatTime(moment.at, true)}>
              {clock(moment.at, moments[i - 1]?.at)}
            </time>
            <span class="timeline-glyph" aria-hidden="true">
              {GLYPHS[moment.what] ?? '•'}
            </span>
            <div>
              <b>{moment.what}</b> <Prose text={moment.text} />{' '}
              {moment.capture && <a href={href(`/d/${moment.capture}`)}>open the dump</a>}
              {moment.details && (
                <details>
                  <summary>More</summary>
                  <pre>{moment.details}</pre>
                </details>
              )}
            </div>
          </li>
        ))}
      </ol>
      <Note id={incident.id} again={again} />
    </section>
  )
}

// The day is written where it changes.
function clock(at: string, before: string | undefined): string {
  const whole = formatTime(at)
  return before && formatTime(before).slice(0, 10) === whole.slice(0, 10) ? whole.slice(11) : whole
}

function Note({ id, again }: { id: string; again: () => void }) {
  const [text, write] = useState('')
  const [problem, fail] = useState<Problem | null>(null)
  if (!mayCapture.value) return <p class="muted">{WHY_NOT}</p>
  const add = (event: Event): void => {
    event.preventDefault()
    if (!text.trim()) return
    send('POST', `/api/i/${encodeURIComponent(id)}/notes`, { text: text.trim() }).then(
      () => {
        write('')
        fail(null)
        again()
      },
      (error: unknown) => fail(error as Problem),
    )
  }
  return (
    <form class="incident-note" onSubmit={add}>
      <textarea
        aria-label="A note"
        placeholder="A note: what you saw, what you did, a link"
        rows={2}
        value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && (event.metaKey || event.ctrlKey) && add(event)}
      />
      <button type="submit" disabled={!text.trim()}>
        Add the note
      </button>
      {problem && <Failure what={problem.what} hint={problem.hint} />}
    </form>
  )
}

function ThenAndNow({ incident }: { incident: Incident }) {
  const { judgement, memory_bytes, limit_bytes } = incident
  const later = incident.now ?? incident.later
  if (!judgement && !later) return null
  return (
    <section class="part" aria-label="Then and now">
      <h2>Then and now</h2>
      <div class="table">
        <table class="incident-then">
          <thead>
            <tr>
              <th scope="col"><span class="unseen">Figure</span></th>
              <th scope="col">When it was opened</th>
              <th scope="col">{incident.now ? 'Now' : 'Last said'}</th>
            </tr>
          </thead>
          <tbody>
            <Both name="State" of={[judgement, later]} write={(one) => <State state={one.state} why={one.why} />} />
            <Both name="Growth" of={[judgement, later]} write={(one) => (one.growth_bytes_per_hour === null ? '–' : formatRate(one.growth_bytes_per_hour))} />
            <Both name="Limit in" of={[judgement, later]} write={(one) => (one.time_to_limit_s === null ? '–' : formatDuration(one.time_to_limit_s))} />
            <Both name="Since" of={[judgement, later]} write={(one) => (one.since ? `${formatTime(one.since)}${one.since_event ? ` = ${one.since_event}` : ''}` : '–')} />
            <Both name="Sure" of={[judgement, later]} write={(one) => formatShare(one.confidence)} />
          </tbody>
        </table>
      </div>
      {memory_bytes !== null && (
        <p class="muted">
          It held {formatBytes(memory_bytes)}
          {limit_bytes ? ` of ${formatBytes(limit_bytes)}` : ''} when it was opened.
        </p>
      )}
    </section>
  )
} // prettier-ignore

function Both({ name, of, write }: { name: string; of: [Judgement | null, Judgement | null]; write: (one: Judgement) => preact.ComponentChildren }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {of.map((one, i) => (
        <td key={i}>{one ? write(one) : <span class="muted">–</span>}</td>
      ))}
    </tr>
  )
}

function Captures({ ids }: { ids: readonly string[] }) {
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
            <a href={href(`/d/${id}`)}>{id}</a>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Closing({ incident, isOpen, end, again }: { incident: Incident; isOpen: boolean; end: () => void; again: () => void }) {
  const [note, write] = useState('')
  const [problem, fail] = useState<Problem | null>(null)
  const close = (): void => {
    send('POST', `/api/i/${encodeURIComponent(incident.id)}/close`, { note: note.trim() }).then(
      () => {
        end()
        again()
      },
      (error: unknown) => fail(error as Problem),
    )
  }
  return (
    <Dialog
      title="Close the incident"
      isOpen={isOpen}
      onClose={end}
      actions={
        <>
          <button type="button" onClick={end}>
            Leave it open
          </button>
          <button type="button" class="primary" onClick={close}>
            Close it
          </button>
        </>
      }
    >
      <label class="incident-note">
        Why it is over
        <textarea rows={3} value={note} onInput={(event) => write(event.currentTarget.value)} placeholder="Fixed by…, known, no leak" />
      </label>
      {problem && <Failure what={problem.what} hint={problem.hint} />}
    </Dialog>
  )
}
