import { describe, expect, test } from 'vitest'
import { squarified } from '../src/parts/squarify'
import { above, children, hotPath, lines, nameOf, placeOf, shareOf, treeOf } from '../src/parts/tree'
import { laidOut } from '../src/parts/treemap'
import { stacksOf } from './flame-trees'

const PROGRAM = treeOf(stacksOf(['main;write;copy 9', 'main;write;flush 4', 'main;read;copy 3', 'main;read 2', 'idle 1']))
const CHANGED = treeOf(stacksOf(['main;grew 30 was 10', 'main;shrank 5 was 25', 'gone 0 was 7']))
const node = (name: string): number => PROGRAM.stacks.parent.findIndex((_, at) => nameOf(PROGRAM, at) === name)
const names = (nodes: number[]): string => nodes.map((at) => nameOf(PROGRAM, at)).join(' ')

describe('a tree', () => {
  test('has the children of each node in their order', () => {
    expect(names(children(PROGRAM, 0))).toBe('main idle')
    expect(names(children(PROGRAM, node('main')))).toBe('write read')
    expect(children(PROGRAM, node('idle'))).toEqual([])
  })

  test('knows totals, shares and the way to a node', () => {
    expect(PROGRAM.total[node('main')]).toBe(18)
    expect(shareOf(PROGRAM, node('write'))).toBeCloseTo(13 / 19)
    expect(names(above(PROGRAM, node('flush')))).toBe('main write')
    expect(above(PROGRAM, 0)).toEqual([])
    expect(placeOf(PROGRAM, 0)).toBe('')
  })

  test('of a difference shows changes', () => {
    expect(Array.from(CHANGED.total)).toEqual([-7, 0, 20, -20, -7])
    expect(Array.from(CHANGED.before!)).toEqual([42, 35, 10, 25, 7])
  })

  test('shows the lines below what is unfolded', () => {
    expect(lines(PROGRAM, new Set()).map((line) => line.node)).toEqual(children(PROGRAM, 0))
    const open = lines(PROGRAM, new Set([node('main'), node('read')]))
    expect(names(open.map((line) => line.node))).toBe('main write read copy idle')
    expect(open.map((line) => line.depth)).toEqual([1, 2, 2, 3, 1])
    expect(open.map((line) => `${line.position}/${line.siblings}`)).toEqual(['1/2', '1/2', '2/2', '1/1', '2/2'])
  })

  test('is unfolded at any depth', () => {
    const parent = Int32Array.from({ length: 20001 }, (_, at) => at - 1)
    const own = new Float64Array(parent.length).fill(1)
    const deep = treeOf(stacksOf([], { parent, own, frame: parent.map((at) => Math.min(at, 0)) }))
    expect(lines(deep, new Set(deep.stacks.parent.keys()))).toHaveLength(20000)
    expect(hotPath(deep, 0)).toHaveLength(20001)
  })
})

describe('the hot path', () => {
  test('follows the heaviest child as long as it has half of what is above it', () => {
    expect(names(hotPath(PROGRAM, 0))).toBe('all main write copy')
    const even = treeOf(stacksOf(['a;b;x 2', 'a;b;y 2', 'a;b;z 2', 'a;c 1']))
    expect(hotPath(even, 0).map((at) => nameOf(even, at))).toEqual(['all', 'a', 'b'])
  })

  test('goes one step at least from where it begins', () => {
    const wide = treeOf(stacksOf(['a;x 2', 'a;y 2', 'a;z 2']))
    expect(hotPath(wide, 1).map((at) => nameOf(wide, at))).toEqual(['a', 'x'])
  })
})

describe('boxes', () => {
  test('are as large as their weights and fill their place', () => {
    const weights = [6, 6, 4, 3, 2, 2, 1]
    const boxes = squarified(weights, { x: 10, y: 20, width: 600, height: 400 })
    boxes.forEach((box, i) => expect(box.width * box.height).toBeCloseTo((weights[i]! / 24) * 240000, 3))
    for (const box of boxes) {
      expect(box.x).toBeGreaterThanOrEqual(10)
      expect(box.y + box.height).toBeLessThanOrEqual(420.001)
      expect(Math.max(box.width / box.height, box.height / box.width)).toBeLessThan(3)
    }
  })

  test('lie in the box of what holds them, and stand for no more than it', () => {
    const boxes = laidOut(PROGRAM, 0, 800, 400)
    expect(boxes.map((box) => nameOf(PROGRAM, box.node)).sort()).toEqual(['copy', 'copy', 'flush', 'idle', 'main', 'read', 'write'])
    for (const box of boxes) {
      const outer = boxes.find((other) => other.node === PROGRAM.stacks.parent[box.node])
      if (!outer) continue
      expect(box.x).toBeGreaterThanOrEqual(outer.x)
      expect(box.x + box.width).toBeLessThanOrEqual(outer.x + outer.width)
      expect(box.y + box.height).toBeLessThanOrEqual(outer.y + outer.height)
    }
  })

  test('that are too small to see are not drawn', () => {
    const dust = treeOf(stacksOf(['big 100000000', 'dust 1']))
    expect(laidOut(dust, 0, 800, 400).map((box) => nameOf(dust, box.node))).toEqual(['big'])
    expect(squarified([], { x: 0, y: 0, width: 1, height: 1 })).toEqual([])
  })
})
