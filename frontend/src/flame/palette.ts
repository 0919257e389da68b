/** The palette as the style sheet has it now, and word of its changes. */
import type { Palette } from './colour'

/** Read from the custom properties of `element` (flame.css). */
export function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element)
  const read = (name: string) => style.getPropertyValue(`--flame-${name}`).trim()
  return {
    ink: read('ink'),
    page: read('page'),
    match: read('match'),
    plain: read('plain'),
    focus: read('focus'),
    saturation: read('saturation'),
    lightness: read('lightness'),
    changeSaturation: read('change-saturation'),
    pale: parseFloat(read('pale')),
    strong: parseFloat(read('strong')),
  }
}

/** Calls when the theme changes, by the reader or by the system, until the returned function is called. */
export function onTheme(then: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', then)
  const observer = new MutationObserver(then)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => {
    dark.removeEventListener('change', then)
    observer.disconnect()
  }
}
