/** What is said of a box: in it, beside the pointer, in the table and to a screen reader. */
import { formatShare, formatValue, visible } from '../format'
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'
import { changeOf } from './colour'
import { wholeOf } from './search'

/** A box in words and numbers; names are as the dump has them, texts are ready to be shown. */
export interface Facts {
  box: number
  /** Of the function; '' for the whole. */
  name: string
  title: string
  place: string
  /** In a difference the change. */
  value: string
  share: string
  /** '' for callers, whose value is what they called for. */
  own: string
  /** Of the box above it; '' in a difference, where shares of changes say little. */
  ofParent: string
  /** `12 MB → 14 MB`, in a difference with both sides. */
  change: string
}

/** The one place that says things of boxes; knows what has been said once. */
export class Labels {
  readonly isChange: boolean
  readonly #names: (string | undefined)[] = []
  readonly #whole: number

  constructor(
    readonly stacks: Stacks,
    readonly boxes: Boxes,
    readonly isInverted = false,
  ) {
    this.isChange = stacks.signed || stacks.before !== null
    this.#whole = wholeOf(stacks)
  }

  title(box: number): string {
    const frame = this.boxes.frame[box]!
    return frame < 0 ? 'all' : (this.#names[frame] ??= visible(this.stacks.names[frame]!) || '(no name)')
  }

  place(box: number): string {
    const frame = this.boxes.frame[box]!
    if (frame < 0) return ''
    const line = this.stacks.lines[frame]!
    const file = visible(this.stacks.files[frame]!)
    return file && line > 0 ? `${file}:${line}` : file
  }

  value(box: number): string {
    return formatValue(changeOf(this.boxes, box), this.stacks.unit, this.isChange)
  }

  facts(box: number): Facts {
    const { boxes, stacks } = this
    const { own, ownBefore, total, totalBefore, parent, frame } = boxes
    const unit = (value: number, signed = this.isChange) => formatValue(value, stacks.unit, signed)
    const above = parent[box]!
    const share = changeOf(boxes, box) / this.#whole
    return {
      box,
      name: frame[box]! < 0 ? '' : stacks.names[frame[box]!]!,
      title: this.title(box),
      place: this.place(box),
      value: this.value(box),
      share: `${formatShare(share)} of the ${this.isChange ? 'growth' : 'total'}`,
      own: this.isInverted || box >= boxes.split ? '' : unit(own[box]! - (ownBefore ? ownBefore[box]! : 0)),
      ofParent:
        above >= 0 && !this.isChange && total[above] ? `${formatShare(total[box]! / total[above]!)} of ${this.title(above)}` : '',
      change: totalBefore ? `${unit(totalBefore[box]!, false)} → ${unit(total[box]!, false)}` : '',
    }
  }

  /** One sentence, for a screen reader. */
  sentence(box: number): string {
    const { title, value, share, own, change } = this.facts(box)
    return [title, value, share, change, own && `own ${own}`].filter(Boolean).join(', ')
  }

  /** What fits into `room` characters: without its path first, then without its end; the value after it if there is room. */
  label(box: number, room: number): string {
    if (room < 3) return ''
    const sign = this.isChange ? signOf(changeOf(this.boxes, box)) : ''
    const name = sign + this.title(box)
    if (name.length + 2 < room) {
      const value = this.value(box)
      return name.length + value.length + 2 <= room ? `${name}  ${value}` : name
    }
    const short = name.length > room ? sign + withoutPath(this.title(box)) : name
    return short.length <= room ? short : `${short.slice(0, room - 1)}…`
  }
}

const signOf = (change: number) => (change > 0 ? '+ ' : change < 0 ? '− ' : '')

// Arguments and type parameters may hold paths as well.
function withoutPath(name: string): string {
  const begin = name.search(/[[(<]/)
  return name.slice(name.lastIndexOf('/', begin < 0 ? undefined : begin) + 1)
}
