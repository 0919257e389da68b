// The head: which dumps these are, what they count, what they are compared with, and ways to take them elsewhere.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { address, ask, hasIsland } from '../../api'
import type { DumpRow } from '../../api-types'
import { formatBytes, formatDuration, formatShare, formatTime, formatValue, visible } from '../../format'
import { Menu, type MenuItem } from '../../parts/menu'
import { change, href, parameter } from '../../route'
import { isDifference, newest, observedHours, tabAt, warningsOf, type About, type Shown } from './about'
import { exports } from './exports'
import './head.css'

const KINDS: Record<string, string> = { objects: 'heap', unknown: 'profile' }
const SERVED = 'This is one file: `caulk serve FILE` compares and counts otherwise.'

export function Head({ about, tab }: { about: About; tab: string }): JSX.Element {
  const { page } = about
  return (
    <header class="dump-head">
      <div class="dump-title">
        <h1>{page.dumps.length > 2 ? <Many about={about} /> : <Names about={about} />}</h1>
        <p class="dump-facts"><Facts about={about} /></p>
      </div>
      <div class="dump-menus">
        <Measures about={about} />
        <Base about={about} tab={tab} />
        <div id="export"><Menu label="Export" items={exports(about, tab)} align="right" /></div>
      </div>
    </header>
  )
}

function Names({ about: { page } }: { about: About }) {
  const [base, now] = [page.dumps[0]!, newest(page)]
  if (!isDifference(page)) return <>{visible(now.name)}</>
  return <><Base1 dump={base} /> <span class="muted" aria-label="compared with">→</span> {visible(now.name)}</>
}

const Base1 = ({ dump }: { dump: Shown }) => <a href={href(`/d/${dump.id}`)} title="This dump alone">{visible(dump.name)}</a>

function Many({ about: { page } }: { about: About }) {
  return <>{page.dumps.length} dumps: {visible(page.dumps[0]!.name)} <span class="muted">→</span> {visible(newest(page).name)}</>
}

function Facts({ about: { page } }: { about: About }) {
  const dump = newest(page)
  const hours = isDifference(page) ? observedHours(page) : 0
  const live = page.totals.filter((total) => page.measures.some((measure) => measure.name === total.measure && measure.is_default))
  const parts: [string, ComponentChildren][] = [
    ['runtime', [dump.runtime, KINDS[dump.kind] ?? dump.kind].filter(Boolean).join(' ')],
    ['format', dump.format],
    ['taken', dump.taken_at && <time dateTime={dump.taken_at} title={dump.taken_at}>{formatTime(dump.taken_at)}</time>],
    ['apart', hours > 0 && `${formatDuration(hours * 3600)} apart`],
    ...live.map((total): [string, ComponentChildren] => [total.measure, <b>{formatValue(total.value, total.unit)}{total.unit === 'bytes' ? ' live' : ` ${total.measure}`}</b>]),
    ['size', `file ${formatBytes(dump.size_bytes)}`],
    ['mode', dump.mode && dump.mode !== 'exact' ? <span class="dump-warned">{dump.mode} mode</span> : null],
    ['coverage', dump.coverage < 1 ? <span class="dump-warned">{formatShare(dump.coverage)} could be read</span> : null],
    ['warnings', warned(warningsOf(page))],
  ]
  return <>{parts.filter(([, part]) => part).map(([name, part]) => <span key={name}>{part}</span>)}</>
}

function warned(all: readonly string[]): ComponentChildren {
  if (!all.length) return null
  return (
    <details class="dump-warnings">
      <summary class="dump-warned">▲ {all.length} {all.length === 1 ? 'warning' : 'warnings'}</summary>
      <ul>{all.map((line) => <li key={line}>{visible(line)}</li>)}</ul>
    </details>
  )
}

function Measures({ about: { page } }: { about: About }) {
  const wanted = parameter('measure')
  const chosen = page.measures.find((measure) => (wanted ? measure.name === wanted : measure.is_default)) ?? page.measures[0]
  if (!chosen || page.measures.length < 2) return null
  const items: MenuItem[] = page.measures.map((measure) => ({
    label: measure.name,
    hint: measure.unit,
    isChecked: measure === chosen,
    why: hasIsland() && measure !== chosen ? SERVED : null,
    onPick: () => change({ measure: measure.is_default ? '' : measure.name }),
  }))
  return <Menu label="Measure" items={items}><span class="muted">measure</span> {chosen.name}</Menu>
}

function Base({ about, tab }: { about: About; tab: string }) {
  const { page } = about
  const [others, tell] = useState<DumpRow[]>([])
  useEffect(() => {
    if (!hasIsland()) ask<{ dumps: DumpRow[] }>(address('/api/d')).then((said) => tell(said.dumps), () => {})
  }, [])
  const now = page.ids[page.ids.length - 1]!
  const base = page.ids.length === 2 ? page.ids[0]! : page.ids.length > 2 ? 'many' : ''
  const to = (ids: string) => href(tabAt(ids, tab))
  const item = (id: string, label: string, hint = ''): MenuItem => ({
    label, hint, isChecked: base === id, href: to(id ? `${id}..${now}` : now), why: hasIsland() && base !== id ? SERVED : null,
  }) // prettier-ignore
  const told = new Map(others.map((other) => [other.id, other]))
  const siblings = page.siblings.filter((sibling) => sibling.id !== now && sibling.id !== page.previous)
  const { runtime } = newest(page)
  const isListed = (id: string) => id === now || id === page.previous || siblings.some((sibling) => sibling.id === id)
  // Of a dump that nobody has read yet the runtime is not known: it may be one of this program.
  const same = others.filter((other) => !isListed(other.id) && (!other.runtime || other.runtime === runtime))
  const named = (id: string) => told.get(id)?.name ?? id
  const place = (id: string) => others.findIndex((other) => other.id === id)
  const known = new Map([...page.siblings, ...page.dumps].map((dump) => [dump.id, dump.taken_at ?? '']))
  const all = [...known].sort(([a, x], [b, y]) => x.localeCompare(y) || place(a) - place(b)).map(([id]) => id)
  const items: MenuItem[] = [
    item('', 'none', 'this dump alone'),
    ...(page.previous ? [item(page.previous, `previous: ${named(page.previous)}`, 'd')] : []),
    ...siblings.map((sibling) => item(sibling.id, named(sibling.id), sibling.taken_at ? formatTime(sibling.taken_at) : '')),
    ...same.slice(0, 20).map((other) => item(other.id, other.name, other.runtime || other.format)),
    ...(all.length > 2 ? [{ label: `growth over all ${all.length} of it`, href: to(all.join('..')), isChecked: base === 'many', why: hasIsland() ? SERVED : null }] : []),
  ]
  const said = base === 'many' ? `${page.ids.length} dumps` : base ? named(base) : 'none'
  return <Menu label="Base" items={items} align="right"><span class="muted">base</span> <span class="dump-base">{visible(said, 40)}</span></Menu>
}
