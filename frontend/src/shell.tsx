// The bar, what stands below it, and what is everywhere: keys, the palette, the help, the theme.
import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ask, hasIsland } from './api'
import type { Session } from './api-types'
import { keys, useKeys } from './keys'
import { follow, go, href, path, segments } from './route'
import { DumpPage } from './pages/dump/page'
import './shell.css'

/** Who looks, and what they may; known once the page is shown. */
export const session = signal<Session | null>(null)

const PLACES = [
  { to: '/', title: 'Fleet', key: 'g f' },
  { to: '/incidents', title: 'Incidents', key: 'g i' },
  { to: '/captures', title: 'Dumps', key: 'g c' },
  { to: '/jobs', title: 'Jobs', key: 'g j' },
  { to: '/rules', title: 'Rules', key: 'g r' },
]

export function Shell() {
  const [isHelped, help] = useState(false)
  useEffect(() => {
    void ask<Session>('/api/session').then((said) => {
      session.value = said
      if (hasIsland() && path.value === '/') go(said.begins_at, { replace: true })
    })
  }, [])
  useKeys([
    { keys: '?', what: 'Show the keys', then: () => help((is) => !is) },
    { keys: 't', what: 'Switch between light and dark', then: turnTheme },
    ...PLACES.map((place) => ({ keys: place.key, what: `Go to ${place.title.toLowerCase()}`, then: () => go(place.to) })),
  ])
  return (
    <div class="shell" onClick={follow}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={href('/')}>
          caulk
        </a>
        {hasIsland() ? <span class="muted">a report in one file</span> : <Navigation />}
        <span class="space" />
        <button type="button" onClick={turnTheme} aria-label="Switch between light and dark" title="Light or dark (t)">
          ◐
        </button>
        <button type="button" onClick={() => help(true)} aria-label="Keys" title="Keys (?)">
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      {isHelped && <Help close={() => help(false)} />}
    </div>
  )
}

function Navigation() {
  const at = `/${segments.value[0] ?? ''}`
  return (
    <nav aria-label="Pages">
      {PLACES.map((place) => (
        <a key={place.to} href={href(place.to)} aria-current={at === place.to ? 'page' : undefined}>
          {place.title}
        </a>
      ))}
    </nav>
  )
}

function Page() {
  const [kind, ids, tab] = segments.value
  if (kind === 'd' && ids) return <DumpPage key={ids} ids={ids} tab={tab ?? ''} />
  return <p class="nothing">There is no page at {path.value}.</p>
}

function Help({ close }: { close: () => void }) {
  useKeys([{ keys: 'Escape', what: 'Close this', then: close }])
  return (
    <dialog open class="help" aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {keys().map((key) => (
          <div key={key.keys}>
            <dt>
              <kbd>{key.keys.replace('mod', '⌘/Ctrl ')}</kbd>
            </dt>
            <dd>{key.what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  )
}

function turnTheme(): void {
  const root = document.documentElement
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  root.dataset.theme = isDark ? 'light' : 'dark'
  try {
    localStorage.setItem('caulk-theme', root.dataset.theme)
  } catch {
    // A file from a disk may have no storage.
  }
  dispatchEvent(new Event('caulk-theme'))
}

try {
  const kept = localStorage.getItem('caulk-theme')
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept
} catch {
  // As above.
}
