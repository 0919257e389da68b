// Numbers and text for people, written as caulk.model.units and caulk.views.markup write them.
// test/units.json holds what those say, and tests on both sides compare with it.

const BYTES: [string, number][] = [['GB', 2 ** 30], ['MB', 2 ** 20], ['kB', 2 ** 10]]
const NANOSECONDS: [string, number][] = [['hrs', 3600e9], ['mins', 60e9], ['s', 1e9], ['ms', 1e6], ['us', 1e3]]

/** How a cell is written: the kinds of `caulk.table/1`. */
export type Kind = 'text' | 'bytes' | 'count' | 'nanoseconds' | 'share' | 'number'

/** `value` of `unit` (bytes, nanoseconds, count, …) with three significant digits; `signed` writes a plus too. */
export function formatValue(value: number, unit: string, signed = false): string {
  const sign = value < 0 ? '-' : signed && value > 0 ? '+' : ''
  const size = Math.abs(value)
  const scale = unit === 'bytes' ? BYTES : unit === 'nanoseconds' ? NANOSECONDS : null
  if (!scale) return sign + grouped(fixed(size, 0))
  for (const [name, factor] of scale) if (size >= factor) return `${sign}${threeDigits(size / factor)} ${name}`
  return `${sign}${fixed(size, 0)} ${unit === 'bytes' ? 'B' : 'ns'}`
}

/** Bytes: 1 kB is 1024. */
export const formatBytes = (bytes: number, signed = false): string => formatValue(bytes, 'bytes', signed)

/** A count with its thousands apart. */
export const formatCount = (count: number, signed = false): string => formatValue(count, 'count', signed)

/** A change of bytes an hour, with its sign. */
export const formatRate = (bytesPerHour: number): string => `${formatBytes(bytesPerHour, true)}/h`

/** A share of 1 as a percentage: 0.573 is `57 %`; below ten per cent with one decimal. */
export function formatShare(share: number, signed = false): string {
  const percent = share * 100
  const sign = signed && share > 0 ? '+' : ''
  if (percent && Math.abs(percent) < 0.1) return `${sign}<0.1 %`
  return `${sign}${fixed(percent, Math.abs(percent) >= 9.95 ? 0 : 1)} %`
}

/** A span of time, given in seconds, in its largest units. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${fixed(seconds * 1000, 0)} ms`
  if (seconds < 120) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

/** How long ago `at` was (ISO 8601 or milliseconds since 1970); what lies ahead is `in …`. */
export function formatAgo(at: string | number, now: number = Date.now()): string {
  const seconds = (now - Number(new Date(at))) / 1000
  return seconds < -1 ? `in ${formatDuration(-seconds)}` : `${formatDuration(Math.max(seconds, 1))} ago`
}

/** A moment in the reader's own time: `2026-11-20 16:40`, with seconds where asked for. */
export function formatTime(at: string | number, withSeconds = false): string {
  const date = new Date(at)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`
  return `${day} ${clock}${withSeconds ? `:${two(date.getSeconds())}` : ''}`
}

/** A cell of a table; nothing where there is no value. */
export function formatCell(value: unknown, kind: Kind, signed = false): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') {
    if (kind === 'share') return formatShare(value, signed)
    if (kind === 'bytes' || kind === 'count' || kind === 'nanoseconds') return formatValue(value, kind, signed)
  }
  return visible(String(value))
}

/** The bytes of a size as people write it (`2G`, `512 MiB`, `1.5gb`, `4096`), or null where it is none. */
export function parseBytes(text: string): number | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])?i?b?)\s*$/i.exec(text)
  if (!found) return null
  return Math.trunc(Number(found[1]) * 1024 ** ' kmgt'.indexOf((found[2] ?? ' ').toLowerCase()))
}

// Controls, zero-width characters, bidirectional overrides and lone surrogates: a name must look like what it is.
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu

/** Text from a dump as one line of visible characters, its middle left out beyond `limit` of them. */
export function visible(text: string, limit = 500): string {
  let shown = text
  if (text.length > limit) {
    const characters = [...text]
    const tail = Math.floor(limit / 3)
    if (characters.length > limit)
      shown = `${characters.slice(0, limit - tail - 1).join('')}…${characters.slice(-tail).join('')}`
  }
  return shown
    .replace(/[\t\n\r]+/g, ' ')
    .replace(INVISIBLE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function threeDigits(value: number): string {
  if (value >= 99.95) return grouped(fixed(value, 0))
  return fixed(value, value >= 9.995 ? 1 : 2)
}

// toFixed rounds a tie up, Python to the even digit; what is exactly half way is a multiple of 1 / 2^(digits + 1).
function fixed(value: number, digits: number): string {
  const halves = Math.abs(value) * 2 ** (digits + 1)
  if (value && Number.isInteger(halves) && halves % 2) {
    const below = Math.floor(Math.abs(value) * 10 ** digits)
    const even = below % 2 ? below + 1 : below
    return (value < 0 ? '-' : '') + (even / 10 ** digits).toFixed(digits)
  }
  return Math.abs(value) < 1e21 ? value.toFixed(digits) : String(BigInt(value))
}

const grouped = (number: string): string => number.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
