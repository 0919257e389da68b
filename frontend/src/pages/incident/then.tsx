// What was judged when an incident was opened, and what is judged now.
import type { ComponentChildren } from 'preact'
import type { Incident, Judgement } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, formatShare, formatTime } from '../../format'
import { State } from '../../parts/state'

export function ThenAndNow({ incident }: { incident: Incident }) {
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
            <Both name="Growth" of={[judgement, later]} write={(one) => (one.growth_bytes_per_hour === null ? null : formatRate(one.growth_bytes_per_hour))} />
            <Both name="Limit in" of={[judgement, later]} write={(one) => (one.time_to_limit_s === null ? null : formatDuration(one.time_to_limit_s))} />
            <Both name="Since" of={[judgement, later]} write={(one) => (one.since ? `${formatTime(one.since)}${one.since_event ? ` = ${one.since_event}` : ''}` : null)} />
            <Both name="Sure" of={[judgement, later]} write={(one) => (one.confidence ? formatShare(one.confidence) : null)} />
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

function Both({ name, of, write }: { name: string; of: [Judgement | null, Judgement | null]; write: (one: Judgement) => ComponentChildren | null }) {
  const written = of.map((one) => one && write(one))
  if (written.every((one) => one === null)) return null
  return (
    <tr>
      <th scope="row">{name}</th>
      {written.map((one, i) => (
        <td key={i}>{one ?? <span class="muted">–</span>}</td>
      ))}
    </tr>
  )
}
