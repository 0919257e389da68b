// What happened to a target, as marks of its chart and in words.
import type { TargetAnswer } from '../../fleet-types'
import { axisLabel, type Mark } from '../../parts/series'
import { replicaName } from './memory'

/** What happened to a replica, or to all of them, within a time. */
export function marksOf(target: Pick<TargetAnswer, 'events' | 'dumps' | 'incidents'>, begin: number, end: number, replica: string): Mark[] {
  const seconds = (at: string | null): number => (at ? Date.parse(at) / 1000 : NaN)
  const events = target.events.filter((event) => event.what === 'deploy' || !event.replica || event.replica === replica)
  const marks: Mark[] = [
    ...events.map((event) => ({ at: seconds(event.at), what: event.what, text: textOf(event.what, event.replica, event.limit) })),
    ...target.dumps.map((dump) => ({ at: seconds(dump.taken_at), what: 'dump', text: `dump ${dump.id}${dump.suspect ? `: ${dump.suspect}` : ''}`, href: `/d/${dump.id}` })),
    ...target.incidents.map((one) => ({ at: seconds(one.opened_at), what: 'alert', text: `${one.rule}: ${one.what}`, href: `/i/${one.id}` })),
  ]
  return marks.filter((mark) => mark.at >= begin && mark.at <= end)
}

export function textOf(what: string, replica: string, limit: number): string {
  const who = replicaName(replica)
  const of = who ? ` of ${who}` : ''
  if (what === 'oom') return `${who || 'it'} was killed for lack of memory`
  if (what === 'limit') return `limit${of}: ${axisLabel(limit, 'bytes')}`
  return `${what}${of}`
}
