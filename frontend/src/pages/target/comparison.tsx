// Two ranges of time beside each other: how fast it grew in each, what it held, which dumps lie nearest.
import type { JSX } from 'preact'
import { address, ask } from '../../api'
import type { Compared, ComparedRange } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, formatTime } from '../../format'
import { useAnswer } from '../../loading'
import type { Span } from '../../parts/chart'
import { Failure } from '../../parts/error'
import { href } from '../../route'

const PARTS: Record<string, string> = { heap: 'Heap in use', anonymous: 'Anonymous', shared: 'Shared', file: 'Files' }

export function Comparison({ workload, a, b }: { workload: string; a: Span | null; b: Span | null }): JSX.Element | null {
  const at = a && b ? address(`/api/t/${encodeURIComponent(workload)}/compare`, { a: `${a.begin},${a.end}`, b: `${b.begin},${b.end}` }) : null
  const asked = useAnswer(at, (signal) => ask<Compared>(at!, { signal }))
  if (!a && !b) return <p class="target-hint muted">Drag over the chart to set range A, then B: they are compared.</p>
  if (!at) return <p class="target-hint muted">Drag over the chart once more to set the other range.</p>
  if (asked.problem) return <Failure what={asked.problem.what} hint={asked.problem.hint} />
  if (!asked.value) return <p class="muted">Comparing…</p>
  const { a: one, b: other } = asked.value
  const dumps = one.dump && other.dump && one.dump.id !== other.dump.id ? [one.dump, other.dump] : null
  return (
    <section class="part" aria-label="A and B compared">
      <h2>A and B</h2>
      <div class="table">
        <table class="target-compared">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col" class="number">A <span class="muted">{span(one)}</span></th>
              <th scope="col" class="number">B <span class="muted">{span(other)}</span></th>
              <th scope="col" class="number">B − A</th>
            </tr>
          </thead>
          <tbody>
            <Line name="Growth" a={one.growth_bytes_per_hour} b={other.growth_bytes_per_hour} write={formatRate} />
            <Line name="Floor" a={one.floor_bytes} b={other.floor_bytes} />
            <Line name="Mean" a={one.mean_bytes} b={other.mean_bytes} />
            <Line name="Most" a={one.most_bytes} b={other.most_bytes} />
            {Object.entries(PARTS).map(([part, name]) =>
              one.parts[part] == null && other.parts[part] == null ? null : <Line key={part} name={name} a={one.parts[part] ?? null} b={other.parts[part] ?? null} />,
            )}
            <tr>
              <td>Nearest dump</td>
              <td class="number"><Nearest of={one} /></td>
              <td class="number"><Nearest of={other} /></td>
              <td class="number">{dumps && <a href={href(`/d/${dumps.map((dump) => dump.id).join('..')}`)}>What grew between them</a>}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </section>
  )
} // prettier-ignore

function Line({ name, a, b, write = formatBytes }: { name: string; a: number | null; b: number | null; write?: (value: number) => string }) {
  const difference = a === null || b === null ? null : b - a
  return (
    <tr>
      <td>{name}</td>
      <td class="number">{a === null ? '–' : write(a)}</td>
      <td class="number">{b === null ? '–' : write(b)}</td>
      <td class={`number ${difference ? (difference > 0 ? 'grew' : 'shrank') : ''}`}>
        {difference === null ? '–' : write === formatBytes ? formatBytes(difference, true) : write(difference)}
      </td>
    </tr>
  )
}

const Nearest = ({ of }: { of: ComparedRange }) => (of.dump ? <a href={href(`/d/${of.dump.id}`)}>{formatTime(of.dump.taken_at)}</a> : <span class="muted">none</span>)

const span = (range: ComparedRange): string =>
  `${formatTime(range.begin)}, ${formatDuration((Date.parse(range.end) - Date.parse(range.begin)) / 1000)}`
