// A name that tells more at its end than at its beginning: `java.util.concurrent.ConcurrentHashMap$Node`.
import type { JSX } from 'preact'
import { visible } from '../../format'
import './name.css'

/** Where there is too little room the beginning goes. */
export function Name({ text }: { text: string }): JSX.Element {
  return (
    <span class="tail" title={visible(text, 2000)}>
      <bdi dir="ltr">{visible(text)}</bdi>
    </span>
  )
}
