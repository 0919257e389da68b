"""The plan before the work on a heap dump: how many objects, how much memory and time, and so in which mode.

Pure arithmetic on what a look at the dump gives (`Extent`). The figures are those of the columns that the analysis
makes, measured on dumps of 10⁵ to 3 · 10⁷ objects of every format; a plan is within a factor of two of what happens.
"""

from dataclasses import dataclass

from caulk.model.census import Extent, Mode
from caulk.model.units import format_duration, format_value

#: The steps of an exact analysis, and the share of the time that each takes.
STEPS = {"reading": 0.28, "dominators": 0.19, "types": 0.08, "paths": 0.05, "holders": 0.24, "index": 0.16}
#: The interpreter with caulk in it.
_BASE = 20 << 20
#: Bytes an object: with everything in memory at once, and beside a graph that lies in a file. And a reference.
_EXACT, _TWO_PASS, _REFERENCE = 44, 24, 8
#: Seconds an object or a reference, to be read and analysed, and seconds a byte to be counted; kernels that are not
#: compiled are so many times slower.
_ANALYSED, _COUNTED, _INTERPRETED = 0.2e-6, 2e-9, 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What the work on a dump will take: `memory_bytes` in `mode`; `exact_bytes` and `least_bytes` for all answers.

    `least_bytes` are those of the two-pass mode, whose answers are exact too. `available_bytes` is what may be used,
    None where nothing limits it; `fits` whether the mode keeps to it.
    """

    mode: Mode
    objects: int
    references: int
    memory_bytes: int
    exact_bytes: int
    least_bytes: int
    seconds: float
    available_bytes: int | None
    fits: bool

    def __str__(self) -> str:
        """The plan in a line."""
        said = (
            f"about {_rounded(self.objects):,} objects, {format_value(_rounded(self.memory_bytes), 'bytes')} of memory,"
            f" {format_duration(max(self.seconds, 1))}"
        )
        return said if self.mode == "exact" else f"{said}; {self.mode}: {self.shortage}"

    @property
    def shortage(self) -> str:
        """Why it is not the exact mode, in a sentence; empty where it is."""
        if self.mode == "exact" and self.fits:
            return ""
        there = format_value(self.available_bytes or 0, "bytes")
        least = format_value(_rounded(self.least_bytes), "bytes")
        if self.mode == "two-pass" and self.fits:
            all_at_once = format_value(_rounded(self.exact_bytes), "bytes")
            return f"all at once takes about {all_at_once} of memory, and {there} may be used"
        return f"who holds what takes about {least} of memory, and {there} may be used"


def plan(size_bytes: int, extent: Extent, available: int | None, *, is_compiled: bool = True) -> Plan:
    """How to analyse a dump of `size_bytes` with `available` bytes of memory (None: as much as it takes).

    The first mode that fits, of exact, two-pass and streaming; where there is no streaming the two-pass mode, which
    then does not fit.
    """
    exact, least = memory(extent, "exact"), memory(extent, "two-pass")
    mode: Mode = "exact"
    if available is not None and exact > available:
        mode = "two-pass" if least <= available or not extent.counting else "streaming"
    needed = memory(extent, mode)
    seconds = size_bytes * _COUNTED if mode == "streaming" else (extent.objects + extent.references) * _ANALYSED
    return Plan(
        mode=mode,
        objects=extent.objects,
        references=extent.references,
        memory_bytes=needed,
        exact_bytes=exact,
        least_bytes=least,
        seconds=seconds * (1 if is_compiled else _INTERPRETED),
        available_bytes=available,
        fits=available is None or needed <= available,
    )


def begun(step: str) -> float:
    """The share of an exact analysis that is done when a step begins."""
    names = list(STEPS)
    return sum(STEPS[name] for name in names[: names.index(step)])


def memory(extent: Extent, mode: Mode) -> int:
    """The peak of anonymous memory in a mode, in bytes; files that are mapped come and go as there is room."""
    if mode == "streaming":
        return _BASE + extent.counting
    reading = extent.reading * extent.objects + _REFERENCE * extent.references
    if mode == "two-pass":
        return _BASE + max(reading, _TWO_PASS * extent.objects)
    return _BASE + max(reading, _EXACT * extent.objects + _REFERENCE * extent.references)


def _rounded(value: int) -> int:
    """Two digits: more would be pretence."""
    return round(value, 2 - len(str(value))) if value > 99 else value
