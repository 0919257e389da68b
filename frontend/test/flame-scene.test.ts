import { describe, expect, test } from 'vitest'
import type { Boxes } from '../src/flame/boxes'
import { modelOf } from '../src/flame/model'
import { boxAt, EVERY, extent, LEAST, look, RUN, type Viewport } from '../src/flame/scene'
import { Sight } from '../src/flame/sight'
import { boxOf, keyOf, step } from '../src/flame/steps'
import { widest } from '../src/flame/twin'
import type { Stacks } from '../src/stacks'
import { grownStacks, stacksOf } from './flame-trees'

const STACKS = grownStacks(4_000, 150)
const WHOLE = modelOf(STACKS)
const PIVOT = modelOf(STACKS, { pivot: STACKS.names[3]! })
const PROGRAM = stacksOf(['main;read;copy 3', 'main;read 2', 'main;write;copy 9', 'main;write;flush 4', 'idle 1'])

// As functions are sent.
const withoutLines = (stacks: Stacks): Stacks => ({ ...stacks, lines: stacks.lines.map(() => 0) })

const part = (boxes: Boxes, from: number, to: number, pixels = 1000): Viewport => ({
  from: from * boxes.width[0]!,
  to: to * boxes.width[0]!,
  pixels,
})

function seen(boxes: Boxes, viewport: Viewport, zoomed = 0, depths = EVERY) {
  const found: { box: number; depth: number; x: number; width: number }[] = []
  look(boxes, viewport, zoomed, depths, (box, depth, x, width) => found.push({ box, depth, x, width }))
  return found
}

/** A box of `LEAST` pixels in the viewport whose callers are all that wide as well, found without any skipping. */
function wideEnough(boxes: Boxes, { from, to, pixels }: Viewport): number[] {
  const scale = pixels / (to - from)
  const isIn = (box: number) =>
    boxes.width[box]! * scale >= LEAST && boxes.left[box]! < to && (boxes.left[box]! + boxes.width[box]! - from) * scale > 0
  return Array.from({ length: boxes.count }, (_, box) => box).filter(isIn)
}

describe('culling', () => {
  test.each([
    ['the whole', WHOLE, 0, 1],
    ['a part', WHOLE, 0.3, 0.5],
    ['a hair', WHOLE, 0.7, 0.7001],
    ['a pivot', PIVOT, 0, 1],
    ['a part of a pivot', PIVOT, 0.1, 0.6],
  ])('draws every box of a pixel and more once: %s', (_, boxes, from, to) => {
    const viewport = part(boxes, from, to)
    const drawn = seen(boxes, viewport).map(({ box }) => box).filter((box) => box !== RUN)
    expect(drawn.sort((a, b) => a - b)).toEqual(wideEnough(boxes, viewport))
  })

  test('draws narrower boxes as runs that end where the last of them ends', () => {
    const boxes = modelOf(stacksOf(['a 1000', ...Array.from({ length: 500 }, (_, at) => `b${at} 1`), 'c 500']))
    const drawn = seen(boxes, part(boxes, 0, 1, 1000))
    expect(drawn.map(({ box }) => box)).toEqual([0, 1, 2, RUN])
    expect(drawn[3]!.x).toBeCloseTo(750)
    expect(drawn[3]!.width).toBeCloseTo(250)
  })

  test('draws a run in view whose first box is left of it', () => {
    const boxes = modelOf(stacksOf(Array.from({ length: 100_000 }, (_, at) => `f${at} 1`)))
    const [, run] = seen(boxes, part(boxes, 0.5, 1, 1000))
    expect(run!.box).toBe(RUN)
    expect(run!.x + run!.width).toBeCloseTo(1000)
  })

  test('looks at few boxes where most are too narrow', () => {
    const boxes = modelOf(grownStacks(50_000))
    expect(seen(boxes, part(boxes, 0, 1)).length).toBeLessThan(boxes.count / 10)
  })

  test('leaves out depths that are not wanted', () => {
    const all = seen(WHOLE, part(WHOLE, 0, 1)).filter(({ depth }) => depth >= 30 && depth <= 40)
    expect(seen(WHOLE, part(WHOLE, 0, 1), 0, { first: 30, last: 40 })).toEqual(all)
    expect(all.length).toBeGreaterThan(10)
  })

  test('of a pivot shows one half where a box of it is zoomed to', () => {
    const caller = PIVOT.split
    const depths = seen(PIVOT, part(PIVOT, 0, 1), caller).map(({ depth }) => depth)
    expect(Math.max(...depths)).toBe(0)
    expect(Math.min(...depths)).toBeLessThan(0)
    expect(extent(PIVOT, part(PIVOT, 0, 1), 1).first).toBe(0)
  })

  test('of nothing draws nothing', () => {
    const boxes = modelOf(stacksOf([]))
    expect(seen(boxes, { from: 0, to: 0, pixels: 1000 })).toEqual([])
  })
})

test('the box under a point is the one drawn there', () => {
  for (const boxes of [WHOLE, PIVOT]) {
    const viewport = part(boxes, 0.1, 0.4)
    const drawn = seen(boxes, viewport)
    for (const { box, depth, x, width } of drawn) {
      const middle = (Math.max(x, 0) + Math.min(x + width, 1000)) / 2
      const at = viewport.from + (middle / 1000) * (viewport.to - viewport.from)
      expect(boxAt(boxes, viewport, 0, at, depth)?.box).toBe(box)
    }
    expect(boxAt(boxes, viewport, 0, viewport.from, 400)).toBeNull()
  }
})

describe('steps', () => {
  const boxes = modelOf(PROGRAM)
  const named = (box: number) => (box < 0 ? '' : box ? PROGRAM.names[boxes.frame[box]!] : 'all')
  const ways: [string, number, 'up' | 'down' | 'previous' | 'next'][] = [
    ['main', 0, 'down'],
    ['write', 1, 'down'],
    ['read', 2, 'next'],
    ['write', 5, 'previous'],
    ['idle', 1, 'next'],
    ['main', 7, 'previous'],
    ['main', 2, 'up'],
    ['', 0, 'up'],
    ['', 7, 'down'],
    ['', 7, 'next'],
    ['', 1, 'previous'],
    ['', 0, 'next'],
  ]
  test.each(ways)('lead to “%s” from box %i %s', (name, box, way) => {
    expect(named(step(boxes, box, way))).toBe(name)
  })

  test('from a pivot lead up to callers and down to callees, and back', () => {
    for (const [away, back] of [['up', 'down'], ['down', 'up']] as const) {
      const there = step(PIVOT, 0, away)
      expect(Math.sign(PIVOT.depth[there]!)).toBe(away === 'up' ? -1 : 1)
      expect(step(PIVOT, there, back)).toBe(0)
      expect(Math.abs(PIVOT.depth[step(PIVOT, there, away)]!)).toBe(2)
    }
    expect(step(PIVOT, PIVOT.split, 'previous')).toBe(-1)
  })
})

describe('the key of a box', () => {
  test('finds it again, in every shape', () => {
    for (const boxes of [modelOf(STACKS, { inverted: true }), PIVOT]) {
      for (let box = 0; box < boxes.count; box += 97) expect(boxOf(boxes, STACKS, keyOf(boxes, STACKS, box))).toBe(box)
    }
  })

  test('tells lines of one function apart', () => {
    const lines = stacksOf(['main;a 2', 'main;b 1'], { names: ['main', 'put', 'put'] })
    const keys = [2, 3].map((box) => keyOf(modelOf(lines), lines, box))
    expect(keys[0]).not.toBe(keys[1])
    expect(boxOf(modelOf(lines), lines, keys[1]!)).toBe(3)
  })

  test('is the same in another dump that has this way', () => {
    const other = stacksOf(['idle 30', 'main;write;flush 8', 'main;write;copy 1'])
    const key = keyOf(modelOf(PROGRAM), withoutLines(PROGRAM), 4)
    const found = boxOf(modelOf(other), withoutLines(other), key)
    expect(other.names[modelOf(other).frame[found]!]).toBe('flush')
  })

  test('that nobody has is the whole', () => {
    expect(boxOf(WHOLE, STACKS, '<script>')).toBe(0)
  })
})

describe('sight', () => {
  const sight = () => new Sight(modelOf(PROGRAM), 190)

  test('is the whole at first, and a box after zooming to it', () => {
    const one = sight()
    expect(one.viewport).toEqual({ from: 0, to: 19, pixels: 190 })
    one.fill(2)
    expect(one.viewport).toEqual({ from: 0, to: 13, pixels: 190 })
    expect(one.isWhole).toBe(false)
  })

  test('zooms around a point that stays where it is', () => {
    const one = sight()
    const before = one.at(57)
    one.scale(0.25, 57)
    expect(one.at(57)).toBeCloseTo(before)
    expect(one.viewport.to - one.viewport.from).toBeCloseTo(19 / 4)
  })

  test('never leaves what there is', () => {
    const one = sight()
    one.scale(0.5, 0)
    one.pan(10_000)
    expect(one.viewport.from).toBe(0)
    one.pan(-10_000)
    expect(one.viewport.to).toBeCloseTo(19)
    one.scale(1_000_000, 95)
    expect(one.isWhole).toBe(true)
    one.scale(1e-30, 95)
    expect(one.viewport.to).toBeGreaterThan(one.viewport.from)
  })

  test('is zoomed to the box that still fills it', () => {
    const one = sight()
    one.fill(4)
    one.show(9.5, 12.5)
    expect(one.zoomed).toBe(4)
    one.show(8, 12)
    expect(one.zoomed).toBe(2)
    one.show(0, 19)
    expect(one.zoomed).toBe(0)
  })

  test('goes to a box that is out of it or too narrow', () => {
    const one = sight()
    one.fill(4)
    one.reveal(7)
    expect(one.viewport.from).toBeLessThan(18.5)
    expect(one.viewport.to).toBeGreaterThan(18.5)
    const small = new Sight(WHOLE, 1000)
    small.reveal(WHOLE.count - 1)
    const { from, to } = small.viewport
    expect((WHOLE.width[WHOLE.count - 1]! / (to - from)) * 1000).toBeGreaterThanOrEqual(2)
  })

  test('stays where the box is seen', () => {
    const one = sight()
    one.reveal(7)
    expect(one.isWhole).toBe(true)
  })
})

describe('the table beside it', () => {
  test('has the widest boxes, widest first', () => {
    const boxes = widest(WHOLE, 50)
    const all = Array.from(WHOLE.width.subarray(1)).sort((a, b) => b - a)
    expect(boxes.map((box) => WHOLE.width[box])).toEqual(all.slice(0, 50))
    expect(new Set(boxes).size).toBe(50)
  })

  test('of a pivot has callers and callees', () => {
    const boxes = widest(PIVOT, PIVOT.count)
    expect(boxes.length).toBe(PIVOT.count - 1)
  })
})
