// Jobs: what caulk is at, how far it is, what it said, and a way to end it.
import { useState } from 'preact/hooks'
import { Problem, send } from '../../api'
import type { Job } from '../../api-types'
import { formatDuration, formatTime } from '../../format'
import { isRunning, jobs, mayCapture, newest, remember, useLive, useTitle, WHY_NOT } from '../../live'
import { Failure } from '../../parts/error'
import { Progress } from '../../parts/progress'
import { Ago } from '../../parts/prose'
import { href } from '../../route'
import { dumpsOf } from './result'
import './jobs.css'

export function JobsPage() {
  const asked = useLive<{ jobs: Job[] }>('/api/jobs', ['job'], 5000)
  const known = newest([...(asked.value?.jobs ?? []), ...jobs.value])
  const all = [...known.values()].sort((a, b) => (b.began_at ?? '9').localeCompare(a.began_at ?? '9'))
  const under = all.filter(isRunning)
  const over = all.filter((job) => !isRunning(job))
  useTitle(under.length ? `${under.length} running` : 'Jobs')
  return (
    <section>
      <header class="page-head">
        <h1>Jobs</h1>
        <span class="muted">Analyses, captures and uploads, since caulk was started</span>
      </header>
      {asked.problem && <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />}
      {under.map((job) => (
        <Under key={job.id} job={job} />
      ))}
      {!all.length && <p class="nothing">{asked.isLoading ? 'Asking…' : 'No job yet. One begins when a dump is opened or captured.'}</p>}
      {over.length > 0 && (
        <div class="part">
          <h2>Over</h2>
          <ul class="jobs">
            {over.map((job) => (
              <Over key={job.id} job={job} />
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}

function Under({ job }: { job: Job }) {
  const [problem, fail] = useState<Problem | null>(null)
  const cancel = (): void => {
    send<Job>('POST', `/api/jobs/${job.id}/cancel`).then(remember, (error: unknown) => fail(error as Problem))
  }
  return (
    <article class="job">
      <Progress job={job} {...(mayCapture.value ? { onCancel: cancel } : {})} />
      <p class="muted">
        {job.kind}, begun <Ago at={job.began_at} /> {!mayCapture.value && <span title={WHY_NOT}>· reads only</span>}
      </p>
      <Log job={job} isOpen />
      {problem && <Failure what={problem.what} hint={problem.hint} />}
    </article>
  )
}

const GLYPHS: Record<string, string> = { done: '✓', failed: '▲', cancelled: '–' }

function Over({ job }: { job: Job }) {
  const made = dumpsOf(job)
  return (
    <li class={`job job-${job.state}`}>
      <div class="job-line">
        <span class="job-state">
          <span aria-hidden="true">{GLYPHS[job.state]}</span> {job.state}
        </span>
        <span class="job-title">{made ? <a href={href(`/d/${made}`)} title={made}>{job.title}</a> : job.title}</span>
        <span class="muted">{job.kind}</span>
        <span class="muted" title={job.ended_at ? formatTime(job.ended_at, true) : undefined}>
          <Ago at={job.ended_at} />
          {took(job)}
        </span>
      </div>
      {job.state === 'failed' && (
        <p class="job-what">
          {job.what} <span class="muted">{job.hint}</span>
        </p>
      )}
      <Log job={job} isOpen={false} />
    </li>
  )
}

function Log({ job, isOpen }: { job: Job; isOpen: boolean }) {
  if (!job.log.length) return null
  return (
    <details open={isOpen}>
      <summary>{job.log.length === 1 ? '1 line of log' : `${job.log.length} lines of log`}</summary>
      <pre class="job-log">{job.log.join('\n')}</pre>
    </details>
  )
}

function took(job: Job): string {
  if (!job.began_at || !job.ended_at) return ''
  const seconds = (Date.parse(job.ended_at) - Date.parse(job.began_at)) / 1000
  return seconds >= 1 ? `, took ${formatDuration(seconds)}` : ''
}
