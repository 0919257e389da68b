// Where no dump is open: how to open one, and those that are here.
import type { JSX } from 'preact'
import { useAnswer } from '../../loading'
import { ask, hasIsland } from '../../api'
import type { DumpRow } from '../../api-types'
import { Empty } from '../../parts/empty'
import { Ago } from '../../parts/prose'
import { Table, type Column } from '../../parts/table'
import { href } from '../../route'
import { ChooseFiles } from './drop'

const COLUMNS: readonly Column<DumpRow>[] = [
  { key: 'name', title: 'Dump', kind: 'text', width: 0 },
  { key: 'runtime', title: 'Runtime', kind: 'text', width: 10 },
  { key: 'format', title: 'Format', kind: 'text', width: 14 },
  { key: 'size_bytes', title: 'Size', kind: 'bytes', width: 10 },
  { key: 'taken_at', title: 'Taken', kind: 'text', width: 16, render: (row) => <Ago at={row.taken_at} /> },
  { key: 'origin', title: 'From', kind: 'text', width: 10 },
]

export function OpenDump(): JSX.Element {
  const found = useAnswer<{ dumps: DumpRow[] }>('/api/d', (signal) => ask('/api/d', { signal }))
  const dumps = found.value?.dumps ?? []
  return (
    <section>
      <Empty title={dumps.length ? 'Open a dump' : 'No dump yet'}
        commands={[
          { what: 'One that you have', command: 'caulk serve heap.pb.gz' },
          { what: 'Two, to see what grew', command: 'caulk serve before.hprof after.hprof' },
          { what: 'Take one of a program', command: 'caulk capture pid:1234' },
        ]}>
        <p>Drop files anywhere on this page, or choose them. pprof, HPROF, V8 heap snapshots, tracemalloc, memray, jemalloc, folded stacks and more are recognised by their contents.</p>
        {!hasIsland() && <ChooseFiles />}
      </Empty>
      {dumps.length > 0 && <Table label="Dumps" columns={COLUMNS} rows={dumps} rowKey={(row) => row.id} href={(row) => href(`/d/${row.id}`)} height="60vh" />}
    </section>
  )
}
