// Colours that are computed: those of packages, the same wherever a package is drawn, and those of series.

/** The hue of a package in degrees: its CRC-32, as in the pictures that caulk writes without a page. */
export function hueOf(name: string): number {
  const known = hues.get(name)
  if (known !== undefined) return known
  let crc = 0xffffffff
  for (const byte of new TextEncoder().encode(name)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  const hue = ((crc ^ 0xffffffff) >>> 0) % 360
  hues.set(name, hue)
  return hue
}
const hues = new Map<string, number>()

/** Colours of series, told apart on white and on black and by those who see no red or green (after Okabe and Ito). */
export const SERIES = ['#2b7bba', '#d1690e', '#1f8f6b', '#b3619a', '#8a7d14', '#6b6fd0', '#c04a4a', '#5c8a2e'] as const

/** A colour as a canvas takes it: `--accent` is the page's variable, anything else itself. */
export const resolved = (element: Element, colour: string): string =>
  colour.startsWith('--') ? getComputedStyle(element).getPropertyValue(colour).trim() : colour

/** Calls `then` when the page turns light or dark; what is returned ends that. */
export function onTheme(then: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)')
  const observer = new MutationObserver(then)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  media.addEventListener('change', then)
  return () => {
    observer.disconnect()
    media.removeEventListener('change', then)
  }
}
