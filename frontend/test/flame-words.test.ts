import { describe, expect, test } from 'vitest'
import { areaOf, colouring, hueOf, type Palette } from '../src/flame/colour'
import { framed, parts, rowTop, svgOf, depthAt, ROW, type Picture } from '../src/flame/draw'
import { Labels } from '../src/flame/label'
import { modelOf, type Shape } from '../src/flame/model'
import { refusal } from '../src/flame/patterns'
import { found, matching, nextMatch, type Matches } from '../src/flame/search'
import type { Stacks } from '../src/stacks'
import { stacksOf } from './flame-trees'
import PATTERNS from './patterns.json'

const PROGRAM = stacksOf(['main;read;copy 3', 'main;read 2', 'main;write;copy 9', 'main;write;flush 4', 'idle 2'])
const RECURSIVE = stacksOf(['main;walk;walk;leaf 4', 'main;walk;leaf 2', 'main 14'])
const CHANGED = stacksOf(['main;grew 30 was 10', 'main;shrank 5 was 25', 'main;new 4 was 0'])
const PALETTE: Palette = {
  ink: '#111',
  page: '#fff',
  match: '#f0f',
  plain: '#ccc',
  focus: '#00f',
  saturation: '58%',
  lightness: '80%',
  changeSaturation: '90%',
  pale: 90,
  strong: 60,
}

function picture(stacks: Stacks, more: Partial<Picture> = {}, shape: Partial<Shape> = {}): Picture {
  const boxes = modelOf(stacks, shape)
  return framed({
    boxes,
    labels: new Labels(stacks, boxes),
    colourOf: colouring(stacks, boxes, 'package', PALETTE),
    palette: PALETTE,
    matches: null,
    viewport: { from: 0, to: boxes.width[0]!, pixels: 1000 },
    zoomed: 0,
    isFlame: false,
    ...more,
  })
}

describe('a search', () => {
  test('has the sum of what lies in or below matches, each byte once', () => {
    const sum = (pattern: string) => found(RECURSIVE, matching(RECURSIVE, pattern) as Matches)
    expect(sum('^walk$')).toEqual({ functions: 1, value: 6, share: 0.3 })
    expect(sum('walk|leaf|main')).toEqual({ functions: 3, value: 20, share: 1 })
    expect(sum('nobody')).toEqual({ functions: 0, value: 0, share: 0 })
  })

  test('of a difference has the change below matches', () => {
    expect(found(CHANGED, matching(CHANGED, 'grew|shrank') as Matches).value).toBe(0)
    expect(found(CHANGED, matching(CHANGED, 'grew') as Matches)).toEqual({ functions: 1, value: 20, share: 5 })
  })

  test('looks into names and files without regard to case', () => {
    expect(found(PROGRAM, matching(PROGRAM, 'COPY') as Matches).value).toBe(12)
    expect(found(PROGRAM, matching(PROGRAM, 'src/flush\\.go') as Matches).value).toBe(4)
  })

  test('for nothing finds nothing, and a broken one is said', () => {
    expect(matching(PROGRAM, '')).toBeNull()
    expect(matching(PROGRAM, '(')).toBe('not a regular expression')
  })

  test.each(PATTERNS.refused)('for what may take for ever is refused: %s', (pattern) => {
    expect(matching(PROGRAM, pattern)).toMatch(/for ever.*repeat/)
  })

  test.each(PATTERNS.taken)('for what people write is not refused: %s', (pattern) => {
    expect(refusal(pattern)).toBeNull()
  })

  test('ends where names are too long for its repeats, or too many', () => {
    const long = stacksOf([`main;${'a'.repeat(400)} 1`])
    expect(matching(long, '.*a.*a.*a.*!')).toMatch('as long as here')
    expect(matching(long, '.*b')).toEqual(new Uint8Array(long.names.length))
    expect(matching(PROGRAM, 'copy', -1)).toMatch('too long')
  })

  test('goes from match to match and around', () => {
    const boxes = modelOf(PROGRAM)
    const matches = matching(PROGRAM, 'copy') as Matches
    expect([0, 3, 6].map((from) => nextMatch(boxes, matches, from, 1))).toEqual([3, 6, 3])
    expect([0, 6, 3].map((from) => nextMatch(boxes, matches, from, -1))).toEqual([6, 3, 6])
    expect(nextMatch(boxes, matching(PROGRAM, 'nobody') as Matches, 0, 1)).toBe(-1)
  })
})

describe('colours', () => {
  // As zlib.crc32 says in caulk/views/flame.py.
  test.each([['example.org/shop', 330], ['', 0], ['bücher', 114]])('of package “%s” are those of the other pictures: hue %i', (name, hue) => {
    expect(hueOf(name)).toBe(hue)
  })

  test('by change are orange for growth and blue for loss, palest where both cancel out', () => {
    const boxes = modelOf(CHANGED)
    const colourOf = colouring(CHANGED, boxes, 'change', PALETTE)
    const of = (name: string) => colourOf(boxes.frame.indexOf(CHANGED.names.indexOf(name)))
    expect(of('grew')).toBe('hsl(28 90% 60%)')
    expect(of('shrank')).toBe('hsl(212 90% 60%)')
    expect(of('main')).toBe('hsl(28 90% 88.125%)')
  })

  test('by change are those of packages where nothing changed', () => {
    const boxes = modelOf(PROGRAM)
    const [change, byPackage] = (['change', 'package'] as const).map((kind) => colouring(PROGRAM, boxes, kind, PALETTE))
    expect(change!(1)).toBe(byPackage!(1))
    expect(change!(0)).toBe('#ccc')
  })

  test.each([
    ['runtime.mallocgc', '/usr/local/go/src/runtime/malloc.go', 'runtime', 'runtime'],
    ['net/http.(*conn).serve', '/opt/go1.26/src/net/http/server.go', 'net/http', 'runtime'],
    ['main.put', '/app/cart/store.go', 'main', 'own'],
    ['gin.(*Engine).ServeHTTP', '/root/go/pkg/mod/github.com/gin-gonic/gin@v1.9/gin.go', 'gin', 'library'],
    ['loads', '/usr/lib/python3.11/json/__init__.py', '/usr/lib/python3.11/json', 'runtime'],
    ['get', '/usr/lib/python3.11/site-packages/requests/api.py', 'requests', 'library'],
    ['emit', 'node:events', 'node:events', 'runtime'],
    ['handle', '/app/node_modules/express/lib/router/index.js', '', 'library'],
    ['java.util.HashMap.put', '', 'java.util', 'runtime'],
    ['shop.Cart.put', '', 'shop', 'own'],
  ])('by area: %s in %s', (name, file, packageName, area) => {
    expect(areaOf(name, file, packageName)).toBe(area)
  })
})

describe('labels', () => {
  const named = (name: string) => {
    const stacks = stacksOf([`${name} 2097152`])
    return new Labels(stacks, modelOf(stacks))
  }

  test('have the value where there is room, then the name, then the end of it', () => {
    const labels = named('example.org/shop/cart.(*Store[a/b]).Put')
    expect(labels.label(1, 80)).toBe('example.org/shop/cart.(*Store[a/b]).Put  2.00 MB')
    expect(labels.label(1, 45)).toBe('example.org/shop/cart.(*Store[a/b]).Put')
    expect(labels.label(1, 30)).toBe('cart.(*Store[a/b]).Put')
    expect(labels.label(1, 8)).toBe('cart.(*…')
    expect(labels.label(1, 2)).toBe('')
  })

  test('of a difference have a sign that is no colour', () => {
    const labels = new Labels(CHANGED, modelOf(CHANGED))
    const boxes = modelOf(CHANGED)
    const of = (name: string) => labels.label(boxes.frame.indexOf(CHANGED.names.indexOf(name)), 10)
    expect([of('grew'), of('shrank')]).toEqual(['+ grew', '− shrank'])
  })

  test('never hide or reorder text', () => {
    expect(named('safe\u202etxt.exe\u0000').title(1)).toBe('safe\\u202etxt.exe\\u0000')
  })

  test('say shares of the whole and of the caller, and both sides of a difference', () => {
    const boxes = modelOf(PROGRAM)
    expect(new Labels(PROGRAM, boxes).facts(3)).toMatchObject({
      name: 'copy',
      place: '/src/copy.go:3',
      value: '9 B',
      share: '45 % of the total',
      ofParent: '69 % of write',
      own: '9 B',
      change: '',
    })
    expect(new Labels(CHANGED, modelOf(CHANGED)).facts(2)).toMatchObject({ value: '+20 B', change: '10 B → 30 B', ofParent: '' })
  })

  test('say no own of a caller', () => {
    const boxes = modelOf(PROGRAM, { pivot: 'copy' })
    expect(new Labels(PROGRAM, boxes).facts(boxes.split).own).toBe('')
    expect(new Labels(PROGRAM, modelOf(PROGRAM, { inverted: true }), true).sentence(1)).toBe('copy, 12 B, 60 % of the total')
  })
})

describe('a picture', () => {
  test('has the root above as an icicle and below as a flame', () => {
    const tops = (isFlame: boolean) => [0, 3].map((depth) => rowTop(picture(PROGRAM, { isFlame }), depth))
    expect(tops(false)).toEqual([0, 3 * ROW])
    expect(tops(true)).toEqual([3 * ROW, 0])
  })

  test.each([[false], [true]])('says which depth is at a height: flame %s', (isFlame) => {
    const one = picture(PROGRAM, { isFlame }, { pivot: 'read' })
    for (const depth of [-1, 0, 1]) expect(depthAt(one, rowTop(one, depth) + 3)).toBe(depth)
  })

  test('dims callers of what is zoomed to, and all that a search does not match', () => {
    const pale = (more: Partial<Picture>) => parts(picture(PROGRAM, more), 0, 999).filter(({ isPale }) => isPale).map(({ box }) => box)
    expect(pale({})).toEqual([])
    expect(pale({ zoomed: 3 })).toEqual([0, 1, 2])
    const matches = matching(PROGRAM, 'copy') as Matches
    expect(pale({ matches })).toEqual([0, 1, 2, 4, 5, 7])
    expect(pale({ matches, zoomed: 3 })).not.toContain(3)
    expect(pale({ matches: matching(PROGRAM, 'main') as Matches, zoomed: 3 })).not.toContain(1)
  })

  test('cuts boxes off at its edges', () => {
    const boxes = modelOf(PROGRAM)
    for (const { x, width } of parts(picture(PROGRAM, { boxes, viewport: { from: 5, to: 10, pixels: 1000 } }), 0, 999)) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + width).toBeLessThanOrEqual(1000)
    }
  })

  test('as SVG keeps hostile names as text', () => {
    const hostile = stacksOf([`</title><script>alert(1)</script>"'& 5`, `]]><svg onload=x>\u0000\ud800 4`], { measure: '<b>' })
    const svg = svgOf(picture(hostile), `stacks ${hostile.measure}`)
    expect(svg).not.toMatch(/<script|<svg onload|<b>|\u0000|\ud800/)
    expect(svg).toContain('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;')
    // Every tag is one that is written here, and all are closed.
    expect(new Set(svg.match(/<\/?[a-z]+/g))).toEqual(new Set(['<svg', '</svg', '<rect', '<text', '</text', '<g', '</g', '<title', '</title']))
    expect(svg.match(/<g/g)?.length).toBe(svg.match(/<\/g>/g)?.length)
  })

  test('as SVG has a box and a title for all that is seen', () => {
    const svg = svgOf(picture(PROGRAM), 'stacks')
    expect(svg.match(/<rect/g)?.length).toBe(1 + 8)
    expect(svg).toContain('<title>copy\n/src/copy.go:3\n9 B, 45 % of the total</title>')
  })
})
