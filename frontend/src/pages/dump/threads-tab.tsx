// Threads and goroutines by where they are: how many, in which state, and the calls that they are in.
import type { JSX } from 'preact'
import type { TableAnswer } from '../../api-types'
import { formatBytes, formatCount, formatShare, visible } from '../../format'
import type { AnswerRow } from '../../parts/table'
import { hasObjects, newest, question, type About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'
import { select } from './asked'
import { Notes } from './notes'
import './threads.css'

/** Frames that are shown before the others are unfolded. */
const SHOWN = 4

export function Threads({ about }: { about: About }): JSX.Element {
  const found = useJson<TableAnswer>(question(about, 'threads'))
  return (
    <Answered found={found}>
      {(answer) => (
        <>
          <ol class="threads">{answer.rows.map((row, at) => <Place key={at} row={row} about={about} />)}</ol>
          {!answer.rows.length && <p class="muted answering">Nothing matches the filter.</p>}
          <Notes notes={answer.notes} />
        </>
      )}
    </Answered>
  )
}

function Place({ row, about }: { row: AnswerRow; about: About }) {
  const calls = String(row.stack ?? '').split(' ← ').filter(Boolean)
  const minutes = Number(row.wait_minutes)
  const facts = [
    !row.type && counted(Number(row.count), newest(about.page).kind === 'goroutine' ? 'goroutine' : 'thread'),
    row.state,
    minutes > 0 && `for ${formatCount(minutes)} min`,
    row.type,
    row.created_by && `started by ${visible(String(row.created_by))}`,
    typeof row.retained === 'number' && `retains ${formatBytes(row.retained)} (${formatShare(Number(row.retained_share))})`,
    Number(row.variables) > 0 && `${formatCount(Number(row.variables))} variables`,
  ].filter(Boolean)
  return (
    <li class="thread">
      <p class="thread-head">
        <b>{formatCount(Number(row.count))}</b> {facts.map((fact, at) => <span key={at}>{visible(String(fact))}</span>)}
      </p>
      {calls.length ? (
        <Calls calls={calls} canSelect={!hasObjects(about.page)} />
      ) : (
        <p class="muted">The dump keeps none of their calls.</p>
      )}
    </li>
  )
}

const counted = (count: number, what: string): string => (count === 1 ? what : `${what}s`)

function Calls({ calls, canSelect }: { calls: string[]; canSelect: boolean }) {
  const line = (call: string, at: number) => <li key={at}><Call call={call} canSelect={canSelect} /></li>
  const rest = calls.slice(SHOWN)
  return (
    <ol class="chain" aria-label="Calls, innermost first">
      {calls.slice(0, rest.length > 1 ? SHOWN : undefined).map(line)}
      {rest.length > 1 && (
        <li class="chain-folded">
          <details>
            <summary>{rest.length} more calls</summary>
            <ol class="chain">{rest.map(line)}</ol>
          </details>
        </li>
      )}
    </ol>
  )
}

// `com.example.Workers.work (HeapMaker.java:97)`: the function, then where it is.
function Call({ call, canSelect }: { call: string; canSelect: boolean }) {
  const [, name = call, place = ''] = /^(.*) \((.*)\)$/.exec(call) ?? []
  return (
    <>
      {canSelect ? (
        <button type="button" class="call" onClick={() => select({ kind: 'frame', name })}><code>{visible(name)}</code></button>
      ) : (
        <code>{visible(name)}</code>
      )}{' '}
      <span class="place">{visible(place)}</span>
    </>
  )
}
