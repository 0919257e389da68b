// The page of a dump, of a difference, of growth: what it is, its tabs, one filter for all, and always the selection.
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { address, hasIsland } from '../../api'
import type { Analysis, DumpPage as Overview } from '../../api-types'
import { useKeys } from '../../keys'
import { Failure } from '../../parts/error'
import { FilterBox } from '../../parts/chips'
import { Prose } from '../../parts/prose'
import { State } from '../../parts/state'
import { Tabs } from '../../parts/tabs'
import { change, go, href, parameter } from '../../route'
import { areSurvivors, hasObjects, isDifference, newest, question, tabAt, type About } from './about'
import { Answered, Working } from './answered'
import { useJson } from './answers'
import { filterText, references, select, selected, setFilter, SURVIVING } from './asked'
import { Head } from './head'
import { left } from './left'
import { PANES } from './panes'
import { SelectionPane } from './selection'
import './page.css'

/** Tabs that can leave out what is not there any more. */
const VANISHING = ['flame', 'tree', 'top', 'types', 'dominators']

export function DumpPage({ ids, tab }: { ids: string; tab: string }): JSX.Element {
  const at = address(`/api/d/${ids}`, { references: references() })
  const found = useJson<Overview>(at)
  useEffect(() => {
    if (found.value) document.title = `${titleOf(found.value)} · caulk`
  }, [found.value])
  if (found.problem) return <Unreadable problem={found.problem} again={found.again} />
  if (!found.value) return found.job ? <Working job={found.job} onRetry={found.again} /> : <p class="nothing">Reading …</p>
  return <Known ids={ids} tab={tab || 'suspects'} page={found.value} job={found.isLoading ? found.job : undefined} />
}

function Unreadable({ problem, again }: { problem: { what: string; hint: string }; again: () => void }) {
  return (
    <div class="working">
      <Failure what={problem.what} hint={problem.hint} onRetry={again} />
      <p><a href={href('/captures')}>All dumps</a></p>
    </div>
  )
}

const titleOf = (page: Overview): string => (isDifference(page) ? `${page.dumps[0]!.name} → ${newest(page).name}` : newest(page).name)

function Known({ ids, tab, page, job }: { ids: string; tab: string; page: Overview; job: Parameters<typeof Working>[0]['job'] | undefined }) {
  const bare: About = { ids, page, analysis: undefined }
  const analysed = useJson<Analysis>(question(bare, 'suspects'))
  const about: About = { ids, page, analysis: analysed.value }
  const box = useRef<HTMLInputElement>(null)
  useDumpKeys(about, tab, box)
  // Where tabs do not fit into the line, the one that is shown is in sight.
  useEffect(() => document.querySelector('.dump .tab-selected')?.scrollIntoView?.({ block: 'nearest', inline: 'nearest' }), [tab])
  const Pane = PANES[tab]
  const wanted = page.tabs.find((one) => one.name === tab)
  return (
    <section class="dump">
      <Head about={about} tab={tab} />
      {job && <Working job={job} onRetry={() => {}} />}
      {tab !== 'suspects' && about.analysis && <Strip about={about} />}
      <Tabs label="Questions" selected={tab} panel="pane" onSelect={(name) => go(tabAt(ids, name))}
        tabs={page.tabs.filter((one) => PANES[one.name]).map((one) => ({ ...one, href: href(tabAt(ids, one.name)) }))} />
      <div class="dump-filter">
        {hasIsland() ? (
          <input class="dump-unfiltered" disabled aria-label="Filter" placeholder="This is one file: `caulk serve FILE` filters" />
        ) : (
          <FilterBox text={filterText.value} onChange={setFilter} inputRef={box} label="Filter (/)" said={left.value}
            placeholder={hasObjects(page) ? 'Filter: type:Session  retained:>10M  by:packages' : 'Filter: word  -word  hide=X  from=X'} />
        )}
        {isDifference(page) && VANISHING.includes(tab) && !areSurvivors(page, tab) && <Switch name="gone" title="vanished" what="What was in the base and is not there any more" />}
        {page.dumps.length > 2 && SURVIVING.includes(tab) && !hasIsland() && <Switch name="keep" title="survivors" what={KEPT} />}
      </div>
      <div class="dump-sides">
        <div class={`pane pane-${tab}`} id="pane" role="tabpanel" tabIndex={0} aria-label={wanted?.title ?? tab}>
          {!Pane || !wanted ? (
            <Failure what={`There is no tab ${tab}.`} hint="Choose one above." />
          ) : !wanted.is_available ? (
            <Failure what={`${wanted.title} cannot be told of this.`} hint={wanted.why} />
          ) : tab === 'suspects' ? (
            <Answered found={analysed} what="Judging …">{() => <Pane about={about} />}</Answered>
          ) : (
            <Pane about={about} />
          )}
        </div>
        <SelectionPane about={about} tab={tab} />
      </div>
    </section>
  )
}

/** The verdict in a line, on every tab but the one that has it whole. */
function Strip({ about }: { about: About }) {
  const { state, sentence } = about.analysis!.verdict
  return (
    <p class="strip">
      <State state={state} />
      <a href={href(tabAt(about.ids, 'suspects'))}><Prose text={sentence.split(/(?<=[.?!]) (?=[A-Z\d])/)[0] ?? ''} /></a>
    </p>
  )
}

const KEPT = 'Only what is new since the first dump and still there in every later one: a leak, without what comes and goes'

function Switch({ name, title, what }: { name: string; title: string; what: string }) {
  const isOn = parameter(name) === '1'
  return (
    <button type="button" class="gone" aria-pressed={isOn} title={what} onClick={() => change({ [name]: !isOn })}>
      {isOn ? '✓ ' : ''}{title}
    </button>
  )
}

function useDumpKeys(about: About, tab: string, box: { current: HTMLInputElement | null }): void {
  const { page, ids } = about
  const now = page.ids[page.ids.length - 1]!
  const move = (id: string | null) => id && go(tabAt(id, tab))
  const available = page.tabs.filter((one) => one.is_available && PANES[one.name])
  useKeys(
    [
      { keys: '/', what: 'Filter', then: () => box.current?.focus() },
      { keys: 'd', what: isDifference(page) ? 'This dump alone' : 'Difference with the previous dump', then: () => move(isDifference(page) ? now : page.previous && `${page.previous}..${now}`) },
      { keys: '[', what: 'Previous dump', then: () => move(page.previous) },
      { keys: ']', what: 'Next dump', then: () => move(page.next) },
      { keys: 'e', what: 'Export', then: () => document.querySelector<HTMLElement>('#export button')?.click() },
      { keys: 'Escape', what: 'Take the pivot back, then the selection', then: () => (parameter('pivot') ? change({ pivot: '' }) : selected.value && select(null)) },
      ...available.slice(0, 9).map((one, at) => ({ keys: String(at + 1), what: one.title, then: () => go(tabAt(ids, one.name)) })),
    ],
    [ids, tab, page],
  )
}
