// Rules: which are in force, when they fire and what they do, and what they would have done lately.
import { useState } from 'preact/hooks'
import { address, ask, Problem, send, settled } from '../../api'
import type { Job } from '../../api-types'
import type { Rule, RuleTest } from '../../fleet-types'
import { formatTime } from '../../format'
import { useTitle } from '../../live'
import { useAnswer } from '../../loading'
import { Failure } from '../../parts/error'
import { Progress } from '../../parts/progress'
import { Table, type Column } from '../../parts/table'
import { href } from '../../route'
import './rules.css'

const DAYS = 7

export function RulesPage() {
  useTitle('Rules')
  const asked = useAnswer('rules', (signal) => ask<{ rules: Rule[]; thresholds?: { name: string; value: string; words: string }[] }>('/api/rules', { signal }))
  if (asked.problem) return <Failure what={asked.problem.what} hint={asked.problem.hint} onRetry={asked.again} />
  if (!asked.value) return <p class="nothing">Asking for the rules…</p>
  const { rules, thresholds = [] } = asked.value
  return (
    <section>
      <header class="page-head">
        <h1>Rules</h1>
        <span class="muted">
          What caulk does by itself. They stand in <code>caulk.toml</code>; one of the name of a default rule takes its place.
        </span>
      </header>
      <ul class="rules">
        {rules.map((rule) => (
          <OneRule key={rule.name} rule={rule} />
        ))}
      </ul>
      {thresholds.length > 0 && (
        <div class="part">
          <h2>Thresholds</h2>
          <dl class="thresholds">
            {thresholds.map((one) => (
              <div key={one.name}>
                <dt>{one.words}</dt>
                <dd>
                  <b>{one.value}</b> <code class="muted">{one.name}</code>
                </dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </section>
  )
}

function OneRule({ rule }: { rule: Rule }) {
  const [job, tell] = useState<Job | null>(null)
  const [found, show] = useState<RuleTest | null>(null)
  const [problem, fail] = useState<Problem | null>(null)
  const [isTesting, tests] = useState(false)
  const test = async (): Promise<void> => {
    tests(true)
    fail(null)
    try {
      const said = await send<RuleTest | Job>('POST', address(`/api/rules/${encodeURIComponent(rule.name)}/test`), { days: DAYS })
      show('progress' in said ? ((await settled(said, undefined, tell)).result as unknown as RuleTest) : said)
    } catch (error) {
      fail(error instanceof Problem ? error : new Problem(String(error)))
    }
    tests(false)
    tell(null)
  }
  return (
    <li class={rule.enabled ? 'rule' : 'rule rule-off'}>
      <div class="rule-head">
        <h2>{rule.name}</h2>
        <span class="muted">{rule.enabled ? (rule.is_default ? 'default' : 'yours') : 'switched off'}</span>
        <span class="space" />
        <button type="button" disabled={isTesting} onClick={() => void test()} title="Asks what was read what the rule would have done; does nothing">
          {isTesting ? 'Testing…' : `Test on the last ${DAYS} days`}
        </button>
      </div>
      <dl>
        <div>
          <dt>When</dt>
          <dd>{rule.when}</dd>
        </div>
        <div>
          <dt>Whom</dt>
          <dd>{rule.whom}</dd>
        </div>
        <div>
          <dt>Does</dt>
          <dd>
            <ol>
              {rule.does.map((step, i) => (
                <li key={i}>{step}</li>
              ))}
            </ol>
          </dd>
        </div>
        <div>
          <dt>At most</dt>
          <dd>{rule.limits}</dd>
        </div>
      </dl>
      {job && <Progress job={job} />}
      {problem && <Failure what={problem.what} hint={problem.hint} />}
      {found && <Tested test={found} />}
    </li>
  )
}

type Firing = RuleTest['firings'][number]
const COLUMNS: Column<Firing>[] = [
  { key: 'at', title: 'When', kind: 'text', width: 18, render: (one) => formatTime(one.at) },
  { key: 'workload', title: 'Workload', kind: 'text', width: 30, value: (one) => one.workload.name },
  { key: 'why', title: 'Why', kind: 'text' },
  { key: 'really', title: 'What happened then', kind: 'text', width: 34 },
]

// Where on the line of time a firing begins, and how long its reason went on.
function spanOf(one: Firing, begin: number, end: number): { left: string; width?: string } {
  const share = (at: string): number => ((Date.parse(at) - begin) / (end - begin || 1)) * 100
  const left = share(one.at)
  return one.until ? { left: `${left}%`, width: `max(3px, ${share(one.until) - left}%)` } : { left: `${left}%` }
}

function Tested({ test }: { test: RuleTest }) {
  const [begin, end] = [Date.parse(test.begin), Date.parse(test.end)]
  const times = test.firings.length === 1 ? 'once' : `${test.firings.length} times`
  return (
    <div class="tested" role="status">
      <p>
        <b>{test.firings.length ? `It would have fired ${times}` : 'It would not have fired'}</b> for {test.workloads === 1 ? '1 workload' : `${test.workloads} workloads`} from{' '}
        {formatTime(test.begin)} to {formatTime(test.end)}.
      </p>
      {test.firings.length > 0 && (
        <>
          <div class="tested-line" aria-hidden="true">
            {test.firings.map((one, i) => (
              <span key={i} title={`${formatTime(one.at)} ${one.workload.name}`} style={spanOf(one, begin, end)} />
            ))}
          </div>
          <Table label={`What ${test.rule} would have done`} columns={COLUMNS} rows={test.firings} height="320px" href={(one) => href(`/t/${encodeURIComponent(one.workload.key)}`)} />
        </>
      )}
      {test.notes.map((note) => (
        <p key={note} class="muted">
          {note}
        </p>
      ))}
    </div>
  )
}
