"""memray's own reader, run on a capture as a process with bounded memory and time, since damaged files crash it.

`memray_reader.py` is what runs there; it answers in JSON, which is checked before anything is believed.
"""

import importlib.util
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from caulk.model.errors import MalformedDump

_READER = Path(__file__).with_name("memray_reader.py")
_MEMORY_BYTES, _TIMES_THE_FILE = 2 << 30, 8
_CPU_S, _BYTES_PER_S = 60, 2 << 20


class Answer(msgspec.Struct):
    """What `memray_reader` writes."""

    problem: str = ""
    detail: str = ""
    allocations: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    has_native: bool = False
    times_ms: list[int] = []
    frames: list[tuple[str, str, int]] = []
    stacks: list[tuple[list[int], list[int], list[int]]] = []


def ask(data: bytes, version: int, points: int, allocations: int) -> Answer:
    """Has the reader answer, within its limits; raises `MalformedDump` for all that can go wrong with it.

    `version` and `allocations` are what the capture's head says.
    """
    if not importlib.util.find_spec("memray"):
        raise _missing()
    memory, seconds = _MEMORY_BYTES + _TIMES_THE_FILE * len(data), _CPU_S + len(data) // _BYTES_PER_S
    with tempfile.TemporaryDirectory(prefix="caulk-") as folder:
        capture, said = Path(folder) / "capture.bin", Path(folder) / "answer.json"
        capture.write_bytes(data)
        numbers = (points, min(allocations, sys.maxsize), memory, seconds)
        command = [sys.executable, "-P", str(_READER), str(capture), *map(str, numbers)]
        with said.open("wb") as out:
            try:
                status = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                    timeout=2 * seconds,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                status = -signal.SIGXCPU
        text = said.read_bytes()
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise MalformedDump(f"memray: its reader was stopped after {seconds} s of work", hint=_DAMAGED)
    try:
        answer = msgspec.json.decode(text, type=Answer)
    except (msgspec.DecodeError, ValueError):
        how = _ended_by(status)
        raise MalformedDump(f"memray: its own reader {how} on this file", hint=_DAMAGED) from None
    if answer.problem:
        raise _refusal(answer, version)
    _check(answer)
    return answer


def _check(answer: Answer) -> None:
    """A reader that a damaged file led astray may say anything."""
    points, known = max(1, len(answer.times_ms)), len(answer.frames)
    for stack, sizes, counts in answer.stacks:
        if len(sizes) != points or len(counts) != points or (stack and not 0 <= min(stack) <= max(stack) < known):
            raise MalformedDump("memray: its reader contradicts itself on this file", hint=_DAMAGED)


def _refusal(answer: Answer, version: int) -> MalformedDump:
    if answer.problem == "missing":
        return _missing(f" ({answer.detail})")
    if answer.problem == "memory":
        return MalformedDump("memray: its reader needs more memory than a file of this size may take", hint=_DAMAGED)
    if "incompatible" in answer.detail:
        return MalformedDump(
            f"memray: the capture's layout is version {version}, which the memray installed here does not read",
            hint="Convert it with the memray that wrote it, in the program's own environment:\n"
            "  python -m memray transform speedscope --leaks FILE\n"
            "and give caulk the .speedscope.json (memray 1.20 and later; before, `pip install memray==VERSION` here).",
        )
    return MalformedDump(f"memray: its own reader refuses the file ({answer.detail[:200]})", hint=_DAMAGED)


def _missing(why: str = "") -> MalformedDump:
    return MalformedDump(
        f"memray captures are read by memray itself, which cannot be imported here{why}",
        hint="pip install 'caulk[memray]'",
    )


def _ended_by(status: int) -> str:
    if status < 0:
        return f"died of {signal.Signals(-status).name}" if -status in set(signal.Signals) else f"died of {-status}"
    return f"ended with {status} and no answer"


_DAMAGED = "The file is damaged, or was made by another memray. Take the capture again; end the program by SIGTERM."
