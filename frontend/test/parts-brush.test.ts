import { expect, test } from 'vitest'
import { brushFrom } from '../src/parts/brush'

test.each([
  ['to the right', 20, 70, { left: 20, width: 50 }],
  ['to the left', 70, 20, { left: 20, width: 50 }],
  ['beyond the end', 70, 140, { left: 70, width: 30 }],
  ['beyond the beginning', 30, -10, { left: 0, width: 30 }],
  ['nowhere', 40, 40, { left: 40, width: 0 }],
])('a brush %s lies within the plot', (_, from, to, lies) => {
  expect(brushFrom(from, to, 100)).toEqual(lies)
})
