// The tab of the flame graph: what it shows is in the address, beside it stands every function with its sums.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { functions } from '../../flame/functions'
import { FlameGraph, type Colour, type Facts, type FlameHandle, type Found, type Widths } from '../../flame/view'
import { formatShare, formatValue, visible } from '../../format'
import { Table, type Column } from '../../parts/table'
import { change, parameter } from '../../route'
import type { Stacks } from '../../stacks'
import { hasObjects, question, type About } from './about'
import { Answered } from './answered'
import { useStacks } from './answers'
import { keyOf, select, selected } from './asked'
import { picture } from './exports'
import { useLeft } from './left'
import { Name } from './name'
import { Choice, Notes } from './notes'
import { Bar, Granularity } from './stacks-tabs'
import './flame-tab.css'

const MOST_ROWS = 5000

export function Flame({ about }: { about: About }): JSX.Element {
  const found = useStacks(question(about, 'flame'))
  return <Answered found={found}>{(stacks) => <Pane about={about} stacks={stacks} />}</Answered>
}

function Pane({ about, stacks }: { about: About; stacks: Stacks }) {
  const handle = useRef<FlameHandle | null>(null)
  const [found, tell] = useState<Found | string | null>(null)
  const isPainted = usePainted()
  const isDifference = stacks.before !== null || stacks.signed
  const kind = hasObjects(about.page) ? 'type' : 'frame'
  const pivot = parameter('pivot')
  const isBeside = parameter('table') !== '0'
  useLeft(stacks)
  const choose = ({ name }: Facts) => name && select({ kind, name })
  const ready = (made: FlameHandle | null) => {
    handle.current = made
    picture.value = made && (() => made.png())
  }
  return (
    <>
      <Bar>
        <Looks isDifference={isDifference} />
        <Granularity about={about} />
        <Search found={found} unit={stacks.unit} next={(direction) => handle.current?.nextMatch(direction)} />
        {pivot && (
          <button type="button" class="pivoted" title="Leave the pivot (Esc)" onClick={() => change({ pivot: '', zoom: '' })}>
            pivot {visible(pivot, 50)} ✕
          </button>
        )}
      </Bar>
      <div class={isBeside ? 'flame-sides flame-beside' : 'flame-sides'}>
        {isBeside && (isPainted ? <Sandwich stacks={stacks} kind={kind} /> : <div class="sandwich" />)}
        <FlameGraph stacks={stacks} mode={parameter('up') ? 'flame' : 'icicle'} inverted={parameter('inverted') === '1'} pivot={pivot}
          widths={(parameter('widths') || 'change') as Widths} vanished={!isDifference || parameter('gone') === '1'} search={parameter('find')}
          zoom={parameter('zoom')} onZoom={(zoom) => change({ zoom })} onSelect={choose} onPivot={(name) => change({ pivot: name, zoom: '' })}
          onFound={tell} onReady={ready} {...(parameter('colour') ? { colour: parameter('colour') as Colour } : {})} />
      </div>
      <Notes notes={stacks.notes} leftOut={stacks.leftOut} />
    </>
  )
}

/** Whether something was painted already: the graph comes first, what stands beside it a frame later. */
function usePainted(): boolean {
  const [is, tell] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>
    const frame = requestAnimationFrame(() => (timer = setTimeout(() => tell(true))))
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
    }
  }, [])
  return is
}

function Looks({ isDifference }: { isDifference: boolean }) {
  const colours: [string, string][] = [['', isDifference ? 'change' : 'package'], ...(isDifference ? [['package', 'package'] as [string, string]] : []), ['area', 'area']]
  return (
    <>
      <Toggle name="table" off="0" title="Table" what="Every function with its sums, beside the graph" />
      <Toggle name="up" title="Upwards" what="Grow from below" />
      <Toggle name="inverted" title="Invert" what="Begin with what holds or allocates itself, callers below it" clears={{ zoom: '' }} />
      <Choice label="Colour" value={parameter('colour')} options={colours} onPick={(colour) => change({ colour })} />
      {isDifference && <Choice label="Width" value={parameter('widths')} options={[['', 'change'], ['size', 'size']]} onPick={(widths) => change({ widths, zoom: '' })} />}
    </>
  )
}

interface ToggleProps {
  name: string
  title: string
  what: string
  /** The value that switches it off, where it is on without any. */
  off?: string
  clears?: Record<string, string>
}

function Toggle({ name, title, what, off, clears }: ToggleProps) {
  const isOn = off ? parameter(name) !== off : parameter(name) === '1'
  const next = off ? (isOn ? off : '') : !isOn
  return <button type="button" class="toggle" aria-pressed={isOn} title={what} onClick={() => change({ [name]: next, ...clears })}>{title}</button>
}

function Search({ found, unit, next }: { found: Found | string | null; unit: string; next: (direction: 1 | -1) => void }) {
  const wanted = parameter('find')
  const [draft, tell] = useState(wanted)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const result = wanted && said(found, unit)
  useEffect(() => tell(wanted), [wanted])
  const search = (text: string) => {
    tell(text)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => change({ find: text }), 200)
  }
  return (
    <span class="flame-search">
      <input type="search" value={draft} placeholder="Search (regex)" aria-label="Search the flame graph" spellcheck={false} onInput={(event) => search(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && next(event.shiftKey ? -1 : 1)} />
      <span class={typeof found === 'string' ? 'flame-refused' : 'muted'} role="status" title={result}>{result}</span>
    </span>
  )
}

function said(found: Found | string | null, unit: string): string {
  if (found === null || typeof found === 'string') return found ?? ''
  return `${found.functions} found, ${formatValue(found.value, unit)} (${formatShare(found.share)})`
}

interface Row {
  name: string
  own: number
  total: number
}

/** Every function by name, with what it has itself and with all below it. */
function Sandwich({ stacks, kind }: { stacks: Stacks; kind: 'frame' | 'type' }) {
  const rows = useMemo(() => rowsOf(stacks), [stacks])
  const isSigned = stacks.before !== null || stacks.signed
  const columns: Column<Row>[] = useMemo(() => {
    const unit = stacks.unit === 'bytes' ? 'bytes' : 'count'
    const most = Math.max(...rows.map((row) => Math.abs(row.total)), 1)
    const signed = isSigned
    return [
      { key: 'name', title: kind === 'type' ? 'Type' : 'Function', kind: 'text', width: 0, hint: 'A double click or Enter makes one the pivot', render: (row) => <Name text={row.name} /> },
      { key: 'own', title: signed ? 'Δ own' : 'Own', kind: unit, signed, width: 8 },
      { key: 'total', title: signed ? 'Δ total' : 'Total', kind: unit, signed, width: 8, bar: (row) => Math.abs(row.total) / most },
    ]
  }, [rows])
  const chosen = selected.value
  return (
    <div class="sandwich">
      <Table label="Functions" columns={columns} rows={rows} rowKey={(row) => row.name} selected={chosen?.kind === kind ? chosen.name : null} height="100%"
        onSelect={(row) => (!chosen || keyOf(chosen) !== keyOf({ kind, name: row.name })) && select({ kind, name: row.name })} onOpen={(row) => change({ pivot: row.name, zoom: '' })} />
    </div>
  )
}

function rowsOf(stacks: Stacks): Row[] {
  const { own, total, ownBefore, totalBefore } = functions(stacks)
  const byName = new Map<string, Row>()
  stacks.names.forEach((name, frame) => {
    const row = byName.get(name) ?? { name, own: 0, total: 0 }
    row.own += own[frame]! - (ownBefore ? ownBefore[frame]! : 0)
    row.total += total[frame]! - (totalBefore ? totalBefore[frame]! : 0)
    byName.set(name, row)
  })
  return [...byName.values()].filter((row) => row.total || row.own).sort((a, b) => Math.abs(b.total) - Math.abs(a.total)).slice(0, MOST_ROWS)
}
