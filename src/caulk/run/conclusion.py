"""What a run showed: each process's captures judged as one series, and the process that leads the answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from caulk import formats
from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.analysis.growth import SHAPE_NEEDS
from caulk.analysis.outside import Outside, outside
from caulk.formats import memray, python_names
from caulk.formats.dropped import without_dropped
from caulk.formats.source import Source, open_source
from caulk.model.errors import CaulkError
from caulk.model.profile import Profile
from caulk.model.records import Analysis, State, Verdict
from caulk.run.run import Run
from caulk.run.subject import Shot, Subject
from caulk.runtimes import native
from caulk.symbols.symbolize import symbolize

#: Shots that are read as profiles; others are dumps that the runtime wrote when it died.
_PROFILES = ("heap", "goroutine", "histogram")
_WORST: tuple[State, ...] = ("leaking", "suspect", "undersized", "warming", "steady", "unknown")


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A process with what its captures say; `deaths` are the dumps that it left when it ran out of memory."""

    subject: Subject
    dumps: tuple[Dump, ...]
    analysis: Analysis
    deaths: tuple[Shot, ...] = ()

    @property
    def runtime(self) -> str:
        """What its profiles say that it is; an endpoint may belong to anything."""
        return self.dumps[-1].profile.runtime if self.dumps else self.subject.runtime

    @property
    def growth(self) -> int:
        """Bytes by which its worst finding grew."""
        return max((finding.growth_bytes or 0 for finding in self.analysis.findings), default=0)


def conclude(run: Run, *, cache: Path | None = None) -> tuple[Conclusion, ...]:
    """A conclusion for each process that gave captures, the worst first; `cache` keeps the names of addresses."""
    allocators = {subject.pid for subject in run.subjects if subject.runtime == native.NAME}
    found = [_of(subject, cache, is_all=subject.pid not in allocators) for subject in run.subjects]
    return tuple(sorted(found, key=lambda c: (_WORST.index(c.analysis.verdict.state), -c.growth, c.subject.pid)))


def alike(first: Conclusion, others: Iterable[Conclusion]) -> int:
    """How many other processes have the leading finding too: the workers of one pool leak in the same place."""
    if not first.analysis.findings:
        return 0
    wanted = first.analysis.findings[0].fingerprint
    return sum(1 for c in others if any(f.fingerprint == wanted for f in c.analysis.findings))


def _of(subject: Subject, cache: Path | None, *, is_all: bool) -> Conclusion:
    """`is_all` says that nobody else speaks for the memory outside of its heap."""
    dumps, notes = [], []
    for shot in subject.captures:
        if shot.kind not in _PROFILES:
            continue
        try:
            source = open_source(str(shot.path))
            profiles = [python_names.named(profile) for profile in _profiles(source)]
        except CaulkError as error:
            notes.append(str(error))
            continue
        for profile in profiles:
            taken = replace(profile, taken_at=profile.taken_at or shot.taken_at, memory=profile.memory or shot.memory)
            dumps.append(Dump(shot.path.name, taken, source.size_bytes))
    if _let_go_at_the_end(dumps):
        notes.append("the profile at exit was left out: the program had let go of its memory before it ended")
        dumps.pop()
    dumps = _with_names(dumps, cache)
    deaths = tuple(shot for shot in subject.captures if shot.kind not in _PROFILES)
    analysis = analyse(dumps) if dumps else Analysis(verdict=Verdict("unknown", _nothing(subject, deaths), 0.0))
    if len({dump.profile.taken_at for dump in dumps}) < SHAPE_NEEDS:
        analysis = _too_short(analysis)
    analysis = replace(analysis, notes=analysis.notes + tuple(notes))
    runtime = dumps[-1].profile.runtime if dumps else subject.runtime
    figures = [d.profile.memory for d in dumps] or [{}]
    beside = outside(subject.series, runtime, (figures[0], figures[-1])) if is_all else None
    return Conclusion(subject, tuple(dumps), _with_outside(analysis, beside), deaths)


def _profiles(source: Source) -> tuple[Profile, ...]:
    """What a file holds: memray's has every moment of its program."""
    if memray.sniff(source.whole()):
        return memray.over_time(source.whole())
    return (formats.read_source(source),)


def _with_names(dumps: list[Dump], cache: Path | None) -> list[Dump]:
    """The dumps with names for their addresses; what has none is said once, of the newest."""
    named = [replace(dump, profile=without_dropped(symbolize(dump.profile, cache=cache))) for dump in dumps]
    said = [replace(dump.profile, warnings=old.profile.warnings) for dump, old in zip(named, dumps, strict=True)]
    return [*(replace(d, profile=p) for d, p in zip(named[:-1], said[:-1], strict=True)), *named[-1:]]


def _let_go_at_the_end(dumps: list[Dump]) -> bool:
    """Whether the last profile holds much less memory than the one before: what functions held went with them."""
    memory = [d for d in dumps if d.profile.kind == "heap"]
    if len(memory) < 3 or dumps[-1] is not memory[-1]:
        return False
    last, before = (d.profile.total(d.profile.default_measure) for d in (memory[-1], memory[-2]))
    return last < 0.7 * before


def _too_short(analysis: Analysis) -> Analysis:
    """A process that ended after two or three profiles was still starting: what grew then is no leak yet."""
    verdict = analysis.verdict
    if verdict.state != "leaking":
        return analysis
    sentence = verdict.sentence.replace("Leaking: ", "Suspect: ", 1)
    return replace(analysis, verdict=replace(verdict, state="suspect", sentence=sentence))


def _with_outside(analysis: Analysis, beside: Outside | None) -> Analysis:
    if not beside:
        return analysis
    verdict = analysis.verdict
    if verdict.state in ("steady", "unknown"):
        return replace(analysis, verdict=replace(verdict, state="suspect", sentence=beside.sentence, confidence=0.5))
    return replace(analysis, verdict=replace(verdict, reasons=(*verdict.reasons, beside.sentence)))


def _nothing(subject: Subject, deaths: tuple[Shot, ...]) -> str:
    if deaths:
        return f"No profile was taken before it died, but it left {deaths[-1].path.name}."
    return f"{subject.runtime} gave no profile that could be read."
