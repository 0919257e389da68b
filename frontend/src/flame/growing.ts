/** A tree that grows, column by column, while other trees are merged into it. */
import type { Tree } from './tree'

const ROOM = 1024

/** Nodes are groups of nodes of other trees; what is below one group is asked for before what is below the next. */
export class Growing {
  count = 1
  /** What has come to each node so far, by width. */
  weight: Float64Array = new Float64Array(ROOM)
  #parent: Int32Array = new Int32Array(ROOM).fill(-1)
  #frame: Int32Array = new Int32Array(ROOM).fill(-1)
  #own: Float64Array = new Float64Array(ROOM)
  #before: Float64Array = new Float64Array(ROOM)
  #wide: Float64Array = new Float64Array(ROOM)
  /** By frame: the group below which it was last asked for, and the number that it has there. */
  readonly #asked: Int32Array
  readonly #number: Int32Array
  readonly #isDifference: boolean

  constructor(tree: Tree) {
    this.#isDifference = tree.before !== null
    let last = -1
    for (let node = 0; node < tree.frame.length; node++) last = Math.max(last, tree.frame[node]!)
    this.#asked = new Int32Array(last + 1).fill(-1)
    this.#number = new Int32Array(last + 1)
  }

  /** The number of `frame` below `group`, to which something as wide as `wide` comes. */
  below(group: number, frame: number, wide: number): number {
    if (this.#asked[frame] !== group) {
      this.#asked[frame] = group
      this.#number[frame] = this.#added(group, frame)
    }
    const number = this.#number[frame]!
    this.weight[number]! += wide
    return number
  }

  add(group: number, node: number, own: Float64Array, before: Float64Array | null, wide: Float64Array): void {
    this.#own[group]! += own[node]!
    if (before) this.#before[group]! += before[node]!
    this.#wide[group]! += wide[node]!
  }

  tree(): Tree {
    return {
      parent: this.#parent.slice(0, this.count),
      frame: this.#frame.slice(0, this.count),
      own: this.#own.slice(0, this.count),
      before: this.#isDifference ? this.#before.slice(0, this.count) : null,
      wide: this.#wide.slice(0, this.count),
    }
  }

  #added(group: number, frame: number): number {
    if (this.count === this.#parent.length) this.#makeRoom()
    this.#parent[this.count] = group
    this.#frame[this.count] = frame
    return this.count++
  }

  #makeRoom(): void {
    const room = 2 * this.count
    const ints = (column: Int32Array) => filled(column, new Int32Array(room))
    const floats = (column: Float64Array) => filled(column, new Float64Array(room))
    this.#parent = ints(this.#parent)
    this.#frame = ints(this.#frame)
    this.#own = floats(this.#own)
    this.#before = floats(this.#before)
    this.#wide = floats(this.#wide)
    this.weight = floats(this.weight)
  }
}

function filled<Column extends Int32Array | Float64Array>(column: Column, into: Column): Column {
  into.set(column)
  return into
}
