// The tabs that are read: lines of source with what they allocate, and what the dump says of itself.
import type { JSX } from 'preact'
import type { TableAnswer } from '../../api-types'
import { exactly, hasObjects, question, usualSelection, type About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'
import { filter, selected } from './asked'
import { fromAnswer, Table } from '../../parts/table'
import { Notes } from './notes'
import { Bar } from './stacks-tabs'

/** The lines of the selected function, or of what the filter's `type:` matches. */
export function Source({ about }: { about: About }): JSX.Element {
  const chosen = selected.value ?? usualSelection(about)
  const pattern = filter.value.pattern ?? (chosen && !hasObjects(about.page) ? exactly(chosen.name) : '')
  const found = useJson<TableAnswer>(question(about, 'source', { pattern }))
  return (
    <>
      <Bar><span>{pattern ? <>of <code>{filter.value.pattern ?? chosen?.name}</code></> : 'The heaviest lines'}</span></Bar>
      <Answered found={found} what="Reading the lines …">{(answer) => <Lines answer={answer} label="Source" />}</Answered>
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
      <Table label={label} columns={columns} rows={rows} height="100%" />
      <Notes notes={notes} />
    </>
  )
}
