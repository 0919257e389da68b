// More about a workload, below its row: why it is judged so, and its replicas on the same axes.
import { address, ask } from '../../api'
import type { FleetRow, MemoryAnswer } from '../../fleet-types'
import { useAnswer } from '../../loading'
import { Failure } from '../../parts/error'
import { Prose } from '../../parts/prose'
import { href } from '../../route'
import { Multiples } from '../target/multiples'
import { targetAddress } from './row'

const DAY_S = 86_400
// A row of replicas, and what stands above it; more than two rows scroll inside.
const [ABOVE_PX, ROW_PX] = [78, 76]

/** Pixels that it takes; known before it is drawn, so that what is below does not jump. */
export const moreHeight = (row: FleetRow): number => ABOVE_PX + ROW_PX * (row.replicas > 4 ? 2 : 1)

export function More({ row }: { row: FleetRow }) {
  const key = encodeURIComponent(row.key)
  const memory = useAnswer(row.key, (signal) => {
    const end = Math.round(Date.now() / 1000)
    return ask<MemoryAnswer>(address(`/api/t/${key}/memory`, { begin: end - DAY_S, end, points: 120 }), { signal })
  })
  return (
    <div class="more" style={{ height: `${moreHeight(row)}px` }}>
      <p class="more-why">
        <Prose text={row.why || 'Nothing is said of it yet.'} /> {row.evidence.length > 0 && <span class="muted">{row.evidence.join('; ')}</span>}
      </p>
      <p class="more-links">
        <a href={href(targetAddress(row.key))}>Open</a>
        {row.last_dump && <a href={href(`/d/${row.last_dump.id}`)}>Last dump</a>}
        <span class="muted">24 hours, all on the same axes</span>
      </p>
      {memory.problem ? (
        <Failure what={memory.problem.what} hint={memory.problem.hint} />
      ) : memory.value?.replicas.length ? (
        <Multiples replicas={memory.value.replicas} limit={memory.value.limit} />
      ) : (
        <p class="muted">{memory.isLoading ? 'Reading…' : 'Nothing was read of it in this time.'}</p>
      )}
    </div>
  )
}
