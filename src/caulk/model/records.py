"""The records that flow to people and machines: inputs, findings, a verdict. Their fields are the JSON of the contract.

The order of the fields is the order in the JSON (`caulk.analysis/1`); fields are added, never renamed.
"""

from dataclasses import dataclass, field
from typing import Literal

from caulk.model.census import Mode

State = Literal["steady", "warming", "suspect", "leaking", "undersized", "unknown"]

#: How a series went on: one that flattens is a cache filling up; below four points nobody can tell.
Shape = Literal["unknown", "rising", "flattening", "flat", "falling"]


@dataclass(frozen=True, slots=True)
class StackFrame:
    """A frame as people name it; `line` is 0 and `file` empty where the dump does not say."""

    function: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Input:
    """A dump that was read. `coverage` is the share of it that could be."""

    path: str
    format: str
    runtime: str
    taken_at: str | None
    size_bytes: int
    coverage: float = 1.0
    warnings: tuple[str, ...] = ()
    kind: str = "heap"
    mode: Mode | None = None
    """How a heap dump was analysed."""


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a measure over the newest input."""

    measure: str
    unit: str
    value: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement in one word and one sentence; `confidence` is from 0 to 1."""

    state: State
    sentence: str
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in the program that is, or may be, what leaks.

    `bytes` is what is live there in the newest input, `bytes_error` the standard error of its sampling. `stack` runs
    from the outermost caller to the allocation; `location` is the application's own line nearest to it, `file:line`.
    `series` has the bytes of every input, in their order. Growth has a rate by the hour where the inputs are half an
    hour apart, or more.
    """

    rank: int
    pattern: str
    title: str
    bytes: int
    bytes_error: int
    share: float
    count: int | None
    growth_bytes: int | None = None
    growth_bytes_per_hour: float | None = None
    growth_count: int | None = None
    growth_share: float | None = None
    shape: Shape = "unknown"
    holder: str | None = None
    allocator: str | None = None
    type: str | None = None
    path: tuple[str, ...] = ()
    stack: tuple[StackFrame, ...] = ()
    location: str | None = None
    confidence: float = 0.0
    evidence: tuple[str, ...] = ()
    fingerprint: str = ""
    series: tuple[int, ...] = ()
    unit: str = "bytes"
    """What `series` counts; where it is not bytes (goroutines, objects), neither are the amounts in the title."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that `caulk analyze` says; `smallest_growth_bytes` is the growth below which it would be blind."""

    schema: Literal["caulk.analysis/1"] = "caulk.analysis/1"
    inputs: tuple[Input, ...] = ()
    totals: tuple[Total, ...] = ()
    verdict: Verdict = field(default_factory=lambda: Verdict("unknown", "", 0.0))
    findings: tuple[Finding, ...] = ()
    smallest_growth_bytes: int | None = None
    notes: tuple[str, ...] = ()
