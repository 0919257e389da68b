// The only place that asks for anything: the server, or the island of answers in a one-file report.
import { signal } from '@preact/signals'
import { decode, type Stacks } from './stacks'
import type { Failure, Job } from './api-types'

/** What went wrong, in a sentence, and what to do. */
export class Problem extends Error {
  constructor(
    readonly what: string,
    readonly hint = '',
    readonly status = 0,
  ) {
    super(what)
  }
}

interface Kept {
  type: string
  body: Uint8Array
}

let island: Map<string, Kept> | null = null

/** Whether the page is a file that holds its answers. */
export const hasIsland = (): boolean => island !== null

/** Unpacks the answers of a one-file report; does nothing on a server. */
export async function unpackIsland(): Promise<void> {
  const text = document.getElementById('island')?.textContent?.trim()
  if (!text) return
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  const data = new Uint8Array(await new Response(stream).arrayBuffer())
  const length = new DataView(data.buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)))
  island = new Map()
  for (const entry of header.entries) {
    const at = 4 + length + entry.at
    island.set(entry.path, { type: entry.type, body: data.slice(at, at + entry.length) })
  }
}

/** A path of the API with its parameters; those that say nothing are left out, the rest is in order. */
export function address(at: string, parameters: Record<string, unknown> = {}): string {
  const said = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const text = new URLSearchParams(said.map(([name, value]) => [name, String(value === true ? 1 : value)])).toString()
  return text ? `${at}?${text}` : at
}

async function raw(at: string, options: RequestInit = {}): Promise<{ type: string; body: ArrayBuffer; status: number }> {
  if (island) {
    const kept = island.get(at)
    if (!kept) throw new Problem('This report is one file, and has no answer to that.', '`caulk serve FILE` answers everything.')
    return { type: kept.type, body: kept.body.slice().buffer, status: 200 }
  }
  let answer: Response
  try {
    answer = await fetch(at, { credentials: 'same-origin', ...options })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Problem('caulk does not answer any more.', 'Look whether `caulk serve` still runs, then try again.')
  }
  const type = answer.headers.get('content-type') ?? ''
  if (answer.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`)
  }
  if (!answer.ok) throw await problem(answer, type)
  return { type, body: await answer.arrayBuffer(), status: answer.status }
}

async function problem(answer: Response, type: string): Promise<Problem> {
  if (!type.includes('json')) return new Problem(`The server answered ${answer.status} ${answer.statusText}.`, '', answer.status)
  const said = (await answer.json()) as Failure
  return new Problem(said.what ?? `The server answered ${answer.status}.`, said.hint ?? '', answer.status)
}

const parsed = (body: ArrayBuffer): unknown => JSON.parse(new TextDecoder().decode(body))

/** A JSON answer. One that is still being computed (202) is waited for, and `onJob` hears how far it is. */
export async function ask<T>(at: string, { signal, onJob }: { signal?: AbortSignal; onJob?: (job: Job) => void } = {}): Promise<T> {
  for (;;) {
    const answer = await raw(at, { signal })
    const found = parsed(answer.body)
    if (answer.status !== 202) return found as T
    await settled(found as Job, signal, onJob)
  }
}

/** Stacks, as columns. */
export async function askStacks(at: string, options: { signal?: AbortSignal; onJob?: (job: Job) => void } = {}): Promise<Stacks> {
  for (;;) {
    const answer = await raw(at, { signal: options.signal })
    if (answer.status !== 202) {
      // From here on it is the page's own time, which `bench/web` measures.
      performance.mark('caulk-stacks')
      return decode(answer.body)
    }
    await settled(parsed(answer.body) as Job, options.signal, options.onJob)
  }
}

/** Changes something: the header tells the server that it was this page that asked. */
export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', at: string, body: unknown = {}): Promise<T> {
  const answer = await raw(at, {
    method,
    headers: { 'X-Caulk': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  return parsed(answer.body) as T
}

/** Uploads a file as it is; `onProgress` hears the share that is there. */
export function upload(file: File, onProgress: (share: number) => void): Promise<{ id: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', address('/api/uploads', { name: file.name }))
    request.setRequestHeader('X-Caulk', '1')
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0)
    request.onerror = () => reject(new Problem('The upload was cut off.', 'Try again.'))
    request.onload = () => {
      const said = JSON.parse(request.responseText || '{}')
      if (request.status < 300) resolve(said as { id: string })
      else reject(new Problem(said.what ?? `The server answered ${request.status}.`, said.hint ?? '', request.status))
    }
    request.send(file)
  })
}

/** Waits until a job is over; throws what it failed with. */
export async function settled(job: Job, signal?: AbortSignal, onJob: (job: Job) => void = () => {}): Promise<Job> {
  let pause = 50
  for (;;) {
    onJob(job)
    if (job.state === 'failed') throw new Problem(job.what, job.hint)
    if (job.state === 'cancelled') throw new Problem('This was cancelled.')
    if (job.state === 'done') return job
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(pause * 1.5, 500)
    if (signal?.aborted) throw new DOMException('no longer wanted', 'AbortError')
    job = parsed((await raw(`/api/jobs/${job.id}`, { signal })).body) as Job
  }
}

export type Happening = 'job' | 'fleet' | 'incident' | 'capture'

/** Hears what happens, while the page is open; what is cut off is connected again. */
export function hear(event: Happening, then: (record: unknown) => void): () => void {
  if (island) return () => {}
  const listener = (message: MessageEvent): void => then(JSON.parse(message.data as string))
  const one = { event, listener }
  heard.add(one)
  stream ??= listening()
  stream.addEventListener(event, listener)
  return () => {
    heard.delete(one)
    stream?.removeEventListener(event, listener)
  }
}

/** Whether the server is heard now; null before anybody listens. */
export const connection = signal<boolean | null>(null)

const heard = new Set<{ event: Happening; listener: (message: MessageEvent) => void }>()
let stream: EventSource | null = null
const AGAIN_MS = 5000

function listening(): EventSource {
  const source = new EventSource('/api/events')
  for (const { event, listener } of heard) source.addEventListener(event, listener)
  source.onopen = () => (connection.value = true)
  source.onerror = () => {
    connection.value = false
    // The browser tries again by itself, unless it was answered with an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => (stream = listening()), AGAIN_MS)
  }
  return source
}
