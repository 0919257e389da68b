"""Profiles in a line: `heap("main>serve>newTicket 4096x10; main>put 100")`, the file telling whose code a frame is."""

from datetime import UTC, datetime, timedelta

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.profile import Profile

APPLICATION, LIBRARY, RUNTIME = (
    "/srv/app/main.go",
    "/root/go/pkg/mod/x.org/lib@v1.2.0/lib.go",
    "/usr/local/go/src/fmt/x.go",
)
START = datetime(2026, 1, 1, tzinfo=UTC)


def heap(text: str, *, hour: float | None = None, period: int = 0, line: int = 10) -> Profile:
    """Stacks `a>b>c BYTES[xCOUNT]`, separated by `;`. A frame `lib.x` is a library's, `fmt.x` the runtime's."""
    builder = ProfileBuilder(Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
    for stack in filter(None, (part.strip() for part in text.split(";"))):
        path, _, amount = stack.rpartition(" ")
        size, _, count = amount.partition("x")
        builder.add([builder.frame(name, _file(name), line) for name in path.split(">")], (int(count or 1), int(size)))
    return builder.build(
        format="test",
        runtime="go",
        kind="heap",
        default_measure=1,
        period=period,
        taken_at=None if hour is None else START + timedelta(hours=hour),
    )


def _file(name: str) -> str:
    if name.startswith("lib."):
        return LIBRARY
    return RUNTIME if name.startswith("fmt.") else APPLICATION
