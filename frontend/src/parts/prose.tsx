// Sentences of an analysis: what stands between backquotes is code, all of it is text.

import type { JSX } from 'preact'
import { formatAgo, formatTime, visible } from '../format'

/** `text` with its `code` set apart. */
export function Prose({ text }: { text: string }): JSX.Element {
  const parts = visible(text, 2000).split(/`([^`]+)`/)
  return <>{parts.map((part, i) => (i % 2 ? <code key={i}>{part}</code> : part))}</>
}

/** How long ago a moment was; the moment itself shows when it is pointed at. */
export function Ago({ at }: { at: string | null | undefined }): JSX.Element | null {
  return at ? <time dateTime={at} title={formatTime(at, true)}>{formatAgo(at)}</time> : null
}
