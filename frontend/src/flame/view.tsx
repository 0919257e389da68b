/** The flame graph as a part of a page. It fills its container; switches are the page's and come as props. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Stacks } from '../stacks'
import type { Boxes } from './boxes'
import type { Colour } from './colour'
import { Labels, type Facts } from './label'
import { modelOf } from './model'
import { found, matching, type Found } from './search'
import { elementsOf, Stage } from './stage'
import type { Widths } from './tree'
import { widest } from './twin'
import './flame.css'

export type { Colour, Facts, Found, Widths }

/** What a page may ask of a flame graph that is shown. */
export interface FlameHandle {
  nextMatch(direction: 1 | -1): void
  reset(): void
  focus(): void
  png(): Promise<Blob>
  svg(): string
}

export interface FlameProps {
  stacks: Stacks
  /** Root above (icicle) or below (flame). */
  mode?: 'icicle' | 'flame'
  inverted?: boolean
  /** The name of a function: its callers above, its callees below. */
  pivot?: string
  /** Of a difference by change where nothing is said, else by package. */
  colour?: Colour
  /** Of a difference: as wide as what changed, or as the larger of both sides. */
  widths?: Widths
  /** Of a difference: show what is not there any more. */
  vanished?: boolean
  /** A regular expression. */
  search?: string
  /** As `onZoom` gave it; '' or unknown is the whole. */
  zoom?: string
  onZoom?: (zoom: string) => void
  onSelect?: (facts: Facts) => void
  onPivot?: (name: string) => void
  /** What the search found, or what is wrong with it. */
  onFound?: (found: Found | string | null) => void
  /** The graph to speak to, and null when it goes. */
  onReady?: (handle: FlameHandle | null) => void
}

const ROWS = 50
const KEYS = 'Arrow keys move between boxes, Enter zooms, Escape shows all, n and N go to matches of the search.'

export function FlameGraph(props: FlameProps) {
  const { stacks, mode = 'icicle', inverted = false, pivot = '', widths = 'change', vanished = true, zoom = '' } = props
  const { search = '', colour = stacks.before || stacks.signed ? 'change' : 'package' } = props
  const boxes = useMemo(
    () => modelOf(stacks, { inverted, pivot, widths, vanished }),
    [stacks, inverted, pivot, widths, vanished],
  )
  const labels = useMemo(() => new Labels(stacks, boxes, inverted && !pivot), [stacks, boxes])
  const matched = useMemo(() => matching(stacks, search), [stacks, search])
  const matches = typeof matched === 'string' ? null : matched
  const { root, stage } = useStage(props)
  useEffect(() => props.onFound?.(matches ? found(stacks, matches) : typeof matched === 'string' ? matched : null), [matched])
  useLayoutEffect(
    () => stage.current?.show({ stacks, boxes, labels, colour, isFlame: mode === 'flame', matches, zoom }),
    [stacks, boxes, labels, colour, mode, matches, zoom],
  )
  return (
    <div class="flame" ref={root}>
      <canvas class="flame-strip" aria-hidden="true" />
      <div class="flame-stage">
        <div class="flame-space">
          <canvas
            class="flame-canvas"
            tabIndex={0}
            role="application"
            aria-roledescription="flame graph"
            aria-label={`${stacks.measure}: ${labels.sentence(0)}. ${KEYS} A table of the widest boxes follows.`}
          />
          <div class="flame-mark" hidden />
        </div>
        {!boxes.width[0] && <p class="flame-empty">{emptiness(stacks, pivot)}</p>}
      </div>
      <div class="flame-tip" hidden role="presentation" />
      <div class="flame-live unseen" aria-live="polite" />
      <Twin boxes={boxes} labels={labels} zoom={(box) => stage.current?.zoom(box)} />
    </div>
  )
}

function useStage(props: FlameProps) {
  const root = useRef<HTMLDivElement>(null)
  const stage = useRef<Stage | null>(null)
  const latest = useRef(props)
  latest.current = props
  useLayoutEffect(() => {
    const made = new Stage(elementsOf(root.current!), {
      onZoom: (zoom) => latest.current.onZoom?.(zoom),
      onSelect: (facts) => latest.current.onSelect?.(facts),
      onPivot: (name) => latest.current.onPivot?.(name),
    })
    stage.current = made
    latest.current.onReady?.({
      nextMatch: (direction) => made.nextMatch(direction),
      reset: () => made.zoom(0),
      focus: () => made.elements.canvas.focus(),
      png: () => made.png(),
      svg: () => made.svg(),
    })
    return () => {
      latest.current.onReady?.(null)
      made.end()
    }
  }, [])
  return { root, stage }
}

function emptiness({ measure, before }: Stacks, pivot: string): string {
  if (pivot) return `“${pivot}” does not occur in what is shown. Leave the pivot (Esc) or the filter.`
  return before ? `Nothing changed in ${measure}.` : `There is no ${measure} in what is shown. Leave the filter, or take another measure.`
}

function Twin({ boxes, labels, zoom }: { boxes: Boxes; labels: Labels; zoom: (box: number) => void }) {
  const [isOpen, open] = useState(false)
  const rows = useMemo(() => (isOpen ? widest(boxes, ROWS) : []), [isOpen, boxes])
  return (
    <details class="flame-twin" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>The widest boxes as a table</summary>
      <div class="flame-rows">
        <table>
          <thead>
            <tr>
              <th scope="col">Function</th>
              <th scope="col">In</th>
              <th scope="col" class="number">
                {labels.isChange ? 'Change' : 'Total'}
              </th>
              <th scope="col" class="number">
                Share
              </th>
              <th scope="col" class="number">
                Own
              </th>
              <th scope="col">Place</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((box) => (
              <Row key={box} facts={labels.facts(box)} above={labels.title(boxes.parent[box]!)} zoom={zoom} />
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

function Row({ facts, above, zoom }: { facts: Facts; above: string; zoom: (box: number) => void }) {
  return (
    <tr>
      <th scope="row">
        <button type="button" onClick={() => zoom(facts.box)}>
          {facts.title}
        </button>
      </th>
      <td>{above}</td>
      <td class="number">{facts.value}</td>
      <td class="number">{facts.share}</td>
      <td class="number">{facts.own}</td>
      <td>{facts.place}</td>
    </tr>
  )
}
