// Taking a capture: first what it would cost and what speaks against it, then the job that takes it.
import { useEffect, useState } from 'preact/hooks'
import { address, ask, Problem, send } from '../../api'
import type { Job } from '../../api-types'
import type { Offer, Plan } from '../../fleet-types'
import { formatBytes, formatDuration } from '../../format'
import { jobs, remember } from '../../live'
import { useAnswer } from '../../loading'
import { Copy } from '../../parts/copy'
import { Dialog } from '../../parts/dialog'
import { Failure } from '../../parts/error'
import { Progress } from '../../parts/progress'
import { href } from '../../route'
import './capture.css'

export interface Capturable {
  key: string
  name: string
}

/** Shown while `of` is somebody. */
export function CaptureDialog({ of, onClose }: { of: Capturable | null; onClose: () => void }) {
  return (
    <Dialog title={of ? `Capture ${of.name}` : ''} isOpen={of !== null} onClose={onClose} isWide>
      {of && <Asking key={of.key} of={of} onClose={onClose} />}
    </Dialog>
  )
}

function Asking({ of, onClose }: { of: Capturable; onClose: () => void }) {
  const at = `/api/t/${encodeURIComponent(of.key)}`
  const plan = useAnswer(of.key, (signal) => ask<Plan>(address(`${at}/plan`), { signal }))
  const [chosen, choose] = useState(-1)
  const [typed, type] = useState('')
  const [job, begin] = useState<Job | null>(null)
  const [problem, fail] = useState<Problem | null>(null)
  const [isSending, sends] = useState(false)
  const found = plan.value
  useEffect(() => {
    const open = found?.offers.findIndex((offer) => offer.is_open && offer.as === found.chosen) ?? -1
    choose(open >= 0 ? open : (found?.offers.findIndex((offer) => offer.standing === 'refused') ?? -1))
  }, [found])
  if (job) return <Under job={job} onClose={onClose} />
  if (plan.problem) return <Failure what={plan.problem.what} hint={plan.problem.hint} onRetry={plan.again} />
  if (!found) return <p class="muted">Asking what it would cost; nothing is done to the program yet…</p>
  const offer = found.offers[chosen]
  const isForced = offer !== undefined && !offer.is_open
  const mayTake = offer && (offer.is_open || (isForcible(offer) && typed === of.name))
  const take = async (): Promise<void> => {
    sends(true)
    fail(null)
    try {
      const begun = await send<Job>('POST', `${at}/captures`, { as: offer?.method || offer?.as, force: isForced })
      remember(begun)
      begin(begun)
    } catch (error) {
      fail(error instanceof Problem ? error : new Problem(String(error)))
      sends(false)
    }
  }
  return (
    <div class="capture">
      <Guard plan={found} />
      {found.offers.length === 0 && <p>There is no way to take anything from it.</p>}
      <ul class="capture-offers" role="radiogroup" aria-label="What to take">
        {shelved(found.offers).map(({ offer: one, at, names }) => (
          <OfferRow key={`${one.as} ${at}`} offer={one} names={names} isChosen={at === chosen} choose={() => choose(at)} />
        ))}
      </ul>
      {found.fixes.map((fix) => (
        <details key={fix} open={!found.offers.some((one) => one.is_open)}>
          <summary>What would make more possible {fix.split('\n')[0]}</summary>
          <pre>{fix.split('\n').slice(1).join('\n')}</pre>
          <Copy text={fix.split('\n').slice(1).join('\n')} />
        </details>
      ))}
      {offer && isForcible(offer) && (
        <label class="capture-force">
          <span>
            {offer.standing === 'unsafe' ? 'This may harm the program.' : 'A guard refuses this, as it may harm the program.'} To take it all the same, type <b>{of.name}</b>:
          </span>
          <input value={typed} autocomplete="off" spellcheck={false} onInput={(event) => type(event.currentTarget.value)} />
        </label>
      )}
      {problem && <Failure what={problem.what} hint={problem.hint} />}
      <footer class="capture-actions">
        <button type="button" onClick={onClose}>
          Leave it
        </button>
        <button type="button" class={isForced ? 'danger' : 'primary'} disabled={!mayTake || isSending} onClick={() => void take()}>
          {offer ? `${isForced ? 'Force' : 'Take'} ${offer.as}` : 'Take'}
        </button>
      </footer>
    </div>
  )
}

/** What a capture may cost here: room below the limit, how many are left. */
export function Guard({ plan }: { plan: Plan }) {
  return (
    <ul class="capture-guard">
      {plan.notes.map((note) => <li key={note}>{note}</li>)}
      {plan.headroom_bytes !== null && <li>Memory left for it: <b>{formatBytes(plan.headroom_bytes)}</b></li>}
      {plan.budget && (
        <li>
          Captures left: <b>{plan.budget.left}</b> of {plan.budget.of} in {formatDuration(plan.budget.window_s)}
        </li>
      )}
      {plan.replica && !/^\d+$/.test(plan.replica) && <li>Of {plan.replica}, the replica that holds most</li>}
    </ul>
  )
} // prettier-ignore

/** Whether it would work, but something speaks against it that a person may take upon themselves. */
const isForcible = (offer: Offer): boolean => !offer.is_open && (offer.standing === 'refused' || offer.standing === 'unsafe')

const GLYPH = { ready: '✓', needs: '○', unsafe: '▲', impossible: '–', refused: '▲' } as const
const WORD = { ready: 'ready', needs: 'needs something first', unsafe: 'unsafe', impossible: 'impossible', refused: 'a guard refuses' } as const

interface Shelved {
  offer: Offer
  at: number
  names: string[]
}

/** A row an offer; those that cannot be had for one and the same reason are one row. */
function shelved(offers: readonly Offer[]): Shelved[] {
  const rows: Shelved[] = []
  offers.forEach((offer, at) => {
    const isAble = offer.is_open || isForcible(offer)
    const same = rows.find(({ offer: one }) => !isAble && one.standing === offer.standing && one.why === offer.why)
    if (same) same.names.push(offer.as)
    else rows.push({ offer, at, names: [offer.as] })
  })
  return rows
}

function OfferRow({ offer, names, isChosen, choose }: { offer: Offer; names: string[]; isChosen: boolean; choose: () => void }) {
  const isAble = offer.is_open || isForcible(offer)
  return (
    <li class={`capture-offer capture-${offer.is_open ? 'ready' : offer.standing}`}>
      <label>
        <input type="radio" name="as" checked={isChosen} disabled={!isAble} onChange={choose} />
        <span>
          <b>{[...new Set(names)].join(', ')}</b> {names.length === 1 && <span class="muted">{offer.method}</span>}
        </span>
        <span class="capture-standing">
          {GLYPH[offer.is_open ? 'ready' : offer.standing]} {WORD[offer.is_open ? 'ready' : offer.standing]}
        </span>
        <span class="capture-cost">{isAble && costs(offer)}</span>
        {(offer.obstacles.length > 0 || !offer.is_open) && <span class="capture-why">{offer.obstacles.join('; ') || offer.why}</span>}
      </label>
    </li>
  )
}

/** What an offer costs, in words; what costs nothing that one would notice says so. */
export function costs(offer: Pick<Offer, 'pause_s' | 'extra_bytes' | 'disk_bytes'>): string {
  const parts = [
    offer.pause_s ? `stops it for about ${formatDuration(offer.pause_s)}` : '',
    offer.extra_bytes ? `takes up to ${formatBytes(offer.extra_bytes)} of its memory` : '',
    offer.disk_bytes ? `writes about ${formatBytes(offer.disk_bytes)}` : '',
  ].filter(Boolean)
  return parts.join(', ') || 'costs next to nothing'
}

function Under({ job, onClose }: { job: Job; onClose: () => void }) {
  const now = jobs.value.find((one) => one.id === job.id) ?? job
  const dump = now.result?.['id']
  return (
    <div class="capture">
      <Progress job={now} onCancel={() => void send('POST', `/api/jobs/${job.id}/cancel`).catch(() => {})} />
      {now.log.length > 0 && <pre class="capture-log">{now.log.slice(-8).join('\n')}</pre>}
      <footer class="capture-actions">
        <button type="button" onClick={onClose}>
          {now.state === 'running' || now.state === 'waiting' ? 'Go on meanwhile' : 'Close'}
        </button>
        {typeof dump === 'string' && (
          <a class="button primary" href={href(`/d/${dump}`)} onClick={onClose}>
            Open the dump
          </a>
        )}
      </footer>
    </div>
  )
}
