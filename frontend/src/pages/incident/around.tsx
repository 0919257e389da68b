// Memory around an incident: from some time before it was opened until some time after it was over.
import { useMemo } from 'preact/hooks'
import { address, ask } from '../../api'
import type { Incident, MemoryAnswer, ReplicaMemory } from '../../fleet-types'
import { useAnswer } from '../../loading'
import { Chart, type Mark } from '../../parts/chart'
import { fullest, linesOf } from '../target/memory'
import { timeAround } from './time'

const MARKED: Record<string, string> = { captured: 'dump', collected: 'dump', closed: 'alert' }

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
  const lines = useMemo(() => linesOf(shown).filter((line) => line.label !== 'Resident'), [shown])
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
