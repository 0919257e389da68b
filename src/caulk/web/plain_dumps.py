"""The plain form of a dump's page: what it is, its tabs as links, a filter as a form, and one answer."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from caulk import pages
from caulk.model.diagram import Graph
from caulk.model.errors import UsageError
from caulk.model.records import Analysis
from caulk.model.table import Stacks, Table
from caulk.model.units import format_value
from caulk.reports.laid import STACKS, changed
from caulk.views import cards, diagram, flame, html
from caulk.views.markup import text
from caulk.web.asked import Asked, Opened, opening
from caulk.web.endpoint import Asking
from caulk.web.jobs import Job
from caulk.web.routes.dumps import report
from caulk.web.site import Site

#: The status of a page that comes again by itself.
WAITING = 202
_FIELDS = ("focus", "ignore", "pattern")
_LINES, _ROWS, _CALLS = 64, 200, 200


async def body(site: Site, request: Request) -> tuple[str, str, int]:
    """Title, body and status of the page that a request asks for."""
    given = {name: value for name, value in request.query_params.items() if name != "plain"}
    try:
        asked = msgspec.convert(given, Asked, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the query is wrong: {problem}") from None
    found = await opening(Asking(site, request.path_params, asked, None, request), asked.references)
    if isinstance(found, Job):
        return _waiting(found)
    tab = request.path_params.get("tab", "suspects")
    row = report(tab)

    def drawn() -> str:
        question = asked.question(found.dumps, tab, serve=site.config.serve)
        overview = pages.described(question, found.ids)
        try:
            answer = changed(tab, question) if tab in STACKS else row.answer(question)
            shown = _answer(answer)
        except UsageError as problem:
            shown = f"<p>{text(problem)}</p><p class=muted>{text(problem.hint)}</p>"
        return _head(found, overview, site) + _tabs(found, overview["tabs"], tab) + _form(given) + shown

    return f"{found.title}: {tab}", await asyncio.to_thread(drawn), 200


def _waiting(job: Job) -> tuple[str, str, int]:
    if job.is_over:
        return job.title, f"<h1>{text(job.title)}: {job.state}</h1><p>{text(job.what)}</p><p>{text(job.hint)}</p>", 422
    step = f"{text(job.step)}, {job.progress:.0%}" if job.step else "waiting"
    return job.title, f"<h1>{text(job.title)}</h1><p>{step}. This page comes again by itself.</p>", WAITING


def _head(found: Opened, overview: Mapping[str, Any], site: Site) -> str:
    beside = site.dumps.beside(found.known)
    links = "".join(_link(beside[name], f"{name} dump") for name in ("previous", "next") if beside[name])
    if beside["previous"] and len(found.ids) == 1:
        links += _link(f"{beside['previous']}..{found.ids[0]}", "what changed since the previous")
    facts = "".join(
        f"<div><dt>{text(total['measure'])}</dt><dd>{format_value(total['value'], total['unit'])}</dd></div>"
        for total in overview["totals"]
    )
    warnings = [f"{dump['name']}: {warning}" for dump in overview["dumps"] for warning in dump["warnings"]]
    return (
        f"<h1>{text(' → '.join(one.name for one in found.known))}</h1><p>{links}</p>"
        f'<dl class="facts totals">{facts}</dl>{cards.bullets(warnings, limit=_LINES, css="warnings")}'
    )


def _tabs(found: Opened, tabs: list[dict[str, Any]], chosen: str) -> str:
    shown = []
    for tab in tabs:
        if not tab["is_available"]:
            shown.append(f'<span class="muted" title="{text(tab["why"])}">{text(tab["title"])}</span>')
        elif tab["name"] == chosen:
            shown.append(f"<b>{text(tab['title'])}</b>")
        else:
            shown.append(_link(f"{'..'.join(found.ids)}/{tab['name']}", tab["title"]))
    return f"<p>{' · '.join(shown)}</p>"


def _form(given: Mapping[str, str]) -> str:
    fields = "".join(
        f'<label>{name} <input name="{name}" value="{text(given.get(name, ""))}"></label>' for name in _FIELDS
    )
    return f'<form><input type="hidden" name="plain" value="1">{fields}<button>Filter</button></form>'


def _answer(answer: Table | Stacks | Graph | Analysis) -> str:
    match answer:
        case Graph():
            return html.table(diagram.table(answer), _ROWS)
        case Table():
            return html.table(answer, _ROWS)
        case Stacks():
            notes = "".join(f"<p>{text(note)}</p>" for note in answer.notes)
            return f'{notes}<div class="wide">{flame.svg(answer)}</div>{html.heaviest(answer, _CALLS)}'
        case Analysis():
            return cards.verdict(answer.verdict, limit=_LINES) + cards.findings(answer, limit=_LINES)


def _link(to: str, title: str) -> str:
    return f'<a href="/d/{text(to)}?plain=1">{text(title)}</a> '
