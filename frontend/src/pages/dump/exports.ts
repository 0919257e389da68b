// Ways to take what is shown elsewhere: files that the server makes, and pictures that the page has.
import { signal } from '@preact/signals'
import { address, hasIsland } from '../../api'
import type { MenuItem } from '../../parts/menu'
import { can, newest, type About } from './about'
import { parametersOf } from './asked'

const TABLES = ['top', 'types', 'roots', 'strings', 'waste', 'threads']
const STACKS = ['flame', 'tree', 'dominators', 'paths']

/** A picture of what is drawn, where something is: set by the part that draws. */
export const picture = signal<(() => Promise<Blob>) | null>(null)

export function exports(about: About, tab: string): MenuItem[] {
  const why = hasIsland() ? 'This is one file: `caulk convert` and `caulk serve` write others.' : null
  const name = newest(about.page).name.replace(/[^\w.-]+/g, '-')
  const drawn = STACKS.includes(tab) && can(about, tab) ? tab : 'flame'
  const file = (form: string, of = drawn) => address(`/d/${about.ids}/download`, { tab: of, form, ...parametersOf(of) })
  const table = TABLES.includes(tab) && can(about, tab) ? tab : null
  const download = (label: string, form: string, hint: string, of?: string): MenuItem => ({ label, href: file(form, of), download: true, hint, why })
  return [
    { label: 'Report in one file', href: `/d/${about.ids}/report.html`, download: `${name}.html`, hint: 'HTML', why },
    download('pprof', 'pprof', 'go tool pprof'),
    download('speedscope', 'speedscope', 'speedscope.app'),
    download('Folded stacks', 'folded', 'flamegraph.pl'),
    download('SVG', 'svg', 'of the flame graph'),
    { label: 'PNG', hint: 'as it is drawn', why: picture.value ? null : 'on the tab Flame', onPick: () => void savePicture(`${name}.png`) },
    download('CSV', 'csv', table ? `of the tab ${table}` : 'of the functions', table ?? 'top'),
    download('JSON', 'json', `of the tab ${tab}`, tab),
  ]
}

async function savePicture(name: string): Promise<void> {
  const drawn = await picture.value?.()
  if (!drawn) return
  const link = document.createElement('a')
  link.href = URL.createObjectURL(drawn)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
