// The shapes of the API's answers; the server's OpenAPI document is their source.
export interface Failure {
  what: string
  hint: string
}

export interface Job {
  id: string
  kind: 'analysis' | 'capture' | 'upload' | 'rule'
  title: string
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  progress: number
  step: string
  eta_s: number | null
  began_at: string | null
  ended_at: string | null
  log: string[]
  what: string
  hint: string
  result: Record<string, unknown> | null
}

export interface Session {
  version: string
  user: string
  roles: string[]
  is_live: boolean
  begins_at: string
}

export type State = 'steady' | 'warming' | 'suspect' | 'leaking' | 'undersized' | 'unknown'
export type Kind = 'text' | 'bytes' | 'count' | 'nanoseconds' | 'share' | 'number'

export interface Heading {
  key: string
  title: string
  kind: Kind
  signed: boolean
}

export interface TableAnswer {
  schema: 'caulk.table/1'
  report: string
  headings: Heading[]
  notes: string[]
  rows: Record<string, unknown>[]
  [extra: string]: unknown
}

export interface DumpRow {
  id: string
  name: string
  origin: 'file' | 'capture' | 'upload'
  format: string
  runtime: string
  size_bytes: number
  taken_at: string | null
  target: string
  is_open: boolean
}

export interface Tab {
  name: string
  title: string
  is_available: boolean
  why: string
}

export interface DumpPage {
  ids: string[]
  dumps: {
    id: string
    name: string
    format: string
    runtime: string
    kind: string
    size_bytes: number
    taken_at: string | null
    coverage: number
    mode: string | null
    warnings: string[]
  }[]
  totals: { measure: string; unit: string; value: number }[]
  measures: { name: string; unit: string; is_default: boolean }[]
  tabs: Tab[]
  previous: string | null
  next: string | null
  siblings: { id: string; taken_at: string | null; size_bytes: number }[]
  /** Of a report in one file: what it has not, and whether it has the memory of the run. */
  notes?: string[]
  has_memory?: boolean
}

/** Memory of the run that dumps are of; times in seconds since 1970. */
export interface RunAnswer {
  schema: 'caulk.run/1'
  name: string
  times: number[]
  rss: (number | null)[]
  heap: (number | null)[]
  captures: number[]
}

export interface StackFrame {
  function: string
  file: string
  line: number
}

export interface Finding {
  rank: number
  pattern: string
  title: string
  bytes: number
  bytes_error: number
  share: number
  count: number | null
  growth_bytes: number | null
  growth_bytes_per_hour: number | null
  growth_count: number | null
  growth_share: number | null
  shape: string
  holder: string | null
  allocator: string | null
  type: string | null
  path: string[]
  stack: StackFrame[]
  location: string | null
  confidence: number
  evidence: string[]
  fingerprint: string
  series: number[]
  unit: string
}

export interface Analysis {
  schema: 'caulk.analysis/1'
  inputs: {
    path: string
    format: string
    runtime: string
    taken_at: string | null
    size_bytes: number
    coverage: number
    warnings: string[]
    kind: string
    mode: string | null
  }[]
  totals: { measure: string; unit: string; value: number }[]
  verdict: { state: State; sentence: string; confidence: number; reasons: string[] }
  findings: Finding[]
  smallest_growth_bytes: number | null
  notes: string[]
}

export interface Related {
  name: string
  value: number
  share: number
  label: string
  /** Of a difference, where `value` is what changed: what there is now. */
  now?: number | null
}

export interface Selection {
  kind: 'frame' | 'type'
  name: string
  location: string
  package: string
  unit: string
  own: number
  total: number
  share: number
  count: number | null
  growth: { bytes: number; per_hour: number | null; count: number | null } | null
  series: { id: string; taken_at: string | null; own: number; total: number; count: number | null }[]
  above: Related[]
  below: Related[]
  above_title: string
  below_title: string
  matched: number
}

/** The heaviest functions or types, and what one has through the other; numbers of edges are places in `nodes`. */
export interface GraphAnswer {
  schema: 'caulk.graph/1'
  measure: string
  unit: string
  total: number
  signed: boolean
  notes: string[]
  nodes: { name: string; location: string; package: string; own: number; total: number }[]
  /** Of a residual edge what is not shown lies between. */
  edges: { from: number; to: number; value: number; is_residual: boolean }[]
}
