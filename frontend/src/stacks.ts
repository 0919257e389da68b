/**
 * Stacks as binary columns (`application/vnd.caulk.stacks`), checked and then read where they lie.
 *
 * A u32, little-endian, is the length of the header: JSON padded with spaces so that what follows begins at a multiple
 * of 8. Then the columns that the header lists. Written by caulk/views/columns.py, which says the rest.
 */

/** A tree of calls (or holders): columns by node, then columns by frame. Node 0 is the whole, its frame is -1. */
export interface Stacks {
  report: string
  measure: string
  unit: string
  /** What shares are of; in a difference the growth. */
  total: number
  /** Values are changes, or `before` is there. */
  signed: boolean
  notes: string[]
  /** Nodes that were too many to send. */
  leftOut: number
  /** By node, each after its parent and right after the subtree of its elder sibling (preorder). */
  parent: Int32Array
  frame: Int32Array
  own: Float64Array
  /** In a difference what was there before; `own` is what is there after. */
  before: Float64Array | null
  /** By frame. */
  names: string[]
  files: string[]
  packages: string[]
  lines: Int32Array
}

interface Listed {
  name: string
  type: string
  at: number
  length: number
}

type Header = Record<string, unknown> & { strings: string[]; columns: Listed[] }
type Column = Int32Array | Float64Array

const SCHEMA = 'caulk.stacks/1'

/** The stacks in `buffer`; what is not whole and consistent throws an Error with a sentence for people. */
export function decode(buffer: ArrayBuffer): Stacks {
  const { header, body } = readHeader(buffer)
  const columns = new Map(header.columns.map((listed) => [listed.name, column(buffer, body, listed)]))
  const ints = (name: string) => wanted(columns.get(name), name, Int32Array)
  const floats = (name: string) => wanted(columns.get(name), name, Float64Array)
  const text = (name: string) => texts(ints(name), header.strings, name)
  const stacks: Stacks = {
    report: String(header.report ?? ''),
    measure: String(header.measure ?? ''),
    unit: String(header.unit ?? ''),
    total: Number(header.total ?? 0),
    signed: header.signed === true,
    notes: Array.isArray(header.notes) ? header.notes.map(String) : [],
    leftOut: Number(header.left_out ?? 0),
    parent: ints('parent'),
    frame: ints('frame'),
    own: floats('own'),
    before: columns.has('before') ? floats('before') : null,
    names: text('name'),
    files: text('file'),
    packages: text('package'),
    lines: ints('line'),
  }
  check(stacks)
  return stacks
}

function broken(what: string): Error {
  return new Error(`The stacks cannot be read: ${what}. Load the page again; if it stays, the dump must be read anew.`)
}

function readHeader(buffer: ArrayBuffer): { header: Header; body: number } {
  if (buffer.byteLength < 4) throw broken(`the answer has ${buffer.byteLength} bytes, no header fits in it`)
  const length = new DataView(buffer).getUint32(0, true)
  const body = 4 + length
  if (body > buffer.byteLength) {
    throw broken(`its header claims ${length} bytes, ${buffer.byteLength - 4} are there`)
  }
  if (body % 8) throw broken(`its columns begin at byte ${body}, which is no multiple of 8`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(buffer, 4, length)))
  } catch {
    throw broken('its header is not JSON')
  }
  if (!isHeader(header)) throw broken(`its header is not of ${SCHEMA}`)
  return { header, body }
}

function isHeader(header: unknown): header is Header {
  if (typeof header !== 'object' || header === null) return false
  const { schema, strings, columns } = header as Partial<Header>
  return (
    schema === SCHEMA &&
    Array.isArray(strings) &&
    strings.every((text) => typeof text === 'string') &&
    Array.isArray(columns) &&
    columns.every((listed) => typeof listed === 'object' && listed !== null)
  )
}

function column(buffer: ArrayBuffer, body: number, { name, type, at, length }: Listed): Column {
  const size = type === 'i32' ? 4 : type === 'f64' ? 8 : 0
  if (!size) throw broken(`column ${name} is of an unknown type, ${type}`)
  if (![at, length].every((number) => Number.isSafeInteger(number) && number >= 0) || at % 8) {
    throw broken(`column ${name} claims ${length} entries at byte ${at}`)
  }
  const left = buffer.byteLength - body - at
  if (length * size > left) {
    throw broken(`it is cut short: column ${name} claims ${length * size} bytes, ${Math.max(left, 0)} are there`)
  }
  return type === 'i32' ? new Int32Array(buffer, body + at, length) : new Float64Array(buffer, body + at, length)
}

function wanted<Kind extends Column>(
  found: Column | undefined,
  name: string,
  kind: { new (): Kind; name: string },
): Kind {
  if (!found) throw broken(`column ${name} is missing`)
  if (!(found instanceof kind)) throw broken(`column ${name} is no ${kind.name}`)
  return found
}

function texts(column: Int32Array, strings: string[], name: string): string[] {
  return Array.from(column, (at) => {
    const text = strings[at]
    if (text === undefined) throw broken(`column ${name} points at string ${at} of ${strings.length}`)
    return text
  })
}

function check({ parent, frame, own, before, names, files, packages, lines }: Stacks): void {
  const nodes = parent.length
  if (!nodes) throw broken('it has no node, not even the whole')
  if ([frame, own, before ?? own].some((column) => column.length !== nodes)) {
    throw broken('its columns of nodes differ in length')
  }
  if ([files, packages, lines].some((column) => column.length !== names.length)) {
    throw broken('its columns of frames differ in length')
  }
  if (parent[0] !== -1) throw broken(`node 0 has parent ${parent[0]}, but it is the whole`)
  if (frame[0] !== -1) throw broken('node 0 has a frame only others may have')
  const old = before ?? own
  // One loop, because the first picture waits for it: `findIndex` of typed arrays takes ten times as long.
  for (let node = 0; node < nodes; node++) {
    if (!Number.isFinite(own[node]) || !Number.isFinite(old[node])) throw broken(`node ${node} has a value that is no number`)
    if (!node) continue
    const at = frame[node]!
    if (at === -1) throw broken(`node ${node} has a frame only the whole may have`)
    if (at < 0 || at >= names.length) throw broken(`node ${node} has frame ${at} of ${names.length}`)
    // Preorder: the parent of a node is the node before it or one of that one's callers.
    const above = parent[node]!
    let open = node - 1
    while (open > above && open >= 0) open = parent[open]!
    if (above < 0 || open !== above) throw broken(`node ${node} has parent ${above}, which is out of order`)
  }
}
