"""Long work on the command line: what a terminal shows of it, and how Ctrl-C ends it."""

import _thread
import io
import signal
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.objects.plan import plan
from caulk.cli import progress
from caulk.cli.progress import Cancelled, ahead, attended
from caulk.model.census import Extent

LARGE = plan(1, Extent(30_000_000, 50_000_000, 15), None)
SMALL = plan(1, Extent(1000, 2000, 15), None)
seconds = st.floats(0, 1e6)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stderr = Terminal()
    monkeypatch.setattr(progress, "_SHOWN", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.001)
    monkeypatch.setenv("TERM", "xterm")
    return stderr


def seen(terminal: Terminal, text: str) -> None:
    """Wait until the terminal shows it, but not for ever."""
    done = threading.Event()
    for _ in range(10_000):
        if text in terminal.getvalue():
            return
        done.wait(0.001)
    raise AssertionError(f"{text!r} is not in {terminal.getvalue()!r}")


def test_a_terminal_shows_the_step_and_what_is_left_and_nothing_in_the_end(terminal):
    def task(talk):
        talk.planned("a.hprof", LARGE)
        talk.progress(0, 1, "reading")
        seen(terminal, "reading")
        talk.progress(0.5, 1, "dominators")
        seen(terminal, "dominators")
        return 42

    with redirect_stderr(terminal):
        assert attended(task, is_long=True) == 42
    shown = terminal.getvalue()
    assert shown.startswith(f"caulk: a.hprof: {LARGE}\n")
    assert " left" in shown
    assert shown.rpartition("\r")[2] == "\x1b[2K"


def test_what_is_no_terminal_hears_the_plan_alone(capsys):
    def task(talk):
        talk.planned("a.hprof", LARGE)
        talk.progress(0, 1, "reading")

    attended(task, is_long=True)
    assert capsys.readouterr().err == f"caulk: a.hprof: {LARGE}\n"


def test_a_small_plan_is_not_said(capsys):
    attended(lambda talk: talk.planned("a.hprof", SMALL), is_long=True)
    assert capsys.readouterr().err == ""


def test_what_goes_wrong_in_the_work_goes_wrong_here():
    def task(_):
        raise ValueError("of the work")

    for is_long in (True, False):
        with pytest.raises(ValueError, match="of the work"):
            attended(task, is_long=is_long)


@pytest.fixture
def attentive() -> Iterator[None]:
    """Ctrl-C is heard: a shell has what it starts in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("attentive")
def test_ctrl_c_does_not_wait_for_a_kernel():
    end = threading.Event()

    def task(talk):
        talk.progress(0, 1, "dominators")
        _thread.interrupt_main()
        end.wait()

    with pytest.raises(KeyboardInterrupt):
        attended(task, is_long=True)
    assert not end.is_set()
    end.set()


@pytest.mark.usefixtures("attentive")
def test_ctrl_c_waits_until_a_file_that_is_being_written_is_cleared_away():
    cleared = []

    def task(talk):
        talk.progress(0.8, 1, "index")
        _thread.interrupt_main()
        try:
            while True:
                talk.progress(0.8, 1, "index")
        except Cancelled:
            cleared.append(True)
            raise

    with pytest.raises(KeyboardInterrupt):
        attended(task, is_long=True)
    assert cleared == [True]


@given(st.floats(0, 1), seconds, seconds, seconds)
def test_a_share_is_a_share_and_what_is_left_is_no_time_gone_by(done, took, since, planned):
    share, left = ahead(done, took, since, planned)
    assert 0 <= share <= 1
    assert left >= 0


@given(st.floats(0.01, 0.9), st.floats(1, 1e4), st.lists(seconds, min_size=2))
def test_progress_never_goes_back_within_a_step(done, took, moments):
    shares = [ahead(done, took, since, 0)[0] for since in sorted(moments)]
    assert all(earlier <= later for earlier, later in pairwise(shares))
