"""Whoever reaches a target hashes what is fetched: one SHA-256 of the file up to there, wherever the fetch began."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from caulk.model.errors import Unreachable
from caulk.model.target import Target
from caulk.places import hand
from caulk.places.local.reaching import LocalReach
from caulk.places.remote import HandReach
from caulk.places.shell import ShellReach

TARGET = Target("docker", "docker:shop", "shop")
CONTENT = os.urandom(3 << 20) + b"\n{}\n"
LARGEST = 70_000  # a channel gives what it has, never all of it


class Here:
    """A `Channel` to a command of this machine; `cut` says after how many bytes it drops."""

    errors = b""

    def __init__(self, command: Sequence[str], cut: int | None) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.left = cut

    def read(self) -> bytes:
        assert self.process.stdout
        piece = self.process.stdout.read1(LARGEST)
        if self.left is not None:
            self.left -= len(piece)
            if self.left < 0:
                raise Unreachable("the connection dropped")
        return piece

    def code(self) -> int:
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


class Transport:
    cut: int | None = None

    def start(self, command: Sequence[str], *, has_stdin: bool = False) -> Here:
        return Here(command, self.cut)


def by_python() -> HandReach:
    return HandReach(TARGET, Transport(), os.getpid(), [sys.executable, "-I", "-S", "-c", hand.source()])


def by_node() -> HandReach:
    node = shutil.which("node")
    assert node, "unobtainable: these tests need node"
    source = Path(hand.__file__).with_suffix(".cjs").read_text("utf-8")
    return HandReach(TARGET, Transport(), os.getpid(), [node, "-e", source, "--"])


def by_shell() -> ShellReach:
    return ShellReach(TARGET, Transport(), os.getpid())


def by_nobody() -> LocalReach:
    return LocalReach(Target("local", f"pid:{os.getpid()}", "shop"), os.getpid())


@pytest.mark.parametrize("reach", [by_python, by_node, by_shell, by_nobody])
@pytest.mark.parametrize("offset", [0, 1_234_567])
def test_what_is_fetched_is_whole_and_its_hash_is_that_of_the_file_from_its_beginning(reach, offset, tmp_path):
    (tmp_path / "heap").write_bytes(CONTENT)
    heard: list[str] = []
    pieces = list(reach().fetch(str(tmp_path / "heap"), offset, len(CONTENT) - 4 - offset, heard.append))
    assert b"".join(pieces) == CONTENT[offset:-4]
    assert heard == [hashlib.sha256(CONTENT[:-4]).hexdigest()]


@pytest.mark.parametrize("reach", [by_python, by_node, by_shell])
def test_a_fetch_that_is_cut_tells_no_hash(reach, tmp_path):
    (tmp_path / "heap").write_bytes(CONTENT)
    cut, heard = reach(), []
    cut.transport.cut = 2 << 20
    with pytest.raises(Unreachable):
        list(cut.fetch(str(tmp_path / "heap"), 0, len(CONTENT), heard.append))
    assert heard == []


@pytest.mark.parametrize("reach", [by_python, by_node])
def test_a_file_is_not_hashed_for_who_does_not_ask(reach, tmp_path):
    (tmp_path / "heap").write_bytes(CONTENT)
    assert b"".join(reach().fetch(str(tmp_path / "heap"), 7)) == CONTENT[7:]
