"""The terminal's last line while a program runs: its memory, live, without touching what the program prints.

The rest of the terminal becomes a scroll region (DECSTBM, as apt does it), so the program writes above. Nothing is
written where stderr is not a terminal; the region is given back however the program ends.
"""

import shutil
import sys
from collections import deque
from types import TracebackType
from typing import Self

from caulk.model.units import format_duration, format_value
from caulk.run.run import Moment
from caulk.views.text import sparkline

_WIDTH_OF_HISTORY = 24


class StatusLine:
    """A context in which `show` draws; it needs a terminal of at least four lines."""

    def __init__(self, *, enabled: bool) -> None:
        self._rows = shutil.get_terminal_size((0, 0)).lines if enabled and sys.stderr.isatty() else 0
        self._history: deque[int] = deque(maxlen=_WIDTH_OF_HISTORY)

    def __enter__(self) -> Self:
        if self._rows >= 4:
            # Scroll up one line first, so that the region does not cut through what stands at the bottom.
            sys.stderr.write(f"\n\x1b7\x1b[1;{self._rows - 1}r\x1b8\x1b[1A")
            sys.stderr.flush()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._rows >= 4:
            sys.stderr.write(f"\x1b7\x1b[r\x1b[{self._rows};1H\x1b[2K\x1b8")
            sys.stderr.flush()

    def show(self, moment: Moment) -> None:
        """Draw how the run stands."""
        self._history.append(moment.reading.rss)
        if self._rows < 4:
            return
        size = shutil.get_terminal_size((80, self._rows))
        self._rows = size.lines
        line = (
            f" caulk  {format_value(moment.reading.rss, 'bytes'):>8} {sparkline(list(self._history))}"
            f"  {format_duration(moment.elapsed_s)}, {moment.captures} profiles"
        )[: size.columns - 1]
        sys.stderr.write(f"\x1b7\x1b[1;{size.lines - 1}r\x1b[{size.lines};1H\x1b[2K\x1b[7m{line}\x1b[0m\x1b8")
        sys.stderr.flush()
