"""Running a command under caulk from a process of its own, as the command line does, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from awaiting import PATIENCE_S, await_enough, captures_in, end, most_captures_in

_SUPERVISOR = """
import json, sys
from pathlib import Path
from caulk.run.run import run

settings = json.loads(sys.argv[1])
workspace, address = Path(settings["workspace"]), settings["pprof_url"]
with open(settings["readings"], "w", buffering=1) as readings:
    done = run(sys.argv[2:], workspace=workspace, pprof_url=address,
               on_reading=lambda moment: readings.write(f"{moment.reading.at} {moment.reading.rss}\\n"))
Path(settings["answer"]).write_text(json.dumps({
    "exit_code": done.exit_code, "notes": done.notes,
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
        self._folder, self._answer, self._readings = folder, folder / "answer.json", folder / "readings"
        settings = {"workspace": str(self.workspace), "answer": str(self._answer), "readings": str(self._readings),
                    "pprof_url": pprof_url}  # fmt: skip
        src = Path(__file__).parents[2] / "src"
        bootstrap = f"import sys; sys.path.insert(0, {str(src)!r})\n{_SUPERVISOR}"
        self.process = subprocess.Popen(
            # -I: a PYTHONPATH of the test is for the command alone.
            [sys.executable, "-I", "-c", bootstrap, json.dumps(settings), *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | env,
        )  # fmt: skip

    @property
    def captures(self) -> dict[str, list[Path]]:
        """The captures that there are now, by process or worker, oldest first."""
        return captures_in(self.workspace)

    @property
    def readings(self) -> list[tuple[float, int]]:
        """When caulk looked, in seconds, and the memory that it saw, in bytes."""
        lines = self._readings.read_text().splitlines() if self._readings.exists() else []
        return [(float(at), int(rss)) for at, rss in map(str.split, lines)]

    def has_looked_for(self, seconds: float) -> bool:
        """Whether so much time lies between caulk's first look and its last."""
        return len(self.readings) > 1 and self.readings[-1][0] - self.readings[0][0] >= seconds

    def enough(self, until: Callable[[], bool]) -> None:
        """Tell the program, once `until()` holds, that it may end: it looks for the file `enough`."""
        await_enough(self.process, self._folder, when=until)

    def outcome(self) -> Outcome:
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        assert self._answer.exists(), stderr
        answer = json.loads(self._answer.read_text())
        subjects = []
        for found in answer["subjects"]:
            captures = [Capture(at, Path(path), kind, memory) for at, path, kind, memory in found.pop("captures")]
            subjects.append(Watched(captures=captures, **found))
        return Outcome(self.process.returncode, stdout, stderr, answer["notes"], subjects, answer["total"])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    """Start a command under caulk: `start("python3", "leak.py", env={...}, pprof_url=...)`, in `tmp_path`."""
    started = []

    def begin(*command: str, env: dict[str, str] | None = None, pprof_url: str | None = None) -> Supervisor:
        started.append(Supervisor(tmp_path, list(command), env=env or {}, pprof_url=pprof_url))
        return started[-1]

    yield begin
    for supervisor in started:
        end(supervisor.process)


@pytest.fixture
def watch(start: Callable[..., Supervisor]) -> Callable[..., Outcome]:
    """Run a command under caulk to its end: to its own, or until one process of it has been captured so often.

    `until(supervisor)` says of other things that they are enough.
    """

    def to_the_end(
        *command: str, captures: int = 0, until: Callable[[Supervisor], bool] | None = None, **rest: str
    ) -> Outcome:
        supervisor = start(*command, **rest)
        if captures:
            supervisor.enough(lambda: most_captures_in(supervisor.workspace) >= captures)
        elif until:
            supervisor.enough(lambda: until(supervisor))
        return supervisor.outcome()

    return to_the_end
