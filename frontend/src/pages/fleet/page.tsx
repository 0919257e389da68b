// The fleet: what leaks, and how long there is until it matters.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Fleet, FleetRow } from '../../fleet-types'
import { useKeys } from '../../keys'
import { mayCapture, session, useLive, useTitle, WHY_NOT } from '../../live'
import { Empty } from '../../parts/empty'
import { Failure } from '../../parts/error'
import { change, parameter } from '../../route'
import { CaptureDialog } from '../target/capture'
import { ChooseFiles } from '../dump/drop'
import { Counts, Filters } from './filters'
import { Rail } from './rail'
import { GROUPS, kept, ordered, ORDERS, wants, type Order } from './rows'
import { FleetTable } from './table'
import './fleet.css'

export function FleetPage() {
  const fleet = useLive<Fleet>('/api/fleet', ['fleet', 'incident', 'capture'])
  const leaking = fleet.value?.rows.filter((row) => row.state === 'leaking').length ?? 0
  useTitle(leaking ? `${leaking} leaking` : 'Fleet')
  if (!fleet.value) {
    if (fleet.problem) return <Failure what={fleet.problem.what} hint={fleet.problem.hint} onRetry={fleet.again} />
    return <p class="nothing">Asking for the fleet…</p>
  }
  if (!fleet.value.rows.length) return <Nobody fleet={fleet.value} />
  return (
    <>
      {fleet.problem && <Failure what={`What you see may be old: ${fleet.problem.what}`} hint={fleet.problem.hint} onRetry={fleet.again} />}
      <Shown fleet={fleet.value} />
    </>
  )
}

function Shown({ fleet }: { fleet: Fleet }) {
  const [capturing, capture] = useState<FleetRow | null>(null)
  const [isBusy, busy] = useState(false)
  const states = parameter('state').split(',').filter(Boolean)
  const wanted = {
    states,
    runtime: parameter('runtime'),
    namespace: parameter('namespace'),
    owner: parameter('owner'),
    text: parameter('q'),
  }
  const order = oneOf(ORDERS, parameter('sort')) ?? 'limit'
  const isDescending = parameter('down') === '1'
  const group = oneOf(GROUPS, parameter('group')) ?? ''
  const asked = JSON.stringify([wanted, order, isDescending, group])
  const wantedRows = useMemo(() => fleet.rows.filter(wants(wanted)), [fleet, asked])
  const { rows, isOld, sort } = useOrder(wantedRows, order, isDescending, asked, isBusy)
  useKeys([{ keys: 'r', what: 'Sort anew', then: sort }], [sort])
  return (
    <div class="fleet">
      <div class="fleet-main">
        <h1 class="unseen">Fleet</h1>
        <Counts rows={fleet.rows} states={states} />
        <Filters rows={fleet.rows} wanted={wanted} group={group} shown={rows.length} />
        {isOld && (
          <p class="fleet-old">
            Figures have changed since this was sorted.{' '}
            <button type="button" onClick={sort}>
              Sort anew <kbd>r</kbd>
            </button>
          </p>
        )}
        {rows.length ? (
          <FleetTable
            rows={rows}
            order={order}
            isDescending={isDescending}
            group={group}
            onOrder={(sort, down) => change({ sort: sort === 'limit' ? '' : sort, down })}
            onCapture={mayCapture.value ? capture : null}
            whyNot={session.value ? WHY_NOT : ''}
            onBusy={busy}
          />
        ) : (
          <p class="nothing">
            Nothing of {fleet.rows.length} is as you want it.{' '}
            <button type="button" onClick={() => change({ state: '', runtime: '', namespace: '', owner: '', q: '' })}>
              Show all
            </button>
          </p>
        )}
      </div>
      <Rail fleet={fleet} />
      <CaptureDialog of={capturing} onClose={() => capture(null)} />
    </div>
  )
}

/** The rows in order. While somebody is at work in them they stay where they are, and `isOld` says that they moved. */
function useOrder(wanted: readonly FleetRow[], order: Order, isDescending: boolean, asked: string, isBusy: boolean) {
  const shown = useRef<{ asked: string; keys: string[] }>({ asked: '', keys: [] })
  const [round, turn] = useState(0)
  const settled = `${asked}${round}`
  const found = useMemo(() => {
    const fresh = ordered(wanted, order, isDescending)
    const stays = shown.current.asked === settled && (isBusy || scrollY > 40)
    const rows = stays ? kept(fresh, shown.current.keys) : fresh
    return { rows, isOld: rows.some((row, at) => row !== fresh[at]) }
  }, [wanted, settled])
  useEffect(() => {
    shown.current = { asked: settled, keys: found.rows.map((row) => row.key) }
  }, [found])
  return { ...found, sort: () => turn((old) => old + 1) }
}

function Nobody({ fleet }: { fleet: Fleet }) {
  const failing = fleet.sources.filter((source) => !source.is_well)
  return (
    <div class="fleet-nobody">
      <h1 class="unseen">Fleet</h1>
      <Empty
        title={fleet.is_live ? 'Nothing has been read yet' : 'Nothing is watched'}
        commands={[
          { what: 'A program on this machine', command: 'caulk serve pid:1234' },
          { what: 'A service of Compose', command: 'caulk serve compose:checkout' },
          { what: 'Pods of a namespace, with the context of kubectl', command: 'caulk serve k8s:shop' },
        ]}
      >
        <p>
          {fleet.is_live
            ? 'The first figures are here within a minute, the first judgement after some hours.'
            : 'Start caulk on what you want to know about, or open a dump.'}
        </p>
      </Empty>
      {failing.map((source) => (
        <Failure key={source.name} what={source.why} />
      ))}
      {mayCapture.value ? (
        <div class="fleet-drop">
          <p>
            Drop a dump anywhere on this page: pprof, <code>.hprof</code>, <code>.heapsnapshot</code>, memray, tracemalloc, Envoy…
          </p>
          <ChooseFiles label="Open a file…" />
        </div>
      ) : (
        session.value && <p class="muted">{WHY_NOT}</p>
      )}
    </div>
  )
}

const oneOf = <T extends string>(all: readonly T[], name: string): T | undefined => all.find((one) => one === name)
