"""The probe as one script that is brought into a running program: it answers one client, and is gone.

The script lies on a disk of the target, readable for its user alone, until it has been run.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.target import Access, Process
from caulk.ports import Reach, Sink
from caulk.runtimes.cpython.launching import AGENTS
from caulk.runtimes.cpython.talk import Control

#: The probe's modules as they are imported by one another, and the files that they lie in here.
_MODULES = (
    ("caulk_probe.dumper", "heap_dumper.py"),
    ("caulk_probe.answers", "heap_answers.py"),
    ("caulk_probe.control", "heap_control.py"),
)
#: How long it waits for its client, and how long we wait until it runs.
_WAITS_S, _RUNS_S, _LOOK_S = 60, 20.0, 0.05

#: Several threads of the program may be told to run it: the first one does. `{...}` are Python's literals.
_SCRIPT = '''"""The probe of caulk, for one capture; this file is removed at its end."""


def _caulk(name, seconds, sources):
    import sys
    import types

    claim, made = types.ModuleType(name), {{}}
    if sys.modules.setdefault(name, claim) is not claim:
        return

    def done():
        for key in made:
            sys.modules.pop(key, None)
        sys.modules.pop(name, None)

    try:
        if "caulk_probe" not in sys.modules:
            package = made["caulk_probe"] = sys.modules["caulk_probe"] = types.ModuleType("caulk_probe")
            package.__path__ = []
        package = sys.modules["caulk_probe"]
        for key, source in sources:
            if key not in sys.modules:
                module = made[key] = sys.modules[key] = types.ModuleType(key)
                exec(compile(source, "<" + key + ">", "exec"), module.__dict__)
                setattr(package, key.rpartition(".")[2], module)
        sys.modules["caulk_probe.control"].serve_once(name, seconds, done)
    except BaseException:
        done()


_caulk({name!a}, {seconds}, {sources!a})
'''


def directory(reach: Reach, access: Access, process: Process) -> str:
    """Where the script may lie; empty where the program's user may write nowhere."""
    for path in (access.directory, "/tmp", "/var/tmp", "/dev/shm", process.directory):  # noqa: S108 - of the target
        with contextlib.suppress(CaulkError):
            if path and reach.volume(path).is_writable:
                return path.rstrip("/") or "/"
    return ""


@contextmanager
def brought(
    reach: Reach, folder: str, sink: Sink, run: Callable[[str], AbstractContextManager[None]]
) -> Iterator[Control]:
    """The conversation with the script, once `run` has had its path run; the file is removed whatever happens."""
    name = f"caulk_injected_{secrets.token_hex(8)}"
    path = f"{folder}/.{name}.py"
    sink.leaving(path)
    try:
        reach.put(path, script(name))
        with run(path):
            connected = _connected(reach, "\0" + name, sink)
        with connected as control:
            yield control
    finally:
        reach.remove(path)


def script(name: str) -> bytes:
    """The script that answers at the abstract socket `name`."""
    sources = [(key, (AGENTS / file).read_text("utf-8")) for key, file in _MODULES]
    return _SCRIPT.format(name=name, seconds=_WAITS_S, sources=sources).encode()


def _connected(reach: Reach, address: str, sink: Sink) -> Control:
    began = time.monotonic()
    while (gone := time.monotonic() - began) < _RUNS_S:
        sink.progress(gone, _RUNS_S, "waiting for the program to run the probe")
        try:
            return Control(reach.connect(address))
        except Lacks:
            raise
        except Unreachable:
            time.sleep(_LOOK_S)
    raise CaptureFailed(
        f"the program has not run the probe in {_RUNS_S:.0f} s: all its threads wait in C code",
        hint="It does as soon as one of them runs Python again. Try once more when it is busy, or load caulk-probe.",
    )
