// An answer or what stands in its place: how far it is, what went wrong, or nothing yet.
import type { ComponentChildren, JSX } from 'preact'
import { send } from '../../api'
import type { Job } from '../../api-types'
import type { Loaded } from '../../loading'
import { Failure } from '../../parts/error'
import { Progress } from '../../parts/progress'
import './answered.css'

export interface AnsweredProps<T> {
  found: Loaded<T>
  children: (value: T) => ComponentChildren
  /** What is being asked, while there is no answer yet. */
  what?: string
}

export function Answered<T>({ found, children, what = 'Counting …' }: AnsweredProps<T>): JSX.Element {
  if (found.problem) return <Failure what={found.problem.what} hint={found.problem.hint} onRetry={found.again} />
  if (found.value === undefined) return found.job ? <Working job={found.job} onRetry={found.again} /> : <p class="muted answering">{what}</p>
  return <div class={found.isLoading ? 'answered stale' : 'answered'}>{children(found.value)}</div>
}

/** A job that is awaited, with a way to end it. */
export function Working({ job, onRetry }: { job: Job; onRetry: () => void }): JSX.Element {
  const last = job.log[job.log.length - 1]
  return (
    <div class="working">
      <Progress job={job} onCancel={() => void send('POST', `/api/jobs/${job.id}/cancel`).catch(() => {})} onRetry={onRetry} />
      {last && last !== job.step && <p class="muted">{last}</p>}
    </div>
  )
}
