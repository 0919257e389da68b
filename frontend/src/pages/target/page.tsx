// A target: what is judged of it and why, since when, and what it was that grew.
import { useState } from 'preact/hooks'
import type { TargetAnswer } from '../../fleet-types'
import { formatBytes, formatDuration, formatRate, formatTime, visible } from '../../format'
import { useKeys } from '../../keys'
import { mayCapture, useLive, useTitle, WHY_NOT } from '../../live'
import { Failure } from '../../parts/error'
import { Ago, Prose } from '../../parts/prose'
import { State, GLYPHS, stateOf } from '../../parts/state'
import { href } from '../../route'
import { limitText } from '../fleet/row'
import { CaptureDialog, type Capturable } from './capture'
import { Dumps } from './dumps'
import { Guarded } from './guarded'
import { Happened } from './happened'
import { Memory } from './chart'
import './target.css'

export function TargetPage({ workload }: { workload: string }) {
  const asked = useLive<TargetAnswer>(`/api/t/${encodeURIComponent(workload)}`, ['fleet', 'capture', 'incident'], 5000)
  const target = asked.value
  useTitle(target ? `${GLYPHS[stateOf(target.row.state)]} ${target.row.name}` : workload)
  if (!target) {
    if (asked.problem) return <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />
    return <p class="nothing">Asking about {visible(workload, 80)}…</p>
  }
  return (
    <>
      {asked.problem && <Failure what={`What you see may be old: ${asked.problem.what}`} hint={asked.problem.hint} onRetry={asked.again} />}
      <Target target={target} />
    </>
  )
}

function Target({ target }: { target: TargetAnswer }) {
  const [capturing, capture] = useState<Capturable | null>(null)
  const { row } = target
  const mayTake = mayCapture.value && row.is_capturable
  const why = mayCapture.value ? (row.is_capturable ? '' : 'Nothing can be captured of it from here: the source that reads it does not reach the program.') : WHY_NOT
  useKeys([{ keys: 'c', what: 'Capture it', then: () => mayTake && capture(row) }], [mayTake, row.key])
  return (
    <article class="target">
      <header class="page-head">
        <h1 title={row.key}>{visible(row.name, 120)}</h1>
        <span class="muted">
          {[row.namespace, row.runtime, row.place, row.owner, row.replicas === 1 ? '1 replica' : `${row.replicas} replicas`].filter(Boolean).join(' · ')}
        </span>
        <span class="space" />
        <a href={href('/rules')}>Rules</a>
        <button type="button" class="primary" disabled={!mayTake} title={why || 'What it costs is said before anything is done (c)'} onClick={() => capture(row)}>
          Capture…
        </button>
      </header>
      {!mayTake && why && <p class="muted target-why-not">{why}</p>}
      <Verdict target={target} />
      <Memory target={target} />
      <Dumps dumps={target.dumps} />
      <Happened target={target} />
      <Guarded of={row} capture={mayTake ? () => capture(row) : null} />
      <CaptureDialog of={capturing} onClose={() => capture(null)} />
    </article>
  )
}

function Verdict({ target: { row, judgement, judgements } }: { target: TargetAnswer }) {
  const evidence = judgement?.evidence ?? row.evidence
  return (
    <section class={`target-verdict target-${stateOf(row.state)}`} aria-label="Verdict">
      <p class="target-sentence">
        <State state={row.state} /> <Prose text={judgement?.why || row.why || 'It has not been watched for long enough to say anything.'} />
      </p>
      <dl class="target-figures">
        <Figure name="Memory" value={formatBytes(row.memory_bytes)} more={limitText(row)} />
        {row.growth_bytes_per_hour !== null && (
          <Figure name="Growth" value={formatRate(row.growth_bytes_per_hour)} more={row.growth_interval ? `${formatBytes(row.growth_interval[0], true)} to ${formatBytes(row.growth_interval[1], true)}` : ''} />
        )}
        {row.since && <Figure name="Since" value={<Ago at={row.since} />} more={row.since_event ? `= ${row.since_event}, ${formatTime(row.since)}` : formatTime(row.since)} />}
        {row.time_to_limit_s !== null && <Figure name="At its limit" value={`in ${formatDuration(row.time_to_limit_s)}`} more={formatTime(Date.now() + row.time_to_limit_s * 1000)} />}
        {judgement?.recommended_limit_bytes && <Figure name="A limit that fits" value={formatBytes(judgement.recommended_limit_bytes)} more="" />}
        {judgement && judgement.confidence > 0 && <Figure name="Sure" value={`${Math.round(judgement.confidence * 100)} %`} more={judgement.kind ?? ''} />}
      </dl>
      {(evidence.length > 0 || judgements.length > 1) && (
        <details>
          <summary>Why?</summary>
          <ul>
            {evidence.map((line) => (
              <li key={line}>
                <Prose text={line} />
              </li>
            ))}
          </ul>
          {judgements.length > 0 && (
            <>
              <p class="muted">What was said of it before:</p>
              <ul class="target-said">
                {[...judgements].reverse().slice(0, 20).map((one) => (
                  <li key={one.at}>
                    <span class="muted">{formatTime(one.at)}</span> <State state={one.state} /> {one.why}
                  </li>
                ))}
              </ul>
            </>
          )}
        </details>
      )}
    </section>
  )
}

function Figure({ name, value, more }: { name: string; value: preact.ComponentChildren; more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b> {more && <span class="muted">{more}</span>}
      </dd>
    </div>
  )
}
