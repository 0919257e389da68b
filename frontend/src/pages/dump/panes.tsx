// Which tab is shown by what: a row for each.
import type { ComponentType } from 'preact'
import type { About } from './about'
import { Flame } from './flame-tab'
import { Graph } from './graph-tab'
import { Raw, Source } from './read-tabs'
import { Dominators, Paths, Tree } from './stacks-tabs'
import { Suspects } from './suspects'
import { Roots, Strings, Top, Types, Waste } from './table-tabs'
import { Threads } from './threads-tab'

export const PANES: Record<string, ComponentType<{ about: About }>> = {
  suspects: Suspects,
  flame: Flame,
  tree: Tree,
  top: Top,
  types: Types,
  dominators: Dominators,
  paths: Paths,
  roots: Roots,
  graph: Graph,
  strings: Strings,
  waste: Waste,
  threads: Threads,
  source: Source,
  raw: Raw,
}
