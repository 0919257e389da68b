import './dump-address'
import { expect, test } from 'vitest'
import type { DumpPage } from '../src/api-types'
import { question, type About } from '../src/pages/dump/about'
import { isLong, select, selected, written } from '../src/pages/dump/asked'
import { selectionIn } from '../src/pages/dump/selection-of'
import { isVanished } from '../src/pages/dump/table-tabs'
import { children, hasChildren, lines, nameOf, treeOf } from '../src/parts/tree'
import { go, parameter } from '../src/route'
import { stacksOf } from './flame-trees'

const about = (...ids: string[]): About => ({ ids: ids.join('..'), page: { dumps: ids.map((id) => ({ id })) } as unknown as DumpPage, analysis: undefined })

test('what survived is asked of three dumps and more, where a tab can tell it', () => {
  go('/d/a..b..c?keep=1')
  expect(question(about('a', 'b', 'c'), 'types')).toBe('/api/d/a..b..c/types?survivors=1')
  expect(question(about('a', 'b', 'c'), 'selection')).toBe('/api/d/a..b..c/selection')
  expect(question(about('a', 'b'), 'types')).toBe('/api/d/a..b/types')
  go('/d/a..b..c')
  expect(question(about('a', 'b', 'c'), 'types')).toBe('/api/d/a..b..c/types')
})

test('a name that no address can hold is selected all the same, and another selection takes its place', () => {
  go('/d/a')
  const long = { kind: 'type', name: 'x'.repeat(5000) } as const
  select(long)
  expect([isLong(long), written(long), parameter('sel'), selected.value]).toEqual([true, '', '', long])
  select({ kind: 'type', name: 'Quote' })
  expect([parameter('sel'), selected.value?.name]).toEqual(['type:Quote', 'Quote'])
  select(null)
  expect(selected.value).toBeNull()
})

const CHANGED = stacksOf(['main;grew 30 was 10', 'main;shrank 5 was 25', 'gone;deep 0 was 7', 'new 4 was 0'])
const names = (tree: ReturnType<typeof treeOf>) => lines(tree, new Set([1, 2, 3, 4, 5, 6])).map(({ node }) => nameOf(tree, node))

test('a tree leaves out what is not there any more, until it is asked for', () => {
  expect(names(treeOf(CHANGED, true))).toContain('gone')
  const left = treeOf(CHANGED, false)
  expect(names(left)).toEqual(expect.arrayContaining(['main', 'grew', 'shrank', 'new']))
  expect(names(left)).not.toContain('gone')
  expect(left.total[0], 'what changed in all stays what it is').toBe(treeOf(CHANGED).total[0])
  const only = treeOf(stacksOf(['main 3 was 1', 'main;gone 0 was 7']), false)
  expect([children(only, 1), hasChildren(only, 1)]).toEqual([[], false])
})

test('a row is of what vanished where nothing of it is there now', () => {
  expect(isVanished({ objects: 0, objects_change: -3 })).toBe(true)
  expect(isVanished({ objects: 1, objects_change: -3 })).toBe(false)
  expect(isVanished({ now: 0, cum: -8, flat: 0 })).toBe(true)
  expect(isVanished({ now: 2, cum: -8, flat: 0 })).toBe(false)
  expect(isVanished({ flat: 3, cum: 3 })).toBe(false)
})

test('callers and callees that are counted from a difference are changes, with what there is now', () => {
  const found = selectionIn(CHANGED, { kind: 'frame', name: 'main' })!
  expect(found.below.map(({ name, value, now }) => [name, value, now])).toEqual([['grew', 20, 30], ['shrank', -20, 5]])
  const alone = selectionIn(stacksOf(['main;work 3']), { kind: 'frame', name: 'main' })!
  expect(alone.below.map(({ name, value, now }) => [name, value, now])).toEqual([['work', 3, null]])
})
