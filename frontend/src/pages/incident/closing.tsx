// Closing an incident by hand, with the reason.
import { useState } from 'preact/hooks'
import { Problem, send } from '../../api'
import type { Incident } from '../../fleet-types'
import { Dialog } from '../../parts/dialog'
import { Failure } from '../../parts/error'

export function Closing({ incident, isOpen, end, again }: { incident: Incident; isOpen: boolean; end: () => void; again: () => void }) {
  const [note, write] = useState('')
  const [problem, fail] = useState<Problem | null>(null)
  const close = (): void => {
    send('POST', `/api/i/${encodeURIComponent(incident.id)}/close`, { note: note.trim() }).then(
      () => {
        end()
        again()
      },
      (error: unknown) => fail(error as Problem),
    )
  }
  return (
    <Dialog
      title="Close the incident"
      isOpen={isOpen}
      onClose={end}
      actions={
        <>
          <button type="button" onClick={end}>
            Leave it open
          </button>
          <button type="button" class="primary" onClick={close}>
            Close it
          </button>
        </>
      }
    >
      <label class="incident-note">
        Why it is over
        <textarea rows={3} value={note} onInput={(event) => write(event.currentTarget.value)} placeholder="Fixed by…, known, no leak" />
      </label>
      {problem && <Failure what={problem.what} hint={problem.hint} />}
    </Dialog>
  )
}
