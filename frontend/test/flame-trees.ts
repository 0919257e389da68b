/** Stacks for tests: from lines as `a;b;c 12`, from chance, and as the bytes the server would send. */
import type { Stacks } from '../src/stacks'

const ENTRY = /^(.*?) (-?\d+)(?: was (-?\d+))?$/

/** `main;work 5` or, in a difference, `main;work 5 was 3`; a node for every prefix, in preorder. */
export function stacksOf(lines: string[], more: Partial<Stacks> = {}): Stacks {
  const root: Grown = { frame: -1, own: 0, before: 0, below: new Map() }
  const numbers = new Map<string, number>()
  let isDifference = false
  for (const line of lines) {
    const [, path, own, before] = ENTRY.exec(line)!
    isDifference ||= before !== undefined
    let node = root
    for (const name of path!.split(';')) {
      if (!numbers.has(name)) numbers.set(name, numbers.size)
      const frame = numbers.get(name)!
      if (!node.below.has(frame)) node.below.set(frame, { frame, own: 0, before: 0, below: new Map() })
      node = node.below.get(frame)!
    }
    node.own += Number(own)
    node.before += Number(before ?? 0)
  }
  const names = [...numbers.keys()]
  const parent: number[] = []
  const nodes: Grown[] = []
  const write = (node: Grown, above: number) => {
    const number = nodes.push(node) - 1
    parent.push(above)
    for (const below of node.below.values()) write(below, number)
  }
  write(root, -1)
  const own = Float64Array.from(nodes, (node) => node.own)
  const before = isDifference ? Float64Array.from(nodes, (node) => node.before) : null
  const sum = (column: Float64Array) => column.reduce((a, b) => a + b, 0)
  return {
    report: 'stacks',
    measure: 'inuse_space',
    unit: 'bytes',
    total: sum(own) - (before ? sum(before) : 0),
    signed: isDifference || own.some((value) => value < 0),
    notes: [],
    leftOut: 0,
    parent: Int32Array.from(parent),
    frame: Int32Array.from(nodes, (node) => node.frame),
    own,
    before,
    names,
    files: names.map((name) => `/src/${name}.go`),
    packages: names.map((name) => name.split('.')[0]!),
    lines: Int32Array.from(names, (_, at) => at + 1),
    ...more,
  }
}

interface Grown {
  frame: number
  own: number
  before: number
  below: Map<number, Grown>
}

/** A tree of `nodes` that looks like a program's: few heavy ways, many light ones; the same at every call. */
export function grownStacks(nodes: number, frames = 5_000, isDifference = false): Stacks {
  const chance = chances(7)
  const parent = [-1]
  const depth = [0]
  const open = [0]
  while (parent.length < nodes) {
    const leave = chance() < 0.55 || open.length > 60 ? Math.floor(chance() * Math.min(open.length, 4)) : 0
    open.length = Math.max(1, open.length - leave)
    parent.push(open.at(-1)!)
    depth.push(open.length)
    open.push(parent.length - 1)
  }
  const frame = Int32Array.from(parent, (_, node) => (node ? Math.floor(chance() ** 3 * frames) : -1))
  const size = () => Math.floor(64 * chance() ** -1.2)
  const own = Float64Array.from(parent, (_, node) => (node && chance() < 0.7 ? size() : 0))
  const before = isDifference ? own.map((value) => Math.floor(value * (chance() < 0.2 ? 0 : 0.5 + chance()))) : null
  if (before) own.forEach((value, node) => (own[node] = chance() < 0.1 ? 0 : value))
  const names = Array.from({ length: frames }, (_, at) => `example.org/shop/part${at % 97}.(*Thing).work${at}`)
  const sum = (column: Float64Array) => column.reduce((a, b) => a + b, 0)
  return {
    report: 'stacks',
    measure: 'inuse_space',
    unit: 'bytes',
    total: sum(own) - (before ? sum(before) : 0),
    signed: isDifference,
    notes: [],
    leftOut: 0,
    parent: Int32Array.from(parent),
    frame,
    own,
    before,
    names,
    files: names.map((_, at) => (at % 5 ? `/home/ada/shop/part${at % 97}/thing.go` : '/usr/local/go/src/runtime/proc.go')),
    packages: names.map((_, at) => `example.org/shop/part${at % 97}`),
    lines: Int32Array.from(names, (_, at) => at + 1),
  }
}

function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 1) / 4294967297
  }
}

/** As the server writes them. */
export function encoded(stacks: Stacks, change: (header: Record<string, unknown>) => void = () => {}): ArrayBuffer {
  const strings = [...new Set([...stacks.names, ...stacks.files, ...stacks.packages])]
  const numbers = new Map(strings.map((text, at) => [text, at]))
  const pointing = (texts: string[]) => Int32Array.from(texts, (text) => numbers.get(text)!)
  const columns: [string, Int32Array | Float64Array][] = [
    ['parent', stacks.parent],
    ['frame', stacks.frame],
    ['own', stacks.own],
    ...(stacks.before ? [['before', stacks.before] as [string, Float64Array]] : []),
    ['name', pointing(stacks.names)],
    ['file', pointing(stacks.files)],
    ['package', pointing(stacks.packages)],
    ['line', stacks.lines],
  ]
  let at = 0
  const listed = columns.map(([name, column]) => {
    const here = at
    at += Math.ceil(column.byteLength / 8) * 8
    return { name, type: column instanceof Int32Array ? 'i32' : 'f64', at: here, length: column.length }
  })
  const { report, measure, unit, total, signed, notes, leftOut: left_out } = stacks
  const header = { schema: 'caulk.stacks/1', report, measure, unit, total, signed, notes, left_out, strings, columns: listed }
  change(header)
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil((4 + text.length) / 8) * 8 - 4
  const bytes = new Uint8Array(4 + length + at).fill(32, 0, 4 + length)
  new DataView(bytes.buffer).setUint32(0, length, true)
  bytes.set(text, 4)
  columns.forEach(([, column], number) => {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), 4 + length + listed[number]!.at)
  })
  return bytes.buffer
}
