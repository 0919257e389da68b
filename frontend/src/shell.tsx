// The bar, what stands below it, and what is everywhere: keys, the palette, the help, the theme.
import { useEffect, useState } from 'preact/hooks'
import { ask, hasIsland } from './api'
import type { Session } from './api-types'
import { keys, useKeys, type Key } from './keys'
import { listen, mayCapture, session, useTitle } from './live'
import { CapturesPage } from './pages/captures/page'
import { DropAnywhere } from './pages/dump/drop'
import { DumpPage } from './pages/dump/page'
import { FleetPage } from './pages/fleet/page'
import { IncidentPage } from './pages/incident/page'
import { IncidentsPage } from './pages/incident/list'
import { JobsPage } from './pages/jobs/page'
import { RulesPage } from './pages/rules/page'
import { TargetPage } from './pages/target/page'
import { Palette } from './palette'
import { Dialog } from './parts/dialog'
import { follow, go, href, path, segments } from './route'
import { isMac, PLACES, Topbar } from './topbar'
import './shell.css'

export function Shell() {
  const [isHelped, help] = useState(false)
  const [isFinding, find] = useState(false)
  useEffect(() => {
    void ask<Session>('/api/session').then(
      (said) => {
        session.value = said
        if (hasIsland() && path.value === '/') go(said.begins_at, { replace: true })
      },
      () => {},
    )
    return hasIsland() ? undefined : listen()
  }, [])
  const everywhere: Key[] = [
    { keys: '?', what: 'Show the keys', then: () => help((is) => !is) },
    { keys: 't', what: 'Switch between light and dark', then: turnTheme },
  ]
  const served: Key[] = [
    { keys: 'mod+k', what: 'Find targets, dumps, types, frames, incidents', then: () => find((is) => !is) },
    ...PLACES.map((place) => ({ keys: place.key, what: `Go to ${place.title.toLowerCase()}`, then: () => go(place.to) })),
  ]
  useKeys(hasIsland() ? everywhere : [...everywhere, ...served])
  return (
    <div class={segments.value[0] === 'd' ? 'shell shell-dump' : 'shell'} onClick={follow}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Topbar find={() => find(true)} help={() => help(true)} turnTheme={turnTheme} />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      {mayCapture.value && <DropAnywhere />}
      {isFinding && <Palette close={() => find(false)} commands={commands(() => help(true))} />}
      <Help isOpen={isHelped} close={() => help(false)} />
    </div>
  )
}

function Page() {
  const [kind, name, tab] = segments.value
  if (kind === 'd' && name) return <DumpPage key={name} ids={name} tab={tab ?? ''} />
  if (hasIsland()) return <Nowhere />
  if (!kind) return <FleetPage />
  if (kind === 't' && name) return <TargetPage key={name} workload={name} />
  if (kind === 'i' && name) return <IncidentPage key={name} id={name} />
  if (name) return <Nowhere />
  if (kind === 'incidents' || kind === 'i') return <IncidentsPage />
  if (kind === 'captures' || kind === 'd') return <CapturesPage />
  if (kind === 'jobs') return <JobsPage />
  if (kind === 'rules') return <RulesPage />
  return <Nowhere />
}

function Nowhere() {
  useTitle('Nothing here')
  return (
    <div class="nothing">
      <h1>There is no page at {path.value}</h1>
      {hasIsland() ? (
        <p>
          This report is one file. <a href={href(session.value?.begins_at ?? '/')}>What it shows</a>
        </p>
      ) : (
        <p>
          <a href={href('/')}>The fleet</a> shows all that is watched, <kbd>{isMac ? '⌘K' : 'Ctrl K'}</kbd> finds the rest.
        </p>
      )}
    </div>
  )
}

function Help({ isOpen, close }: { isOpen: boolean; close: () => void }) {
  const said = new Map(keys().map((key) => [key.keys, key.what]))
  return (
    <Dialog title="Keys" isOpen={isOpen} onClose={close}>
      <dl class="help">
        {[...said].map(([name, what]) => (
          <div key={name}>
            <dt>
              {name.split(' ').map((one) => (
                <kbd key={one}>{one.replace('mod+', isMac ? '⌘' : 'Ctrl ')}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {session.value && <p class="muted">caulk {session.value.version}</p>}
    </Dialog>
  )
}

const commands = (help: () => void) => [
  ...PLACES.map((place) => ({ title: place.title, detail: 'page', keys: place.key, then: () => go(place.to) })),
  { title: 'Light or dark', detail: 'command', keys: 't', then: turnTheme },
  { title: 'Keys', detail: 'command', keys: '?', then: help },
]

// The fragment is not a place of the page, so the focus is moved by hand.
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
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
