// A chain of references or of calls, from the outermost on; what is far from what it is about is folded away.
import type { JSX } from 'preact'
import type { Finding, StackFrame } from '../../api-types'
import { visible } from '../../format'
import { Prose } from '../../parts/prose'
import { blamedAt, placeOf } from './about'
import './chain.css'

/** Frames next to the blamed one that are shown, and so are the innermost. */
const NEAR = 3

/** What holds it, from the root on. */
export function HolderChain({ path }: { path: readonly string[] }): JSX.Element {
  return (
    <ol class="chain" aria-label="What holds it">
      {path.map((step, at) => (
        <li key={at} class={at === path.length - 1 ? 'chain-last' : undefined}>
          <Step text={step} />
        </li>
      ))}
    </ol>
  )
}

// `.OPEN java.util.HashMap`: the reference, then what it leads to.
function Step({ text }: { text: string }) {
  const [, link, rest] = /^(\.\S+|\[[^\]]*\]|class|module|variable|thread|global)\s+(.*)$/s.exec(text) ?? [null, '', text]
  return (
    <>
      {link && <span class="chain-link">{visible(link)} </span>}
      <code>{visible(rest ?? '')}</code>
    </>
  )
}

/** The calls that lead to the allocation, and among them the one that is said to leak. */
export function CallChain({ finding }: { finding: Finding }): JSX.Element {
  const { stack } = finding
  const blamed = blamedAt(finding)
  const isShown = (at: number) =>
    stack.length <= 8 || at >= stack.length - NEAR || (blamed >= 0 && Math.abs(at - blamed) < NEAR) || at === 0
  const parts: (number | number[])[] = []
  stack.forEach((_, at) => {
    const last = parts[parts.length - 1]
    if (isShown(at)) parts.push(at)
    else if (Array.isArray(last)) last.push(at)
    else parts.push([at])
  })
  const frame = (at: number) => (
    <li key={at} class={at === blamed ? 'chain-blamed' : undefined}>
      <Frame frame={stack[at]!} />
    </li>
  )
  return (
    <ol class="chain" aria-label="The chain of calls">
      {parts.map((part) =>
        Array.isArray(part) ? (
          <li key={part[0]} class="chain-folded">
            <details>
              <summary>{part.length} more calls</summary>
              <ol class="chain">{part.map(frame)}</ol>
            </details>
          </li>
        ) : (
          frame(part)
        ),
      )}
    </ol>
  )
}

function Frame({ frame }: { frame: StackFrame }) {
  const place = placeOf(frame)
  return (
    <>
      <code>{visible(frame.function || place || '?')}</code>{' '}
      {place && !place.endsWith(frame.function) && <Place place={place} />}
    </>
  )
}

/** A place in the code; of a long path the end is what tells places apart. */
export function Place({ place }: { place: string }): JSX.Element {
  return (
    <span class="place" title={visible(place, 2000)}>
      <bdi>{visible(shortened(place))}</bdi>
    </span>
  )
}

/** The last two parts of a path: what tells it apart. */
export function shortened(place: string): string {
  const parts = place.split('/')
  return parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : place
}

/** Evidence, a line each. */
export function Evidence({ lines }: { lines: readonly string[] }): JSX.Element | null {
  if (!lines.length) return null
  return (
    <ul class="evidence">
      {lines.map((line) => (
        <li key={line}>
          <Prose text={line} />
        </li>
      ))}
    </ul>
  )
}
