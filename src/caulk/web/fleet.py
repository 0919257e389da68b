"""The fleet as pages have it: rows from what the loop knows, made anew once a turn of it, whoever asks."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from caulk.model.units import iso
from caulk.store.captures import Entry
from caulk.watch.fleet import Row
from caulk.watch.rules import worst
from caulk.web.jobs import Jobs
from caulk.web.kept import Kept, Stock
from caulk.web.records import Alert, Disk, FleetAnswer, FleetRow, LastDump, SourceState

if TYPE_CHECKING:
    from caulk.watch.loop import Loop

#: While sources are asked without a pause, no more than this share of the time goes into making rows.
_SHARE = 0.2


class FleetView:
    """Makes the answer of `/api/fleet`, of which the rows are kept while nothing changed; of any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows = msgspec.Raw(b"[]")
        self._made_of: object = None
        self._fresh_until = 0.0

    def encoded(self, loop: "Loop | None", kept: Kept, jobs: Jobs, quota: int | None) -> bytes:
        """The answer as JSON. 5,000 workloads take a tenth of a second, once a turn: not for the event loop."""
        stock = kept.stock()
        captures = [job.record() for job in jobs.all() if job.kind == "capture" and not job.is_over]
        whole = FleetAnswer(
            at=iso(time.time()),
            is_live=loop is not None,
            rows=(),
            alerts=tuple(alerts(stock)),
            captures=tuple(captures),
            disk=disk(stock, quota),
            sources=tuple(sources(loop)),
        )
        with self._lock:
            answer = msgspec.structs.asdict(whole) | {"rows": self._rows_now(loop, stock)}
        return msgspec.json.encode(answer)

    def _rows_now(self, loop: "Loop | None", stock: Stock) -> msgspec.Raw:
        made_of = (turn(loop), stock.version)
        if made_of != self._made_of and time.monotonic() > self._fresh_until:
            begun = time.monotonic()
            self._rows = msgspec.Raw(msgspec.json.encode(rows(loop.fleet.rows() if loop else (), stock)))
            self._made_of = made_of
            self._fresh_until = time.monotonic() + (time.monotonic() - begun) / _SHARE
        return self._rows


def turn(loop: "Loop | None") -> int:
    """Another number whenever the loop has read something."""
    return sum(health.asked for health in loop.health) if loop else 0


def rows(shown: Iterable[Row], stock: Stock) -> list[FleetRow]:
    """Workloads as records, each with its newest dump."""
    newest = Newest(stock)
    return [row_record(row, newest.of(row)) for row in shown]


def row_record(row: Row, last_dump: LastDump | None) -> FleetRow:
    """A workload as a record."""
    judgement, workload = row.judgement, row.workload
    shown = worst(row.observations)
    target = shown.target if shown else None
    labels: Mapping[str, str] = target.labels if target else {}
    # Elsewhere nobody goes into a program to learn its runtime before a capture is asked for.
    is_reached = target is not None and (bool(workload.runtime) or target.place != "local")
    return FleetRow(
        key=workload.key,
        name=workload.name,
        runtime=workload.runtime,
        place=target.place if target else workload.key.partition(":")[0],
        namespace=labels.get("namespace", labels.get("project", "")),
        owner=labels.get("workload", labels.get("user", "")),
        node=labels.get("node", ""),
        state=row.state,
        kind=judgement.kind,
        why=judgement.why,
        evidence=judgement.evidence,
        confidence=judgement.confidence,
        replicas=row.replicas,
        memory_bytes=row.memory,
        limit_bytes=row.limit,
        share=row.share,
        growth_bytes_per_hour=row.growth_bytes_per_hour,
        growth_interval=judgement.growth_interval,
        time_to_limit_s=row.time_to_limit_s,
        since=iso(row.since),
        since_event=judgement.since_event,
        read_at=iso(row.read_at or None),
        last_dump=last_dump,
        is_capturable=is_reached,
    )


def alerts(stock: Stock) -> Iterable[Alert]:
    """Incidents that are not over, the newest first."""
    for incident in stock.incidents:
        if incident.closed_at is None:
            workload = incident.workload
            yield Alert(
                incident=incident.id,
                rule=incident.rule,
                workload=workload.key,
                name=workload.name,
                opened_at=iso(incident.opened_at),
                why=incident.why,
            )


def disk(stock: Stock, quota: int | None) -> Disk:
    """What captures take."""
    return Disk(used_bytes=stock.used_bytes, free_bytes=stock.free_bytes, quota_bytes=quota, count=len(stock.entries))


def sources(loop: "Loop | None") -> Iterable[SourceState]:
    """How sources do; those that fail first."""
    health = sorted(loop.health if loop else (), key=lambda one: not one.why)
    return (SourceState(name=one.source.name, is_well=not one.why, why=one.why) for one in health)


class Newest:
    """Finds the captures of workloads: by the incident that took them, else by the target that they are of."""

    def __init__(self, stock: Stock) -> None:
        self._owners, self._suspects = stock.owners(), stock.suspects()
        self._entries = stock.entries
        self._by_owner: dict[str, Entry] = {}
        self._by_target: dict[tuple[str, str], Entry] = {}
        for entry in stock.entries:
            if not entry.manifest.complete:
                continue
            if owner := self._owners.get(entry.manifest.id):
                self._by_owner.setdefault(owner, entry)
            self._by_target.setdefault(_target(entry), entry)

    def of(self, row: Row) -> LastDump | None:
        """The newest whole one of a workload."""
        if not self._by_target:
            return None
        found = [self._by_owner.get(row.workload.key), *(self._by_target.get(one) for one in _targets(row))]
        newest = max((one for one in found if one), key=lambda one: one.manifest.taken_at, default=None)
        if newest is None:
            return None
        manifest = newest.manifest
        return LastDump(id=manifest.id, taken_at=manifest.taken_at, suspect=self._suspects.get(manifest.id))

    def all_of(self, row: Row) -> list[tuple[Entry, str | None]]:
        """Every capture of a workload, the newest first, with what was found to leak in it."""
        key, targets = row.workload.key, _targets(row)
        return [
            (entry, self._suspects.get(entry.manifest.id))
            for entry in self._entries
            if self._owners.get(entry.manifest.id) == key or _target(entry) in targets
        ]


def _target(entry: Entry) -> tuple[str, str]:
    # A number of a process is another's after a while: the name has to be the same too.
    return entry.manifest.target.reference, entry.manifest.target.name


def _targets(row: Row) -> set[tuple[str, str]]:
    return {(seen.target.reference, seen.target.name) for seen in row.observations if seen.target}
