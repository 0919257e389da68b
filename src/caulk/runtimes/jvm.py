"""The JVM under `caulk run`: class histograms while it runs, a heap dump when it runs out of memory.

The dump is switched on by JAVA_TOOL_OPTIONS; "Picked up JAVA_TOOL_OPTIONS: ..." on standard error is the JVM's own.
Histograms are asked for over HotSpot's attach protocol, as `jcmd` does, so that a JRE without `jcmd` answers too
(https://github.com/openjdk/jdk/blob/master/src/hotspot/os/posix/attachListener_posix.cpp). Each costs a
full collection.
"""

import os
import shlex
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from caulk.model.errors import CaptureFailed

NAME = "jvm"
SUFFIX = ".histogram"
LIBRARY = "libjvm.so"

_PATIENCE_S = 5.0
_ANSWER_S = 60.0
_MOST_BYTES = 64 << 20


def environment(environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
    """JAVA_TOOL_OPTIONS with a heap dump on OutOfMemoryError into `workspace`; what the user said comes first."""
    users = environ.get("JAVA_TOOL_OPTIONS", "")
    wanted = {
        "HeapDumpOnOutOfMemoryError": "-XX:+HeapDumpOnOutOfMemoryError",
        "HeapDumpPath": f"-XX:HeapDumpPath={shlex.quote(str(workspace))}",
    }
    return {
        "JAVA_TOOL_OPTIONS": " ".join([users, *(flag for name, flag in wanted.items() if name not in users)]).strip()
    }


def recognises(executable: str) -> bool:
    """Whether this is the `java` launcher; other programs are JVMs when they have loaded `LIBRARY`."""
    return executable.rpartition("/")[2] == "java"


def refuses(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether attaching is switched off: SIGQUIT would then print a thread dump into the program's output."""
    said = " ".join(
        [*command, *(environ.get(name, "") for name in ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"))]
    )
    return "+DisableAttachMechanism" in said


def histogram(pid: int, inner_pid: int, *, catches_quit: bool) -> bytes:
    """The live objects by class, as `jcmd PID GC.class_histogram` prints them; raises `CaptureFailed`.

    `inner_pid` is the process's number in its own namespace. Without a handler for SIGQUIT that signal would kill, so
    then only a listener that is there already is used.
    """
    root = Path(f"/proc/{pid}/root/tmp")
    listener = root / f".java_pid{inner_pid}"
    try:
        if not listener.is_socket():
            if not catches_quit:
                raise CaptureFailed("the JVM is not ready to be attached to", hint="It may still be starting.")
            _wake(pid, root / f".attach_pid{inner_pid}", listener)
        return _ask(listener, b"inspectheap", b"-live")
    except OSError as error:
        raise CaptureFailed(f"the JVM could not be attached to: {error}") from error


def live_bytes(text: bytes) -> int | None:
    """The total of a histogram, in bytes; its last line reads `Total <instances> <bytes>`."""
    last = text[-200:].split()[-3:]
    return int(last[2]) if len(last) == 3 and last[0] == b"Total" and last[2].isdigit() else None


def _wake(pid: int, trigger: Path, listener: Path) -> None:
    """Has the JVM open its listener: it does on SIGQUIT when the trigger file of its own user is there."""
    descriptor = os.open(trigger, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        owner = Path(f"/proc/{pid}").stat()
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + _PATIENCE_S
        while not listener.is_socket():
            if time.monotonic() > until:
                raise CaptureFailed(f"the JVM did not answer within {_PATIENCE_S:.0f} s")
            time.sleep(0.02)
    finally:
        os.close(descriptor)
        trigger.unlink(missing_ok=True)


def _ask(listener: Path, command: bytes, *arguments: bytes) -> bytes:
    """One request: version, command and exactly three arguments, each ended by NUL; status and text come back."""
    words = [b"1", command, *arguments, *([b""] * (3 - len(arguments)))]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(_ANSWER_S)
        link.connect(str(listener))
        link.sendall(b"".join(word + b"\0" for word in words))
        answer = bytearray()
        while len(answer) <= _MOST_BYTES and (part := link.recv(1 << 16)):
            answer += part
    status, _, text = bytes(answer).partition(b"\n")
    if status != b"0":
        raise CaptureFailed(f"the JVM refused a class histogram: {text[:200].decode(errors='replace').strip()}")
    return text
