// A finding as a card: the sentence, its numbers, the way to it, what proves it and what would fix it.
import type { ComponentChildren, JSX } from 'preact'
import type { Finding } from '../../api-types'
import { formatBytes, formatCount, formatRate, formatShare, formatValue, visible } from '../../format'
import { Copy } from '../../parts/copy'
import { Prose } from '../../parts/prose'
import { Sparkline } from '../../parts/sparkline'
import { href } from '../../route'
import { blamed, can, hasObjects, isDifference, selectedParameter, selectionOf, tabAt, type About } from './about'
import { CallChain, Evidence, HolderChain, Place } from './chain'
import { Pie } from './pie'
import { remedy } from './remedy'
import './card.css'

const SHAPES: Record<Finding['shape'], string> = {
  rising: 'still growing', flattening: 'flattening', flat: 'not growing', falling: 'shrinking', unknown: '',
} // prettier-ignore
const CONFIDENCE: [number, string][] = [[0.9, 'very likely'], [0.7, 'likely'], [0.4, 'possible'], [0, 'a weak hint']]

/** A number from 0 to 1 in a word. */
export const likely = (confidence: number): string => CONFIDENCE.find(([least]) => confidence >= least)?.[1] ?? 'a weak hint'

export interface CardProps {
  finding: Finding
  about: About
  /** Whether the verdict above it says the same in the same words. */
  isTold?: boolean
}

export function Card({ finding, about, isTold }: CardProps): JSX.Element {
  const fix = remedy(finding.pattern)
  return (
    <article class={isTold ? 'card card-told' : 'card'} aria-labelledby={`finding-${finding.rank}`}>
      <header class="card-head">
        <Pie share={finding.share} label={`${formatShare(finding.share)} of all that is live`} />
        <div>
          <h3 id={`finding-${finding.rank}`} class={isTold ? 'unseen' : undefined}>
            <Prose text={finding.title} />
          </h3>
          <p class="card-said">
            <span class="card-pattern">{finding.pattern}</span>
            <span>
              {likely(finding.confidence)} ({formatShare(finding.confidence)})
            </span>
            {finding.location && <Place place={finding.location} />}
          </p>
        </div>
      </header>
      <Figures finding={finding} about={about} />
      <div class="card-sides">
        {finding.path.length > 0 && (
          <Side title="What holds it">
            <HolderChain path={finding.path} />
          </Side>
        )}
        {finding.stack.length > 0 && (
          <Side title={finding.pattern === 'goroutine' ? 'Where they wait' : 'Where it is made'}>
            <CallChain finding={finding} />
          </Side>
        )}
        {finding.evidence.length > 0 && (
          <Side title="Why caulk says so">
            <Evidence lines={finding.evidence} />
          </Side>
        )}
      </div>
      {fix && (
        <p class="card-fix">
          <b>What would fix it</b> {fix}
        </p>
      )}
      <Links finding={finding} about={about} />
    </article>
  )
}

function Side({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card-side">
      <h4>{title}</h4>
      {children}
    </section>
  )
}

function Figures({ finding, about }: { finding: Finding; about: About }) {
  const isCounted = finding.unit !== 'bytes'
  const isGoroutine = finding.pattern === 'goroutine'
  const live = isCounted ? '' : formatBytes(finding.bytes)
  const error = finding.bytes_error ? ` ± ${formatBytes(finding.bytes_error)}` : ''
  const count = finding.count === null ? '' : formatCount(finding.count)
  return (
    <dl class="figures">
      <Figure name="live">{live && <>{live}<small>{error}</small></>}</Figure>
      <Figure name={isGoroutine ? 'goroutines' : finding.unit ? 'objects' : 'live'}>{count}</Figure>
      <Figure name="of all">{formatShare(finding.share)}</Figure>
      <Grown finding={finding} />
      <Figure name="per hour">{finding.growth_bytes_per_hour !== null && formatRate(finding.growth_bytes_per_hour)}</Figure>
      <Figure name="shape">{SHAPES[finding.shape]}</Figure>
      {isDifference(about.page) && finding.series.length > 1 && (
        <Figure name={`over ${finding.series.length} dumps`}>
          <Sparkline values={finding.series} unit={finding.unit} width={96} label="Live in each dump" colour="grew" />
        </Figure>
      )}
      <Figure name={isGoroutine ? 'started by' : 'held by'}>{finding.holder && <code>{visible(finding.holder)}</code>}</Figure>
      <Figure name={isGoroutine ? 'waits in' : 'allocated by'}>{finding.allocator && <code>{visible(finding.allocator)}</code>}</Figure>
      <Figure name="type">{finding.type && <code>{visible(finding.type)}</code>}</Figure>
    </dl>
  )
}

function Grown({ finding }: { finding: Finding }) {
  const { growth_bytes: bytes, growth_count: count, growth_share: share, unit } = finding
  const change = bytes ?? count
  if (change === null) return null
  const sign = change > 0 ? 'grew' : change < 0 ? 'shrank' : ''
  return (
    <Figure name="grown">
      <span class={sign}>
        <span aria-hidden="true">{change > 0 ? '▲ ' : change < 0 ? '▼ ' : ''}</span>
        {bytes === null ? formatValue(change, unit, true) : formatBytes(bytes, true)}
      </span>
      {bytes !== null && count !== null && <small> {formatCount(count, true)} objects</small>}
      {share !== null && share > 0 && <small> {formatShare(share)} of the growth</small>}
    </Figure>
  )
}

function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  if (!children) return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Links({ finding, about }: { finding: Finding; about: About }) {
  const chosen = selectionOf(finding, about.page)
  const frame = blamed(finding)
  const to = (tab: string, changes = {}) => href(tabAt(about.ids, tab, { ...selectedParameter(chosen), ...changes }))
  const isType = chosen?.kind === 'type'
  return (
    <p class="card-links">
      {can(about, 'flame') && <a href={to('flame', { pivot: chosen?.name ?? '' })}>Open in the flame graph</a>}
      {can(about, 'paths') && isType && <a href={to('paths')}>Paths to the roots</a>}
      {can(about, 'types') && isType && <a href={to('types')}>Among all types</a>}
      {can(about, 'dominators') && isType && <a href={to('dominators')}>Dominators</a>}
      {can(about, 'top') && frame && <a href={to('top')}>Among all functions</a>}
      {can(about, 'source') && frame && <a href={to('source')}>Source</a>}
      {hasObjects(about.page) && finding.pattern === 'string-duplicates' && can(about, 'strings') && <a href={to('strings')}>Duplicate strings</a>}
      <Copy text={asText(finding)} label="Copy for a bug report" />
    </p>
  )
}

/** A finding as lines of plain text. */
export function asText(finding: Finding): string {
  const stack = finding.stack.map((frame) => `  ${frame.function} ${frame.file}${frame.line ? `:${frame.line}` : ''}`)
  const path = finding.path.map((step, at) => `${'  '.repeat(at + 1)}${step}`)
  return [
    finding.title.replaceAll('`', ''),
    ...(path.length ? ['held by:', ...path] : []),
    ...(stack.length ? ['made by:', ...stack] : []),
    ...finding.evidence.map((line) => `- ${line.replaceAll('`', '')}`),
    ...(finding.fingerprint ? [finding.fingerprint] : []),
  ].join('\n')
}
