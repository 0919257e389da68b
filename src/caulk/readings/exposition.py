"""The text that a `/metrics` page is: Prometheus' exposition format, and OpenMetrics, which looks the same here.

A page has thousands of lines, of which a handful are about memory: the others are passed over, not parsed.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_LABEL = re.compile(rb'\s*,?\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_MEANT = {"n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series."""

    name: str
    labels: Mapping[str, str]
    value: float


def pattern(names: Iterable[str]) -> re.Pattern[bytes]:
    """What finds the lines of these metrics."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, reverse=True))
    return re.compile(rf"^({alternatives})(?:\{{(.*)\}})?[ \t]+(\S+)".encode(), re.MULTILINE)


def samples(page: bytes, wanted: re.Pattern[bytes]) -> Iterator[Sample]:
    """The samples of a page that `pattern` asks for; values that are no numbers are left out."""
    for name, labels, value in wanted.findall(page):
        try:
            number = float(value)
        except ValueError:
            continue
        if math.isfinite(number):
            yield Sample(name.decode(), _labels(labels), number)


def _labels(text: bytes) -> dict[str, str]:
    return {name.decode(): _plain(value.decode("utf-8", "replace")) for name, value in _LABEL.findall(text)}


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), value) if "\\" in value else value
