// Memory over time: the chart with what happened, two ranges to compare, kinds on each other, replicas beside each other.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { address, ask, hear } from '../../api'
import type { MemoryAnswer, ReplicaMemory, TargetAnswer } from '../../fleet-types'
import { throttled } from '../../live'
import { useAnswer } from '../../loading'
import { Chart, type Span } from '../../parts/chart'
import { Failure } from '../../parts/error'
import { Stacked } from '../../parts/stacked'
import { change, parameter } from '../../route'
import { Comparison } from './comparison'
import { marksOf } from './marks'
import { fullest, kindsOf, linesOf, replicaName } from './memory'
import { Multiples } from './multiples'
import { Now } from './now'

const RANGES: readonly { name: string; title: string; seconds: number }[] = [
  { name: '1h', title: '1 h', seconds: 3600 },
  { name: '6h', title: '6 h', seconds: 6 * 3600 },
  { name: '24h', title: '24 h', seconds: 86_400 },
  { name: '7d', title: '7 d', seconds: 7 * 86_400 },
  { name: '30d', title: '30 d', seconds: 30 * 86_400 },
]
const POINTS = 600

export function Memory({ target }: { target: TargetAnswer }) {
  const range = RANGES.find((one) => one.name === parameter('range')) ?? RANGES[2]!
  const end = useEnd(Math.max(5, range.seconds / POINTS))
  const key = encodeURIComponent(target.row.key)
  const asked = useAnswer(`${key} ${range.name} ${end}`, (signal) =>
    ask<MemoryAnswer>(address(`/api/t/${key}/memory`, { begin: end - range.seconds, end, points: POINTS }), { signal }),
  )
  const answer = asked.value
  const shown = useMemo(() => {
    if (!answer) return null
    return answer.replicas.find((replica) => replica.name === parameter('replica')) ?? fullest(answer)
  }, [answer, parameter('replica')])
  return (
    <>
      <section class="part target-memory" aria-label="Memory over time">
        <header class="target-tools">
          <h2>Memory</h2>
          <Ranges range={range.name} />
          {answer && answer.replicas.length > 1 && <Replicas answer={answer} shown={shown} />}
        </header>
        {asked.problem && <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />}
        {answer && shown ? (
          <Lines target={target} answer={answer} shown={shown} />
        ) : (
          <p class="target-blank muted">{asked.isLoading ? 'Reading…' : 'Nothing was read in this time.'}</p>
        )}
      </section>
      <Comparison workload={target.row.key} a={spanOf('a')} b={spanOf('b')} />
      {answer && shown && (
        <div class="target-pair">
          <section class="part" aria-label="Where it grew">
            <h2>
              Where it grew <span class="muted">kinds of memory on each other{answer.replicas.length > 1 ? `, ${replicaName(shown.name)}` : ''}</span>
            </h2>
            <KindsOverTime replica={shown} limit={answer.limit} />
          </section>
          <Now workload={target.row.key} />
        </div>
      )}
      {answer && answer.replicas.length > 1 && (
        <section class="part" aria-label="Replicas">
          <h2>
            Replicas{' '}
            <span class="muted">
              all on the same axes; what is left after each collection is bold{answer.left_out ? `; ${answer.left_out} more are not shown` : ''}
            </span>
          </h2>
          <Multiples replicas={answer.replicas} limit={answer.limit} />
        </section>
      )}
    </>
  )
}

/** Now, in seconds, moved on when something was read, at most once in `step`. */
function useEnd(step: number): number {
  const now = (): number => Math.ceil(Date.now() / 1000 / step) * step
  const [end, tell] = useState(now)
  useEffect(() => {
    tell(now())
    const soon = throttled(() => tell(now()), () => step * 1000)
    const quiet = hear('fleet', soon.ask)
    return () => {
      soon.end()
      quiet()
    }
  }, [step])
  return end
}

function Ranges({ range }: { range: string }) {
  return (
    <div class="target-ranges" role="group" aria-label="Range">
      {RANGES.map((one) => (
        <button key={one.name} type="button" aria-pressed={one.name === range} onClick={() => change({ range: one.name === '24h' ? '' : one.name })}>
          {one.title}
        </button>
      ))}
    </div>
  )
}

function Replicas({ answer, shown }: { answer: MemoryAnswer; shown: ReplicaMemory | null }) {
  const most = fullest(answer)?.name
  return (
    <select aria-label="Replica" value={shown?.name} onChange={(event) => change({ replica: event.currentTarget.value === most ? '' : event.currentTarget.value })}>
      {answer.replicas.map((replica) => (
        <option key={replica.name} value={replica.name}>
          {replicaName(replica.name)}
          {replica.name === most ? ' (the fullest)' : ''}
        </option>
      ))}
    </select>
  )
}

function Lines({ target, answer, shown }: { target: TargetAnswer; answer: MemoryAnswer; shown: ReplicaMemory }) {
  const lines = useMemo(() => linesOf(shown), [shown])
  const [begin, end] = [shown.times[0] ?? 0, shown.times.at(-1) ?? 0]
  const marks = useMemo(() => marksOf(target, begin, end, shown.name), [target, begin, end, shown.name])
  const [a, b] = [parameter('a'), parameter('b')]
  const ranges = useMemo((): [Span | null, Span | null] => [spanOf('a'), spanOf('b')], [a, b])
  return (
    <Chart
      label={`Memory of ${replicaName(shown.name)}`}
      times={shown.times}
      lines={lines}
      height={260}
      limit={answer.limit}
      marks={marks}
      forecast={answer.forecast && (answer.forecast.replica ?? shown.name) === shown.name ? answer.forecast : null}
      ranges={ranges}
      onRanges={([first, second]) => change({ a: written(first), b: written(second) })}
    />
  )
}

function KindsOverTime({ replica, limit }: { replica: ReplicaMemory; limit: number | null }) {
  const layers = useMemo(() => kindsOf(replica), [replica])
  return <Stacked label={`Kinds of memory of ${replicaName(replica.name)}`} times={replica.times} layers={layers} limit={limit} height={180} />
}

function spanOf(name: 'a' | 'b'): Span | null {
  const [begin, end] = parameter(name).split(',').map(Number)
  return begin !== undefined && end !== undefined && begin < end ? { begin, end } : null
}

const written = (span: Span | null): string => (span ? `${Math.round(span.begin)},${Math.round(span.end)}` : '')
