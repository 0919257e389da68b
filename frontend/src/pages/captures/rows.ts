// What is listed as dumps: captures that are kept, and files that were opened or sent here.
import type { DumpRow } from '../../api-types'
import type { CaptureRow } from '../../fleet-types'

export interface Listed {
  id: string
  name: string
  of: string
  /** The key of the workload it is of, where that is known. */
  workload: string | null
  taken_at: string | null
  format: string
  method: string
  size_bytes: number
  packed_bytes: number | null
  note: string
  incident: string | null
  isCapture: boolean
}

/** All of them, the newest first; what has no time is last. */
export function listed(captures: readonly CaptureRow[], dumps: readonly DumpRow[]): Listed[] {
  const names = new Map(dumps.map((dump) => [dump.id, dump.name]))
  const rows = new Map<string, Listed>()
  for (const capture of captures) {
    rows.set(capture.id, {
      ...capture,
      name: names.get(capture.id) ?? called(capture),
      of: capture.workload?.name ?? capture.target,
      workload: capture.workload?.key ?? null,
      note: capture.complete ? '' : capture.size_bytes ? 'cut' : 'being taken',
      isCapture: true,
    })
  }
  for (const dump of dumps) {
    if (rows.has(dump.id)) continue
    const note = dump.origin === 'upload' ? 'sent here' : dump.origin === 'file' ? 'a file' : ''
    rows.set(dump.id, { ...dump, of: dump.target, workload: null, method: '', packed_bytes: null, note, incident: null, isCapture: dump.origin === 'capture' })
  }
  return [...rows.values()].sort((a, b) => (b.taken_at ?? '').localeCompare(a.taken_at ?? ''))
}

/** As the page of the dump will call it once it is whole: whose it is, and when it was taken. */
function called({ id, workload, target, taken_at }: CaptureRow): string {
  const of = workload?.name ?? target
  return of && taken_at ? `${of} ${taken_at.slice(0, 16).replace('T', ' ')}` : id
}

/** Where the chosen dumps are shown, the oldest first: one, a difference, or growth; null where none is chosen. */
export function comparison(rows: readonly Pick<Listed, 'id' | 'taken_at'>[], chosen: readonly string[]): string | null {
  const found = rows.filter((row) => chosen.includes(row.id))
  if (!found.length) return null
  const order = [...found].sort((a, b) => (a.taken_at ?? '').localeCompare(b.taken_at ?? ''))
  return `/d/${order.map((row) => row.id).join('..')}`
}
