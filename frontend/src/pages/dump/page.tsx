// The page of a dump, of a difference, of growth: what it is, its tabs, the filter, and always the selection.
import { ask, address } from '../../api'
import type { DumpPage as Found } from '../../api-types'
import { useAnswer } from '../../loading'

export function DumpPage({ ids, tab }: { ids: string; tab: string }) {
  const found = useAnswer(ids, (signal, onJob) => ask<Found>(address(`/api/d/${ids}`), { signal, onJob }))
  if (found.problem) return <p class="nothing">{found.problem.what} {found.problem.hint}</p>
  if (!found.value) return <p class="nothing">{found.job ? `${found.job.title}: ${found.job.step}` : 'Reading…'}</p>
  return (
    <section>
      <h1>{found.value.dumps.map((dump) => dump.name).join(' → ')}</h1>
      <p class="muted">{tab}</p>
    </section>
  )
}
