// What went wrong, in the words of the error, and what to do about it.

import type { JSX } from 'preact'
import { Prose } from './prose'
import './error.css'

export interface FailureProps {
  what: string
  hint?: string | null
  onRetry?: () => void
}

export function Failure({ what, hint, onRetry }: FailureProps): JSX.Element {
  return (
    <div class="failure" role="alert">
      <p class="failure-what"><span aria-hidden="true">▲ </span><Prose text={what} /></p>
      {hint && <p class="failure-hint"><Prose text={hint} /></p>}
      {onRetry && <button type="button" onClick={onRetry}>Try again</button>}
    </div>
  )
}
