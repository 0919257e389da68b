// A job under way: what it does, how far it is, how long it takes yet, and a way to stop it.

import type { JSX } from 'preact'
import { formatDuration, formatShare } from '../format'
import { Failure } from './error'
import './progress.css'

/** As much of a `caulk.job/1` as is shown. */
export interface JobShown {
  title: string
  state: string
  progress: number
  step?: string | null
  eta_s?: number | null
  what?: string | null
  hint?: string | null
}

export interface ProgressProps {
  job: JobShown
  onCancel?: () => void
  onRetry?: () => void
}

export function Progress({ job, onCancel, onRetry }: ProgressProps): JSX.Element {
  if (job.state === 'failed') return <Failure what={`${job.title}: ${job.what ?? 'it failed'}`} hint={job.hint ?? null} {...(onRetry ? { onRetry } : {})} />
  const isRunning = job.state === 'running' || job.state === 'waiting'
  const share = Math.min(Math.max(job.progress, 0), 1)
  // Nobody knows yet how far it is: a bar that moves says that it lives.
  const isVague = isRunning && share === 0
  return (
    <div class="progress">
      <div class="progress-head">
        <span class="progress-title">{job.title}</span>
        <span class="progress-said">{said(job, share)}</span>
        {isRunning && onCancel && <button type="button" onClick={onCancel}>Cancel</button>}
        {job.state === 'cancelled' && onRetry && <button type="button" onClick={onRetry}>Start again</button>}
      </div>
      <div class={isVague ? 'progress-track progress-vague' : 'progress-track'} role="progressbar" aria-label={job.title}
        aria-valuemin={0} aria-valuemax={100} aria-valuenow={isVague ? undefined : Math.round(share * 100)}>
        <div class="progress-done" style={{ width: isVague ? undefined : `${share * 100}%` }} />
      </div>
    </div>
  )
}

function said(job: JobShown, share: number): string {
  if (job.state !== 'running') return job.state
  const left = job.eta_s ? `${formatDuration(job.eta_s)} left` : ''
  return [job.step, share ? formatShare(share) : '', left].filter(Boolean).join(' · ')
}
