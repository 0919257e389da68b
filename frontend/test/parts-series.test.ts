import { describe, expect, test } from 'vitest'
import { axisLabel, forecastEnd, gathered, nearest, reach, stacked, type Mark } from '../src/parts/series'
import { bounds, path } from '../src/parts/sparkline'

test('layers lie on each other, and where nothing was read nothing is drawn', () => {
  expect(stacked([[1, 2, null], [10, null, null]])).toEqual([[1, 2, null], [11, 2, null]])
})

test('marks that would lie on each other are one', () => {
  const at = (seconds: number): Mark => ({ at: seconds, what: 'restart', text: '' })
  const groups = gathered([at(30), at(0), at(5), at(12)], (mark) => mark.at, 10)
  expect(groups.map((group) => group.map((mark) => mark.at))).toEqual([[0, 5], [12], [30]])
})

test('the nearest time is found', () => {
  expect([0, 14, 15, 16, 99].map((time) => nearest([10, 20, 30], time))).toEqual([0, 0, 0, 1, 2])
  expect(nearest([], 1)).toBe(-1)
})

describe('the value axis', () => {
  test('reaches to the limit, unless the line would be flat', () => {
    expect(reach(100, 200)).toBeGreaterThan(200)
    expect(reach(100, 10000)).toBeLessThan(200)
    expect(reach(0, null)).toBe(1)
  })

  test('has short labels', () => {
    expect([0, 512 * 2 ** 20, 2 ** 30, 1.5 * 2 ** 30, 100 * 2 ** 20].map((value) => axisLabel(value, 'bytes'))).toEqual([
      '0 B', '512 MB', '1 GB', '1.5 GB', '100 MB',
    ])
    expect(axisLabel(1200, 'count')).toBe('1,200')
  })
})

test('a forecast is drawn until beyond the limit, but not further than half of what was read', () => {
  const forecast = { from: 1000, bytes: 100, low_per_s: 1, high_per_s: 2 }
  expect(forecastEnd(forecast, 200, 500)).toBe(1062.5)
  expect(forecastEnd(forecast, 1e9, 1000)).toBe(1500)
  expect(forecastEnd(forecast, null, 1000)).toBe(1500)
  expect(forecastEnd({ ...forecast, low_per_s: -2, high_per_s: -1 }, 200, 1000)).toBe(1500)
})

describe('a sparkline', () => {
  const identity = (value: number) => value

  test('breaks where a value is missing, and a lone value is a dot', () => {
    expect(path([1, 2, null, 3], identity, identity)).toBe('M0.0 1.0L1.0 2.0M3.0 3.0h0.1')
    expect(path([null, null], identity, identity)).toBe('')
  })

  test('does not make much of a small change', () => {
    expect(bounds([995, 1000])).toEqual([900, 1000])
    expect(bounds([100, 1000])).toEqual([100, 1000])
    expect(bounds([])).toEqual([0, 1])
  })
})
