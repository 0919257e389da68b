"""Go's own profile text (`?debug=1`): rows of numbers and addresses, each followed by its symbols.

Source: runtime/pprof/pprof.go, `printStackRecord`. The symbol lines are comments to pprof; here they are the stack,
inlined calls included, innermost first. A line that makes no sense is counted and passed over.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import MalformedDump
from caulk.model.label import Label, LabelSet

_LABEL = re.compile(r'"((?:[^"\\]|\\.)*+)": ?"((?:[^"\\]|\\.)*+)"(?:, )?')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(00[0-9a-f]{6})|(.))")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
# Go pads its columns, so several tabs may stand for one; a function without a name has its address alone.
_SYMBOL = re.compile(r"#\t+(0x[0-9a-f]{1,16})(?:\t+([^\t]+)\+0x[0-9a-f]+\t+([^\t]*):(\d{1,18}))?")
MEMSTATS = "# runtime.MemStats"


@dataclass(slots=True)
class Row:
    """A stack's own line, as its pattern matched it, and the frames below it, outermost caller first."""

    match: "re.Match[str]"
    symbols: list[int] = field(default_factory=list)
    labels: LabelSet = ()


class GoText:
    """The rows of one text. After `rows` is through, `lines` stands at the MemStats block or at the end."""

    def __init__(self, data: bytes, builder: ProfileBuilder) -> None:
        self.lines: Iterator[str] = (
            line.rstrip("\r\n") for line in io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace", newline="\n")
        )
        self.is_at_memstats = False
        self._builder = builder
        self._frames: dict[str, int] = {}
        self._allocator: set[int] = set()
        self._unread: list[str] = []
        self._unread_count = 0

    def header(self, pattern: "re.Pattern[str]") -> "re.Match[str]":
        """The first line."""
        match = pattern.fullmatch(next(self.lines, ""))
        if not match:
            raise MalformedDump("a Go profile without its header", hint="The text was cut; take the profile again.")
        return match

    def rows(self, pattern: "re.Pattern[str]") -> Iterator[Row]:
        """Every stack; group `stack` of the pattern has its addresses, which are its frames where symbols are not."""
        row: Row | None = None
        for line in self.lines:
            if line.startswith("#\t") and row and (frame := self._symbol(line)) >= 0:
                row.symbols.append(frame)
            elif line.startswith("# labels: {") and row:
                row.labels = labels_in(line)
            elif match := pattern.fullmatch(line):
                if row:
                    yield self._complete(row)
                row = Row(match)
            elif line == MEMSTATS:
                self.is_at_memstats = True
                break
            elif line:
                self._unread_count += 1
                self._unread = self._unread or [line[:60]]
        if row:
            yield self._complete(row)

    def without_allocator(self, frames: list[int]) -> list[int]:
        """A stack without the runtime's frames at its inner end, unless it has no others: as Go's protobuf has it."""
        end = len(frames)
        while end and frames[end - 1] in self._allocator:
            end -= 1
        return frames[:end] or frames

    def warnings(self) -> tuple[str, ...]:
        """What could not be read."""
        if not self._unread:
            return ()
        return (f"{self._unread_count:,} lines make no sense and were left out, the first is {self._unread[0]!r}",)

    def _symbol(self, line: str) -> int:
        """The frame of a symbol line, -1 if it is none."""
        known = self._frames.get(line)
        if known is None:
            match = _SYMBOL.fullmatch(line)
            if not match:
                return -1
            address, function, file, number = match.groups()
            known = self._builder.frame(function, file, int(number)) if function else self._address(address)
            self._frames[line] = known
            if function and function.startswith(("runtime.", "internal/runtime/")):
                self._allocator.add(known)
        return known

    def _address(self, text: str) -> int:
        address = int(text, 16)
        return self._builder.frame("", address=address - (1 << 64) if address >> 63 else address)

    def _complete(self, row: Row) -> Row:
        if not row.symbols:
            row.symbols = [self._address(address) for address in row.match["stack"].split()]
        row.symbols.reverse()
        return row


def labels_in(line: str) -> LabelSet:
    """The labels of a goroutine, which Go writes as `{"key":"text", ...}` at the end of a line."""
    found: list[Label] = []
    at = line.find("{") + 1
    # One after the other from the bracket on: a search would start again at every quote.
    while match := _LABEL.match(line, at):
        found.append(Label(_unquoted(match[1]), _unquoted(match[2])))
        at = match.end()
    return tuple(found)


def _unquoted(text: str) -> str:
    """What a Go string says, without its escapes."""
    return _ESCAPE.sub(_character, text).encode("utf-8", "replace").decode()


def _character(escape: "re.Match[str]") -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(min(int(code, 16), 0x10FFFF)) if code else _PLAIN.get(escape[4], escape[4])
