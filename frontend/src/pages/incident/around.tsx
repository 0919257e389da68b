// Memory around an incident: from some time before it was opened until some time after it was over.
import { useMemo } from 'preact/hooks'
import { address, ask } from '../../api'
import type { Incident, MemoryAnswer, ReplicaMemory } from '../../fleet-types'
import { useAnswer } from '../../loading'
import { Chart, type Mark } from '../../parts/chart'
import { floorOf, fullest, held } from '../target/memory'

const LEAST_S = 3600
const MARKED: Record<string, string> = { captured: 'dump', collected: 'dump', closed: 'alert' }

/** The time that is shown: a third of what the incident lasts to either side, an hour at least. */
export function timeAround(opened_at: string, closed_at: string | null, now: number): { begin: number; end: number } {
  const opened = Date.parse(opened_at) / 1000
  const closed = closed_at ? Date.parse(closed_at) / 1000 : now
  const room = Math.max((closed - opened) / 3, LEAST_S)
  return { begin: Math.floor(opened - room), end: Math.ceil(Math.min(closed + room, now)) }
}

export function Around({ incident }: { incident: Incident }) {
  const { begin, end } = useMemo(() => timeAround(incident.opened_at, incident.closed_at, Date.now() / 1000), [incident.opened_at, incident.closed_at, incident.timeline.length])
  const asked = useAnswer(`${incident.workload.key} ${begin} ${end}`, (signal) =>
    ask<MemoryAnswer>(address(`/api/t/${encodeURIComponent(incident.workload.key)}/memory`, { begin, end, points: 400 }), { signal }),
  )
  const answer = asked.value
  if (!answer) return <p class="muted incident-blank">{asked.problem ? `There is no chart: ${asked.problem.what}` : 'Reading…'}</p>
  const shown = answer.replicas.find((replica) => replica.name === incident.replica) ?? fullest(answer)
  return shown ? <Lines incident={incident} answer={answer} shown={shown} /> : <p class="muted">Nothing is kept of its memory at that time.</p>
}

function Lines({ incident, answer, shown }: { incident: Incident; answer: MemoryAnswer; shown: ReplicaMemory }) {
  const lines = useMemo(() => {
    const values = held(shown)
    return [
      { label: 'Held', values },
      ...(shown.heap.some((value) => value !== null) ? [{ label: 'Heap in use', values: shown.heap }] : []),
      { label: 'Floor', values: floorOf(values), isBold: true, colour: '--accent' },
    ]
  }, [shown])
  const marks = useMemo((): Mark[] => {
    const opened = { at: Date.parse(incident.opened_at) / 1000, what: 'alert', text: `opened: ${incident.why}` }
    const told = incident.timeline
      .filter((moment) => moment.what in MARKED)
      .map((moment) => ({
        at: Date.parse(moment.at) / 1000,
        what: MARKED[moment.what]!,
        text: `${moment.what}: ${moment.text}`,
        ...(moment.capture ? { href: `/d/${moment.capture}` } : {}),
      }))
    return [opened, ...told]
  }, [incident])
  return <Chart label={`Memory of ${shown.name} around the incident`} times={shown.times} lines={lines} height={190} limit={incident.limit_bytes ?? answer.limit} marks={marks} />
}
