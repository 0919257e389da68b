// What happened to a target: deploys, restarts, kills and limits on the one side, incidents on the other.
import type { TargetAnswer } from '../../fleet-types'
import { formatTime } from '../../format'
import { Ago, Prose } from '../../parts/prose'
import { href } from '../../route'
import { textOf } from './marks'

const GLYPHS: Record<string, string> = { deploy: '▼', oom: '✂', restart: '↻', limit: '┄' }
const MOST = 60

export function Happened({ target: { events, incidents } }: { target: TargetAnswer }) {
  const newest = [...events].sort((a, b) => b.at.localeCompare(a.at)).slice(0, MOST)
  return (
    <div class="target-pair">
      <section class="part" aria-label="Incidents">
        <h2>
          Incidents <span class="muted">{incidents.length || ''}</span>
        </h2>
        {incidents.length === 0 && <p class="muted">No rule has fired for it.</p>}
        <ul class="target-list">
          {incidents.map((one) => (
            <li key={one.id}>
              <span class={one.closed_at ? 'muted' : 'target-open'}>{one.closed_at ? '○ closed' : '● open'}</span>
              <a href={href(`/i/${encodeURIComponent(one.id)}`)}>
                <Prose text={one.what} />
              </a>
              <span class="muted">
                {one.rule}, <Ago at={one.opened_at} />
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section class="part" aria-label="Events">
        <h2>
          Events <span class="muted">{events.length > MOST ? `the last ${MOST} of ${events.length}` : events.length || ''}</span>
        </h2>
        {events.length === 0 && <p class="muted">No deploy, restart or kill since it is watched.</p>}
        <ul class="target-list target-events">
          {newest.map((event, i) => (
            <li key={`${event.at} ${i}`}>
              <span class={`target-event-${event.what}`} aria-hidden="true">
                {GLYPHS[event.what]}
              </span>
              <span>{textOf(event.what, event.replica, event.limit)}</span>
              <span class="muted">{formatTime(event.at)}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}
