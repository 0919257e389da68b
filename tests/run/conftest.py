"""Running a command under caulk from a process of its own, as the command line does, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

_SUPERVISOR = """
import json, sys
from pathlib import Path
from caulk.watch.run import run

moments = []
settings = json.loads(sys.argv[1])
workspace, address = Path(settings["workspace"]), settings["pprof_url"]
done = run(sys.argv[2:], workspace=workspace, pprof_url=address, on_reading=moments.append)
Path(settings["answer"]).write_text(json.dumps({
    "exit_code": done.exit_code, "notes": done.notes, "moments": len(moments),
    "total": [reading.rss for reading in done.series.readings],
    "subjects": [{
        "pid": s.pid, "runtime": s.runtime, "command": s.command,
        "heap": [reading.heap for reading in s.series.readings],
        "captures": [[c.taken_at.isoformat(), str(c.path), c.kind, c.memory] for c in s.captures],
    } for s in done.subjects],
}))
sys.exit(done.exit_code)
"""


@dataclass(frozen=True)
class Capture:
    taken_at: str
    path: Path
    kind: str
    memory: dict[str, int]


@dataclass(frozen=True)
class Watched:
    pid: int
    runtime: str
    command: str
    heap: list[int | None]
    captures: list[Capture]


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    stdout: str
    stderr: str
    notes: list[str]
    subjects: list[Watched]
    total: list[int]

    def of(self, runtime: str) -> list[Watched]:
        return [subject for subject in self.subjects if subject.runtime == runtime]


class Supervisor:
    """One run of caulk; its process is there from the start, its outcome when it has ended."""

    def __init__(self, folder: Path, command: list[str], *, env: dict[str, str], pprof_url: str | None) -> None:
        self.workspace = folder / "work space"
        self.workspace.mkdir(mode=0o700)
        self._answer = folder / "answer.json"
        settings = {"workspace": str(self.workspace), "answer": str(self._answer), "pprof_url": pprof_url}
        src = Path(__file__).parents[2] / "src"
        bootstrap = f"import sys; sys.path.insert(0, {str(src)!r})\n{_SUPERVISOR}"
        self.process = subprocess.Popen(
            # -I: a PYTHONPATH of the test is for the command alone.
            [sys.executable, "-I", "-c", bootstrap, json.dumps(settings), *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | env,
        )  # fmt: skip

    def outcome(self) -> Outcome:
        stdout, stderr = self.process.communicate(timeout=60)
        assert self._answer.exists(), stderr
        answer = json.loads(self._answer.read_text())
        subjects = []
        for found in answer["subjects"]:
            captures = [Capture(at, Path(path), kind, memory) for at, path, kind, memory in found.pop("captures")]
            subjects.append(Watched(captures=captures, **found))
        return Outcome(self.process.returncode, stdout, stderr, answer["notes"], subjects, answer["total"])


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Supervisor]:
    """Start a command under caulk: `start("python3", "leak.py", env={...}, pprof_url=...)`, in `tmp_path`."""

    def begin(*command: str, env: dict[str, str] | None = None, pprof_url: str | None = None) -> Supervisor:
        return Supervisor(tmp_path, list(command), env=env or {}, pprof_url=pprof_url)

    return begin


@pytest.fixture
def watch(start: Callable[..., Supervisor]) -> Callable[..., Outcome]:
    """Run a command under caulk to its end."""
    return lambda *command, **rest: start(*command, **rest).outcome()
