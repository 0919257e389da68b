// Memory of the run that the dumps were taken of, with the moments at which they were.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { RunAnswer } from '../../api-types'
import { Chart, type ChartLine, type Mark } from '../../parts/chart'
import type { About } from './about'
import { Answered } from './answered'
import { useJson } from './answers'

export function RunMemory({ about }: { about: About }): JSX.Element {
  const found = useJson<RunAnswer>(`/api/d/${about.ids}/memory`)
  return (
    <section class="run-memory">
      <h3>Memory of the run</h3>
      <Answered found={found}>{(run) => <Lines run={run} />}</Answered>
    </section>
  )
}

function Lines({ run }: { run: RunAnswer }) {
  const lines = useMemo<ChartLine[]>(() => {
    const hasHeap = run.heap.some((value) => value !== null)
    return [{ label: 'resident', values: run.rss }, ...(hasHeap ? [{ label: 'heap', values: run.heap, isBold: true }] : [])]
  }, [run])
  const marks = useMemo<Mark[]>(() => run.captures.map((at) => ({ at, what: 'dump', text: 'a dump was taken' })), [run])
  return <Chart label={`Memory of ${run.name}`} times={run.times} lines={lines} marks={marks} height={200} />
}
