// The dumps of a target: one is opened, two are compared, three and more show growth.
import type { TargetDump } from '../../fleet-types'
import { formatBytes, formatTime } from '../../format'
import { useKeys } from '../../keys'
import { Ago, Prose } from '../../parts/prose'
import { change, go, href, parameter } from '../../route'
import { comparison } from '../captures/rows'

export function Dumps({ dumps }: { dumps: readonly TargetDump[] }) {
  const chosen = parameter('dumps').split(',').filter((id) => dumps.some((dump) => dump.id === id))
  const turn = (id: string): void =>
    change({ dumps: (chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]).join(',') })
  const newest = [...dumps].sort((a, b) => (b.taken_at ?? '').localeCompare(a.taken_at ?? ''))
  const to = comparison(dumps, chosen)
  const last = comparison(dumps, newest.slice(0, 2).map((dump) => dump.id))
  useKeys([{ keys: 'd', what: 'Compare the chosen dumps, or the last two', then: () => void ((to ?? last) && go((to ?? last)!)) }], [to, last])
  return (
    <section class="part" aria-label="Dumps">
      <h2>
        Dumps <span class="muted">{dumps.length || ''}</span>{' '}
        {to && (
          <a class="button primary" href={href(to)}>
            {chosen.length === 1 ? 'Open' : chosen.length === 2 ? 'Compare the two' : `Growth over ${chosen.length}`}
          </a>
        )}
      </h2>
      {dumps.length === 0 ? (
        <p class="muted">None yet. Two of them, some time apart, say what grows.</p>
      ) : (
        <div class="table target-dumps">
          <table>
            <thead>
              <tr>
                <th scope="col" class="target-pick"><span class="unseen">Choose</span></th>
                <th scope="col" class="target-at">Taken</th>
                <th scope="col">Top suspect</th>
                <th scope="col" class="target-format">Format</th>
                <th scope="col" class="target-method">By</th>
                <th scope="col" class="number target-size">Size</th>
              </tr>
            </thead>
            <tbody>
              {newest.map((dump) => (
                <tr key={dump.id} class={chosen.includes(dump.id) ? 'selected' : undefined}>
                  <td><input type="checkbox" aria-label={`Choose the dump of ${dump.taken_at ?? dump.id}`} checked={chosen.includes(dump.id)} onChange={() => turn(dump.id)} /></td>
                  <td title={dump.taken_at ? formatTime(dump.taken_at, true) : dump.id}>
                    <a href={href(`/d/${dump.id}`)}>{dump.taken_at ? <Ago at={dump.taken_at} /> : dump.id}</a>
                  </td>
                  <td title={dump.suspect?.replaceAll('`', '')}>{dump.suspect ? <Prose text={dump.suspect} /> : <span class="muted">not analysed yet</span>}</td>
                  <td>{dump.format}{dump.state === 'partial' && <span class="muted"> {dump.size_bytes ? 'cut' : 'being taken'}</span>}</td>
                  <td title={dump.method}>{dump.method}</td>
                  <td class="number">{formatBytes(dump.size_bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
} // prettier-ignore
