// A button that copies text, and says that it did.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import './copy.css'

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }): JSX.Element {
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (!said) return
    const timer = setTimeout(() => setSaid(''), 1500)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () => written(text).then((isDone) => setSaid(isDone ? 'Copied' : 'Press Ctrl+C'))
  return (
    <button type="button" class="copy" onClick={copy} aria-label={said || `${label}: ${text.slice(0, 80)}`}>
      <span role="status">{said || label}</span>
    </button>
  )
}

// Without a secure context (plain HTTP to another host) there is no clipboard; the old way still works there.
async function written(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    const isDone = document.execCommand('copy')
    area.remove()
    return isDone
  }
}
