import { describe, expect, test } from 'vitest'
import { added, chips, GROUPINGS, literal, parse, print, type Parameters } from '../src/filter'

describe('a filter is read', () => {
  test.each<[string, Parameters]>([
    ['', {}],
    ['cart', { focus: 'cart' }],
    ['focus=pkg/cart -runtime hide=net/http show=a from=main', { focus: 'pkg/cart', ignore: 'runtime', hide: 'net/http', show: 'a', from: 'main' }],
    ['focus:a', { focus: 'a' }],
    ['-ignore=a', { ignore: 'a' }],
    ['ignore=a', { ignore: 'a' }],
    ['-focus=a --hide=b', { focus: 'a', hide: 'b' }],
    ['show_from=a', { from: 'a' }],
    ['FOCUS=A', { focus: 'A' }],
    ['type:Session', { pattern: 'Session' }],
    ['retained:>10M', { least: 10 * 2 ** 20 }],
    ['retained>=1.5G', { least: 1.5 * 2 ** 30 }],
    ['retained:4096', { least: 4096 }],
    ['by:packages', { by: 'packages' }],
    ['by=own', { by: 'owners' }],
    ['"two words"', { focus: 'two words' }],
    ['hide="two words"', { hide: 'two words' }],
    ['-"two words"', { ignore: 'two words' }],
    ['"say ""no"" now"', { focus: 'say "no" now' }],
    ['"focus=a"', { focus: 'focus=a' }],
    ['"-a"', { focus: '-a' }],
    ['std::vector', { focus: 'std::vector' }],
    ['from::into type::of', { focus: '(from::into)|(type::of)' }],
    ['operator==', { focus: 'operator==' }],
    ['vector<int>', { focus: 'vector<int>' }],
    ['\\.go$', { focus: '\\.go$' }],
    ['a b', { focus: '(a)|(b)' }],
    ['-a -b', { ignore: '(a)|(b)' }],
    ['a a', { focus: 'a' }],
    ['(?i)a b', { focus: '((?i:a))|(b)' }],
    ['(?i)a', { focus: '(?i)a' }],
  ])('%j', (text, parameters) => {
    expect(parse(text)).toMatchObject({ parameters, errors: [] })
    expect(parse(text).parameters).toEqual(parameters)
  })
})

describe('what is wrong is said with its place, and the rest counts', () => {
  test.each<[string, number, RegExp]>([
    ['a "b', 2, /quote is not closed/],
    ['a focsu=b', 2, /focsu= is not known/],
    ['a -', 2, /missing/],
    ['a hide=', 2, /missing/],
    ['a ""', 2, /missing/],
    ['a by:colour', 2, /types, packages, owners/],
    ['a retained:>ten', 2, /ten is not a size/],
    ['a retained:<10M', 2, /at least/],
    ['a by:types by:owners', 11, /already/],
  ])('%j', (text, at, what) => {
    const { parameters, errors } = parse(text)
    expect(errors).toEqual([{ at, what: expect.stringMatching(what) }])
    expect(parameters.focus).toBe('a')
  })
})

// A small generator of its own: the same numbers at every run, so that a failure can be looked at again.
function randoms(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PIECES = ['a', 'b', ' ', '"', '-', '=', ':', '|', '(', ')', '[', ']', '\\', '<', '>', '?', '^', '.*', 'focus', 'type', 'by', 'retained', 'é', '\t', '(?i)', '😀']

function words(random: (below: number) => number): string {
  return Array.from({ length: 1 + random(7) }, () => PIECES[random(PIECES.length)]).join('')
}

describe('round trips', () => {
  test('what is printed is read as the same parameters', () => {
    const random = randoms(1)
    for (let run = 0; run < 5000; run += 1) {
      const parameters: Parameters = {}
      for (const key of ['focus', 'ignore', 'hide', 'show', 'from', 'pattern'] as const) if (!random(3)) parameters[key] = words(random)
      if (!random(4)) parameters.least = random(2) ? random(5000) * 2 ** (10 * random(4)) : random(1e9)
      if (!random(4)) parameters.by = GROUPINGS[random(3)]!
      expect(parse(print(parameters)), print(parameters)).toMatchObject({ parameters, errors: [] })
    }
  })

  test('any text is read, and printed it means the same', () => {
    const random = randoms(2)
    for (let run = 0; run < 5000; run += 1) {
      const text = Array.from({ length: random(5) }, () => words(random)).join(' ')
      const { parameters } = parse(text)
      expect(parse(print(parameters)).parameters, text).toEqual(parameters)
      expect(print(parse(print(parameters)).parameters), text).toBe(print(parameters))
    }
  })

  test('alternatives come apart again as the terms that they were', () => {
    expect(print(parse('a -c "b d" -e').parameters)).toBe('a focus="b d" -c -e')
    expect(print({ focus: '(a)|(b)c' })).toBe('(a)|(b)c')
    expect(print({ focus: '(a|b)' })).toBe('(a|b)')
    expect(print({ focus: '([)]|x)|(y)' })).toBe('[)]|x y')
  })

  test('sizes keep their unit where they are whole', () => {
    expect(print({ least: 10 * 2 ** 20 })).toBe('retained:>10M')
    expect(print({ least: 1000 })).toBe('retained:>1000')
  })
})

test('a chip takes its term out and leaves the others as they were typed', () => {
  const text = 'a  -runtime "b c"'
  expect(chips(text).map((chip) => chip.label)).toEqual(['a', '-runtime', 'b c'])
  expect(chips(text).map((chip) => chip.without)).toEqual(['-runtime "b c"', 'a "b c"', 'a  -runtime'])
  expect(chips('by:colour')[0]).toMatchObject({ label: 'by:colour', without: '', what: expect.stringContaining('types') })
})

test('a button adds a term once', () => {
  expect(added('', 'ignore', 'runtime')).toBe('-runtime')
  expect(added('a', 'focus', '-x')).toBe('a focus=-x')
  expect(added('a', 'focus', 'a')).toBe('a')
  expect(added('', 'ignore', 'hide=x')).toBe('ignore=hide=x')
})

test('a literal matches its name and nothing else', () => {
  const name = 'net/http.(*conn).serve[...]'
  expect(new RegExp(literal(name)).test(name)).toBe(true)
  expect(new RegExp(literal(name)).test(`${name}2`)).toBe(false)
})
