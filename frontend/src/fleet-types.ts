// The shapes of what the API says of the fleet: workloads, incidents, captures, rules.
import type { Finding, Job, State } from './api-types'

export interface LastDump {
  id: string
  taken_at: string | null
  suspect: string | null
}

/** A workload: what runs the same code, and is judged together. */
export interface FleetRow {
  key: string
  name: string
  runtime: string
  place: string
  namespace: string
  owner: string
  node?: string
  state: State
  why: string
  evidence: string[]
  replicas: number
  memory_bytes: number
  limit_bytes: number | null
  /** Of its limit, that of the fullest replica. */
  share: number | null
  growth_bytes_per_hour: number | null
  growth_interval: [number, number] | null
  time_to_limit_s: number | null
  since: string | null
  since_event: string | null
  read_at: string | null
  last_dump: LastDump | null
  is_capturable: boolean
}

export interface Alert {
  incident: string
  rule: string
  /** Its key. */
  workload: string
  name: string
  opened_at: string
  why: string
}

export interface Disk {
  used_bytes: number
  free_bytes: number
  /** What may be kept, where somebody said so. */
  quota_bytes: number | null
  count: number
}

export interface Fleet {
  at: string
  is_live: boolean
  rows: FleetRow[]
  alerts: Alert[]
  captures: Job[]
  disk: Disk
  sources: { name: string; is_well: boolean; why: string }[]
}

export interface Spark {
  begin: number | string
  step_s: number
  values: (number | null)[]
  floor: (number | null)[]
}

export interface Replica {
  name: string
  target: string | null
  memory_bytes: number
  limit_bytes: number | null
  read_at: string | null
}

export interface TargetEvent {
  at: string
  what: 'deploy' | 'restart' | 'oom' | 'limit'
  replica: string
  limit: number
}

export interface Judgement {
  name: string
  state: State
  why: string
  kind: string | null
  growth_bytes_per_hour: number | null
  growth_interval: [number, number] | null
  since: string | null
  since_event: string | null
  first_said: string | null
  time_to_limit_s: number | null
  recommended_limit_bytes: number | null
  confidence: number
  evidence: string[]
}

export interface TargetDump {
  id: string
  taken_at: string | null
  size_bytes: number
  format: string
  state: 'complete' | 'partial'
  method: string
  suspect: string | null
}

export interface TargetIncident {
  id: string
  opened_at: string
  closed_at: string | null
  rule: string
  what: string
}

export interface TargetAnswer {
  row: FleetRow
  judgement: Judgement | null
  replicas: Replica[]
  events: TargetEvent[]
  judgements: { at: string; state: State; why: string }[]
  dumps: TargetDump[]
  incidents: TargetIncident[]
}

export type Line = (number | null)[]

export interface ReplicaMemory {
  name: string
  /** Seconds since 1970. */
  times: number[]
  rss: Line
  anonymous: Line
  file: Line
  shared: Line
  heap: Line
}

export interface Forecast {
  /** Whose memory it goes on from. */
  replica?: string
  from: number
  bytes: number
  low_per_s: number
  high_per_s: number
}

export interface MemoryAnswer {
  replicas: ReplicaMemory[]
  limit: number | null
  forecast: Forecast | null
  /** Replicas that are not shown, as there are too many. */
  left_out?: number
}

export interface Kinds {
  target: string
  replica?: string
  slices: { part: string; size: number; what: string }[]
  used: number
  limit: number | null
  peak: number
  kills: number
  notes: string[]
  advice: { limit: number | null; sentences: string[]; contradictions: string[] }
}

export interface ComparedRange {
  begin: string
  end: string
  readings: number
  mean_bytes: number | null
  floor_bytes: number | null
  most_bytes: number | null
  growth_bytes_per_hour: number | null
  growth_interval: [number, number] | null
  parts: Record<string, number | null>
  dump: { id: string; taken_at: string } | null
}

export interface Compared {
  a: ComparedRange
  b: ComparedRange
}

export interface Offer {
  as: string
  method: string
  evidence: string
  standing: 'ready' | 'needs' | 'unsafe' | 'impossible' | 'refused'
  pause_s: number | null
  extra_bytes: number | null
  disk_bytes: number | null
  size_bytes: number | null
  why: string
  fix: string
  obstacles: string[]
  is_open: boolean
}

export interface Plan {
  target: string
  replica: string
  notes: string[]
  fixes: string[]
  chosen: string | null
  offers: Offer[]
  headroom_bytes: number | null
  budget?: { left: number; of: number; window_s: number } | null
}

export interface Workload {
  key: string
  name: string
  runtime: string
}

export interface IncidentRow {
  id: string
  opened_at: string
  closed_at: string | null
  state: 'open' | 'closed'
  rule: string
  workload: Workload
  what: string
  captures: number
  fingerprint: string
}

export interface Moment {
  at: string
  what: string
  text: string
  capture?: string
  details?: string
}

export interface Incident {
  id: string
  rule: string
  why: string
  headline?: string
  workload: Workload
  replica: string
  target: { reference?: string; place?: string; name?: string } | null
  opened_at: string
  closed_at: string | null
  memory_bytes: number | null
  limit_bytes: number | null
  judgement: Judgement | null
  /** As it was last told to the incident. */
  later: Judgement | null
  /** As it is now, where the workload is watched. */
  now?: Judgement | null
  alert: { name: string; labels: Record<string, string>; annotations: Record<string, string>; is_resolved: boolean } | null
  dump: string | null
  captures: string[]
  verdict: { state: State; sentence: string; confidence: number; reasons: string[] } | null
  findings: Finding[]
  fingerprint: string
  timeline: Moment[]
  similar: IncidentRow[]
}

export interface Rule {
  name: string
  enabled: boolean
  is_default: boolean
  when: string
  whom: string
  does: string[]
  limits: string
}

export interface RuleTest {
  rule: string
  days: number
  begin: string
  end: string
  workloads: number
  firings: { at: string; until?: string | null; workload: { key: string; name: string }; why: string; really?: string }[]
  notes: string[]
}

export interface CaptureRow {
  id: string
  workload: { key: string; name: string } | null
  target: string
  taken_at: string | null
  size_bytes: number
  packed_bytes: number | null
  format: string
  evidence: string
  method: string
  complete: boolean
  incident: string | null
  suspect?: string | null
  is_open: boolean
}

export interface Found {
  kind: 'target' | 'dump' | 'type' | 'frame' | 'incident'
  title: string
  detail: string
  href: string
}
