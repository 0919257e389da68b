// The selection, in sight on every tab: what it has, how it grew, who is above it and what is below.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { address, hasIsland } from '../../api'
import type { Related, Selection } from '../../api-types'
import { added } from '../../filter'
import { formatCount, formatRate, formatShare, formatValue, visible } from '../../format'
import { Copy } from '../../parts/copy'
import { Sparkline } from '../../parts/sparkline'
import { href, where } from '../../route'
import { can, exactly, isDifference, question, tabAt, usualSelection, type About } from './about'
import { useJson, useStacks } from './answers'
import { filterText, isLong as isLongName, select, selected, setFilter, written, type Selected } from './asked'
import { Place } from './chain'
import { selectionIn } from './selection-of'
import './selection.css'

const FEW = 8
/** Tabs of which the filter keeps rows by the name of their type. */
const BY_PATTERN = ['types', 'paths', 'waste']

export function SelectionPane({ about, tab }: { about: About; tab: string }): JSX.Element {
  const chosen = selected.value
  const shown = chosen ?? usualSelection(about)
  const [isOpen, unfold] = useState(false)
  return (
    <aside class={isOpen ? 'selection selection-open' : 'selection'} aria-label="Selection">
      <header class="selection-head">
        <button type="button" class="selection-fold" aria-expanded={isOpen} onClick={() => unfold(!isOpen)}>
          <span aria-hidden="true">{isOpen ? '▾' : '▴'}</span> {shown ? visible(shortName(shown.name), 60) : 'Selection'}
        </button>
        <h2>{chosen ? 'Selection' : shown ? 'Heaviest finding' : 'Selection'}</h2>
        {chosen && (
          <button type="button" class="selection-clear" aria-label="Clear the selection" title="Clear (Esc)" onClick={() => select(null)}>
            ✕
          </button>
        )}
      </header>
      <div class="selection-body">
        {shown ? <Known about={about} tab={tab} chosen={shown} /> : <p class="muted">Choose a function or a type in any tab: what it has, and who is above and below it, is shown here.</p>}
      </div>
    </aside>
  )
}

/** The last part of a long name, which tells more than its beginning. */
const shortName = (name: string): string => (name.length > 60 ? `…${name.slice(-58)}` : name)

function Known({ about, tab, chosen }: { about: About; tab: string; chosen: Selected }) {
  const at = address(`/api/d/${about.ids}/selection`, { ...asked(about), [chosen.kind]: chosen.name })
  const said = useJson<Selection>(isLongName(chosen) ? null : at)
  // What the server cannot tell (a single object, an answer that a file has not, a name that no address holds) can be
  // counted from the stacks.
  const isCounted = isLongName(chosen) || said.problem
  const stacks = useStacks(isCounted && can(about, 'flame') ? question(about, 'flame') : null).value
  const counted = stacks ? selectionIn(stacks, chosen) : null
  const found = isLongName(chosen) ? counted : (said.value ?? counted)
  const wasThere = found?.series.some((moment) => moment.total)
  if (!found || (!found.matched && !wasThere)) {
    return (
      <>
        <Name name={chosen.name} />
        <p class="muted">{found || (isLongName(chosen) && stacks) ? absent() : said.problem ? said.problem.what : 'Counting …'}</p>
        <Actions about={about} tab={tab} chosen={chosen} />
      </>
    )
  }
  return (
    <div class={said.isLoading ? 'stale' : undefined}>
      <Name name={found.name} />
      {found.location && <p class="selection-place"><Place place={found.location} />{found.kind === 'frame' && <Copy text={found.location} />}</p>}
      <Actions about={about} tab={tab} chosen={chosen} />
      <Amounts found={found} about={about} />
      <Neighbours title={found.above_title} glyph="▲" rows={found.above} found={found} chosen={chosen} />
      <Neighbours title={found.below_title} glyph="▼" rows={found.below} found={found} chosen={chosen} />
    </div>
  )
}

const asked = (about: About): Record<string, unknown> => {
  const query = question(about, 'selection').split('?')[1]
  return Object.fromEntries(new URLSearchParams(query ?? ''))
}

const absent = (): string => (filterText.value ? 'It is not in what the filter leaves.' : 'It is not in this dump.')

function Name({ name }: { name: string }) {
  return <h3 class="selection-name"><code>{visible(name, 400)}</code></h3>
}

function Amounts({ found, about }: { found: Selection; about: About }) {
  const isType = found.kind === 'type'
  const value = (amount: number, signed = false) => formatValue(amount, found.unit, signed)
  const series = found.series.map((point) => point.total)
  return (
    <dl class="amounts">
      <div><dt>{isType ? 'shallow' : 'own'}</dt><dd>{value(found.own)}</dd></div>
      <div><dt>{isType ? 'retained' : 'with all it calls'}</dt><dd>{value(found.total)}</dd></div>
      <div><dt>of all</dt><dd>{formatShare(found.share)}</dd></div>
      {found.count !== null && <div><dt>objects</dt><dd>{formatCount(found.count)}</dd></div>}
      {found.growth && (
        <div class="amounts-wide">
          <dt>{isDifference(about.page) ? 'grown' : 'since the previous'}</dt>
          <dd class={signOf(found.growth.bytes)}>
            {glyphOf(found.growth.bytes)}{value(found.growth.bytes, true)}
            {found.growth.count !== null && <small> {formatCount(found.growth.count, true)} objects</small>}
          </dd>
        </div>
      )}
      {found.growth?.per_hour != null && <div><dt>per hour</dt><dd class={signOf(found.growth.per_hour)}>{found.unit === 'bytes' ? formatRate(found.growth.per_hour) : `${value(found.growth.per_hour, true)}/h`}</dd></div>}
      {series.length > 1 && (
        <div class="amounts-wide">
          <dt>over {series.length} dumps</dt>
          <dd><Sparkline values={series} unit={found.unit} width={260} height={32} label={found.name} /></dd>
        </div>
      )}
    </dl>
  )
}

export const signOf = (change: number): string => (change > 0 ? 'grew' : change < 0 ? 'shrank' : '')
const glyphOf = (change: number): string => (change > 0 ? '▲ ' : change < 0 ? '▼ ' : '')

function Neighbours({ title, glyph, rows, found, chosen }: { title: string; glyph: string; rows: readonly Related[]; found: Selection; chosen: Selected }) {
  const [isAll, all] = useState(false)
  if (!rows.length) return null
  const most = Math.max(...rows.map((row) => Math.abs(row.share)), 0.000001)
  return (
    <section class="neighbours">
      <h4><span aria-hidden="true">{glyph}</span> {title}</h4>
      <ul>
        {rows.slice(0, isAll ? undefined : FEW).map((row) => (
          <li key={row.name + row.label}>
            <a href={href(where({ sel: written({ kind: chosen.kind, name: row.name }) }))} title={titleOf(row, found.unit)} onClick={(event) => keepLong(event, { kind: chosen.kind, name: row.name })}>
              <span class="neighbour-bar" style={{ width: `${(Math.abs(row.share) / most) * 100}%` }} />
              <span class="neighbour-name">
                <bdi dir="ltr">{neighbour(row, chosen.kind, glyph)}</bdi>
              </span>
              <span class={`neighbour-value ${row.now != null ? signOf(row.value) : ''}`}>{formatValue(row.value, found.unit, row.now != null || row.value < 0)}</span>
              <span class="neighbour-share">{formatShare(row.share)}</span>
            </a>
          </li>
        ))}
      </ul>
      {rows.length > FEW && <button type="button" class="quiet" onClick={() => all(!isAll)}>{isAll ? 'Fewer' : `${rows.length - FEW} more`}</button>}
    </section>
  )
}

// No address holds a name that is very long: what a link would do is done at once.
function keepLong(event: MouseEvent, chosen: Selected): void {
  if (!isLongName(chosen)) return
  event.preventDefault()
  select(chosen)
}

function titleOf({ name, label, now }: Related, unit: string): string {
  const said = visible([label, name].filter(Boolean).join(' '), 2000)
  return now == null ? said : `${said}\n${formatValue(now, unit)} now`
}

// A holder is read as `Holder.field`, what is held as `.field Held`; where a caller is, its title says.
function neighbour({ name, label }: Related, kind: Selected['kind'], glyph: string) {
  if (kind === 'frame' || !label) return visible(name)
  const link = <span class="muted">{visible(label)}</span>
  return glyph === '▲' ? <>{visible(name)} {link}</> : <>{link} {visible(name)}</>
}

function Actions({ about, tab, chosen }: { about: About; tab: string; chosen: Selected }) {
  const isType = chosen.kind === 'type'
  const why = hasIsland() ? 'This is one file: `caulk serve FILE` filters.' : isLongName(chosen) ? 'Its name is too long for a filter.' : undefined
  const isRow = BY_PATTERN.includes(tab)
  const add = (key: 'focus' | 'ignore') => setFilter(added(filterText.value, isRow ? 'pattern' : key, exactly(chosen.name)))
  const base = isDifference(about.page) ? about.page.ids[0] : about.page.previous
  const sel = written(chosen)
  return (
    <p class="selection-actions">
      <button type="button" disabled={!!why} title={why ?? 'Keep what goes through it'} onClick={() => add('focus')}>focus</button>
      <button type="button" disabled={!!why || isRow} title={why ?? (isRow ? 'Rows are kept, not dropped: type:X' : 'Drop what goes through it')} onClick={() => add('ignore')}>ignore</button>
      {isType && can(about, 'paths') && !isLongName(chosen) && <a href={href(tabAt(about.ids, 'paths', { sel }))}>paths</a>}
      {can(about, 'flame') && !isLongName(chosen) && <a title="The flame graph, what is above it and what is below" href={href(tabAt(about.ids, 'flame', { sel, pivot: chosen.name }))}>pivot</a>}
      {base && !hasIsland() && <a href={href(tabAt(base, isType ? 'types' : 'top', { sel, gone: null }))}>find in base</a>}
    </p>
  )
}
