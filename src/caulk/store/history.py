"""The history of what is watched: readings in rings, and beside them what happened and what was said, in SQLite.

It is bounded: 90 days, 20,480 series of which the one not seen for longest makes room, 1,000 events a workload. It is
kept over restarts: a reading is with the kernel as soon as it is noted, all else is committed every few seconds.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, cast

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import UsageError
from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.store.rings import LANES, TIERS, Block, Tier, reading_of

_MOST_SERIES = 160 * LANES
_MOST_EVENTS = 1000
_KEPT_S = 90 * 86400.0
_UNSEEN_S = 120.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
  slot INTEGER PRIMARY KEY, workload TEXT NOT NULL, replica TEXT NOT NULL, since REAL NOT NULL, seen REAL NOT NULL,
  UNIQUE (workload, replica));
CREATE TABLE IF NOT EXISTS workloads (key TEXT PRIMARY KEY, name TEXT NOT NULL, runtime TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  workload TEXT NOT NULL, replica TEXT NOT NULL, at REAL NOT NULL, what TEXT NOT NULL, bound INTEGER NOT NULL,
  PRIMARY KEY (workload, at, replica, what)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS judgements (
  workload TEXT NOT NULL, at REAL NOT NULL, said BLOB NOT NULL, PRIMARY KEY (workload, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states (workload TEXT PRIMARY KEY, at REAL NOT NULL, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sources (name TEXT PRIMARY KEY, state BLOB NOT NULL);
"""


class Busy(UsageError):
    """Another caulk keeps this history."""


@dataclass(slots=True)
class _Series:
    slot: int
    since: float
    seen: float


class History:
    """The history in a directory, which is made; raises `Busy` if another process writes it.

    One thread notes and keeps; any may ask.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._lock = _locked(directory / "lock")
        self._base = _Base(directory / "history.sqlite")
        self._series = {
            (workload, replica): _Series(slot, since, seen)
            for slot, workload, replica, since, seen in self._base.execute("SELECT * FROM series")
        }
        self._workloads = {key: Workload(key, *rest) for key, *rest in self._base.execute("SELECT * FROM workloads")}
        self._blocks: dict[int, Block] = {}
        self._opening = Lock()
        self._free: list[int] | None = None
        self._touched: set[tuple[str, str]] = set()

    def note(self, seen: Observation) -> None:
        """Keep a reading and what happened to the replica."""
        key = seen.workload.key, seen.replica
        series = self._series.get(key) or self._new(key, seen.reading.at)
        if self._workloads.get(key[0]) != seen.workload:
            self._workloads[key[0]] = seen.workload
            row = (key[0], seen.workload.name, seen.workload.runtime)
            self._base.execute("INSERT OR REPLACE INTO workloads VALUES (?, ?, ?)", row)
        series.seen = seen.reading.at
        self._touched.add(key)
        self._block(series.slot).note(series.slot % LANES, seen.reading, series.since)
        for event in seen.events:
            row_ = (*key, event.at, event.what, event.limit)
            self._base.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)", row_)

    def workloads(self) -> list[Workload]:
        """All that were ever watched and are not forgotten."""
        return sorted(self._workloads.values(), key=lambda workload: workload.key)

    def replicas(self, workload: str) -> list[str]:
        """The replicas that a workload had."""
        asked = "SELECT replica FROM series WHERE workload = ? ORDER BY replica"
        return [replica for (replica,) in self._base.execute(asked, (workload,))]

    def seen(self, workload: str) -> float:
        """When a workload was last read, in seconds since 1970; 0 if never."""
        return max((one.seen for (key, _), one in list(self._series.items()) if key == workload), default=0.0)

    def readings(self, workload: str, replica: str, *, begin: float = 0.0) -> list[Reading]:
        """The readings of a replica since `begin`, oldest first: of each time the finest that are kept."""
        found: list[Reading] = []
        for tier in TIERS:
            kept = map(reading_of, self.cells(workload, replica, tier, begin=begin))
            end = found[0].at if found else float("inf")
            found[:0] = [reading for reading in kept if reading.at < end]
        return found

    def cells(self, workload: str, replica: str, tier: Tier, *, begin: float = 0.0) -> list[tuple[int, ...]]:
        """What one tier has of a replica since `begin`, oldest first, as it lies in the ring."""
        series = self._series.get((workload, replica))
        if series is None:
            return []
        # What a kill kept from being committed may be newer than what is known to have been seen.
        newest = series.seen, series.seen + _UNSEEN_S
        return self._block(series.slot).cells(series.slot % LANES, tier, max(begin, series.since), newest)

    def events(self, workload: str, *, begin: float = 0.0) -> dict[str, list[Event]]:
        """What happened to each replica of a workload since `begin`, oldest first."""
        asked = "SELECT replica, at, what, bound FROM events WHERE workload = ? AND at >= ? ORDER BY at"
        found: dict[str, list[Event]] = {}
        for replica, at, what, bound in self._base.execute(asked, (workload, begin)):
            found.setdefault(replica, []).append(Event(at, what, bound))
        return found

    def said(self, judgement: Judgement, workload: str, at: float) -> None:
        """Keep what was said of a workload from a time on."""
        row = (workload, at, msgspec.json.encode(judgement))
        self._base.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?)", row)

    def judgements(self, workload: str, *, begin: float = 0.0) -> list[tuple[float, Judgement]]:
        """What was said of a workload since `begin`, and when."""
        asked = "SELECT at, said FROM judgements WHERE workload = ? AND at >= ? ORDER BY at"
        rows = self._base.execute(asked, (workload, begin))
        return [(at, decoded(said, Judgement)) for at, said in rows]

    def put_state(self, workload: str, at: float, state: Mapping[str, Any]) -> None:
        """Keep what a workload is judged by; it rests on the readings up to `at`."""
        self._base.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (workload, at, _packed(state)))

    def state(self, workload: str) -> tuple[float, dict[str, Any]] | None:
        """What was put, and up to when it knows the readings."""
        rows = self._base.execute("SELECT at, state FROM states WHERE workload = ?", (workload,))
        return (rows[0][0], _unpacked(rows[0][1])) if rows else None

    def put_source(self, name: str, state: Mapping[str, Any]) -> None:
        """Keep what a source must remember."""
        self._base.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (name, _packed(state)))

    def source(self, name: str) -> dict[str, Any]:
        """What was put; empty if nothing was."""
        rows = self._base.execute("SELECT state FROM sources WHERE name = ?", (name,))
        return _unpacked(rows[0][0]) if rows else {}

    def commit(self) -> None:
        """Brings to disk what is not there yet."""
        seen = [(self._series[key].seen, *key) for key in self._touched if key in self._series]
        self._base.each("UPDATE series SET seen = ? WHERE workload = ? AND replica = ?", seen)
        self._touched.clear()
        self._base.execute("COMMIT")
        self._base.execute("BEGIN")

    def prune(self, now: float) -> None:
        """Forgets what is older than 90 days, and all but the newest events of a workload."""
        old = now - _KEPT_S
        for table, column in (("events", "at"), ("judgements", "at"), ("states", "at"), ("series", "seen")):
            self._base.execute(f"DELETE FROM {table} WHERE {column} < ?", (old,))  # noqa: S608 - names from here
        self._base.execute(
            "DELETE FROM events WHERE (workload, at) IN (SELECT workload, at FROM (SELECT workload, at, "
            "row_number() OVER (PARTITION BY workload ORDER BY at DESC) AS number FROM events) WHERE number > ?)",
            (_MOST_EVENTS,),
        )
        self._base.execute("DELETE FROM workloads WHERE key NOT IN (SELECT workload FROM series)")
        for key in [key for key, series in self._series.items() if series.seen < old]:
            del self._series[key]
        known = {workload for workload, _ in self._series}
        self._workloads = {key: one for key, one in self._workloads.items() if key in known}

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return sum(file.stat().st_blocks * 512 for file in self._directory.iterdir())

    def close(self) -> None:
        """Commits, and lets another caulk have it."""
        self.commit()
        self._base.execute("COMMIT")
        self._base.close()
        for block in self._blocks.values():
            block.close()
        self._lock.close()

    def _new(self, key: tuple[str, str], at: float) -> _Series:
        """A place in the rings for a series; where there is none left, that of the one not seen for longest."""
        taken = {series.slot for series in self._series.values()} if self._free is None else set()
        if self._free is None:
            self._free = sorted(set(range(_MOST_SERIES)) - taken, reverse=True)
        if not self._free:
            oldest = min(self._series, key=lambda known: self._series[known].seen)
            self._free.append(self._series.pop(oldest).slot)
            self._base.execute("DELETE FROM series WHERE workload = ? AND replica = ?", oldest)
        series = self._series[key] = _Series(self._free.pop(), at, at)
        self._base.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?)", (series.slot, *key, at, at))
        return series

    def _block(self, slot: int) -> Block:
        number = slot // LANES
        with self._opening:
            if number not in self._blocks:
                self._blocks[number] = Block(self._directory / f"readings-{number:03}.ring")
            return self._blocks[number]


class _Base:
    """The database in a transaction that is always open, and that threads use in turn."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._link = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._link.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA} BEGIN;")

    def execute(self, asked: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._link.execute(asked, values).fetchall()

    def each(self, asked: str, rows: list[tuple[Any, ...]]) -> None:
        with self._lock:
            self._link.executemany(asked, rows)

    def close(self) -> None:
        with self._lock:
            self._link.close()


def _locked(path: Path) -> sqlite3.Connection:
    """An empty database in a transaction of ours alone until it is closed, however we end: a lock on any system."""
    lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        raise Busy(
            f"another caulk keeps the history in {path.parent}",
            hint="One loop is enough for many targets; CAULK_HOME names another directory.",
        ) from None
    return lock


def _packed(state: Mapping[str, Any]) -> bytes:
    return msgspec.msgpack.encode(state)


def _unpacked(data: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.msgpack.decode(data))
