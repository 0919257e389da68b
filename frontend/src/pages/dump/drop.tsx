// Files dropped anywhere on the page are uploaded and opened: one as a dump, several as what grew between them.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { hasIsland, Problem, upload } from '../../api'
import { formatBytes, visible } from '../../format'
import { Failure } from '../../parts/error'
import { Progress } from '../../parts/progress'
import { go } from '../../route'
import './drop.css'

interface Going {
  name: string
  size: number
  share: number
}

/** Listens on the whole page; shows the upload while it goes on. */
export function DropAnywhere(): JSX.Element | null {
  const [isOver, over] = useState(false)
  const { going, problem, begin, dismiss } = useUpload()
  useEffect(() => {
    if (hasIsland()) return
    const ending = new AbortController()
    const on = (kind: 'dragenter' | 'dragover' | 'dragleave' | 'drop', then: (event: DragEvent) => void) =>
      addEventListener(kind, (event) => hasFiles(event) && then(event), { signal: ending.signal })
    on('dragover', (event) => {
      event.preventDefault()
      over(true)
    })
    on('dragleave', (event) => event.relatedTarget === null && over(false))
    on('drop', (event) => {
      event.preventDefault()
      over(false)
      begin([...(event.dataTransfer?.files ?? [])])
    })
    return () => ending.abort()
  }, [])
  if (!isOver && !going.length && !problem) return null
  return (
    <div class={isOver ? 'drop drop-over' : 'drop'} role="status">
      {isOver && <p>Drop a dump to open it; two to see what grew between them.</p>}
      {going.map((one) => (
        <Progress key={one.name} job={{ title: `Upload ${visible(one.name)}`, state: 'running', progress: one.share, step: formatBytes(one.size) }} />
      ))}
      {problem && (
        <>
          <Failure what={problem.what} hint={problem.hint} />
          <button type="button" onClick={dismiss}>Close</button>
        </>
      )}
    </div>
  )
}

/** A button that chooses files, for those who drag nothing. */
export function ChooseFiles({ label = 'Open dumps …' }: { label?: string }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const { going, problem, begin, dismiss } = useUpload()
  return (
    <div class="choose-files">
      <input ref={input} type="file" multiple hidden onChange={(event) => begin([...(event.currentTarget.files ?? [])])} />
      <button type="button" class="primary" disabled={hasIsland() || going.length > 0} onClick={() => input.current?.click()}>{label}</button>
      {going.map((one) => (
        <Progress key={one.name} job={{ title: `Upload ${visible(one.name)}`, state: 'running', progress: one.share, step: formatBytes(one.size) }} />
      ))}
      {problem && <Failure what={problem.what} hint={problem.hint} onRetry={dismiss} />}
    </div>
  )
}

function useUpload() {
  const [going, tell] = useState<Going[]>([])
  const [problem, fail] = useState<Problem | null>(null)
  const begin = (files: File[]) => {
    if (!files.length) return
    fail(null)
    tell(files.map(({ name, size }) => ({ name, size, share: 0 })))
    const one = (file: File, at: number) =>
      upload(file, (share) => tell((now) => now.map((going, i) => (i === at ? { ...going, share } : going))))
    Promise.all(files.map(one))
      .then((done) => go(`/d/${done.map(({ id }) => id).join('..')}`))
      .catch((error: unknown) => fail(error instanceof Problem ? error : new Problem(String(error))))
      .finally(() => tell([]))
  }
  return { going, problem, begin, dismiss: () => fail(null) }
}

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
