// What the parts of the page know about the dumps that it shows.
import { address } from '../../api'
import type { Analysis, DumpPage, Finding, StackFrame } from '../../api-types'
import { literal } from '../../filter'
import { where } from '../../route'
import { isKept, parametersOf, SURVIVING, written, type Selected } from './asked'

export interface About {
  /** `a`, `a..b`, `a..b..c`. */
  ids: string
  page: DumpPage
  /** The judgement, once it is there. */
  analysis: Analysis | undefined
}

export type Shown = DumpPage['dumps'][number]

/** The dump that amounts are of: the last. */
export const newest = (page: DumpPage): Shown => page.dumps[page.dumps.length - 1]!
/** Whether there are objects, so that stacks are types under types; of some heaps types were only counted. */
export const hasObjects = (page: DumpPage): boolean => newest(page).kind === 'objects' && newest(page).mode !== 'streaming'
export const isDifference = (page: DumpPage): boolean => page.dumps.length > 1

/** The warnings of all dumps; of those that differ by their numbers alone, the newest dump's. */
export function warningsOf(page: DumpPage): string[] {
  const all = page.dumps.flatMap((dump) => dump.warnings)
  return [...new Map(all.map((line) => [line.replace(/\d+/g, '#'), line])).values()]
}

/** Whether a tab can answer. */
export const can = ({ page }: About, tab: string): boolean => page.tabs.some(({ name, is_available }) => name === tab && is_available)

/** Hours from the first dump to the last; 0 where times are not known. */
export function observedHours(page: DumpPage): number {
  const times = page.dumps.map((dump) => (dump.taken_at ? Date.parse(dump.taken_at) : NaN))
  const hours = (times[times.length - 1]! - times[0]!) / 3600_000
  return Number.isFinite(hours) ? Math.max(hours, 0) : 0
}

/** The address of what a tab is asked, as the page stands. */
export const question = (about: About, tab: string, more: Record<string, unknown> = {}): string =>
  address(`/api/d/${about.ids}/${tab}`, { ...parametersOf(tab), survivors: areSurvivors(about.page, tab) && 1, ...more })

/** Whether a tab shows only what survived: new since the first dump, and not freed in any later one. */
export const areSurvivors = (page: DumpPage, tab: string): boolean => page.dumps.length > 2 && SURVIVING.includes(tab) && isKept()

/** The page on another tab, all else as it is but for `changes`; what belongs to the tab that is left stays behind. */
export const tabAt = (ids: string, tab: string, changes: Parameters<typeof where>[0] = {}): string =>
  where({ ...LEFT_BEHIND, ...changes }, `/d/${ids}${tab && tab !== 'suspects' ? `/${tab}` : ''}`)
const LEFT_BEHIND = { to: null, sort: null, limit: null, zoom: null }

/** The frame that a finding blames: the application's own nearest to the allocation, else the allocation. */
export const blamed = (finding: Finding): StackFrame | undefined => finding.stack[blamedAt(finding)]

/** Where that frame stands on the stack; -1 where there is none. */
export function blamedAt({ stack, location, allocator }: Pick<Finding, 'stack' | 'location' | 'allocator'>): number {
  const isThere = (frame: StackFrame) => location !== null && placeOf(frame) === location
  const isIt = (frame: StackFrame) => frame.function === allocator
  const tests = [(frame: StackFrame) => isIt(frame) && (location === null || isThere(frame)), isThere, isIt]
  const found = tests.map((test) => stack.findLastIndex(test)).find((at) => at >= 0)
  return found ?? stack.length - 1
}

/** `file:line`, as far as they are known. */
export const placeOf = ({ file, line }: StackFrame): string => (file && line > 0 ? `${file}:${line}` : file)

/** What the selection shows for a finding. */
export function selectionOf(finding: Finding | undefined, page: DumpPage): Selected | null {
  if (!finding) return null
  if (hasObjects(page) && finding.type) return { kind: 'type', name: finding.type }
  const frame = blamed(finding)
  if (frame) return { kind: 'frame', name: frame.function }
  // A count of types has them for frames.
  return finding.type ? { kind: 'frame', name: finding.type } : null
}

/** The heaviest finding's: what is shown while nothing is selected. */
export function usualSelection({ analysis, page }: About): Selected | null {
  for (const finding of analysis?.findings ?? []) {
    const found = selectionOf(finding, page)
    if (found) return found
  }
  return null
}

/** The pattern of the API that means just this name. */
export const exactly = (name: string): string => literal(name)

export const selectedParameter = (chosen: Selected | null): { sel: string } => ({ sel: written(chosen) })
