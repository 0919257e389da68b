// A <dialog> over the page: it takes the focus, gives it back, and closes with Escape or a click beside it.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import './dialog.css'

export interface DialogProps {
  title: string
  isOpen: boolean
  onClose: () => void
  children: ComponentChildren
  /** Buttons below. */
  actions?: ComponentChildren
  isWide?: boolean
}

export function Dialog({ title, isOpen, onClose, children, actions, isWide }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    if (isOpen && !ref.current?.open) ref.current?.showModal()
    if (!isOpen && ref.current?.open) ref.current.close()
  }, [isOpen])
  return (
    <dialog ref={ref} class={isWide ? 'dialog dialog-wide' : 'dialog'} aria-labelledby={id} onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}>
      {isOpen && (
        <div class="dialog-inner">
          <header class="dialog-head">
            <h2 id={id}>{title}</h2>
            <button type="button" class="dialog-close" aria-label="Close" onClick={onClose}>✕</button>
          </header>
          <div class="dialog-body">{children}</div>
          {actions && <footer class="dialog-actions">{actions}</footer>}
        </div>
      )}
    </dialog>
  )
}
