// Which time an incident is shown in.

const LEAST_S = 3600

/** The time that is shown: a third of what the incident lasts to either side, an hour at least. */
export function timeAround(opened_at: string, closed_at: string | null, now: number): { begin: number; end: number } {
  const opened = Date.parse(opened_at) / 1000
  const closed = closed_at ? Date.parse(closed_at) / 1000 : now
  const room = Math.max((closed - opened) / 3, LEAST_S)
  return { begin: Math.floor(opened - room), end: Math.ceil(Math.min(closed + room, now)) }
}
