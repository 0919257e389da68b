"""An incident as one HTML file: no script, nothing from elsewhere, so that it can be mailed, archived and printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from caulk.model.incident import Incident, Moment
from caulk.model.judgement import Judgement
from caulk.model.records import Analysis, Verdict
from caulk.model.series import Series
from caulk.model.units import format_duration, format_share, format_value, iso
from caulk.views import cards, charts, html
from caulk.views.markup import prose, text
from caulk.watch.telling import headline
from caulk.web.incidents import similar
from caulk.web.memory import thinned

if TYPE_CHECKING:
    from caulk.web.site import Site

#: So long before it was opened the chart begins.
_BEFORE_S = 6 * 3600.0
_MOST_LINES = 256
_MORE_STYLE = """
.timeline { list-style: none; margin: 0; padding: 0 0 0 1rem; border-left: 2px solid var(--edge); }
.timeline > li { margin: 0 0 .7rem; }
.timeline time { color: var(--muted); font-size: .8rem; font-variant-numeric: tabular-nums; margin-right: .6rem; }
.timeline ul { margin: .1rem 0; padding-left: 1.2rem; color: var(--muted); font-size: .87rem; }
.what { display: inline-block; min-width: 5.5rem; font-weight: 600; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem; }
.beside > .card { flex: 1 1 20rem; margin: 0; }
"""
_POLICY = "default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'"


def policy() -> str:
    """What a browser may do with such a file."""
    return _POLICY.format(html.hashed(_style()))


def page(site: "Site", incident: Incident) -> str:
    """The file; where it would be larger than 2 MB, less of every list is shown, and that is said."""
    others, chart = similar(site, incident), _chart(site, incident)
    row = site.loop.fleet.row(incident.workload.key) if site.loop else None
    now = row.judgement if row else None
    most = _MOST_LINES
    while len((whole := _page(incident, others, chart, now, most)).encode()) > html.MAX_BYTES and most > 1:
        most //= 2
    return whole


def _page(incident: Incident, others: Sequence[Incident], chart: str, now: Judgement | None, most: int) -> str:
    memory = f'<section id="memory"><h2>Memory over time</h2>{chart}</section>' if chart else ""
    parts = (
        _verdict(incident, most),
        _facts(incident),
        _judgements(incident, now, most),
        memory,
        cards.findings(Analysis(findings=incident.findings), limit=min(most, 10)),
        _timeline(incident, most),
        _captures(incident, most),
        _similar(others, most),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(headline(incident), limit=120)}</title><style>{_style()}</style></head>\n"
        f"<body><main>{''.join(parts)}<p class=muted>Incident {text(incident.id)}, by caulk.</p></main></body></html>\n"
    )


def _style() -> str:
    return html.style() + _MORE_STYLE


def _verdict(incident: Incident, most: int) -> str:
    judged = incident.later or incident.judgement
    found = incident.verdict
    state = found.state if found else judged.state if judged else "unknown"
    sure = found.confidence if found else judged.confidence if judged else 0.0
    title = headline(incident)
    why = "" if incident.why in title else f". {incident.why[:1].upper()}{incident.why[1:]}"
    return cards.verdict(Verdict(state, title + why, sure), limit=most)


def _facts(incident: Incident) -> str:
    target = incident.target.reference if incident.target else incident.reference
    lasted = format_duration(incident.closed_at - incident.opened_at) if incident.closed_at is not None else ""
    facts = (
        ("opened", iso(incident.opened_at) or ""),
        ("closed", f"{iso(incident.closed_at)} (after {lasted})" if lasted else "it goes on"),
        ("rule", incident.rule),
        ("replica", f"{incident.replica} ({target})" if target else incident.replica),
        ("memory", format_value(incident.memory, "bytes") if incident.memory is not None else ""),
        ("limit", format_value(incident.limit, "bytes") if incident.limit else ""),
    )
    rows = "".join(f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>" for name, value in facts if value)
    return f'<dl class="facts">{rows}</dl>'


def _judgements(incident: Incident, now: Judgement | None, most: int) -> str:
    shown = [("when it was opened", incident.judgement), ("later", incident.later), ("now", now)]
    said = [(title, judgement) for title, judgement in shown if judgement and judgement.why]
    if not said:
        return ""
    inner = "".join(f'<article class="card"><h4>{title}</h4>{_judgement(one, most)}</article>' for title, one in said)
    return f'<section id="judgement"><h2>What was judged</h2><div class="beside">{inner}</div></section>'


def _judgement(judgement: Judgement, most: int) -> str:
    facts = [("state", judgement.state), ("confidence", format_share(judgement.confidence))]
    if judgement.growth_bytes_per_hour is not None:
        low, high = judgement.growth_interval or (judgement.growth_bytes_per_hour,) * 2
        rate = format_value(judgement.growth_bytes_per_hour, "bytes", signed=True)
        between = f"{format_value(low, 'bytes')} to {format_value(high, 'bytes')}"
        facts.append(("growth an hour", f"{rate} ({between})"))
    if judgement.time_to_limit_s is not None:
        facts.append(("at its limit in", format_duration(judgement.time_to_limit_s)))
    rows = "".join(f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    evidence = cards.bullets(judgement.evidence, limit=most, css="evidence")
    return f'<p>{prose(judgement.why)}</p><dl class="facts">{rows}</dl>{evidence}'


def _chart(site: "Site", incident: Incident) -> str:
    """Memory of the replica around the incident; nothing where it is not kept here."""
    if site.history is None or not incident.replica:
        return ""
    begin = incident.opened_at - _BEFORE_S
    end = incident.closed_at + _BEFORE_S if incident.closed_at is not None else float("inf")
    readings = site.history.readings(incident.workload.key, incident.replica, begin=begin)
    shown = thinned([one for one in readings if one.at <= end], charts.MAX_POINTS)
    taken = [moment.at for moment in incident.moments if moment.capture]
    return charts.memory(Series(incident.replica, tuple(shown)), taken)


def _timeline(incident: Incident, most: int) -> str:
    opened = Moment(incident.opened_at, "note", incident.why, "opened")
    shown = [_moment(opened, "opened", most), *(_moment(one, one.what, most) for one in incident.moments[-most:])]
    left = len(incident.moments) - most
    note = f'<p class="muted">{left:,} earlier ones are not shown.</p>' if left > 0 else ""
    items = "".join(shown)
    return f'<section id="timeline"><h2>What happened</h2>{note}<ol class="timeline">{items}</ol></section>'


def _moment(moment: Moment, what: str, most: int) -> str:
    details = cards.bullets(moment.details, limit=min(most, 20))
    return f'<li><time>{iso(moment.at)}</time><span class="what">{what}</span> {prose(moment.text)}{details}</li>'


def _captures(incident: Incident, most: int) -> str:
    if not incident.captures:
        return ""
    names = cards.bullets([f"`{number}`" for number in incident.captures], limit=most)
    return f'<section id="captures"><h2>Captures</h2>{names}</section>'


def _similar(others: Sequence[Incident], most: int) -> str:
    if not others:
        return ""
    rows = "".join(_other(one) for one in others[:most])
    heads = "".join(f"<th>{name}</th>" for name in ("opened", "workload", "what", "incident"))
    return (
        '<section id="similar"><h2>The same was found before</h2><div class="wide"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _other(incident: Incident) -> str:
    cells = (iso(incident.opened_at), incident.workload.name, headline(incident), incident.id)
    return "<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in cells) + "</tr>"
