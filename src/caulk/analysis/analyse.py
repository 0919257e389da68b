"""From profiles to an analysis: put them in order, lay them over each other, judge, and say it.

The one entry is `analyse`; what it says is `caulk.model.records.Analysis`, for every runtime and format alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from caulk.analysis import goroutines, prose
from caulk.analysis.dumps import Dump, in_order, size_and_count
from caulk.analysis.emptiness import emptiness
from caulk.analysis.fingerprint import fingerprint
from caulk.analysis.growth import SHAPE_NEEDS, by_the_hour
from caulk.analysis.suspects import Line, Suspect, line_up, lines_of, with_chains
from caulk.analysis.verdict import Judged, judge, smallest_growth
from caulk.model.origin import Origin, origin_of
from caulk.model.profile import Profile
from caulk.model.records import Analysis, Finding, Input, StackFrame, State, Total, Verdict
from caulk.model.units import format_share, format_value

_NOT_MEMORY = {
    "cpu": "a CPU profile: it shows where time goes, not what stays in memory",
    "wall": "a wall-clock profile: it shows where time goes, not what stays in memory",
    "contention": "a profile of blocking: it shows who waits for locks, not what stays in memory",
    "threadcreate": "a profile of thread creation: it shows where threads came from, not what stays in memory",
}
_FINGERPRINT_FRAMES = 4
_WORST: tuple[State, ...] = ("leaking", "suspect", "warming", "undersized", "steady", "unknown")


def analyse(dumps: Sequence[Dump], *, measure: str = "", at: Sequence[datetime] = ()) -> Analysis:
    """Judge one or several dumps. `measure` names what to judge by; `at` are the times of the dumps, in their order.

    Heap profiles of one program are one series; goroutine profiles beside them are a second one, and the two are
    joined. Raises `UsageError` where the dumps do not go together.
    """
    ordered = in_order(dumps, at)
    kinds = ("objects", "memory", "goroutine", "other")
    lines = {kind: [d for d in ordered if _line_kind(d.profile) == kind] for kind in kinds}
    inputs = tuple(_input(dump) for dump in ordered)
    if len(lines["other"]) == len(ordered):
        return _withheld(ordered, inputs)
    notes = tuple(f"{d.path}: {_NOT_MEMORY.get(d.profile.kind, 'not memory')}" for d in lines["other"])
    analyses = []
    if lines["objects"]:
        analyses.append(_of_objects(lines["objects"], [dump.profile for dump in lines["memory"]]))
    if memory := _beside(lines["memory"], lines["objects"]):
        analyses = _once([*analyses, _of_memory(memory, measure)])
    if lines["goroutine"]:
        heap = lines["memory"][-1].profile if lines["memory"] else None
        analyses.append(goroutines.analyse([d.profile for d in lines["goroutine"]], _hours(lines["goroutine"]), heap))
    whole = _joined(analyses)
    if lines["objects"]:
        from caulk.analysis import repeats  # noqa: PLC0415

        whole = repeats.beside(whole, lines["objects"][-1].heap)
    return replace(whole, inputs=inputs, notes=whole.notes + notes)


def _of_objects(dumps: Sequence[Dump], profiles: Sequence[Profile]) -> Analysis:
    # Judging holders needs what judging profiles does not: who has no heap dump does not wait for it.
    from caulk.analysis import holders, repeats  # noqa: PLC0415
    from caulk.analysis.holders import join  # noqa: PLC0415

    if any(dump.heap is None for dump in dumps):
        return _uncounted(dumps)
    heaps = [dump.heap for dump in dumps if dump.heap]
    if len(heaps) == 1:
        findings = repeats.of_holders(heaps[0].findings)
        verdict = holders.verdict_of_one(findings)
    else:
        held = [holders.Held(heap.graph, heap.dominators, heap.nearest, heap.holders) for heap in heaps]
        verdict, findings = holders.analyse(held, _hours(dumps))
    newest = heaps[-1].profile
    totals = tuple(Total(m.name, m.unit, newest.total(i)) for i, m in enumerate(newest.measures))
    judged = Analysis(totals=totals, verdict=verdict, findings=findings)
    return _retold(judged, join.joined(findings, heaps[-1].graph, profiles))


def _uncounted(dumps: Sequence[Dump]) -> Analysis:
    """No findings, and why: of some of the heaps only the types could be counted."""
    short = next(dump for dump in dumps if dump.heap is None)
    newest = dumps[-1].profile
    return Analysis(
        totals=tuple(Total(m.name, m.unit, newest.total(i)) for i, m in enumerate(newest.measures)),
        verdict=Verdict(
            "unknown",
            f"No verdict, only the types were counted: {short.shortage}. `caulk types` shows them;"
            " --max-memory allows more memory.",
            0.0,
        ),
    )


def _beside(profiles: Sequence[Dump], heaps: Sequence[Dump]) -> list[Dump]:
    """The profiles that are judged themselves: where heaps show what grows, a class histogram is evidence at most."""
    return [dump for dump in profiles if len(heaps) < 2 or dump.profile.kind != "histogram"]


def _once(analyses: list[Analysis]) -> list[Analysis]:
    """Analyses of holders and of profiles: what both are about is said by the one that leads, in the words of both."""
    if len(analyses) == 1:
        return analyses
    from caulk.analysis.holders import join  # noqa: PLC0415

    held, made = analyses
    if _WORST.index(held.verdict.state) <= _WORST.index(made.verdict.state):
        return [held, replace(made, findings=join.left(made.findings, held.findings))]
    findings = join.kept(made.findings, held.findings)
    return [replace(held, findings=join.left(held.findings, findings)), _retold(made, findings)]


def _retold(analysis: Analysis, findings: tuple[Finding, ...]) -> Analysis:
    """The analysis with the same findings in other words."""
    sentence = analysis.verdict.sentence
    if findings:
        sentence = sentence.replace(analysis.findings[0].title, findings[0].title)
    return replace(analysis, findings=findings, verdict=replace(analysis.verdict, sentence=sentence))


def _of_memory(dumps: Sequence[Dump], wanted: str) -> Analysis:
    profiles = [dump.profile for dump in dumps]
    size, count = size_and_count(profiles, wanted)
    newest = profiles[-1]
    totals = tuple(Total(m.name, m.unit, newest.total(i)) for i, m in enumerate(newest.measures))
    if size.role in ("allocated", "other"):
        sentence = (
            f"`{size}` counts all that was ever allocated, freed or not: it grows in every healthy program"
            " and is no evidence of a leak."
            if size.role == "allocated"
            else f"`{size}` does not count live memory; no leak verdict."
        )
        hint = "Take a profile of live memory (Go: /debug/pprof/heap), or choose its measure."
        return Analysis(totals=totals, verdict=Verdict("unknown", f"{sentence} {hint}", 0.0))
    hours = _hours(dumps)
    line = line_up(profiles, hours or list(range(len(profiles))), size, count)
    state, judged = judge(line)
    judged = _with_chains(line, judged)
    lines = lines_of(line, [node for j in judged for node in j.suspect.chain])
    findings = tuple(_finding(line, j, rank, lines, hours) for rank, j in enumerate(judged, 1))
    gained = format_value(line.totals[-1] - line.totals[0], size.unit, signed=True)
    is_wide = any(j.is_wide for j in judged)
    sentence = prose.verdict_sentence(
        state, findings, len(profiles), gained=gained, runtime=newest.runtime, is_wide=is_wide
    )
    reasons = []
    if state in ("steady", "suspect") and len(profiles) > 1:
        reasons.append(f"growth of one place below {format_value(smallest_growth(line), size.unit)} would not show")
    if size.role == "unknown":
        reasons.append("the files do not say what their numbers count; they are taken for live memory")
    notes = [emptiness(newest)]
    if any(profile.is_delta for profile in profiles):
        notes.append("It is a delta profile: its amounts are the change over its time, not what is live.")
    return Analysis(
        notes=tuple(filter(None, notes)),
        totals=totals,
        verdict=Verdict(state, sentence, _confidence(line, state, judged), tuple(reasons)),
        findings=findings,
        smallest_growth_bytes=smallest_growth(line) if len(profiles) > 1 else None,
    )


def _with_chains(line: Line, judged: list[Judged]) -> list[Judged]:
    found = {}
    for measure in (0, 1):
        some = [j.suspect for j in judged if j.by_count == bool(measure) and not j.is_wide]
        if some:
            found.update({s.frame: s for s in with_chains(line, some, measure=measure)})
    return [replace(j, suspect=found.get(j.suspect.frame, j.suspect)) for j in judged]


def _finding(line: Line, judged: Judged, rank: int, lines: dict[int, int], hours: list[float]) -> Finding:
    suspect, growth = judged.suspect, judged.growth
    frames, unit, runs = line.tree.frames, line.size.unit, len(line.profiles)
    runtime = line.profiles[-1].runtime
    stack = tuple(_frame(line, node, lines) for node in suspect.chain)
    at = suspect.chain.index(suspect.blamed) if suspect.blamed in suspect.chain else len(stack) - 1
    blamed = stack[at] if stack else StackFrame(frames.function_name(suspect.frame))
    is_type = line.profiles[-1].kind == "histogram"
    per_hour = by_the_hour(growth.slope, hours)
    title = (
        prose.title_of_growth(judged, blamed, runs=runs, unit=unit, per_hour=per_hour, is_type=is_type)
        if runs > 1
        else prose.title_of_one(judged, blamed, unit=unit, is_type=is_type, is_delta=line.profiles[-1].is_delta)
    )
    callers = [f for f in reversed(stack[: at + 1]) if _origin(f, runtime) == "application"] or [blamed]
    grew = runs > 1 and not judged.by_count
    in_bytes = unit == "bytes"
    counts = suspect.counts if in_bytes else suspect.sizes
    return Finding(
        rank=rank,
        pattern="type" if is_type else "allocation",
        title=title,
        bytes=suspect.sizes[-1] if in_bytes else 0,
        bytes_error=round(suspect.errors[-1]) if in_bytes else 0,
        share=_share(line, suspect.sizes[-1]),
        count=counts[-1] if counts else None,
        growth_bytes=suspect.growth.delta if runs > 1 and in_bytes else None,
        growth_bytes_per_hour=round(per_hour, 1) if per_hour is not None and grew and in_bytes else None,
        growth_count=counts[-1] - counts[0] if runs > 1 and counts else None,
        growth_share=round(judged.share, 4) if runs > 1 else None,
        shape=growth.shape,
        allocator=None if is_type else blamed.function,
        type=blamed.function if is_type else None,
        stack=stack,
        location=f"{blamed.file}:{blamed.line}" if blamed.file and blamed.line else None,
        confidence=judged.confidence,
        evidence=_evidence(line, judged, blamed),
        fingerprint=fingerprint(
            f"{runtime}/{'type' if is_type else 'allocation'}",
            [(f.function, f.file) for f in callers[:_FINGERPRINT_FRAMES]],
        ),
        series=suspect.counts if judged.by_count else suspect.sizes,
        unit="count" if judged.by_count else unit,
    )


def _share(line: Line, size: int) -> float:
    """The part of all that the newest profile holds; of a delta profile, of all that grew."""
    whole = sum(value for value in line.tree.values[0] if value > 0) if line.profiles[-1].is_delta else line.totals[-1]
    return round(size / whole, 4) if whole else 0.0


def _frame(line: Line, node: int, lines: dict[int, int]) -> StackFrame:
    frames, frame = line.tree.frames, line.tree.frame[node]
    return StackFrame(frames.function_name(frame), frames.file_name(frame), lines.get(node, 0) or frames.line[frame])


def _origin(frame: StackFrame, runtime: str) -> Origin:
    return origin_of(frame.function, frame.file, "", runtime)


def _evidence(line: Line, judged: Judged, blamed: StackFrame) -> tuple[str, ...]:
    """What speaks for the finding, and how far it can be trusted."""
    suspect, growth, runs = judged.suspect, judged.growth, len(line.profiles)
    unit = "count" if judged.by_count else line.size.unit
    said = []
    if runs > 1:
        series = suspect.counts if judged.by_count else suspect.sizes
        said.append(" → ".join(format_value(value, unit) for value in series))
        said.append(f"rose in {growth.steps_up} of {growth.steps} steps")
        said.append(
            {
                "unknown": f"its shape is not known from {runs} profiles"
                if runs < SHAPE_NEEDS
                else "it goes too unevenly to say whether it flattens out",
                "rising": "it does not flatten out",
                "flattening": "it flattens out, as a cache does that fills up",
                "flat": "the samples are too few to say whether it flattens out",
            }.get(growth.shape, f"its shape is {growth.shape}")
        )
    if any(suspect.errors):
        error = growth.error if runs > 1 else (suspect.count_errors if judged.by_count else suspect.errors)[-1]
        said.append(f"sampling error ±{format_value(error, unit)} (one standard error){_sampled(line.profiles[-1])}")
    if suspect.chain_share < 0.995:
        said.append(f"{format_share(suspect.chain_share)} of it comes along this chain of calls")
    if suspect.origin != "application":
        said.append(f"no frame of the application is on these stacks; this is {suspect.origin} code")
    if prose.is_address(blamed.function):
        said.append("symbols are missing: the frame is an address in a binary, which `--binary` with its symbols names")
    return (*said, *_at_the_end(line, suspect))


def _sampled(profile: Profile) -> str:
    measure = profile.period_measure
    if profile.period <= 1 or not measure or measure.unit != "bytes":
        return ""
    return f": one allocation in {format_value(profile.period, measure.unit)} is recorded, and stands for the others"


def _at_the_end(line: Line, suspect: Suspect) -> tuple[str, ...]:
    """What was taken for the allocator's frames without their names, or could not be."""
    end, frames = line.end, line.tree.frames
    if suspect.frame in end.doubtful:
        return ("nearly all stacks end in it: it may be the allocator's own, and its callers to blame",)
    if not end.frames:
        return ()
    shared = " → ".join(frames.function_name(frame) for frame in reversed(end.frames))
    why = "; the profile says that it has such frames" if end.is_announced else ", which without symbols is not certain"
    return (f"nearly all stacks end in {shared}, passed over as the allocator's own{why}",)


def _confidence(line: Line, state: str, judged: list[Judged]) -> float:
    if judged:
        return judged[0].confidence
    if state == "steady":
        return {2: 0.4, 3: 0.5}.get(len(line.profiles), 0.7)
    return 0.1


def _hours(dumps: Sequence[Dump]) -> list[float]:
    """Hours since the first dump; empty where one has no time, or all have the same."""
    times = [dump.profile.taken_at for dump in dumps]
    known = [t for t in times if t is not None]
    if len(known) < len(times) or len(set(known)) < len(known):
        return []
    return [(t - known[0]).total_seconds() / 3600 for t in known]


def _line_kind(profile: Profile) -> str:
    if profile.kind in ("heap", "histogram", "unknown"):
        return "memory"
    return profile.kind if profile.kind in ("goroutine", "objects") else "other"


def _withheld(dumps: Sequence[Dump], inputs: tuple[Input, ...]) -> Analysis:
    profile = dumps[-1].profile
    what = _NOT_MEMORY.get(profile.kind, "not a profile of memory")
    return Analysis(
        inputs=inputs,
        totals=tuple(Total(m.name, m.unit, profile.total(i)) for i, m in enumerate(profile.measures)),
        verdict=Verdict(
            "unknown",
            f"No leak verdict: this is {what}. `caulk top`, `tree`, `flame` and `diff` show what is in it.",
            0.0,
        ),
    )


def _joined(analyses: Sequence[Analysis]) -> Analysis:
    """Analyses of holders, memory and goroutines as one: the worst verdict leads, findings follow in its order."""
    ranked = sorted(analyses, key=lambda a: _WORST.index(a.verdict.state))
    first = ranked[0]
    sentence = first.verdict.sentence
    for other in ranked[1:]:
        if other.verdict.state == first.verdict.state and other.findings:
            sentence += f" Also: {other.findings[0].title}."
    return Analysis(
        totals=tuple(total for a in analyses for total in a.totals),
        verdict=replace(first.verdict, sentence=sentence),
        findings=tuple(replace(f, rank=i) for i, f in enumerate((f for a in ranked for f in a.findings), 1)),
        smallest_growth_bytes=next((a.smallest_growth_bytes for a in analyses if a.smallest_growth_bytes), None),
        notes=tuple(note for a in ranked for note in a.notes),
    )


def _input(dump: Dump) -> Input:
    profile = dump.profile
    return Input(
        path=dump.path,
        format=profile.format,
        runtime=profile.runtime,
        taken_at=profile.taken_at.isoformat().replace("+00:00", "Z") if profile.taken_at else None,
        size_bytes=dump.size_bytes,
        coverage=round(profile.coverage, 4),
        warnings=profile.warnings,
        kind=profile.kind,
        mode=dump.mode,
    )
