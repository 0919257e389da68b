// The tabs that are tables: functions, types, roots, strings, waste. A click selects what a row is about.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { hasIsland, send } from '../../api'
import type { TableAnswer } from '../../api-types'
import { GROUPINGS, print, type Grouping } from '../../filter'
import { Dialog } from '../../parts/dialog'
import { Failure } from '../../parts/error'
import { fromAnswer, Table, type AnswerRow, type Column, type Sort } from '../../parts/table'
import { change, parameter } from '../../route'
import { hasObjects, isDifference, question, type About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'
import { filter, keyOf, parametersOf, select, selected, setFilter, type Selected } from './asked'
import { Name } from './name'
import { Choice, Notes } from './notes'
import { Bar, Granularity } from './stacks-tabs'

const LIMIT = 200
const MORE = 5000

interface TableTabProps {
  about: About
  tab: string
  /** What a row is about. */
  of?: (row: AnswerRow) => Selected | null
}

function TableTab({ about, tab, of }: TableTabProps): JSX.Element {
  const found = useJson<TableAnswer>(question(about, tab))
  return <Answered found={found}>{(answer) => <Rows about={about} tab={tab} answer={answer} of={of} />}</Answered>
}

function Rows({ about, tab, answer, of }: TableTabProps & { answer: TableAnswer }) {
  const { columns, rows, notes } = fromAnswer(answer)
  const key = (row: AnswerRow, index: number) => {
    const about = of?.(row)
    return about ? keyOf(about) : String(index)
  }
  const isGone = parameter('gone') === '1'
  const shown = isGone || !isDifference(about.page) ? rows : rows.filter((row) => !isVanished(row))
  const chosen = selected.value
  const seen = new Set<string>()
  return (
    <>
      <Table label={tab} columns={ordered(columns)} rows={shown} height="100%" sort={sortOf()} onSort={(sort) => change({ sort: written(sort) })}
        rowKey={(row, index) => once(seen, key(row, index))} selected={chosen && keyOf(chosen)}
        {...(of ? { onSelect: (row: AnswerRow) => { const about = of(row); if (about) select(about) } } : {})}
        empty="Nothing matches the filter." />
      <div class="under-table">
        <Notes notes={notes} />
        {rows.length >= LIMIT && !parameter('limit') && !hasIsland() && (
          <button type="button" onClick={() => change({ limit: MORE })}>Show more rows</button>
        )}
      </div>
    </>
  )
}

/** Whether nothing of what a row is about is there any more. */
export const isVanished = (row: AnswerRow): boolean => (row.objects === 0 && Number(row.objects_change) < 0) || (row.now === 0 && Number(row.cum) < 0)

// Two rows may be about the same: functions of one name in several files.
function once(seen: Set<string>, key: string): string {
  let found = key
  for (let number = 2; seen.has(found); number += 1) found = `${key} ${number}`
  seen.add(found)
  return found
}

/** What a row is called stands first, as people read it. */
function ordered(columns: Column<AnswerRow>[]): Column<AnswerRow>[] {
  const isName = (column: Column<AnswerRow>) => NAMES.includes(column.key)
  const titled = columns.map((column) => ({ ...column, title: capital(column.title) }))
  return [...titled.filter(isName).map((column) => ({ ...column, width: 0, render: (row: AnswerRow) => <Name text={String(row[column.key] ?? '')} /> })), ...titled.filter((column) => !isName(column))]
}
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const NAMES = ['function', 'type', 'root', 'thread']

function sortOf(): Sort | null {
  const [, key = '', order] = /^(.+?)(:up)?$/.exec(parameter('sort')) ?? []
  return key ? { key, isDescending: !order } : null
}
const written = ({ key, isDescending }: Sort): string => (isDescending ? key : `${key}:up`)

const named = (kind: Selected['kind'], key: string) => (row: AnswerRow): Selected | null =>
  typeof row[key] === 'string' && row[key] ? { kind, name: row[key] } : null

export function Top({ about }: { about: About }): JSX.Element {
  return (
    <>
      <Bar><Granularity about={about} /></Bar>
      <TableTab about={about} tab="top" of={named(hasObjects(about.page) ? 'type' : 'frame', 'function')} />
    </>
  )
}

export function Types({ about }: { about: About }): JSX.Element {
  const by = filter.value.by ?? 'types'
  const group = (wanted: string) => setFilter(print({ ...filter.value, by: wanted === 'types' ? undefined : (wanted as Grouping) } as typeof filter.value))
  return (
    <>
      <Bar><Choice label="By" value={by} options={GROUPINGS.map((one) => [one, one] as const)} onPick={group} isOff={hasIsland()} /></Bar>
      <TableTab about={about} tab="types" {...(by === 'types' ? { of: named('type', 'type') } : {})} />
    </>
  )
}

export const Roots = ({ about }: { about: About }): JSX.Element => <TableTab about={about} tab="roots" />
export const Waste = ({ about }: { about: About }): JSX.Element => <TableTab about={about} tab="waste" of={named('type', 'type')} />

/** Contents are hidden until somebody asks for them; that is asked twice, and logged. */
export function Strings({ about }: { about: About }): JSX.Element {
  const [isAsked, ask] = useState(false)
  const [shown, show] = useState<TableAnswer | null>(null)
  const [problem, fail] = useState<{ what: string; hint: string } | null>(null)
  const [isComing, wait] = useState(false)
  const newest = about.page.ids[about.page.ids.length - 1]!
  const reveal = () => {
    ask(false)
    fail(null)
    wait(true)
    const parameters = Object.fromEntries(Object.entries(parametersOf('strings')).filter(([, value]) => value))
    send<TableAnswer>('POST', `/api/d/${newest}/reveal`, { tab: 'strings', parameters }).then(show, fail).finally(() => wait(false))
  }
  return (
    <>
      <Bar>
        {shown ? (
          <button type="button" onClick={() => show(null)}>Hide the texts</button>
        ) : (
          <button type="button" disabled={hasIsland() || isComing} title={hasIsland() ? 'This is one file: it has no texts.' : undefined} onClick={() => ask(true)}>
            {isComing ? 'Reading the texts …' : 'Reveal the texts …'}
          </button>
        )}
        <span class="muted">Texts from a dump may be secrets: they are hidden until asked for.</span>
      </Bar>
      {problem && <Failure what={problem.what} hint={problem.hint} />}
      {shown ? <Rows about={about} tab="strings" answer={shown} /> : <TableTab about={about} tab="strings" />}
      <Dialog title="Reveal texts" isOpen={isAsked} onClose={() => ask(false)}
        actions={<><button type="button" onClick={() => ask(false)}>Cancel</button><button type="button" class="primary" onClick={reveal}>Reveal</button></>}>
        <p>The texts of this dump may hold passwords, tokens and data of people. That they were shown, and to whom, is written into the log.</p>
      </Dialog>
    </>
  )
}
