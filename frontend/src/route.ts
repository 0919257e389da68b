// Where the page is: the address is the only state that outlives a reload, so everything a person chose is in it.
import { computed, signal, type ReadonlySignal } from '@preact/signals'

export interface Place {
  path: string
  query: URLSearchParams
}

// A one-file report is opened from a disk: its places live behind the `#`.
const isFile = location.protocol === 'file:' || document.getElementById('island') !== null

const read = (): Place => {
  const address = isFile ? new URL(location.hash.slice(1) || '/', 'http://file') : new URL(location.href)
  return { path: address.pathname, query: address.searchParams }
}

const here = signal<Place>(read())
addEventListener('popstate', () => (here.value = read()))
addEventListener('hashchange', () => (here.value = read()))

export const path = computed(() => here.value.path)
const query = computed(() => here.value.query)
const parameters = new Map<string, ReadonlySignal<string>>()
/** One parameter of the address; the empty string where it is not there. Who asks hears of no other. */
export function parameter(name: string): string {
  let one = parameters.get(name)
  if (!one) parameters.set(name, (one = computed(() => query.value.get(name) ?? '')))
  return one.value
}

/** Parts of the path, decoded. */
export const segments = computed(() => path.value.split('/').filter(Boolean).map(decodeURIComponent))

/** The address of a place in the page, for `href`. */
export const href = (to: string): string => (isFile ? `#${to}` : to)

/** Go somewhere; `replace` leaves no step to come back to. */
export function go(to: string, { replace = false } = {}): void {
  if (isFile) {
    if (replace) history.replaceState(null, '', `#${to}`)
    else location.hash = to
  } else {
    history[replace ? 'replaceState' : 'pushState'](null, '', to)
  }
  here.value = read()
}

/** The address of where the page is, with parameters changed; an empty value takes one away. */
export function where(changes: Record<string, string | number | boolean | null | undefined>, to = path.value): string {
  const next = new URLSearchParams(query.value)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === '' || value === false) next.delete(name)
    else next.set(name, String(value === true ? 1 : value))
  }
  const text = next.toString()
  return text ? `${to}?${text}` : to
}

/** Change parameters of the address. */
export function change(changes: Record<string, string | number | boolean | null | undefined>, options = { replace: true }): void {
  go(where(changes), options)
}

/** Follows links within the page without loading it again. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest?.('a')
  if (!link || link.target || link.hasAttribute('download') || isFile) return
  const to = new URL(link.href)
  if (to.origin !== location.origin || !isPage(to.pathname) || to.searchParams.has('plain')) return
  event.preventDefault()
  go(to.pathname + to.search)
  scrollTo(0, 0)
}

const isPage = (at: string): boolean =>
  at === '/' || (/^\/(t|d|i|jobs|rules|captures|incidents)(\/|$)/.test(at) && !/\/(report\.\w+|download)$/.test(at))
