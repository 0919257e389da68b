// One grammar of filters for every format of dump: text that people type, and the parameters that the API takes.
//
// Terms stand apart by blanks; a quoted part may hold blanks, and a quote in it is written twice.
//   word  focus=X  focus:X     keep what matches         -X  ignore=X  -ignore=X   drop what matches
//   hide=X  show=X  from=X     take frames out, keep only these, begin stacks at them
//   type:X                     rows of tables            retained:>10M             at least so many bytes
//   by:packages                types, packages or owners
// Several terms of one kind are alternatives. A quoted first character makes any term a plain word.

import { parseBytes } from './format'

export const GROUPINGS = ['types', 'packages', 'owners'] as const
export type Grouping = (typeof GROUPINGS)[number]

const PATTERNS = ['focus', 'ignore', 'hide', 'show', 'from', 'pattern'] as const
type Pattern = (typeof PATTERNS)[number]

/** What the API takes; what is not asked for is not there. */
export type Parameters = Partial<Record<Pattern, string>> & { least?: number; by?: Grouping }
export type Key = Pattern | 'least' | 'by'

export interface Term {
  /** What it sets, null for what is not understood. */
  key: Key | null
  value: string
  /** Where it stands in the text, from and to. */
  at: number
  end: number
  /** What is wrong with it. */
  what: string | null
}

export interface Filter {
  parameters: Parameters
  terms: Term[]
  errors: { at: number; what: string }[]
}

const NAMES: Record<string, Key> = {
  focus: 'focus', ignore: 'ignore', hide: 'hide', show: 'show', from: 'from', show_from: 'from', 'show-from': 'from',
  type: 'pattern', pattern: 'pattern', retained: 'least', least: 'least', by: 'by',
} // prettier-ignore
/** The word that each key is written with. */
const WRITTEN: Record<Key, string> = {
  focus: 'focus=', ignore: 'ignore=', hide: 'hide=', show: 'show=', from: 'from=', pattern: 'type:',
  least: 'retained:>', by: 'by:',
} // prettier-ignore
const LABELLED: Partial<Record<Key, string>> = { focus: '', ignore: '-' }
const ORDER: Key[] = [...PATTERNS, 'least', 'by']
const KEYED = /^-{0,2}([a-z_-]+?)(?:[=:]|(?<=retained|least)(?=[<>]))(.*)$/is

/** The parameters that `text` asks for, its terms, and what is wrong with it. */
export function parse(text: string): Filter {
  const terms = split(text).map(understood)
  const parameters: Parameters = {}
  for (const key of PATTERNS) {
    const values = terms.filter((term) => term.key === key && !term.what).map((term) => term.value)
    if (values.length) parameters[key] = alternatives([...new Set(values)])
  }
  for (const key of ['least', 'by'] as const) {
    const said = terms.filter((term) => term.key === key && !term.what)
    for (const term of said.slice(1))
      if (term.value !== said[0]!.value) term.what = `${WRITTEN[key]}${said[0]!.value} is asked for already`
  }
  const least = terms.find((term) => term.key === 'least' && !term.what)
  const by = terms.find((term) => term.key === 'by' && !term.what)
  if (least) parameters.least = parseBytes(least.value)!
  if (by) parameters.by = by.value as Grouping
  return { parameters, terms, errors: terms.flatMap(({ at, what }) => (what ? [{ at, what }] : [])) }
}

/** The text that says `parameters`, always in the same order; what `parse` makes of it is `parameters` again. */
export function print(parameters: Parameters): string {
  const terms = ORDER.flatMap((key) => {
    const value = parameters[key]
    if (value === undefined || value === '') return []
    if (key === 'least') return [WRITTEN.least + size(Number(value))]
    return separated(String(value)).map((one) => term(key, one))
  })
  return terms.join(' ')
}

export interface Chip {
  key: Key | null
  /** What is written in it. */
  label: string
  /** The whole text without this term. */
  without: string
  what: string | null
}

/** The terms of `text` as chips that can be taken out. */
export function chips(text: string): Chip[] {
  return parse(text).terms.map((one) => ({
    key: one.key,
    label: one.key ? (LABELLED[one.key] ?? WRITTEN[one.key]) + one.value : text.slice(one.at, one.end),
    without: `${text.slice(0, one.at).trimEnd()} ${text.slice(one.end).trimStart()}`.trim(),
    what: one.what,
  }))
}

/** One term as text: `term('ignore', 'runtime')` is `-runtime`. For buttons that add to a filter. */
function term(key: Key, value: string): string {
  if (key === 'focus') return isPlainWord(value) ? value : `focus=${quoted(value)}`
  if (key === 'ignore') return isPlainWord(value) && isPlainWord(`-${value}`, 'ignore') ? `-${value}` : `ignore=${quoted(value)}`
  return WRITTEN[key] + quoted(value)
}

/** `text` with one more term, unless it says so already. */
export function added(text: string, key: Key, value: string): string {
  if (parse(text).terms.some((one) => one.key === key && one.value === value)) return text
  return `${text.trim()} ${term(key, value)}`.trim()
}

/** A literal as a regular expression of Python's that matches it and nothing else. */
export const literal = (name: string): string => `^${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`

interface Piece {
  at: number
  end: number
  text: string
  /** How much of the beginning stood without quotes. */
  bare: number
  isOpen: boolean
}

function split(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at]!)) at += 1
    else {
      const piece = pieceAt(text, at)
      pieces.push(piece)
      at = piece.end
    }
  }
  return pieces
}

function pieceAt(text: string, begin: number): Piece {
  let value = ''
  let bare = -1
  let isQuoted = false
  let at = begin
  for (; at < text.length && (isQuoted || !/\s/.test(text[at]!)); at += 1) {
    if (text[at] !== '"') value += text[at]
    else if (isQuoted && text[at + 1] === '"') {
      value += '"'
      at += 1
    } else {
      if (bare < 0) bare = value.length
      isQuoted = !isQuoted
    }
  }
  return { at: begin, end: at, text: value, bare: bare < 0 ? value.length : bare, isOpen: isQuoted }
}

function understood({ at, end, text, bare, isOpen }: Piece): Term {
  const wrong = (what: string): Term => ({ key: null, value: text, at, end, what })
  if (isOpen) return wrong('a quote is not closed')
  const keyed = KEYED.exec(text)
  const [, name = '', value = ''] = keyed ?? []
  const begin = text.length - value.length
  // `std::vector` and `operator==` are names, not keys.
  const isKeyed = keyed !== null && begin <= bare && !(begin < bare && /^[=:]/.test(value))
  const key = isKeyed ? NAMES[name.toLowerCase()] : undefined
  if (key) return checked(key, value, at, end)
  if (isKeyed && text[begin - 1] === '=' && value) return wrong(`${name}= is not known; "${text}" in quotes finds it`)
  const isIgnored = bare > 0 && text.startsWith('-')
  return checked(isIgnored ? 'ignore' : 'focus', isIgnored ? text.slice(1) : text, at, end)
}

function checked(key: Key, value: string, at: number, end: number): Term {
  const made = (what: string | null, said = value): Term => ({ key, value: said, at, end, what })
  if (!value) return made('what to look for is missing')
  if (key === 'by') {
    const found = GROUPINGS.find((one) => one.startsWith(value.toLowerCase()))
    return found ? made(null, found) : made(`by: takes ${GROUPINGS.join(', ')}`)
  }
  if (key !== 'least') return made(null)
  const bytes = value.replace(/^>?=?/, '')
  if (value.startsWith('<')) return made('only “at least” can be asked for: retained:>10M')
  return parseBytes(bytes) === null ? made(`${bytes || 'nothing'} is not a size: 10M, 512k, 1.5G`) : made(null, bytes)
}

const isPlainWord = (value: string, key: Key = 'focus'): boolean => {
  if (/[\s"]/.test(value) || !value) return false
  const read = understood(pieceAt(value, 0))
  return read.key === key && !read.what && read.value === (key === 'ignore' ? value.slice(1) : value)
}

const quoted = (value: string): string => (/[\s"]|^[=:<>]|^$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

function size(bytes: number): string {
  for (const [letter, factor] of [['G', 2 ** 30], ['M', 2 ** 20], ['k', 2 ** 10]] as const)
    if (bytes && bytes % factor === 0) return `${bytes / factor}${letter}`
  return String(bytes)
}

// Flags of a whole expression must stand at its beginning in Python; inside an alternative they are its own.
const scoped = (pattern: string): string => pattern.replace(/^\(\?([aimsxu]+)\)(.*)$/s, '(?$1:$2)')

const alternatives = (values: string[]): string =>
  values.length === 1 ? values[0]! : values.map((value) => `(${scoped(value)})`).join('|')

/** The alternatives that `alternatives` joined; any other pattern is one. */
function separated(pattern: string): string[] {
  const parts: string[] = []
  let depth = 0
  let begin = 0
  let isClass = false
  for (let at = 0; at < pattern.length; at += 1) {
    const c = pattern[at]
    if (c === '\\') at += 1
    else if (isClass) isClass = c !== ']'
    else if (c === '[') {
      isClass = true
      // A bracket that stands first in a class closes nothing.
      if (pattern[at + 1] === '^') at += 1
      if (pattern[at + 1] === ']') at += 1
    } else if (c === '(') depth += 1
    else if (c === ')') {
      depth -= 1
      if (depth < 0 || (depth === 0 && at + 1 < pattern.length && pattern[at + 1] !== '|')) return [pattern]
    } else if (depth === 0) {
      if (c !== '|' || pattern[begin] !== '(') return [pattern]
      parts.push(pattern.slice(begin + 1, at - 1))
      begin = at + 1
    }
  }
  if (!parts.length || depth || isClass || pattern[begin] !== '(' || !pattern.endsWith(')')) return [pattern]
  parts.push(pattern.slice(begin + 1, -1))
  return alternatives(parts) === pattern && new Set(parts).size === parts.length && parts.every((part) => part && part[0] !== '?') ? parts : [pattern]
}
