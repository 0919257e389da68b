"""What the numbers of a profile count: a name, a unit, and whether they can be evidence of a leak."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["live", "allocated", "other", "unknown"]

#: By producer. Go: inuse_*; tcmalloc, Envoy, pprof-nodejs: objects, space; V8 and CPython: live, objects, blocks.
_LIVE = {
    ("inuse_space", "bytes"),
    ("inuse_objects", "count"),
    ("space", "bytes"),
    ("objects", "count"),
    ("live", "bytes"),
    ("blocks", "count"),
    ("instances", "count"),
    ("goroutine", "count"),
}
#: Everything that was ever allocated, freed or not: it grows in every healthy program. `allocations`, `size` is old Go.
_ALLOCATED = {("alloc_space", "bytes"), ("alloc_objects", "count"), ("allocations", "count"), ("size", "bytes")}


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a profile, as the producer named it; `unit` is bytes, count, nanoseconds, …"""

    name: str
    unit: str

    @property
    def role(self) -> Role:
        """`live` numbers can show a leak, `allocated` ones never; `unknown` is a bare number without a name."""
        key = (self.name, self.unit)
        if key in _LIVE:
            return "live"
        if key in _ALLOCATED:
            return "allocated"
        return "unknown" if not self.name else "other"

    def __str__(self) -> str:
        return self.name or "value"
