// What happened in an incident, moment by moment, and the notes that people add.
import { useState } from 'preact/hooks'
import { Problem, send } from '../../api'
import type { Incident, Moment } from '../../fleet-types'
import { formatTime } from '../../format'
import { mayCapture, WHY_NOT } from '../../live'
import { Failure } from '../../parts/error'
import { Prose } from '../../parts/prose'
import { href } from '../../route'

const GLYPHS: Record<string, string> = {
  opened: '●', captured: '◆', collected: '◆', looked: '◇', analysed: '∴', notified: '✉', ran: '▸', waits: '…', skipped: '–',
  failed: '▲', judged: '≈', closed: '○', note: '✎',
} // prettier-ignore

export function Timeline({ incident, again }: { incident: Incident; again: () => void }) {
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
