"""Rules: those in force, and what one of them would have done in the last days."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import Response

from caulk.app import Talk
from caulk.model.errors import UsageError
from caulk.model.target import Target
from caulk.web import rules as known
from caulk.web.endpoint import Asking, Endpoint, json
from caulk.web.errors import NotFound
from caulk.web.jobs import Job
from caulk.web.replay import replay


class Try(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How far back."""

    days: Annotated[float, Meta(gt=0, le=90)] = 7


async def rules(asking: Asking) -> known.RulesAnswer:
    """The rules, those of caulk.toml and the default ones."""
    return known.told(asking.site.config)


async def test(asking: Asking) -> Response:
    """Try a rule on the readings of the last days: 202 with a job, of which the result is what it would have done."""
    site, days = asking.site, asking.body.days
    rule = next((one for one in known.rules(site.config) if one.name == asking.path["name"]), None)
    if rule is None:
        raise NotFound(f"there is no rule {asking.path['name'][:100]!r}", hint="/api/rules lists them.")
    if site.history is None:
        raise UsageError(
            "nothing is watched here, so there are no readings", hint="`caulk serve` without dumps watches."
        )
    history, targets = site.history, await asyncio.to_thread(_targets, asking)

    def task(talk: Talk, _: Job) -> dict[str, Any]:
        found = replay(rule, history, days, targets=targets, incidents=site.incidents, progress=talk.progress)
        result: dict[str, Any] = msgspec.to_builtins(found)
        return result

    title = f"Try {rule.name} on the last {days:g} days"
    return json(site.jobs.begin("rule", title, task, key=f"rule {rule.name} {days}").record(), 202)


def _targets(asking: Asking) -> dict[str, Target]:
    """One target of each workload that runs."""
    seen = asking.site.loop.fleet.observations() if asking.site.loop else []
    return {one.workload.key: one.target for one in seen if one.target}


ENDPOINTS = (
    Endpoint("GET", "/api/rules", rules, answer=known.RulesAnswer),
    Endpoint("POST", "/api/rules/{name}/test", test, body=Try, statuses=(202,)),
)
