// The bar on top: where one can go, what runs, whether the server is heard, who looks.
import { hasIsland } from './api'
import { isHeard, mayCapture, running, session, WHY_NOT } from './live'
import { href, segments } from './route'

export const PLACES = [
  { to: '/', title: 'Fleet', key: 'g f' },
  { to: '/incidents', title: 'Incidents', key: 'g i' },
  { to: '/captures', title: 'Dumps', key: 'g c' },
  { to: '/jobs', title: 'Jobs', key: 'g j' },
  { to: '/rules', title: 'Rules', key: 'g r' },
]
/** Which place of the bar a page belongs to. */
const BELONGS: Record<string, string> = { t: '/', i: '/incidents', d: '/captures' }

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

export function Topbar({ find, help, turnTheme }: { find: () => void; help: () => void; turnTheme: () => void }) {
  return (
    <header class="topbar">
      <a class="brand" href={href(hasIsland() ? (session.value?.begins_at ?? '/') : '/')}>
        caulk
      </a>
      {hasIsland() ? <span class="muted">a report in one file</span> : <Navigation />}
      <span class="space" />
      {!hasIsland() && (
        <>
          <Running />
          <button type="button" class="find" onClick={find} aria-keyshortcuts="Control+K Meta+K">
            <span>Find</span> <kbd>{isMac ? '⌘K' : 'Ctrl K'}</kbd>
          </button>
          <Heard />
          <Who />
        </>
      )}
      <button type="button" class="quiet" onClick={turnTheme} aria-label="Switch between light and dark" title="Light or dark (t)">
        ◐
      </button>
      <button type="button" class="quiet" onClick={help} aria-label="Keys" title="Keys (?)">
        ?
      </button>
    </header>
  )
}

function Navigation() {
  const first = segments.value[0] ?? ''
  const at = BELONGS[first] ?? `/${first}`
  return (
    <nav aria-label="Pages">
      {PLACES.map((place) => (
        <a key={place.to} href={href(place.to)} aria-current={at === place.to ? (first in BELONGS ? 'true' : 'page') : undefined} title={`${place.title} (${place.key})`}>
          {place.title}
        </a>
      ))}
    </nav>
  )
}

/** How many jobs run; nothing while none does. */
function Running() {
  const count = running.value.length
  return count ? (
    <a class="running" href={href('/jobs')}>
      {count === 1 ? running.value[0]!.title : `${count} jobs`}
    </a>
  ) : null
}

function Heard() {
  const is = isHeard.value
  const said = is ? 'live' : is === null ? 'connecting' : 'not connected'
  const why = is ? 'What happens is shown as it happens.' : 'The server is not heard; what you see may be old. It is tried again.'
  return (
    <span class={is ? 'heard' : 'heard heard-not'} role="status" title={why}>
      <span aria-hidden="true">{is ? '●' : '○'}</span> <span class="heard-word">{said}</span>
    </span>
  )
}

/** Who looks, where that is known, and that they may only read, where it is so. */
function Who() {
  const who = session.value
  if (!who) return null
  return (
    <>
      {who.user && who.user !== 'local' && <span class="muted who">{who.user}</span>}
      {!mayCapture.value && (
        <span class="reader" title={WHY_NOT}>
          reads only
        </span>
      )}
    </>
  )
}
