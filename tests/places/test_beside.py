"""Who is started beside a process, where what is started there counts against the same limit."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from test_hashed_fetch import TARGET, Here

from caulk.model.errors import Lacks
from caulk.places import beside, shell
from caulk.places.remote import HandReach
from caulk.places.shell import ShellReach

MB = 1 << 20


class Transport:
    """Starts commands here, and remembers what they were."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, command: Sequence[str], *, has_stdin: bool = False) -> Here:
        self.started.append(command[0])
        return Here([sys.executable if command[0] == "python3" else command[0], *command[1:]], None)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Says how many bytes the container has left."""

    def say(size: int) -> None:
        files = [tmp_path / name for name in ("max", "current", "stat")]
        for file, text in zip(files, (f"{512 * MB}\n", f"{512 * MB - size}\n", "inactive_file 0\n"), strict=True):
            file.write_text(text)
        monkeypatch.setattr(shell, "_CGROUPS", (tuple(map(str, files)),))

    return say


def test_a_container_with_room_is_looked_into_by_python(left):
    left(64 * MB)
    transport = Transport()
    assert isinstance(beside.beside(TARGET, transport), HandReach)


def test_in_a_container_that_is_nearly_full_nothing_is_started_but_a_shell(left):
    left(15 * MB)
    transport = Transport()
    reach = beside.beside(TARGET, transport)
    assert isinstance(reach, ShellReach)
    assert set(transport.started) == {"sh"}
    with pytest.raises(Lacks, match=r"15\.0 MB of memory are left there.*cannot connect to 6060"):
        reach.connect(("127.0.0.1", 6060))
