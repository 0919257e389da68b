import './dump-address'
import { describe, expect, test } from 'vitest'
import type { Finding, GraphAnswer } from '../src/api-types'
import { asText, likely } from '../src/pages/dump/card'
import { shortened } from '../src/pages/dump/chain'
import { connected, packed } from '../src/pages/dump/graph-pack'
import { curve, fitted, laidOut, type Laid } from '../src/pages/dump/graph-layout'
import { leftOf } from '../src/pages/dump/left'
import { remedy } from '../src/pages/dump/remedy'
import { selectionIn } from '../src/pages/dump/selection-of'
import { asLines, nodeOf, typeOf } from '../src/pages/dump/tree-of'
import { stacksOf } from './flame-trees'

test('there is advice for every pattern that a finding may have', () => {
  const files = import.meta.glob<string>('../../src/caulk/analysis/**/*.py', { query: '?raw', import: 'default', eager: true })
  const source = Object.values(files).join('\n')
  const chosen = /def _pattern\(.*?(?=\n    def )/s.exec(source)?.[0] ?? ''
  const patterns = new Set([
    ...[...source.matchAll(/pattern(?:: str)?\s*=\s*"([a-z-]+)"/gi)].map((found) => found[1]!),
    ...[...chosen.matchAll(/(?:return|else) "([a-z-]+)"/g)].map((found) => found[1]!),
  ])
  expect(patterns.size).toBeGreaterThan(14)
  expect([...patterns].filter((pattern) => !remedy(pattern))).toEqual([])
})

test('a selection in stacks counts recursion once, with its callers and callees', () => {
  const stacks = stacksOf(['main;work;work 2', 'main;work;make 4', 'other;work;make 1', 'other 3'])
  const found = selectionIn(stacks, { kind: 'frame', name: 'work' })!
  expect([found.own, found.total, found.share]).toEqual([2, 7, 0.7])
  expect(found.above.map(({ name, value }) => [name, value])).toEqual([['main', 6], ['other', 1]])
  expect(found.below.map(({ name, value }) => [name, value])).toEqual([['make', 5]])
  expect([found.location, found.above_title, found.growth]).toEqual(['/src/work.go:2', 'callers', null])
  expect(selectionIn(stacks, { kind: 'frame', name: 'absent' })).toBeNull()
})

test('of a difference the selection tells what grew', () => {
  const stacks = stacksOf(['main;work 5 was 2', 'main;idle 1 was 4'])
  expect(selectionIn(stacks, { kind: 'type', name: 'work' })!.growth?.bytes).toBe(3)
  expect(selectionIn(stacks, { kind: 'type', name: 'main' })!.below.map(({ name, value }) => [name, value])).toEqual([['idle', -3], ['work', 3]])
})

test('the node of a name is the heaviest that is called so', () => {
  const stacks = stacksOf(['a;x 1', 'b;x 5', 'c;x 2'])
  const called = (node: number) => stacks.names[stacks.frame[node]!] ?? ''
  const node = nodeOf(stacks, 'x', called)
  expect(called(stacks.parent[node]!)).toBe('b')
  expect(nodeOf(stacks, 'absent', called)).toBe(-1)
})

test('a step of a path leads to a type, whatever kind its reference is of', () => {
  const steps = ['.OPEN java.util.HashMap', '[] a.Node[]', '[key] Quote', 'variable held Object', 'local x Foo', '(loaded class) class a.B', '(GC roots) (GC roots)']
  expect(steps.map(typeOf)).toEqual(['java.util.HashMap', 'a.Node[]', 'Quote', 'Object', 'Foo', 'class a.B', '(GC roots)'])
  expect(['class a.B', 'system / Context', '(rest)'].map(typeOf)).toEqual(['class a.B', 'system / Context', '(rest)'])
})

test('a tree as text is indented, and leaves out what is too little to matter', () => {
  const lines = asLines(stacksOf(['root;.a Map;[] Entry 999', 'root;.b Crumb 1'], { notes: ['said'] })).split('\n')
  expect(lines).toEqual(['said', '    1000 B   100 %  root', '     999 B   100 %    .a Map', '     999 B   100 %      [] Entry'])
})

test('of a path the end is shown', () => {
  expect(shortened('/home/me/src/shop/cart.go:88')).toBe('…/shop/cart.go:88')
  expect(shortened('shop/cart.go:88')).toBe('shop/cart.go:88')
})

test('confidence is said in the words of the printed report', () => {
  expect([1, 0.9, 0.7, 0.4, 0.39, 0].map(likely)).toEqual(['very likely', 'very likely', 'likely', 'possible', 'a weak hint', 'a weak hint'])
})

test('a finding as text has its chain, its proof and its fingerprint, without marks', () => {
  const text = asText({
    title: '`Cart.open` keeps 3 `Ticket`', path: ['class Cart', '.open HashMap'], stack: [{ function: 'put', file: 'cart.go', line: 8 }],
    evidence: ['`put` made them'], fingerprint: 'sha256:ab',
  } as unknown as Finding) // prettier-ignore
  expect(text).toBe('Cart.open keeps 3 Ticket\nheld by:\n  class Cart\n    .open HashMap\nmade by:\n  put cart.go:8\n- put made them\nsha256:ab')
})

test('a graph is laid out from the top down, no two boxes over each other', async () => {
  const node = (name: string) => ({ name, location: '', package: '', own: 0, total: 1 })
  const edge = (from: number, to: number) => ({ from, to, value: 1, is_residual: false })
  const graph = { unit: 'bytes', total: 1, signed: false, notes: [], nodes: ['a', 'b', 'c', 'd'].map(node), edges: [edge(0, 1), edge(0, 2), edge(1, 3), edge(2, 3), edge(3, 0)] }
  const laid = await laidOut(graph as unknown as GraphAnswer, () => 10)
  const [a, b, c, d] = laid.nodes as unknown as [Box, Box, Box, Box]
  expect(a.y < b.y && b.y === c.y && c.y < d.y).toBe(true)
  expect(Math.abs(b.x - c.x)).toBeGreaterThanOrEqual(b.width)
  expect(laid.edges.every(({ path }) => /^M[\d. ]+([QL][\d. -]+)+$/.test(path))).toBe(true)
})

interface Box {
  x: number
  y: number
  width: number
}

test('what hangs together with nothing else stands beside it, and not in one long row', async () => {
  expect(connected(6, [{ from: 1, to: 3 }, { from: 5, to: 3 }, { from: 2, to: 2 }])).toEqual([[0], [1, 3, 5], [2], [4]])
  const boxes = [{ width: 100, height: 300 }, ...Array.from({ length: 12 }, () => ({ width: 100, height: 40 }))]
  const { width, height, places } = packed(boxes, 10, 2)
  expect(width).toBeLessThan(500)
  expect(height).toBe(300)
  expect(boxes.filter((box, i) => places[i]!.x + box.width > width || places[i]!.y + box.height > height)).toEqual([])
  const clash = (i: number, j: number) =>
    Math.abs(places[i]!.x - places[j]!.x) < 100 && places[i]!.y < places[j]!.y + boxes[j]!.height && places[j]!.y < places[i]!.y + boxes[i]!.height
  expect(boxes.some((_, i) => boxes.some((_, j) => i < j && clash(i, j)))).toBe(false)
})

describe('a graph in the room it has', () => {
  const drawing = (width: number, height: number, x = width / 2) => ({ width, height, nodes: [{ x }] }) as unknown as Laid

  test('is as large as the room allows, and in its middle', () => {
    expect(fitted(drawing(400, 100), { width: 600, height: 400 })).toEqual({ scale: 1.5, x: 0, y: 125 })
    expect(fitted(drawing(100, 400), { width: 600, height: 200 })).toEqual({ scale: 0.5, x: 275, y: 0 })
  })

  test('has letters no larger than headings where it is small', () => {
    const { scale } = fitted(drawing(10, 10), { width: 1000, height: 1000 })
    expect(scale).toBe(fitted(drawing(20, 20), { width: 1000, height: 1000 }).scale)
    expect(scale).toBeLessThan(2)
  })

  test('is cut off where it could not be read, with the heaviest in the middle, as far as it reaches', () => {
    const room = { width: 1000, height: 500 }
    expect(fitted(drawing(4000, 2000, 2000), room, 0.5)).toEqual({ scale: 0.5, x: -500, y: 0 })
    expect(fitted(drawing(4000, 2000, 100), room, 0.5).x).toBe(0)
    expect(fitted(drawing(4000, 2000, 3900), room, 0.5).x).toBe(-1000)
  })
})

test('a line through points bends at each but the first and the last', () => {
  expect(curve([{ x: 0, y: 0 }, { x: 10, y: 10 }, { x: 20, y: 0 }])).toBe('M0.0 0.0Q10.0 10.0 15.0 5.0L20.0 0.0')
  expect(curve([])).toBe('')
})

test('what a filter leaves is said as a part of the whole, and not of a difference', () => {
  expect(leftOf(stacksOf(['main;work 1024'], { total: 4096 }))).toBe('1.00 kB of 4.00 kB (25 %)')
  expect(leftOf(stacksOf(['main;work 5 was 3']))).toBeNull()
})
