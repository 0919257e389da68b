"""Strings that are there many times, as a finding: what one copy of each would save, and which field has most of them.

It is advice and no suspicion: it comes behind every holder, whatever it amounts to, and no verdict rests on it.
"""

from collections import Counter
from dataclasses import replace

from caulk.analysis.fingerprint import fingerprint
from caulk.analysis.holders.usual import UsualHolders
from caulk.analysis.objects.heaps import Heap
from caulk.model.contents import Duplicates
from caulk.model.graph import ROOTS
from caulk.model.records import Analysis, Finding
from caulk.model.units import format_share, format_value

PATTERN = "string-duplicates"
#: What is wasted is told from this share of the heap on, and from so many bytes.
TOLD = 0.1
_LEAST_BYTES = 1 << 20
#: So many texts, by what they waste, and of each so many strings tell who holds most of them.
TEXTS, STRINGS = 300, 3
#: A holder of less is not named.
_MOST_OF = 0.5


def may_matter(heap: Heap) -> bool:
    """Whether strings take enough of a heap to waste as much as is told."""
    kinds = heap.graph.types.kind
    taken = sum(size for size, kind in zip(heap.types.retained, kinds, strict=False) if kind == "string")
    return taken >= _least(heap)


def with_repeats(heap: Heap, found: Duplicates) -> Heap:
    """The heap, with a finding more if what equal strings waste is worth telling.

    `found` has the texts that waste most: `TEXTS` of them, with up to `STRINGS` strings each.
    """
    if found.wasted < _least(heap):
        return heap
    return replace(heap, findings=(*heap.findings, _finding(heap, found)))


def of_holders(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings without the one about strings."""
    return tuple(finding for finding in findings if finding.pattern != PATTERN)


def beside(analysis: Analysis, heap: Heap | None) -> Analysis:
    """The analysis with the finding about the strings of a heap, if it has one, behind all others."""
    told = [finding for finding in heap.findings if finding.pattern == PATTERN] if heap else []
    if not told:
        return analysis
    finding = replace(told[0], rank=len(analysis.findings) + 1)
    verdict = analysis.verdict
    if not analysis.findings:
        verdict = replace(verdict, sentence=f"{verdict.sentence} {finding.title}.")
    return replace(analysis, verdict=verdict, findings=(*analysis.findings, finding))


def _least(heap: Heap) -> int:
    return max(round(TOLD * heap.dominators.retained[ROOTS]), _LEAST_BYTES)


def _finding(heap: Heap, found: Duplicates) -> Finding:
    holder, part = _holder(heap, found)
    whole = max(heap.dominators.retained[ROOTS], 1)
    share = found.wasted / whole
    title = (
        f"Duplicate strings waste {format_value(found.wasted, 'bytes')} ({format_share(share)} of the heap):"
        f" {found.copies:,} strings have only {found.contents:,} texts"
    )
    evidence = [f"one string of each text would take {format_value(found.wasted, 'bytes')} less"]
    if holder:
        title += f", {'most' if 2 * _told(found) >= found.wasted else 'the worst'} of them held by `{holder}`"
        evidence.append(
            f"`{holder}` holds about {format_share(part)} of what the {len(found.rows):,} worst texts waste"
        )
    if found.rows:
        first = found.rows[0]
        evidence.append(
            f"the worst text is there {first.copies:,} times: {first.length:,} characters,"
            f" {format_value(first.wasted, 'bytes')} wasted"
        )
    unsure = sum(not row.is_certain for row in found.rows)
    if unsure:
        evidence.append(f"of {unsure:,} of these texts the dump has only the beginning, by which they are equal")
    evidence.append("`caulk strings` lists them, by what they waste")
    return Finding(
        rank=len(heap.findings) + 1,
        pattern=PATTERN,
        title=title,
        bytes=found.wasted,
        bytes_error=0,
        share=round(share, 4),
        count=found.copies,
        holder=holder or None,
        type=_type(heap, found),
        confidence=round(min(share, 1.0) * heap.graph.coverage, 2),
        evidence=tuple(evidence),
        fingerprint=fingerprint(f"{heap.graph.runtime}/{PATTERN}", [(holder, "")]),
        series=(found.wasted,),
    )


def _holder(heap: Heap, found: Duplicates) -> tuple[str, float]:
    """What holds most of the bytes that the worst texts waste, and its part of them; empty where nothing does."""
    usual = UsualHolders(heap.graph, heap.nearest)
    wasted: Counter[str] = Counter()
    for row in found.rows:
        holder, part = usual.of(row.objects)
        wasted[holder] += round(part * row.wasted)
    del wasted[""]
    if not wasted:
        return "", 0.0
    first = min(wasted, key=lambda name: (-wasted[name], name))
    part = wasted[first] / max(_told(found), 1)
    return (first, part) if part >= _MOST_OF else ("", 0.0)


def _told(found: Duplicates) -> int:
    """Bytes that those texts waste whose strings are at hand."""
    return sum(row.wasted for row in found.rows)


def _type(heap: Heap, found: Duplicates) -> str | None:
    """The type of the strings; what is compared may be the arrays that have their texts."""
    graph = heap.graph
    for row in found.rows:
        for number in row.objects:
            if graph.types.kind[graph.type[number]] == "string":
                return graph.type_name(number)
    return next((graph.types.name[i] for i, kind in enumerate(graph.types.kind) if kind == "string"), None)
