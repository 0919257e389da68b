"""An incident as it is told: as JSON (`caulk.incident/1`) for machines, in a few lines for people."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from caulk.model.incident import Incident, Moment
from caulk.model.judgement import Judgement
from caulk.model.records import Finding
from caulk.model.units import format_duration, format_share, format_value, iso

SCHEMA = "caulk.incident/1"


def document(incident: Incident) -> dict[str, Any]:
    """Everything about an incident, with times in ISO 8601; the order of the fields is that of the contract."""
    target = incident.target
    return {
        "schema": SCHEMA,
        "id": incident.id,
        "rule": incident.rule,
        "why": incident.why,
        "workload": asdict(incident.workload),
        "replica": incident.replica,
        "target": asdict(target) if target else None,
        "opened_at": iso(incident.opened_at),
        "closed_at": iso(incident.closed_at),
        "memory_bytes": incident.memory,
        "limit_bytes": incident.limit,
        "judgement": _judgement(incident.judgement),
        "later": _judgement(incident.later),
        "alert": asdict(incident.alert) if incident.alert else None,
        "dump": incident.dump.path if incident.dump else None,
        "captures": list(incident.captures),
        "verdict": asdict(incident.verdict) if incident.verdict else None,
        "findings": [asdict(finding) for finding in incident.findings],
        "fingerprint": incident.fingerprint,
        "timeline": [_moment(moment) for moment in incident.moments],
    }


def headline(incident: Incident) -> str:
    """The incident in a sentence: who, and what is known to be the reason."""
    name = incident.workload.name
    if incident.closed_at is not None:
        return f"{name}: over after {format_duration(incident.closed_at - incident.opened_at)}"
    if incident.findings:
        return f"{name}: {incident.findings[0].title}"
    return f"{name}: {incident.why}"


def lines(incident: Incident) -> Iterator[str]:
    """The rest of it, a fact a line; what is not known is not there."""
    if incident.closed_at is not None:
        yield next(m.text for m in reversed(incident.moments) if m.what == "closed")
    elif incident.findings:
        yield incident.why
    where = incident.target.reference if incident.target else incident.reference
    if where:
        yield f"replica {incident.replica or where} ({where})" if incident.replica != where else f"target {where}"
    judged = incident.later or incident.judgement
    if judged and judged.growth_bytes_per_hour:
        left = judged.time_to_limit_s
        limit = f", at its limit in {format_duration(left)}" if left is not None else ""
        yield f"grows by {format_value(judged.growth_bytes_per_hour, 'bytes')} an hour{limit}"
    for finding in incident.findings[:3]:
        yield _finding(finding)
    for moment in incident.moments:
        if moment.what in ("looked", "failed", "skipped"):
            yield moment.text
    for capture in incident.captures:
        yield f"capture {capture}"
    yield f"incident {incident.id}, rule {incident.rule}"


def markdown(incident: Incident) -> str:
    """The whole incident for a ticket."""
    parts = [f"# {headline(incident)}", "", *(f"- {line}" for line in lines(incident)), "", "## What happened", ""]
    parts.append(f"- {iso(incident.opened_at)} opened: {incident.why}")
    for moment in incident.moments:
        parts.append(f"- {iso(moment.at)} {moment.what}: {moment.text}")
        parts += [f"  - {detail}" for detail in moment.details]
    if incident.findings:
        parts += ["", "## Findings", ""]
        for finding in incident.findings:
            parts += [f"{finding.rank}. {_finding(finding)}", *(f"   - {line}" for line in _details(finding))]
    return "\n".join(parts) + "\n"


def _finding(finding: Finding) -> str:
    where = f" at {finding.location}" if finding.location and finding.location not in finding.title else ""
    return f"{finding.title}{where} ({format_share(finding.confidence)} sure)"


def _details(finding: Finding) -> Iterator[str]:
    if finding.path:
        yield "held by " + " → ".join(finding.path)
    for frame in reversed(finding.stack[-6:]):
        yield f"{frame.function} {frame.file}:{frame.line}" if frame.file else frame.function
    yield from finding.evidence


def _judgement(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    return asdict(judgement) | {"since": iso(judgement.since), "first_said": iso(judgement.first_said)}


def _moment(moment: Moment) -> dict[str, Any]:
    told = {"at": iso(moment.at), "what": moment.what, "text": moment.text}
    if moment.capture:
        told["capture"] = moment.capture
    if moment.details:
        told["details"] = "\n".join(moment.details)
    return told
