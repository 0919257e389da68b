// What a capture would cost right now, and what guards say of it; asked for, since it looks into the program.
import { useState } from 'preact/hooks'
import { ask } from '../../api'
import type { FleetRow, Plan } from '../../fleet-types'
import { useAnswer } from '../../loading'
import { Failure } from '../../parts/error'
import { costs, Guard } from './capture'

export function Guarded({ of, capture }: { of: FleetRow; capture: (() => void) | null }) {
  const [isAsked, asks] = useState(false)
  const plan = useAnswer(isAsked ? of.key : null, (signal) => ask<Plan>(`/api/t/${encodeURIComponent(of.key)}/plan`, { signal }))
  const chosen = plan.value?.offers.find((offer) => offer.as === plan.value?.chosen)
  return (
    <section class="part" aria-label="Capture guard">
      <h2>Capture guard</h2>
      {!isAsked ? (
        <>
          <p class="muted">Whether a dump can be taken safely now, and what it would cost. Looking changes nothing.</p>
          <button type="button" disabled={!of.is_capturable} onClick={() => asks(true)}>
            Ask
          </button>
        </>
      ) : plan.problem ? (
        <Failure what={plan.problem.what} hint={plan.problem.hint} onRetry={plan.again} />
      ) : plan.value ? (
        <>
          <p>
            {chosen ? (
              <>
                <b>{chosen.as}</b> ({chosen.method}) would be taken: {costs(chosen)}.
              </>
            ) : (
              'Nothing can be taken safely now.'
            )}{' '}
            {capture && (
              <button type="button" onClick={capture}>
                All ways…
              </button>
            )}
          </p>
          <Guard plan={plan.value} />
        </>
      ) : (
        <p class="muted">Asking…</p>
      )}
    </section>
  )
}
