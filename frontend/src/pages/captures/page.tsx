// Dumps: what was captured, opened or sent here, what it takes on the disk, and what it is compared with.
import { useState } from 'preact/hooks'
import { Problem, send } from '../../api'
import type { DumpRow } from '../../api-types'
import type { CaptureRow, Disk } from '../../fleet-types'
import { formatBytes, formatTime, visible } from '../../format'
import { useKeys } from '../../keys'
import { mayCapture, session, useLive, useTitle, WHY_NOT } from '../../live'
import { Bar } from '../../parts/bar'
import { Dialog } from '../../parts/dialog'
import { Failure } from '../../parts/error'
import { Ago } from '../../parts/prose'
import { change, go, href, parameter } from '../../route'
import { ChooseFiles } from '../dump/drop'
import { room } from '../fleet/rail'
import { comparison, listed, type Listed } from './rows'
import './captures.css'

export function CapturesPage() {
  useTitle('Dumps')
  const captures = useLive<{ captures: CaptureRow[]; disk: Disk }>('/api/captures', ['capture'])
  const dumps = useLive<{ dumps: DumpRow[] }>('/api/d', ['capture', 'job'], 5000)
  const [deleting, confirm] = useState<Listed | null>(null)
  const rows = listed(captures.value?.captures ?? [], dumps.value?.dumps ?? [])
  const text = parameter('q').toLowerCase()
  const shown = rows.filter((row) => !text || `${row.id} ${row.name} ${row.format} ${row.of}`.toLowerCase().includes(text))
  const chosen = parameter('chosen').split(',').filter((id) => rows.some((row) => row.id === id))
  const turn = (id: string): void =>
    change({ chosen: (chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]).join(',') })
  const compared = comparison(rows, chosen)
  useKeys([{ keys: 'd', what: 'Compare the chosen dumps', then: () => compared && go(compared) }], [compared])
  const problem = captures.problem ?? dumps.problem
  const disk = captures.value?.disk
  return (
    <section>
      <header class="page-head">
        <h1>Dumps</h1>
        {disk && (
          <span class="captures-disk">
            <Bar value={disk.used_bytes} of={room(disk)} label="Disk for dumps" isBare />
            <span class="muted">
              {formatBytes(disk.used_bytes)} of {formatBytes(room(disk))} in {disk.count === 1 ? '1 capture' : `${disk.count} captures`}
            </span>
          </span>
        )}
        <span class="space" />
        {mayCapture.value ? <ChooseFiles label="Open a file…" /> : <span class="muted" title={WHY_NOT}>reads only</span>}
      </header>
      {problem && <Failure what={problem.what} hint={problem.hint} onRetry={captures.again} />}
      <div class="captures-tools">
        <input type="search" aria-label="Filter dumps" placeholder="Filter" value={parameter('q')} onInput={(event) => change({ q: event.currentTarget.value })} />
        {compared ? (
          <a class="button primary" href={href(compared)}>
            {chosen.length === 1 ? 'Open' : chosen.length === 2 ? 'Compare the two' : `Growth over ${chosen.length}`}
          </a>
        ) : (
          <span class="muted">Choose two to compare them, three or more for growth</span>
        )}
        {chosen.length > 0 && (
          <button type="button" onClick={() => change({ chosen: '' })}>
            Choose none
          </button>
        )}
      </div>
      {rows.length === 0 ? (
        <p class="nothing">{captures.isLoading || dumps.isLoading ? 'Asking…' : 'No dump yet: capture a workload, or open a file.'}</p>
      ) : (
        <DumpTable rows={shown} chosen={chosen} turn={turn} remove={confirm} />
      )}
      <Removal of={deleting} close={() => confirm(null)} done={captures.again} />
    </section>
  )
}

interface DumpTableProps {
  rows: readonly Listed[]
  chosen: readonly string[]
  turn: (id: string) => void
  remove: (row: Listed) => void
}

function DumpTable({ rows, chosen, turn, remove }: DumpTableProps) {
  return (
    <div class="table captures" role="region" aria-label="Dumps" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col" class="captures-pick">
              <span class="unseen">Choose</span>
            </th>
            <th scope="col">Dump</th>
            <th scope="col" class="captures-of">Of</th>
            <th scope="col" class="captures-at">Taken</th>
            <th scope="col" class="captures-format">Format</th>
            <th scope="col" class="number captures-size">Size</th>
            <th scope="col" class="captures-do">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} class={chosen.includes(row.id) ? 'selected' : undefined}>
              <td>
                <input type="checkbox" aria-label={`Choose ${row.name}`} checked={chosen.includes(row.id)} onChange={() => turn(row.id)} />
              </td>
              <td title={`${row.name}\n${row.id}`}>
                <a href={href(`/d/${row.id}`)}>{visible(row.name, 120)}</a>
                {row.note && <span class="captures-note"> {row.note}</span>}
                {row.id !== row.name && <code class="captures-id">{row.id}</code>}
              </td>
              <td class="captures-of" title={row.of}>{row.workload ? <a href={href(`/t/${encodeURIComponent(row.workload)}`)}>{visible(row.of, 80)}</a> : visible(row.of, 80)}</td>
              <td title={row.taken_at ? formatTime(row.taken_at, true) : undefined}>
                <Ago at={row.taken_at} />
              </td>
              <td class="captures-format" title={row.method}>{row.format}</td>
              <td class="number" title={row.packed_bytes ? `${formatBytes(row.packed_bytes)} on the disk` : undefined}>
                {formatBytes(row.size_bytes)}
              </td>
              <td class="captures-actions">
                {row.isCapture && mayCapture.value && (
                  <>
                    <a href={`/captures/${encodeURIComponent(row.id)}/file`} download aria-label={`Download ${row.name}`}>
                      Download
                    </a>
                    <button type="button" class="quiet" onClick={() => remove(row)} aria-label={`Delete ${row.name}`}>
                      Delete…
                    </button>
                  </>
                )}
                {row.isCapture && session.value && !mayCapture.value && (
                  <span class="muted" title={WHY_NOT}>
                    reads only
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Removal({ of, close, done }: { of: Listed | null; close: () => void; done: () => void }) {
  const [problem, fail] = useState<Problem | null>(null)
  const remove = (): void => {
    if (!of) return
    send('DELETE', `/api/captures/${encodeURIComponent(of.id)}`).then(
      () => {
        fail(null)
        close()
        done()
      },
      (error: unknown) => fail(error as Problem),
    )
  }
  return (
    <Dialog
      title="Delete a dump"
      isOpen={of !== null}
      onClose={close}
      actions={
        <>
          <button type="button" onClick={close}>
            Keep it
          </button>
          <button type="button" class="danger" onClick={remove}>
            Delete it
          </button>
        </>
      }
    >
      {of && (
        <p>
          <b title={of.id}>{of.name}</b> ({formatBytes(of.size_bytes)}
          {of.taken_at && `, taken ${formatTime(of.taken_at)}`}) is deleted from the disk, and cannot be had back.
          {of.incident && ' An incident refers to it.'}
        </p>
      )}
      {problem && <Failure what={problem.what} hint={problem.hint} />}
    </Dialog>
  )
}
