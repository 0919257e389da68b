// Beside the workloads: what fires, what is being captured, what dumps take on the disk, and what cannot be read.
import type { Job } from '../../api-types'
import type { Disk, Fleet } from '../../fleet-types'
import { formatBytes, visible } from '../../format'
import { isRunning, jobs, mayCapture, remember } from '../../live'
import { send } from '../../api'
import { Bar } from '../../parts/bar'
import { Progress } from '../../parts/progress'
import { Ago } from '../../parts/prose'
import { href } from '../../route'

export function Rail({ fleet }: { fleet: Fleet }) {
  const failing = fleet.sources.filter((source) => !source.is_well)
  return (
    <aside class="rail" aria-label="What goes on">
      <section>
        <h2>
          Firing <span class="muted">{fleet.alerts.length || ''}</span>
        </h2>
        {fleet.alerts.length === 0 && <p class="muted">No rule fires.</p>}
        <ul>
          {fleet.alerts.slice(0, 12).map((alert) => (
            <li key={alert.incident}>
              <a href={href(`/i/${encodeURIComponent(alert.incident)}`)}>{visible(alert.name, 60)}</a> <span class="muted">{alert.rule}, <Ago at={alert.opened_at} /></span>
              <p>{alert.why}</p>
            </li>
          ))}
        </ul>
        {fleet.alerts.length > 12 && <a href={href('/incidents')}>All {fleet.alerts.length}</a>}
      </section>
      <Captures fleet={fleet} />
      <section>
        <h2>
          <a href={href('/captures')}>Disk for dumps</a>
        </h2>
        <Bar value={fleet.disk.used_bytes} of={room(fleet.disk)} label="Disk for dumps" />
        <p class="muted">
          {fleet.disk.count === 1 ? '1 dump' : `${fleet.disk.count} dumps`}, {formatBytes(fleet.disk.used_bytes)} of {formatBytes(room(fleet.disk))}
        </p>
      </section>
      {failing.length > 0 && (
        <section>
          <h2>
            Not read <span class="muted">{failing.length}</span>
          </h2>
          <ul>
            {failing.slice(0, 12).map((source) => (
              <li key={source.name}>
                <b class="rail-failing">{source.name}</b>
                <p>{source.why}</p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </aside>
  )
}

/** What dumps may take: the quota, or all that is free. */
export const room = (disk: Disk): number =>
  Math.min(disk.quota_bytes ?? Infinity, disk.used_bytes + disk.free_bytes)

// What cannot be ended any more has ended: the job says so itself.
const cancel = (job: Job): void => void send<Job>('POST', `/api/jobs/${job.id}/cancel`).then(remember, () => {})

function Captures({ fleet }: { fleet: Fleet }) {
  const known = new Map([...fleet.captures, ...jobs.value.filter((job) => job.kind === 'capture')].map((job) => [job.id, job]))
  const under = [...known.values()].filter(isRunning)
  return (
    <section>
      <h2>
        <a href={href('/jobs')}>Captures running</a> <span class="muted">{under.length || ''}</span>
      </h2>
      {under.length === 0 && <p class="muted">None.</p>}
      {under.map((job) => (
        <Progress key={job.id} job={job} {...(mayCapture.value ? { onCancel: () => cancel(job) } : {})} />
      ))}
    </section>
  )
}
