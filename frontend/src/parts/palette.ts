// Colours that no style sheet gives: those of packages, the same wherever one is drawn, and those of series.

export { hueOf } from '../flame/colour'

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
