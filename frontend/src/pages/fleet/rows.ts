// Which workloads are shown, in which groups and in which order: values in, values out.
import type { State } from '../../api-types'
import type { FleetRow } from '../../fleet-types'

/** Worst first. */
export const STATES: readonly State[] = ['leaking', 'undersized', 'suspect', 'warming', 'unknown', 'steady']

export const ORDERS = ['limit', 'state', 'name', 'memory', 'share', 'growth', 'dump'] as const
export type Order = (typeof ORDERS)[number]

export const GROUPS = ['', 'namespace', 'owner', 'runtime', 'place', 'node', 'service', 'state'] as const
export type Group = (typeof GROUPS)[number]

export interface Wanted {
  states: readonly string[]
  runtime: string
  namespace: string
  owner: string
  text: string
}

/** Whether a workload is wanted: each word of the text is in it, none that begins with `-`. */
export function wants(wanted: Wanted): (row: FleetRow) => boolean {
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean)
  return (row) => {
    if (wanted.states.length && !wanted.states.includes(row.state)) return false
    if (wanted.runtime && row.runtime !== wanted.runtime) return false
    if (wanted.namespace && row.namespace !== wanted.namespace) return false
    if (wanted.owner && row.owner !== wanted.owner) return false
    if (!words.length) return true
    const said = `${row.key}\n${row.name}\n${row.runtime}\n${row.namespace}\n${row.owner}\n${row.state}\n${row.node ?? ''}`.toLowerCase()
    return words.every((word) => (word.length > 1 && word.startsWith('-') ? !said.includes(word.slice(1)) : said.includes(word)))
  }
}

/** How many there are of each state. */
export function counted(rows: readonly FleetRow[]): Map<State, number> {
  const counts = new Map<State, number>()
  for (const row of rows) counts.set(row.state, (counts.get(row.state) ?? 0) + 1)
  return counts
}

/** What a field of the rows takes, in order of the alphabet; what says nothing is left out. */
export function values(rows: readonly FleetRow[], field: 'runtime' | 'namespace' | 'owner'): string[] {
  return [...new Set(rows.map((row) => row[field]))].filter(Boolean).sort()
}

/** Which group a workload is of. A service is what the name says before its last part: `shop` of `shop/checkout`. */
function groupOf(row: FleetRow, group: Group): string {
  if (group === 'service') return row.name.split('/').slice(0, -1).join('/') || row.name
  return group ? (row[group] ?? '') || '–' : ''
}

const rank = new Map(STATES.map((state, at) => [state, at]))

// What has no figure is last, whatever the direction; then the worse state, then the name.
function figure(row: FleetRow, order: Order): number | string | null {
  switch (order) {
    case 'limit':
      return row.time_to_limit_s
    case 'state':
      return rank.get(row.state) ?? 9
    case 'name':
      return row.name
    case 'memory':
      return row.memory_bytes
    case 'share':
      return row.share
    case 'growth':
      return row.growth_bytes_per_hour
    case 'dump':
      return row.last_dump?.taken_at ?? null
  }
}

/** Whether an order begins with the largest when it is first asked for. */
export const isDescendingFirst = (order: Order): boolean => ['memory', 'share', 'growth', 'dump'].includes(order)

/** The rows in an order; equals by state, then growth, then name. */
export function ordered(rows: readonly FleetRow[], order: Order, isDescending: boolean): FleetRow[] {
  const sign = isDescending ? -1 : 1
  return rows
    .map((row) => ({ row, at: figure(row, order) }))
    .sort((a, b) => {
      if (a.at !== b.at) {
        if (a.at === null) return 1
        if (b.at === null) return -1
        return a.at < b.at ? -sign : sign
      }
      const worse = (rank.get(a.row.state) ?? 9) - (rank.get(b.row.state) ?? 9)
      const faster = (b.row.growth_bytes_per_hour ?? 0) - (a.row.growth_bytes_per_hour ?? 0)
      return worse || faster || (a.row.name < b.row.name ? -1 : 1)
    })
    .map(({ row }) => row)
}

/** The rows in the order that is shown already; those that are new go where they belong. */
export function kept(fresh: readonly FleetRow[], shown: readonly string[]): FleetRow[] {
  const places = new Map(shown.map((key, at) => [key, at]))
  const result: FleetRow[] = fresh.filter((row) => places.has(row.key)).sort((a, b) => places.get(a.key)! - places.get(b.key)!)
  const at = new Map(fresh.map((row, i) => [row.key, i]))
  for (const row of fresh) {
    if (places.has(row.key)) continue
    const before = result.findIndex((other) => at.get(other.key)! > at.get(row.key)!)
    result.splice(before < 0 ? result.length : before, 0, row)
  }
  return result
}

export type Item =
  | { kind: 'group'; key: string; title: string; rows: FleetRow[] }
  | { kind: 'row'; key: string; row: FleetRow }
  | { kind: 'more'; key: string; row: FleetRow }

/** What stands below what: headings of groups, workloads, and below each that is unfolded more about it. */
export function items(rows: readonly FleetRow[], group: Group, unfolded: ReadonlySet<string>, folded: ReadonlySet<string>): Item[] {
  const found: Item[] = []
  const put = (row: FleetRow): void => {
    found.push({ kind: 'row', key: row.key, row })
    if (unfolded.has(row.key)) found.push({ kind: 'more', key: `${row.key}\nmore`, row })
  }
  if (!group) {
    rows.forEach(put)
    return found
  }
  // Groups stand in the order of their first rows: the one whose limit is next comes first.
  const groups = new Map<string, FleetRow[]>()
  for (const row of rows) {
    const title = groupOf(row, group)
    const members = groups.get(title)
    if (members) members.push(row)
    else groups.set(title, [row])
  }
  for (const [title, members] of groups) {
    found.push({ kind: 'group', key: `group\n${title}`, title, rows: members })
    if (!folded.has(title)) members.forEach(put)
  }
  return found
}

export interface Heights {
  row: number
  group: number
  more: (row: FleetRow) => number
}

/** Where each item begins, in pixels; the last figure is where all of them end. */
export function tops(shown: readonly Item[], heights: Heights): Float64Array {
  const found = new Float64Array(shown.length + 1)
  shown.forEach((item, i) => {
    const height = item.kind === 'row' ? heights.row : item.kind === 'group' ? heights.group : heights.more(item.row)
    found[i + 1] = found[i]! + height
  })
  return found
}

/** The last item that begins at or above `y`. */
export function itemAt(begins: Float64Array, y: number): number {
  let [low, high] = [0, Math.max(begins.length - 2, 0)]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (begins[middle]! <= y) low = middle
    else high = middle - 1
  }
  return low
}
