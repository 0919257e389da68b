import { describe, expect, test } from 'vitest'
import type { Boxes } from '../src/flame/boxes'
import { functions } from '../src/flame/functions'
import { modelOf } from '../src/flame/model'
import { totals } from '../src/flame/tree'
import type { Stacks } from '../src/stacks'
import { grownStacks, stacksOf } from './flame-trees'

const PROGRAM = stacksOf(['main;read;copy 3', 'main;read 2', 'main;write;copy 9', 'main;write;flush 4', 'idle 1'])
const RECURSIVE = stacksOf(['main;walk;walk;leaf 4', 'main;walk;leaf 2', 'main;walk 1', 'leaf 8'])
const CHANGED = stacksOf(['main;grew 30 was 10', 'main;shrank 5 was 25', 'main;gone 0 was 7', 'main;same 4 was 4'])

/** The boxes as lines `path width@left total`, as they are drawn. */
function drawn(boxes: Boxes, { names }: Stacks): string[] {
  const path = (box: number): string => {
    const name = boxes.frame[box]! < 0 ? 'all' : names[boxes.frame[box]!]!
    return box ? `${path(boxes.parent[box]!)};${name}` : name
  }
  return Array.from({ length: boxes.count }, (_, box) => `${path(box)} ${boxes.width[box]}@${boxes.left[box]}`)
}

function expectWellPlaced(boxes: Boxes): void {
  const filled = new Float64Array(boxes.count)
  const isOfCallers = (box: number) => box >= boxes.split
  let fromCallers = 0
  for (let box = 1; box < boxes.count; box++) {
    const above = boxes.parent[box]!
    const begun = above || !isOfCallers(box) ? filled[above]! : fromCallers
    expect(boxes.left[box]).toBeCloseTo(boxes.left[above]! + begun, 3)
    if (above || !isOfCallers(box)) filled[above]! += boxes.width[box]!
    else fromCallers += boxes.width[box]!
    expect(boxes.depth[box]).toBe(boxes.depth[above]! + (isOfCallers(box) ? -1 : 1))
    expect(boxes.end[box]).toBeGreaterThan(box)
    expect(boxes.end[box]).toBeLessThanOrEqual(boxes.end[above]!)
  }
  filled.forEach((sum, box) => expect(sum).toBeLessThanOrEqual(boxes.width[box]! * (1 + 1e-9)))
  expect(fromCallers).toBeLessThanOrEqual(boxes.width[0]! * (1 + 1e-9))
}

test("a total is a node's own and that of all below it", () => {
  expect([...totals(PROGRAM.parent, PROGRAM.own)]).toEqual([19, 18, 5, 3, 13, 9, 4, 1])
})

describe('the layout', () => {
  test('has the heaviest of siblings first and no gaps', () => {
    expect(drawn(modelOf(PROGRAM), PROGRAM)).toEqual([
      'all 19@0',
      'all;main 18@0',
      'all;main;write 13@0',
      'all;main;write;copy 9@0',
      'all;main;write;flush 4@9',
      'all;main;read 5@13',
      'all;main;read;copy 3@13',
      'all;idle 1@18',
    ])
  })

  test.each([
    ['as it is', {}],
    ['inverted', { inverted: true }],
    ['around a pivot', { pivot: 'example.org/shop/part3.(*Thing).work3' }],
  ])('puts every box inside its caller: %s', (_, shape) => {
    const boxes = modelOf(grownStacks(3_000, 200), shape)
    expect(boxes.count).toBeGreaterThan(20)
    expectWellPlaced(boxes)
  })

  test('leaves out what has no size at all', () => {
    expect(drawn(modelOf(stacksOf(['a 1', 'b 0'])), stacksOf(['a 1', 'b 0']))).toEqual(['all 1@0', 'all;a 1@0'])
  })

  test('of an empty profile is one box without width', () => {
    const boxes = modelOf(stacksOf([]))
    expect([boxes.count, boxes.width[0]]).toEqual([1, 0])
  })

  test('stands a stack of 50,000 calls', () => {
    const nodes = 50_000
    const deep: Stacks = {
      ...PROGRAM,
      parent: Int32Array.from({ length: nodes }, (_, node) => node - 1),
      frame: Int32Array.from({ length: nodes }, (_, node) => (node ? 0 : -1)),
      own: Float64Array.from({ length: nodes }, (_, node) => (node === nodes - 1 ? 5 : 0)),
    }
    const boxes = modelOf(deep)
    expect([boxes.depth[nodes - 1], boxes.total[0]]).toEqual([nodes - 1, 5])
  })
})

describe('inverted', () => {
  test('has below the whole what each function has of its own, and below that its callers', () => {
    expect(drawn(modelOf(PROGRAM, { inverted: true }), PROGRAM)).toEqual([
      'all 19@0',
      'all;copy 12@0',
      'all;copy;write 9@0',
      'all;copy;write;main 9@0',
      'all;copy;read 3@9',
      'all;copy;read;main 3@9',
      'all;flush 4@12',
      'all;flush;write 4@12',
      'all;flush;write;main 4@12',
      'all;read 2@16',
      'all;read;main 2@16',
      'all;idle 1@18',
    ])
  })

  test('sums up to the same whole, and by function to its own', () => {
    const stacks = grownStacks(5_000, 300, true)
    const boxes = modelOf(stacks, { inverted: true })
    const { own } = functions(stacks)
    expect(boxes.total[0]).toBe(modelOf(stacks).total[0])
    expect(boxes.totalBefore![0]).toBe(modelOf(stacks).totalBefore![0])
    expect(boxes.width[0]).toBe(modelOf(stacks).width[0])
    for (let box = 1; box < boxes.count; box = boxes.end[box]!) {
      expect(boxes.total[box]).toBe(own[boxes.frame[box]!])
    }
  })

  test('keeps what is not taken apart any further', () => {
    const light = stacksOf(['main;heavy 1000000000', 'main;work;light 3'])
    expect(drawn(modelOf(light, { inverted: true }), light)).toContain('all;light 3@1000000000')
    expect(modelOf(light, { inverted: true }).total[0]).toBe(1000000003)
  })
})

describe('a pivot', () => {
  test('has its callers above and its callees below', () => {
    const boxes = modelOf(PROGRAM, { pivot: 'copy' })
    expect(drawn(boxes, PROGRAM)).toEqual(['copy 12@0', 'copy;write 9@0', 'copy;write;main 9@0', 'copy;read 3@9', 'copy;read;main 3@9'])
    expect([...boxes.depth]).toEqual([0, -1, -2, -1, -2])
    expect(boxes.split).toBe(1)
  })

  test("counts recursion once: callers, callees and the function's total are the same sum", () => {
    const boxes = modelOf(RECURSIVE, { pivot: 'walk' })
    expect(drawn(boxes, RECURSIVE)).toEqual(['walk 7@0', 'walk;walk 4@0', 'walk;walk;leaf 4@0', 'walk;leaf 2@4', 'walk;main 7@0'])
    expect(boxes.total[0]).toBe(functions(RECURSIVE).total[RECURSIVE.names.indexOf('walk')])
  })

  test('of any function sums up to its total, above and below', () => {
    const stacks = grownStacks(5_000, 100)
    const { total } = functions(stacks)
    for (const frame of [0, 1, 7, 50]) {
      const boxes = modelOf(stacks, { pivot: stacks.names[frame]! })
      expect(boxes.total[0]).toBe(total[frame])
      let own = 0
      for (let box = 0; box < boxes.split; box++) own += boxes.own[box]!
      expect(own).toBe(total[frame])
    }
  })

  test('that does not occur is one box without width', () => {
    const boxes = modelOf(PROGRAM, { pivot: 'nobody' })
    expect([boxes.count, boxes.width[0]]).toEqual([1, 0])
  })
})

describe('a difference', () => {
  test('is as wide as all that changed, gained and lost', () => {
    expect(drawn(modelOf(CHANGED), CHANGED)).toEqual([
      'all 47@0',
      'all;main 47@0',
      'all;main;grew 20@0',
      'all;main;shrank 20@20',
      'all;main;gone 7@40',
    ])
  })

  test('is as wide as the larger of both where sizes are asked for', () => {
    expect(modelOf(CHANGED, { widths: 'size' }).width[0]).toBe(30 + 25 + 7 + 4)
  })

  test('shows what vanished only where that is asked for, and counts it all the same', () => {
    const boxes = modelOf(CHANGED, { vanished: false })
    expect(drawn(boxes, CHANGED).join()).not.toContain('gone')
    expect([boxes.width[0], boxes.total[0], boxes.totalBefore![0]]).toEqual([40, 39, 46])
  })

  test("without `before` has values that are changes", () => {
    const boxes = modelOf(stacksOf(['a 5', 'b -3']))
    expect([boxes.width[0], boxes.total[0]]).toEqual([8, 2])
  })
})

describe('functions', () => {
  test('have their own and their total, recursion counted once', () => {
    const { own, total } = functions(RECURSIVE)
    const at = (name: string) => RECURSIVE.names.indexOf(name)
    expect([own[at('walk')], total[at('walk')]]).toEqual([1, 7])
    expect([own[at('leaf')], total[at('leaf')]]).toEqual([14, 14])
    expect([own[at('main')], total[at('main')]]).toEqual([0, 7])
  })

  test('of a difference have what was before as well', () => {
    const { total, totalBefore } = functions(CHANGED)
    expect([total[0], totalBefore![0]]).toEqual([39, 46])
    expect(functions(PROGRAM).totalBefore).toBeNull()
  })

  test('own sums up to the whole', () => {
    const stacks = grownStacks(5_000)
    expect(functions(stacks).own.reduce((a, b) => a + b, 0)).toBe(stacks.total)
  })
})
