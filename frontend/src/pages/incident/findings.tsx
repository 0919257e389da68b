// What the analysis of an incident's dumps found, the heaviest first.
import type { Finding } from '../../api-types'
import { formatBytes, formatRate, formatShare, formatValue } from '../../format'
import { Prose } from '../../parts/prose'
import { CallChain, Evidence, HolderChain, Place } from '../dump/chain'

export function Findings({ findings, sentence }: { findings: readonly Finding[]; sentence: string }) {
  return (
    <section class="part" aria-label="Findings">
      <h2>
        Findings <span class="muted">{findings.length || ''}</span>
      </h2>
      {sentence && (
        <p>
          <Prose text={sentence} />
        </p>
      )}
      {findings.length === 0 && <p class="muted">Nothing is found yet: no dump was analysed, or nothing stands out in them.</p>}
      {findings.slice(0, 5).map((finding) => (
        <One key={finding.rank} finding={finding} />
      ))}
      {findings.length > 5 && (
        <details>
          <summary>{findings.length - 5} more</summary>
          {findings.slice(5).map((finding) => (
            <One key={finding.rank} finding={finding} />
          ))}
        </details>
      )}
    </section>
  )
}

function One({ finding }: { finding: Finding }) {
  const amount = finding.unit === 'bytes' || !finding.unit ? formatBytes(finding.bytes) : formatValue(finding.bytes, finding.unit)
  return (
    <article class="incident-finding">
      <h3>
        <Prose text={finding.title} />
      </h3>
      <p class="incident-figures">
        <b>{amount}</b>
        <span>{formatShare(finding.share)} of what is live</span>
        {finding.growth_bytes_per_hour !== null && <span class="grew">{formatRate(finding.growth_bytes_per_hour)}</span>}
        <span>{formatShare(finding.confidence)} sure</span>
        {finding.location && <Place place={finding.location} />}
      </p>
      {finding.path.length > 0 && <HolderChain path={finding.path} />}
      {finding.path.length === 0 && finding.stack.length > 0 && <CallChain finding={finding} />}
      <Evidence lines={finding.evidence} />
    </article>
  )
}
