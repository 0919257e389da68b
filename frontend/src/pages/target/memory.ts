// Memory of replicas over time, from what the API says of them: what is held, its floor, its kinds.
import type { Line, MemoryAnswer, ReplicaMemory } from '../../fleet-types'
import { SERIES } from '../../parts/palette'

/** What a replica holds that the kernel cannot take back, at each of its times. */
export function held(replica: ReplicaMemory): Line {
  return replica.times.map((_, i) => {
    const [anonymous, shared, rss, file] = [replica.anonymous[i], replica.shared[i], replica.rss[i], replica.file[i]]
    if (anonymous != null || shared != null) {
      const sum = (anonymous ?? 0) + (shared ?? 0)
      if (sum) return sum
    }
    return rss == null ? null : Math.max(rss - Math.max((file ?? 0) - (shared ?? 0), 0), 0)
  })
}

/** The name of a replica for people: those of a process are only numbered. */
export const replicaName = (name: string): string => (/^\d+$/.test(name) ? `replica ${Number(name) + 1}` : name)

/** The floor of a line: the least of what was read around each time, `reach` readings to either side. */
export function floorOf(values: Line, reach = Math.max(Math.round(values.length / 24), 1)): Line {
  return values.map((value, i) => {
    if (value === null) return null
    let least = value
    for (let at = Math.max(i - reach, 0); at <= Math.min(i + reach, values.length - 1); at += 1) least = Math.min(least, values[at] ?? least)
    return least
  })
}

/** The replica that tells the story: the one with most memory at its end among those that were read last. */
export function fullest(answer: MemoryAnswer): ReplicaMemory | null {
  const last = Math.max(...answer.replicas.map((replica) => replica.times.at(-1) ?? 0))
  const living = answer.replicas.filter((replica) => last - (replica.times.at(-1) ?? 0) < 600)
  const size = (replica: ReplicaMemory): number => held(replica).findLast((value) => value !== null) ?? 0
  return living.reduce<ReplicaMemory | null>((best, replica) => (best && size(best) >= size(replica) ? best : replica), null)
}

export interface Drawn extends Layer {
  colour?: string
  isBold?: boolean
}

/** The lines of a replica's chart; the floor is what matters. */
export function linesOf(replica: ReplicaMemory): Drawn[] {
  const values = held(replica)
  const hasHeap = replica.heap.some((value) => value !== null)
  return [
    { label: 'Resident', values: replica.rss, colour: '--fg-muted' },
    { label: 'Held', values, colour: SERIES[1] },
    ...(hasHeap ? [{ label: 'Heap in use', values: replica.heap, colour: SERIES[2] }] : []),
    { label: 'Floor', values: floorOf(values), isBold: true, colour: '--accent' },
  ]
}

export interface Layer {
  label: string
  values: Line
}

/** What a replica's memory consists of, lowest layer first; what was never read is left out. */
export function kindsOf(replica: ReplicaMemory): Layer[] {
  const at = replica.times.map((_, i) => i)
  const heap = (i: number): number => Math.min(replica.heap[i] ?? 0, replica.anonymous[i] ?? replica.heap[i] ?? 0)
  const pages = (i: number): number => Math.max((replica.file[i] ?? 0) - (replica.shared[i] ?? 0), 0)
  const hasHeap = replica.heap.some((value) => value !== null)
  const line = (figure: (i: number) => number): Line => at.map((i) => (replica.rss[i] == null && replica.anonymous[i] == null ? null : figure(i)))
  const layers: Layer[] = [
    { label: 'Heap in use', values: hasHeap ? line(heap) : [] },
    { label: hasHeap ? 'Other anonymous' : 'Anonymous', values: line((i) => (replica.anonymous[i] ?? 0) - (hasHeap ? heap(i) : 0)) },
    { label: 'Shared', values: line((i) => replica.shared[i] ?? 0) },
    { label: 'Files', values: line(pages) },
  ]
  return layers.filter((layer) => layer.values.some((value) => value))
}
