/** A browser's address without a browser: what the page's modules look at when they are loaded. */
const place = { url: new URL('http://localhost/') }

Object.assign(globalThis, {
  document: { getElementById: () => null },
  addEventListener: () => {},
  history: { pushState: go, replaceState: go },
})
Object.defineProperty(globalThis, 'location', { configurable: true, get: () => place.url })

function go(_state: unknown, _title: string, to: string): void {
  place.url = new URL(to, place.url)
}
