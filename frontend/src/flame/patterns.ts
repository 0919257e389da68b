/**
 * Regular expressions that would stop the page: the matcher goes back over its choices, and nothing else is heard meanwhile.
 *
 * The rule is the server's (caulk/web/patterns.py), held to the same examples: what repeats something that can itself
 * match in several ways takes twice as long with each letter (`(a+)+$`), so it is refused. Each further repeat multiplies
 * the time by the places where it may begin: so are more than a few, and two of them without a letter between (`.*.*`),
 * where that is every place. Only a choice of single letters (`(a|b)+`) is refused here alone: Python's parser makes a
 * class of it, which the browser's may not.
 */

const MOST_REPEATS = 4
/** A repeat up to so many times counts as none. */
const FEW = 4
/** What may be tried on one name, about a second's. */
const MOST_STEPS = 1e8

const TOKENS = /\\[1-9]|\\k<|\\[^]|\[(?:\\[^]|[^\]\\])*\]|\(\?[a-z-]+\)|\((?:\?(?:<?[=!]|<\w+>|[a-z-]*:))?|([*+?]|\{(\d+)(,(\d*))?\})\??|[^]/g

/** Why `pattern` is not looked for; null for one that is, and for what is no pattern. */
export function refusal(pattern: string): string | null {
  const found = repeats(pattern)
  if (!found.isEndless && found.count <= MOST_REPEATS) return null
  return `may take for ever: repeat nothing that has *, + or | in it, and use ${MOST_REPEATS} repeats at most, with a letter between`
}

/** How long a text may be that `pattern` is held against: with each repeat its length counts once more. */
export function longest(pattern: string): number {
  const power = repeats(pattern).count + 1
  let ways = MOST_STEPS
  for (let factor = 2; factor <= power; factor++) ways *= factor
  return Math.floor(ways ** (1 / power))
}

interface Part {
  /** Whether it can match in several ways. */
  hasChoices: boolean
  isLetter?: boolean
  /** Of a repeat, whether a letter must stand behind it before the next; as it was before the part, and is after it. */
  wasOpen: boolean
  isOpen: boolean
}

function repeats(pattern: string): { count: number; isEndless: boolean } {
  const groups: Part[] = [{ hasChoices: false, wasOpen: false, isOpen: false }]
  const around = () => groups[groups.length - 1]!
  let last: Part = groups[0]!
  let isOpen = false
  let count = 0
  let isEndless = false
  for (const [token, repeat, least, more, most] of pattern.matchAll(TOKENS)) {
    if (repeat) {
      const [low, high] = bounds(repeat, least, more, most)
      if (high > FEW) {
        count++
        isEndless ||= last.hasChoices || (last.wasOpen && !last.isLetter)
      }
      // One letter, however often, splits a name at few places; what may be missing splits it nowhere.
      if (high > FEW) isOpen = last.isLetter ? last.wasOpen : true
      else if (!low) isOpen ||= last.wasOpen
      last = { ...last, hasChoices: last.hasChoices || low !== high }
    } else if (token === '|') {
      around().hasChoices = true
      around().isOpen ||= isOpen
      isOpen = around().wasOpen
    } else if (token.startsWith('(') && !token.endsWith(')')) {
      groups.push({ hasChoices: false, wasOpen: isOpen, isOpen: false })
      continue
    } else if (token === ')' && groups.length > 1) {
      last = groups.pop()!
      isOpen ||= last.isOpen
    } else {
      const isLetter = /^(\\\W|[^\\.[^$])$/.test(token)
      last = { hasChoices: /^\\[1-9k]/.test(token), isLetter, wasOpen: isOpen, isOpen }
      if (isLetter) isOpen = false
    }
    around().hasChoices ||= last.hasChoices
  }
  return { count, isEndless }
}

function bounds(repeat: string, least?: string, more?: string, most?: string): [low: number, high: number] {
  if (repeat === '?') return [0, 1]
  if (!least) return [repeat === '+' ? 1 : 0, Infinity]
  return [Number(least), more ? Number(most || Infinity) : Number(least)]
}
