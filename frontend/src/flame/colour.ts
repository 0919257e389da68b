/** Colours of boxes: by package (a hue of its own in every pane), by change, or by area of code. */
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'

export type Colour = 'package' | 'change' | 'area'
export type Area = 'own' | 'library' | 'runtime'

/** What the style sheet says (flame.css): colours, and lightness and saturation for colours made here. */
export interface Palette {
  ink: string
  page: string
  match: string
  /** Runs of narrow boxes, and boxes without a package. */
  plain: string
  focus: string
  saturation: string
  lightness: string
  changeSaturation: string
  /** Lightness in per cent of what changed not at all, and of what changed altogether. */
  pale: number
  strong: number
}

const GREW = 28
const SHRANK = 212
const AREAS: Record<Area, number | null> = { own: 36, library: 262, runtime: null }
const SHADES = 16

/** The colour of a box. A function of the frame is worked out once for each. */
export function colouring(stacks: Stacks, boxes: Boxes, colour: Colour, palette: Palette): (box: number) => string {
  if (colour === 'change' && (stacks.before || stacks.signed)) return byChange(boxes, palette)
  const { packages, names, files } = stacks
  const known: (string | undefined)[] = []
  const hues = new Map<string, number>()
  const hue = (name: string) => hues.get(name) ?? hues.set(name, hueOf(name)).get(name)!
  const ofHue = (hue: number | null) => (hue === null ? palette.plain : `hsl(${hue} ${palette.saturation} ${palette.lightness})`)
  const ofFrame = (frame: number) =>
    colour === 'area'
      ? ofHue(AREAS[areaOf(names[frame]!, files[frame]!, packages[frame]!)])
      : ofHue(packages[frame] ? hue(packages[frame]!) : null)
  return (box) => {
    const frame = boxes.frame[box]!
    return frame < 0 ? palette.plain : (known[frame] ??= ofFrame(frame))
  }
}

/** What a box has more (or less) than before; of values that are changes already, these. */
export function changeOf({ total, totalBefore }: Boxes, box: number): number {
  return total[box]! - (totalBefore ? totalBefore[box]! : 0)
}

// Orange grew and blue shrank, palest where gains and losses cancel out.
function byChange(boxes: Boxes, { changeSaturation, pale, strong }: Palette): (box: number) => string {
  const shades = [SHRANK, GREW].map((hue) =>
    Array.from({ length: SHADES + 1 }, (_, at) => `hsl(${hue} ${changeSaturation} ${pale + ((strong - pale) * at) / SHADES}%)`),
  )
  return (box) => {
    const change = changeOf(boxes, box)
    const strength = Math.min(1, Math.abs(change) / (boxes.width[box]! || 1))
    return shades[change > 0 ? 1 : 0]![Math.round(strength * SHADES)]!
  }
}

/** The hue of a package in degrees, the same as in every other picture (caulk/views/flame.py: CRC-32 modulo 360). */
export function hueOf(name: string): number {
  let sum = -1
  for (const byte of new TextEncoder().encode(name)) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ((sum ^ -1) >>> 0) % 360
}

const RUNTIME_FILE =
  /\/(usr\/local|usr\/lib|opt|sdk)\/go[^/]*\/src\/|\/libexec\/src\/|^node:|^<frozen|\/lib\/python[\d.]+\/(?!.*(site|dist)-packages)|^\/usr\/(include|lib)\/|\/(glibc|libc|jemalloc|tcmalloc)[^/]*\//
const RUNTIME_NAME = /^(runtime|syscall|reflect|java|javax|jdk|sun|kotlin|scala|std|__gnu_cxx|core|alloc)(\.|::|\/|$)/
const LIBRARY_FILE = /(site|dist)-packages\/|node_modules\/|\/pkg\/mod\/|(^|\/)vendor\/|\/\.(m2|cargo|gradle)\/|(^|\/)(external|third_party)\//

/** Whose code a frame is, as far as its file and package tell: what is neither the runtime's nor a library's is own. */
export function areaOf(name: string, file: string, packageName: string): Area {
  if (LIBRARY_FILE.test(file)) return 'library'
  return RUNTIME_FILE.test(file) || RUNTIME_NAME.test(packageName || name) ? 'runtime' : 'own'
}
