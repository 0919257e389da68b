// The tabs that are read: lines of source with what they allocate, and what the dump says of itself.
import type { JSX } from 'preact'
import type { TableAnswer } from '../../api-types'
import { exactly, hasObjects, question, usualSelection, type About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'
import { filter, selected } from './asked'
import { visible } from '../../format'
import { fromAnswer, Table, type AnswerRow, type Column } from '../../parts/table'
import { Place } from './chain'
import { Notes } from './notes'
import { capital } from './table-tabs'
import { Bar } from './stacks-tabs'
import './read-tabs.css'

/** The lines of the selected function, or of what the filter's `type:` matches. */
export function Source({ about }: { about: About }): JSX.Element {
  const chosen = selected.value ?? usualSelection(about)
  const pattern = filter.value.pattern ?? (chosen && !hasObjects(about.page) ? exactly(chosen.name) : '')
  const found = useJson<TableAnswer>(question(about, 'source', { pattern }))
  return (
    <>
      <Bar><span>{pattern ? <>of <code>{filter.value.pattern ?? chosen?.name}</code></> : 'The heaviest lines'}</span></Bar>
      <Answered found={found} what="Reading the lines …">{(answer) => <Code answer={answer} />}</Answered>
    </>
  )
}

function Code({ answer }: { answer: TableAnswer }) {
  const kind = answer.unit === 'bytes' ? 'bytes' : 'count'
  const columns: Column<AnswerRow>[] = [
    { key: 'own', title: 'Own', kind, width: 9 },
    { key: 'total', title: 'Total', kind, width: 9 },
    { key: 'location', title: 'Line', kind: 'text', width: 28, isUnsortable: true, render: (row) => <Place place={String(row.location ?? '')} /> },
    { key: 'source', title: 'Source', kind: 'text', width: 0, isUnsortable: true, render: (row) => <code class="source-line">{visible(String(row.source ?? ''))}</code> },
  ]
  return (
    <>
      <Table label="Source" columns={columns} rows={answer.rows} height="100%" rowClass={(row) => (row.own || row.total ? 'source-counted' : undefined)} />
      <Notes notes={answer.notes} />
    </>
  )
}

export function Raw({ about }: { about: About }): JSX.Element {
  const found = useJson<TableAnswer>(question(about, 'raw'))
  return <Answered found={found}>{(answer) => <Lines answer={answer} label="Raw" />}</Answered>
}

function Lines({ answer, label }: { answer: TableAnswer; label: string }) {
  const { columns, rows, notes } = fromAnswer(answer)
  return (
    <>
      <Table label={label} columns={columns.map((column) => ({ ...column, title: capital(column.title) }))} rows={rows} height="100%" />
      <Notes notes={notes} />
    </>
  )
}
