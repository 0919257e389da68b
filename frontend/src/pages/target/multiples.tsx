// Replicas beside each other, all on the same axes: the one that is not like the others shows.
import type { ReplicaMemory } from '../../fleet-types'
import { formatBytes, visible } from '../../format'
import { path } from '../../parts/sparkline'
import { floorOf, held, replicaName } from './memory'
import './multiples.css'

const [WIDTH, HEIGHT] = [180, 44]

export function Multiples({ replicas, limit }: { replicas: readonly ReplicaMemory[]; limit: number | null }) {
  const lines = replicas.map((replica) => ({ replica, values: held(replica) }))
  const known = lines.flatMap(({ values }) => values.filter((value) => value !== null))
  const most = known.reduce((a, b) => Math.max(a, b), 0)
  const top = (limit && limit < most * 3 ? Math.max(limit, most) : most) * 1.05 || 1
  const ends = lines.flatMap(({ replica }) => [replica.times[0], replica.times.at(-1)]).filter((at) => at !== undefined)
  const [begin, end] = [Math.min(...ends), Math.max(...ends)]
  return (
    <ul class="multiples">
      {lines.map(({ replica, values }) => {
        const x = (i: number): number => ((replica.times[i]! - begin) / (end - begin || 1)) * WIDTH
        const y = (value: number): number => HEIGHT - (value / top) * (HEIGHT - 2)
        const last = values.findLast((value) => value !== null)
        const said = `${replicaName(replica.name)}: ${last == null ? 'nothing read' : formatBytes(last)}`
        return (
          <li key={replica.name}>
            <div class="multiples-head">
              <span title={replica.name}>{visible(replicaName(replica.name), 60)}</span>
              <b>{last == null ? '–' : formatBytes(last)}</b>
            </div>
            <svg role="img" aria-label={said} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
              {limit !== null && limit <= top && <path class="multiples-limit" d={`M0 ${y(limit).toFixed(1)}H${WIDTH}`} />}
              <path class="multiples-line" d={path(values, x, y)} />
              <path class="multiples-floor" d={path(floorOf(values), x, y)} />
            </svg>
          </li>
        )
      })}
    </ul>
  )
}
