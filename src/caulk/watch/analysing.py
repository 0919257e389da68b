"""The step that names what leaks: the incident's captures are analysed, in a process of its own.

A heap of gigabytes must not grow the loop, nor end it: the analysis runs as `caulk analyze -o json` does.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caulk.capture import places
from caulk.capture.offers import offers
from caulk.config.rules import Action, Analyse, Capture
from caulk.model.decoding import decoded
from caulk.model.errors import CaulkError, MalformedDump
from caulk.model.incident import Incident, Outgoing
from caulk.model.records import Analysis
from caulk.model.target import Access
from caulk.store.captures import Captures, Entry
from caulk.store.incidents import Incidents
from caulk.watch.actions import Done
from caulk.watch.capturing import dearer
from caulk.watch.steps import action_of, step

#: So long an analysis may take.
_PATIENCE_S = 1800.0
#: So many captures are compared: the newest show what grows now.
_MOST = 4


def analysis(paths: Sequence[Path]) -> Analysis:
    """What `caulk analyze` says of the files; raises `MalformedDump` with its words where it cannot say anything."""
    command = [sys.executable, "-m", "caulk", "analyze", *map(str, paths), "-o", "json", "--exit-zero"]
    try:
        ran = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise MalformedDump(f"the analysis did not end within {_PATIENCE_S:.0f} s") from None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().splitlines()
        raise MalformedDump(" ".join(said[-3:]) or f"the analysis ended with {ran.returncode}")
    return decoded(ran.stdout, Analysis)


@dataclass(slots=True)
class Analysing:
    """Analyses the captures of incidents."""

    incidents: Incidents
    captures: Captures
    access: Access
    analyse: Callable[[Sequence[Path]], Analysis] = analysis

    def __call__(self, owed: Outgoing, incident: Incident) -> Done:
        """What the captures of the incident say; where there are none, those that were taken of the workload before."""
        action = action_of(owed)
        assert isinstance(action, Analyse)
        entries = self._entries(incident)
        if not entries:
            return Done("skipped", "there is no capture to analyse")
        found = self.analyse([entry.path for entry in entries])
        following = self._following(owed, incident) if action.dearer and not names(found) else []
        if len(entries) > 1 and not names(found) and not following:
            # Where the captures show no growth, as two windows of time do not, the newest may show who holds most.
            found = self.analyse([entries[-1].path])
        facts = {"verdict": found.verdict, "findings": found.findings[:5]}
        title = found.findings[0].title if found.findings else found.verdict.sentence
        return Done("analysed", f"{found.verdict.state}: {title}", facts, following)

    def _entries(self, incident: Incident) -> list[Entry]:
        """The captures to look at together, oldest first."""
        numbers = list(incident.captures)
        if not numbers:
            earlier = self.incidents.find(workload=incident.workload.key, limit=20)
            numbers = [number for one in reversed(earlier) for number in one.captures]
        complete = {entry.manifest.id: entry for entry in self.captures.all() if entry.manifest.complete}
        return [complete[number] for number in dict.fromkeys(numbers) if number in complete][-_MOST:]

    def _following(self, owed: Outgoing, incident: Incident) -> list[Outgoing]:
        """A capture by a dearer way and another look, where there is such a way."""
        used = [entry.manifest.method for entry in self.captures.all() if entry.manifest.id in incident.captures]
        try:
            target = incident.target or places.target(incident.reference, self.access)
            reach = places.reach(target, self.access)
        except CaulkError:
            return []
        try:
            way = dearer(offers(reach, self.access, self.captures.free_bytes()), used)
        except CaulkError:
            return []
        finally:
            reach.close()
        if way is None:
            return []
        at = owed.position
        steps: tuple[Action, ...] = (Capture(ways=(way.way.name,)), Analyse())
        return [step(action, incident.id, at + number, owed.due_at) for number, action in enumerate(steps, 1)]


def names(found: Analysis) -> bool:
    """Whether an analysis names code: a holder, a place, a stack; types alone do not."""
    return any(finding.holder or finding.location or finding.stack for finding in found.findings)
