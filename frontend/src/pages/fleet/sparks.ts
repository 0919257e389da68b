// The small lines of the workloads that are seen: asked for in batches, kept while the page is open.
import { signal } from '@preact/signals'
import { address, ask } from '../../api'
import type { Spark } from '../../fleet-types'

const AT_ONCE = 60
const FRESH_MS = 120_000

const found = signal<ReadonlyMap<string, Spark>>(new Map())
const askedAt = new Map<string, number>()
let waiting: string[] = []
let timer: ReturnType<typeof setTimeout> | undefined

/** The line of a workload; undefined until it is there. */
export const sparkOf = (key: string): Spark | undefined => found.value.get(key)

/** Asks for the lines of these workloads, and for no others that are still waited for. */
export function wantSparks(keys: readonly string[]): void {
  const now = Date.now()
  waiting = keys.filter((key) => now - (askedAt.get(key) ?? -Infinity) > FRESH_MS)
  clearTimeout(timer)
  if (waiting.length) timer = setTimeout(() => void fetchNext(), 80)
}

async function fetchNext(): Promise<void> {
  const keys = waiting.splice(0, AT_ONCE)
  if (!keys.length) return
  for (const key of keys) askedAt.set(key, Date.now())
  const query = keys.map((key) => `key=${encodeURIComponent(key)}`).join('&')
  try {
    const said = await ask<{ rows: Record<string, Spark> }>(`${address('/api/sparks')}?${query}`)
    const next = new Map(found.value)
    for (const [key, spark] of Object.entries(said.rows)) next.set(key, spark)
    found.value = next
  } catch {
    // The table says all of it in figures; the next look asks again.
    for (const key of keys) askedAt.delete(key)
    return
  }
  await fetchNext()
}
