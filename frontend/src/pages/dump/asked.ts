// What the address asks of the dumps: filter, selection, measure; and the parameters of the API that this makes.
import { computed, signal } from '@preact/signals'
import { literal, parse, type Parameters } from '../../filter'
import { change, parameter } from '../../route'

/** The filter as it stands in the box, and what it means. */
export const filterText = computed(() => parameter('q'))
export const filter = computed<Parameters>(() => parse(filterText.value).parameters)
export const setFilter = (text: string): void => change({ q: text })

/** What is selected: a function, or a type of objects. */
export interface Selected {
  kind: 'frame' | 'type'
  name: string
}

/** `sel=frame:NAME` or `sel=type:NAME`. */
export function selectedOf(text: string): Selected | null {
  const at = text.indexOf(':')
  const kind = text.slice(0, at)
  const name = text.slice(at + 1)
  return (kind === 'frame' || kind === 'type') && name ? { kind, name } : null
}

/** Letters of a name from which on no server takes an address with it, nor a filter. */
const MOST_LETTERS = 4000
export const isLong = (chosen: Selected): boolean => chosen.name.length > MOST_LETTERS
/** What is selected by a name that an address cannot hold. */
const unwritten = signal<Selected | null>(null)

/** What stands in the address for a selection: nothing, where its name is too long. */
export const written = (chosen: Selected | null): string => (chosen && !isLong(chosen) ? keyOf(chosen) : '')
/** What tells selections apart. */
export const keyOf = ({ kind, name }: Selected): string => `${kind}:${name}`
export const selected = computed(() => selectedOf(parameter('sel')) ?? unwritten.value)
export function select(chosen: Selected | null): void {
  unwritten.value = chosen && isLong(chosen) ? chosen : null
  change({ sel: written(chosen) })
}

const STACKS = ['focus', 'ignore', 'hide', 'show', 'from'] as const
const REFERENCES = ['soft', 'all']
/** Of which parameters each tab takes notice; what it would not use is not asked for, so that answers are kept longer. */
const TAKES: Record<string, readonly (keyof Parameters)[]> = {
  flame: STACKS,
  tree: STACKS,
  top: STACKS,
  graph: STACKS,
  dominators: STACKS,
  selection: STACKS,
  source: [...STACKS, 'pattern'],
  types: ['pattern', 'by', 'least'],
  paths: ['pattern'],
  waste: ['pattern', 'least'],
  strings: ['least'],
  threads: ['pattern', 'least'],
  raw: ['pattern'],
}
const MEASURED = ['suspects', 'flame', 'tree', 'top', 'graph', 'source', 'selection', 'threads', 'dominators', 'paths']
const GRANULAR = ['flame', 'tree', 'top', 'graph']

/** Tabs that can show of three dumps and more what survived. */
export const SURVIVING = ['flame', 'tree', 'top', 'types', 'dominators', 'graph']
/** Whether only what survived is shown. */
export const isKept = (): boolean => parameter('keep') === '1'

/** The parameters of the API for a tab, as the address says; defaults are left out. */
export function parametersOf(tab: string): Record<string, unknown> {
  const asked: Record<string, unknown> = { references: references() }
  for (const key of TAKES[tab] ?? []) asked[key] = filter.value[key]
  if (MEASURED.includes(tab)) asked.measure = parameter('measure')
  if (GRANULAR.includes(tab)) asked.granularity = parameter('granularity')
  if (tab === 'types' && asked.by === 'types') delete asked.by
  // Paths lead to one type, whose name stands in the address, unless the filter says to which.
  if (tab === 'paths' && !asked.pattern && parameter('to')) asked.pattern = literal(parameter('to'))
  if (parameter('limit') && !STACKS_TABS.includes(tab)) asked.limit = parameter('limit')
  return asked
}

const STACKS_TABS = ['suspects', 'flame', 'tree', 'dominators', 'paths', 'selection', 'graph']

/** Which references count as holding; the empty string for strong ones, which is how dumps are read at first. */
export const references = (): string => (REFERENCES.includes(parameter('references')) ? parameter('references') : '')
