"""Go's goroutines as text: `/debug/pprof/goroutine?debug=1`, `?debug=2`, and the traceback of a panic.

Source: runtime/pprof/pprof.go `printCountProfile` (debug=1, which has stacks with counts) and runtime/traceback.go
(debug=2 and panics, which have every goroutine with its wait state and its creator). Stacks that are equal are counted
together; what a goroutine waits for, how long, and who started it are labels.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator

from caulk.formats.builder import ProfileBuilder
from caulk.formats.go_text import GoText, labels_in
from caulk.model.errors import MalformedDump
from caulk.model.label import Label, LabelSet
from caulk.model.measure import Measure
from caulk.model.profile import Kind, Profile

NAME = "go-goroutine"

_COUNTED = re.compile(r"(goroutine|goroutineleak|threadcreate) profile: total (\d{1,18})")
_ROW = re.compile(r"(\d{1,18}) @(?P<stack>(?: 0x[0-9a-f]{1,16})*)")

_HEAD = re.compile(r"goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[(.*)\]:")
# A goroutine as any traceback begins it: its line, then a call with its arguments, then where that is.
_SNIFF = re.compile(
    rb"^goroutine \d+ [^\n]*\[[^\n]+\]:\r?\n(?:[^\t\n][^\n]*\r?\n\t[^\n]+:\d+|\tgoroutine running on other thread)",
    re.MULTILINE,
)
_CREATOR = re.compile(r"created by (.+?)(?: in goroutine \d+)?")
_PLACE = re.compile(r"\t(.*):(\d{1,18})(?: .*)?")
_MINUTES = re.compile(r"(\d{1,12}) minutes")


def sniff(head: bytes) -> bool:
    """The header of a counted profile, or a goroutine's traceback somewhere in the text."""
    line, newline, _ = head.partition(b"\n")
    if newline and _COUNTED.fullmatch(line.rstrip(b"\r").decode("utf-8", "replace")):
        return True
    return b"\0" not in head and _SNIFF.search(head) is not None


def read(data: bytes) -> Profile:
    """The goroutines in either text; one that was cut short is answered in part."""
    first = data.partition(b"\n")[0].rstrip(b"\r")
    return _read_counted(data) if _COUNTED.fullmatch(first.decode("utf-8", "replace")) else _read_traceback(data)


def _read_counted(data: bytes) -> Profile:
    """debug=1: a count for each stack."""
    what: Kind = "threadcreate" if data.startswith(b"threadcreate") else "goroutine"
    measure = Measure(what, "count")
    builder = ProfileBuilder(measure)
    text = GoText(data, builder)
    total = int(text.header(_COUNTED)[2])
    seen = 0
    for row in text.rows(_ROW):
        seen += int(row.match[1])
        builder.add(row.symbols, (int(row.match[1]),), labels=row.labels)
    coverage = seen / total if seen < total else 1.0
    warnings = (f"{seen:,} of {total:,} {what}s are in the text: it was cut short",) if coverage < 1 else ()
    return builder.build(
        format=NAME,
        runtime="go",
        kind=what,
        period=1,
        period_measure=measure,
        coverage=coverage,
        warnings=warnings + text.warnings(),
    )


def _read_traceback(data: bytes) -> Profile:
    """debug=2 and panics: every goroutine by itself."""
    measure = Measure("goroutine", "count")
    builder = ProfileBuilder(measure)
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace", newline="\n")
    counts: Counter[tuple[tuple[int, ...], LabelSet]] = Counter()
    for frames, labels in _goroutines(lines, builder):
        counts[frames, labels] += 1
    if not counts:
        raise MalformedDump("a Go traceback without a whole goroutine", hint="The text was cut short; take it again.")
    for (frames, labels), count in counts.items():
        builder.add(frames, (count,), labels=labels)
    # The runtime ends every line; a text that does not was cut (`debug=2` stops at 64 MB).
    warnings = () if data.endswith(b"\n") else ("the text does not end with a whole line: it may have been cut short",)
    return builder.build(
        format=NAME, runtime="go", kind="goroutine", period=1, period_measure=measure, warnings=warnings
    )


def _goroutines(lines: Iterator[str], builder: ProfileBuilder) -> Iterator[tuple[tuple[int, ...], LabelSet]]:
    """Frames, outermost caller first, and labels of each goroutine."""
    frames: list[int] = []
    labels: list[Label] = []
    function = ""
    is_inside = False
    for raw in lines:
        line = raw.rstrip("\r\n")
        if head := _HEAD.fullmatch(line):
            if is_inside:
                yield tuple(reversed(frames)), tuple(labels)
            frames, labels, function, is_inside = [], _state(head[1]), "", True
        elif not is_inside:
            continue
        elif not line:
            yield tuple(reversed(frames)), tuple(labels)
            is_inside = False
        elif not line.startswith("\t"):
            function = line
            if line.startswith("non-Go function"):
                frames.append(builder.frame("non-Go function"))
                function = ""
            elif line.startswith("...") and line.endswith(" frames elided..."):
                frames.append(builder.frame("(frames elided)"))
        elif line.startswith("\tgoroutine running on other thread"):
            frames.append(builder.frame("(stack unavailable)"))
        elif function:
            place = _PLACE.fullmatch(line)
            file, number = (place[1], int(place[2])) if place else ("", 0)
            if creator := _CREATOR.fullmatch(function):
                labels += [Label("created by", creator[1]), Label("created at", f"{file}:{number}" if file else "")]
            else:
                frames.append(builder.frame(_without_arguments(function), file, number))
            function = ""
    if is_inside:
        yield tuple(reversed(frames)), tuple(labels)


def _state(text: str) -> list[Label]:
    """The labels in `chan receive, 412 minutes, locked to thread`."""
    text, _, tags = text.partition(" labels:{")
    state, *rest = text.split(", ")
    labels = [Label("state", state)]
    for part in rest:
        if minutes := _MINUTES.fullmatch(part):
            labels.append(Label("wait", number=int(minutes[1]), unit="minutes"))
        elif part == "locked to thread":
            labels.append(Label("locked", "to thread"))
    return [*labels, *labels_in("{" + tags)]


def _without_arguments(call: str) -> str:
    """`main.(*T).Method(0xc000, {0x1, ...})` → `main.(*T).Method`: arguments have no round brackets of their own."""
    name, bracket, _ = call.rpartition("(")
    return name if bracket and name and call.endswith(")") else call
