// What a program's memory is at this moment, part by part up to its limit; asked for, since reading it takes a while.
import { useState } from 'preact/hooks'
import { ask } from '../../api'
import type { Kinds } from '../../fleet-types'
import { formatBytes, formatShare } from '../../format'
import { useAnswer } from '../../loading'
import { Failure } from '../../parts/error'

export function Now({ workload }: { workload: string }) {
  const [round, turn] = useState(0)
  const asked = useAnswer(round ? `${workload} ${round}` : null, (signal) => ask<Kinds>(`/api/t/${encodeURIComponent(workload)}/kinds`, { signal }))
  return (
    <section class="part" aria-label="What it is now">
      <h2>
        What it is now{' '}
        {asked.value && (
          <button type="button" class="quiet" onClick={() => turn(round + 1)}>
            Look again
          </button>
        )}
      </h2>
      {!round ? (
        <>
          <p class="muted">Part by part up to the limit, from what the kernel and the runtime say; the program is not stopped.</p>
          <button type="button" onClick={() => turn(1)}>
            Look now
          </button>
        </>
      ) : asked.problem ? (
        <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />
      ) : asked.value ? (
        <Waterfall kinds={asked.value} />
      ) : (
        <p class="muted">Looking…</p>
      )}
    </section>
  )
}

function Waterfall({ kinds }: { kinds: Kinds }) {
  const whole = kinds.limit ?? (kinds.used || 1)
  const slices = [...kinds.slices].filter((slice) => slice.size > 0).sort((a, b) => Number(a.part === 'free') - Number(b.part === 'free') || b.size - a.size)
  let at = 0
  return (
    <div class="waterfall">
      <p>
        <b>{formatBytes(kinds.used)}</b>
        {kinds.limit ? ` of ${formatBytes(kinds.limit)} (${formatShare(kinds.used / kinds.limit)})` : ', no limit'}
        {kinds.peak > kinds.used && <span class="muted">, at most {formatBytes(kinds.peak)} so far</span>}
        {kinds.kills > 0 && <span class="waterfall-kills">, killed {kinds.kills === 1 ? 'once' : `${kinds.kills} times`} for lack of memory</span>}
      </p>
      <table>
        <thead class="unseen">
          <tr><th scope="col">Part</th><th scope="col">Size</th><th scope="col">Share</th></tr>
        </thead>
        <tbody>
          {slices.map((slice) => {
            const begin = at
            at += slice.size
            return (
              <tr key={slice.part} title={slice.what}>
                <th scope="row">{slice.part}</th>
                <td class="number">{formatBytes(slice.size)}</td>
                <td class="waterfall-track">
                  <div>
                    <span class={`waterfall-bar waterfall-${slice.part}`} style={{ left: `${(begin / whole) * 100}%`, width: `${Math.max((slice.size / whole) * 100, 0.4)}%` }} />
                  </div>
                </td>
                <td class="waterfall-what">{slice.what}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <ul>
        {[...kinds.advice.contradictions, ...kinds.advice.sentences, ...kinds.notes].map((line) => <li key={line}>{line}</li>)}
      </ul>
    </div>
  )
} // prettier-ignore
