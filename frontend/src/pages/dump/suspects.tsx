// Where one lands: the verdict in a sentence, at most five findings in prose, and what else there is to know.
import type { JSX } from 'preact'
import { hasIsland } from '../../api'
import type { Analysis, TableAnswer } from '../../api-types'
import { formatBytes, formatCount, formatShare, formatValue } from '../../format'
import { Prose } from '../../parts/prose'
import { State } from '../../parts/state'
import { href } from '../../route'
import { can, newest, question, tabAt, warningsOf, type About } from './about'
import { useJson } from './answers'
import { RunMemory } from './memory'
import { Card, likely } from './card'
import { Evidence } from './chain'
import './suspects.css'

const OPENED = 5

export function Suspects({ about }: { about: About }): JSX.Element | null {
  const { analysis } = about
  if (!analysis) return null
  const shown = analysis.findings.slice(0, OPENED)
  const more = analysis.findings.slice(OPENED)
  return (
    <div class="suspects">
      <Verdict analysis={analysis} />
      {shown.length ? (
        <section aria-label="What to look at">{shown.map((finding) => <Card key={finding.rank} finding={finding} about={about} isTold={analysis.verdict.sentence.includes(finding.title)} />)}</section>
      ) : (
        <Clean about={about} analysis={analysis} />
      )}
      {more.length > 0 && (
        <details class="more-cards">
          <summary>{more.length} lesser findings</summary>
          {more.map((finding) => <Card key={finding.rank} finding={finding} about={about} />)}
        </details>
      )}
      {about.page.has_memory && <RunMemory about={about} />}
      <Beside about={about} analysis={analysis} />
    </div>
  )
}

function Verdict({ analysis }: { analysis: Analysis }) {
  const { state, sentence, reasons, confidence } = analysis.verdict
  const [first, ...rest] = sentence.split(/(?<=[.?!]) (?=[A-Z\d])/)
  return (
    <section class={`verdict verdict-${state}`} aria-label="Verdict">
      <p class="verdict-state">
        <State state={state} />
        {confidence > 0 && (
          <span class="muted">
            {likely(confidence)} ({formatShare(confidence)})
          </span>
        )}
      </p>
      <h2>
        <Prose text={first || 'No verdict.'} />
      </h2>
      {rest.length > 0 && <p class="verdict-more"><Prose text={rest.join(' ')} /></p>}
      <Evidence lines={reasons} />
    </section>
  )
}

/** What to do where nothing was found: said plainly, with the way on. */
function Clean({ about, analysis }: { about: About; analysis: Analysis }) {
  const isAlone = about.page.dumps.length === 1
  return (
    <section class="clean">
      <p>
        <b>No finding.</b>{' '}
        {isAlone
          ? 'Nothing in this dump stands out. One dump shows what is there, not what grows: a second one, taken later, shows what stayed.'
          : 'Nothing grew that these dumps could tell from noise.'}
        {analysis.smallest_growth_bytes !== null &&
          ` Growth of one place below ${formatBytes(analysis.smallest_growth_bytes)} would not show.`}
      </p>
      <p>
        {about.page.previous && isAlone && (
          <a href={href(tabAt(`${about.page.previous}..${about.ids}`, ''))}>Compare with the previous dump</a>
        )}{' '}
        <a href={href(tabAt(about.ids, 'flame'))}>See all that is live in the flame graph</a>
      </p>
    </section>
  )
}

function Beside({ about, analysis }: { about: About; analysis: Analysis }) {
  const warnings = warningsOf(about.page)
  const notes = about.page.notes ?? []
  const notRead = about.page.dumps.filter((dump) => dump.coverage < 1)
  return (
    <div class="beside">
      <section>
        <h3>In all</h3>
        <table class="plain-table">
          <tbody>
            {analysis.totals.map((total) => (
              <tr key={total.measure}>
                <th scope="row">{total.measure || 'counted'}</th>
                <td class="number">{formatValue(total.value, total.unit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Waste about={about} />
      {(warnings.length > 0 || notRead.length > 0 || analysis.notes.length > 0 || notes.length > 0) && (
        <section class="beside-warnings">
          <h3>To be borne in mind</h3>
          <ul class="evidence">
            {notRead.map((dump) => (
              <li key={dump.id}>
                Of {dump.name} {formatShare(dump.coverage)} could be read; amounts are of that part.
              </li>
            ))}
            {[...warnings, ...analysis.notes, ...notes].map((line) => <li key={line}><Prose text={line} /></li>)}
          </ul>
        </section>
      )}
    </div>
  )
}

function Waste({ about }: { about: About }) {
  // Comparing all strings takes long: a server does it when it is asked; what matters of them is a finding anyway.
  const strings = useJson<TableAnswer>(can(about, 'strings') && hasIsland() ? question(about, 'strings') : null).value
  const waste = useJson<TableAnswer>(can(about, 'waste') ? question(about, 'waste') : null).value
  const live = about.page.totals.find((total) => total.unit === 'bytes')?.value ?? 0
  const part = (bytes: unknown) => `${formatBytes(Number(bytes))} (${formatShare(live ? Number(bytes) / live : 0)})`
  if (!Number(strings?.wasted) && !Number(waste?.wasted)) return null
  return (
    <section>
      <h3>Waste in {newest(about.page).name}</h3>
      <ul class="evidence">
        {Number(strings?.wasted) > 0 && (
          <li>
            <a href={href(tabAt(about.ids, 'strings'))}>Duplicate strings</a> waste {part(strings!.wasted)}:{' '}
            {formatCount(Number(strings!.copies))} strings have only {formatCount(Number(strings!.contents))} texts.
          </li>
        )}
        {Number(waste?.wasted) > 0 && (
          <li>
            <a href={href(tabAt(about.ids, 'waste'))}>Empty collections</a> and unused slots waste {part(waste!.wasted)}.
          </li>
        )}
      </ul>
    </section>
  )
}
