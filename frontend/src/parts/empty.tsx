// What stands where there is nothing yet: a sentence, and the commands that change it.

import type { ComponentChildren, JSX } from 'preact'
import { Copy } from './copy'
import './empty.css'

export interface EmptyProps {
  title: string
  children?: ComponentChildren
  commands?: readonly { what: string; command: string }[]
}

export function Empty({ title, children, commands = [] }: EmptyProps): JSX.Element {
  return (
    <section class="empty" aria-label={title}>
      <h2>{title}</h2>
      {children && <div class="empty-text">{children}</div>}
      {commands.length > 0 && (
        <ul class="empty-commands">
          {commands.map(({ what, command }) => (
            <li key={command}>
              <span class="empty-what">{what}</span>
              <span class="empty-command">
                <code tabIndex={0}>{command}</code>
                <Copy text={command} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
