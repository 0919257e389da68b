// Tables of any number of rows: real <table>s that sort, are walked with the arrow keys, and draw only what is seen.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks'
import { formatCell, type Kind } from '../format'
import { moved, sorted, toggled, type Sort } from './rows'
import { Same } from './same'
import { useRows } from './scroll'
import './table.css'

export type { Sort } from './rows'

export interface Column<Row> {
  key: string
  title: string
  kind: Kind
  signed?: boolean
  /** In `ch`, without it as wide as its longest cell; 0 takes what is left. */
  width?: number
  /** What is sorted by and written; without it `row[key]`. */
  value?: (row: Row) => unknown
  render?: (row: Row) => ComponentChildren
  /** Part of 1 that a bar behind the cell shows; shares have one by themselves. */
  bar?: (row: Row) => number | null
  isUnsortable?: boolean
  /** Said when the heading is pointed at. */
  hint?: string
}

export interface TableProps<Row> {
  /** What the table is of, for those who do not see it. */
  label: string
  /** Best the same array at every drawing: rows are drawn anew when it is another. */
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** What tells rows apart; without it their number. */
  rowKey?: (row: Row, index: number) => string
  /** Where a row leads: its first text column becomes a link. */
  href?: (row: Row) => string | null | undefined
  selected?: string | null
  onSelect?: (row: Row, key: string) => void
  /** Enter or a double click on a row that is no link. */
  onOpen?: (row: Row, key: string) => void
  /** With both, the order is the page's to keep; else the table keeps it. */
  sort?: Sort | null
  onSort?: (sort: Sort) => void
  /** A CSS length; the table scrolls inside itself beyond it. */
  height?: string
  /** Instead of rows where there are none. */
  empty?: ComponentChildren
  rowClass?: (row: Row) => string | undefined
}

export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const { columns, rows, selected, href, onSelect, onOpen, rowKey } = props
  const [own, setOwn] = useState<Sort | null>(props.sort ?? null)
  const sort = props.onSort ? (props.sort ?? null) : own
  const shown = useMemo(() => inOrder(rows, columns, sort), [rows, columns, sort?.key, sort?.isDescending])
  const keys = useMemo(() => keysOf(rows, shown, rowKey), [shown])
  const numbers = useMemo(() => new Map(keys.map((key, index) => [key, index])), [keys])
  const [activeKey, setActiveKey] = useState(selected ?? '')
  const active = numbers.get(activeKey) ?? -1
  const view = useRows(shown.length)
  const id = useId()
  const widths = useMemo(() => widthsOf(columns, rows), [columns, rows])
  const isWalked = Boolean(href || onSelect || onOpen)
  const link = href ? Math.max(columns.findIndex((column) => column.kind === 'text'), 0) : -1

  useEffect(() => {
    if (selected == null) return
    setActiveKey(selected)
    const index = numbers.get(selected)
    if (index !== undefined) view.reveal(index)
    // Its row may come later than the selection, with the answer or as a filter goes.
  }, [selected, selected != null && numbers.has(selected), view.reveal])

  const go = (index: number) => {
    setActiveKey(keys[index]!)
    view.reveal(index)
    const row = shown[index]
    if (row !== undefined) onSelect?.(row, keys[index]!)
  }
  const open = (index: number, event: MouseEvent | KeyboardEvent) => {
    const row = shown[index]
    if (row === undefined) return
    const anchor = view.ref.current?.querySelector<HTMLAnchorElement>(`#${CSS.escape(`${id}-${index}`)} a.row-link`)
    if (anchor) anchor.dispatchEvent(new MouseEvent('click', modified(event)))
    else onOpen?.(row, keys[index]!)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.target as Element).tagName !== 'TABLE') return
    const to = moved(event.key, active, shown.length, view.page)
    if (to !== null) go(to)
    else if (event.key === 'Enter' && active >= 0) open(active, event)
    else return
    event.preventDefault()
  }
  const onClick = (index: number, event: MouseEvent) => {
    if ((event.target as Element).closest('a, button, input, select, label') || String(getSelection())) return
    go(index)
    if (href) open(index, event)
  }
  // Rows hold the same object for ever, so that they stay as they are while others come and go.
  const acts = useRef<Acts>({ onClick, open })
  acts.current = { onClick, open }
  const asked = (column: Column<Row>) => {
    const next = toggled(sort, column.key, column.kind)
    setOwn(next)
    props.onSort?.(next)
  }

  const { first, end, above, below } = view.window
  return (
    <div class="table" ref={view.ref} style={{ maxHeight: props.height }} tabIndex={isWalked ? undefined : 0}
      role={isWalked ? undefined : 'region'} aria-label={isWalked ? undefined : props.label}>
      <table
        role={isWalked ? 'grid' : undefined}
        aria-label={props.label}
        aria-rowcount={shown.length + 1}
        aria-activedescendant={isWalked && active >= first && active < end ? `${id}-${active}` : undefined}
        tabIndex={isWalked ? 0 : undefined}
        onKeyDown={isWalked ? onKeyDown : undefined}
        style={{ minWidth: `${widths.reduce((sum, width) => sum + (width || 18) + 2, 0)}ch` }}
      >
        <colgroup>
          {columns.map((column, i) => (
            <col key={column.key} style={{ width: widths[i] ? `calc(${widths[i]}ch + 16px)` : undefined }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => <Heading key={column.key} column={column} sort={sort} onAsk={asked} />)}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Spacer height={above} />}
          {shown.slice(first, end).map((row, i) => {
            const index = first + i
            return (
              <TableRow key={keys[index]} id={`${id}-${index}`} row={row} index={index} columns={columns} link={link}
                href={href?.(row)} isWalked={isWalked} isSelected={selected != null && keys[index] === selected}
                isActive={index === active} named={props.rowClass?.(row)} acts={acts} />
            )
          })}
          {below > 0 && <Spacer height={below} />}
        </tbody>
      </table>
      {!shown.length && <div class="table-empty">{props.empty ?? 'Nothing to show.'}</div>}
    </div>
  )
}

function Heading<Row>({ column, sort, onAsk }: { column: Column<Row>; sort: Sort | null; onAsk: (c: Column<Row>) => void }) {
  const isSorted = sort?.key === column.key
  const order = isSorted ? (sort.isDescending ? 'descending' : 'ascending') : 'none'
  const arrow = <span class="arrow" aria-hidden="true">{isSorted ? (sort.isDescending ? '▾' : '▴') : ''}</span>
  return (
    <th scope="col" class={column.kind === 'text' ? 'text' : 'number'} aria-sort={column.isUnsortable ? undefined : order}
      title={column.hint}>
      {column.isUnsortable ? (
        column.title
      ) : (
        <button type="button" onClick={() => onAsk(column)}>
          {column.kind !== 'text' && arrow}
          {column.title}
          {column.kind === 'text' && arrow}
        </button>
      )}
    </th>
  )
}

interface Acts {
  onClick: (index: number, event: MouseEvent) => void
  open: (index: number, event: MouseEvent) => void
}

interface TableRowProps<Row> {
  id: string
  row: Row
  index: number
  columns: readonly Column<Row>[]
  /** The column that is a link, and where it leads. */
  link: number
  href: string | null | undefined
  isWalked: boolean
  isSelected: boolean
  isActive: boolean
  named: string | undefined
  acts: { current: Acts }
}

class TableRow<Row> extends Same<TableRowProps<Row>> {
  override render({ id, row, index, columns, link, href, isWalked, isSelected, isActive, named, acts }: TableRowProps<Row>) {
    return (
      <tr id={id} aria-rowindex={index + 2} aria-selected={isWalked ? isSelected : undefined}
        class={classes(isSelected && 'selected', isActive && 'active', isWalked && 'walked', named)}
        onClick={isWalked ? (event) => acts.current.onClick(index, event) : undefined}
        onDblClick={isWalked && !href ? (event) => acts.current.open(index, event) : undefined}>
        {columns.map((column, c) => <Cell key={column.key} column={column} row={row} href={c === link ? href : null} />)}
      </tr>
    )
  }
}

function Cell<Row>({ column, row, href }: { column: Column<Row>; row: Row; href?: string | null | undefined }) {
  const value = valueOf(column, row)
  const written = formatCell(value, column.kind, column.signed)
  // What tells paths and qualified names apart is at their end.
  const isPath = column.kind === 'text' && !column.render && written.length > 20 && /^[^\s<]*[./][^\s<]*$/.test(written)
  const content = column.render ? column.render(row) : isPath ? <bdi dir="ltr">{written}</bdi> : written
  const share = column.bar ? column.bar(row) : column.kind === 'share' && !column.signed ? Number(value ?? 0) : null
  const sign = column.signed && typeof value === 'number' ? (value > 0 ? 'grew' : value < 0 ? 'shrank' : '') : ''
  return (
    <td class={classes(column.kind === 'text' ? 'text' : 'number', sign, share !== null && 'barred', isPath && 'path')}
      title={column.kind === 'text' && !column.render && written.length > 20 ? written : undefined}>
      {share !== null && <span class="share-bar" style={{ width: `${Math.min(Math.max(share, 0), 1) * 100}%` }} />}
      {href ? <a class="row-link" href={href} tabIndex={-1}>{content}</a> : share !== null ? <span>{content}</span> : content}
    </td>
  )
}

/** Stands for rows that are not drawn. */
export const Spacer = ({ height }: { height: number }): JSX.Element => (
  <tr class="spacer" aria-hidden="true" style={{ height: `${height}px` }} />
)

/** The columns and rows of a `caulk.table/1`. */
export interface TableAnswer {
  headings: { key: string; title: string; kind: Kind; signed: boolean }[]
  rows: Record<string, unknown>[]
  notes?: string[]
}
export type AnswerRow = Record<string, unknown>

export function fromAnswer(answer: TableAnswer): { columns: Column<AnswerRow>[]; rows: AnswerRow[]; notes: string[] } {
  const columns = answer.headings.map(({ key, title, kind, signed }) => ({ key, title, kind, signed }))
  return { columns, rows: answer.rows, notes: answer.notes ?? [] }
}

/** Class names of those that are asked for. */
export const classes = (...names: (string | false | null | undefined)[]): string | undefined =>
  names.filter(Boolean).join(' ') || undefined

const valueOf = <Row,>(column: Column<Row>, row: Row): unknown =>
  column.value ? column.value(row) : (row as Record<string, unknown>)[column.key]

function keysOf<Row>(rows: readonly Row[], shown: readonly Row[], rowKey: TableProps<Row>['rowKey']): string[] {
  const numbers = new Map(rows.map((row, number) => [row, number]))
  return shown.map((row) => (rowKey ? rowKey(row, numbers.get(row)!) : String(numbers.get(row))))
}

function inOrder<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort | null): readonly Row[] {
  const column = columns.find(({ key }) => key === sort?.key)
  return sort && column ? sorted(rows, (row) => valueOf(column, row), sort.isDescending) : rows
}

// Widths are fixed, as columns must not jump while a window of rows moves. One column at least takes what is left.
function widthsOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number[] {
  const widths = columns.map((column) => widthOf(column, rows))
  const text = columns.findIndex((column) => column.kind === 'text' && column.width === undefined)
  if (text >= 0 && !widths.includes(0)) widths[text] = 0
  return widths
}

// As wide as the longest cell, looked for in some of the rows.
function widthOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  if (column.width !== undefined) return column.width
  const least = column.title.length + 3
  if (column.render && column.kind === 'text') return 0
  const step = Math.max(Math.floor(rows.length / 300), 1)
  let most = least
  for (let i = 0; i < rows.length; i += step)
    most = Math.max(most, formatCell(valueOf(column, rows[i]!), column.kind, column.signed).length + 1)
  return column.kind === 'text' ? (most > 24 ? 0 : most) : Math.min(most, 24)
}

const modified = (event: MouseEvent | KeyboardEvent): MouseEventInit => ({
  bubbles: true, cancelable: true, ctrlKey: event.ctrlKey, metaKey: event.metaKey, shiftKey: event.shiftKey,
}) // prettier-ignore
