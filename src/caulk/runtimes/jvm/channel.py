"""How diagnostic commands get to a JVM: over its attach socket, or by the `jcmd` of its own image.

Commands are those of `jcmd PID help`; both ways give the same text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from posixpath import dirname, join
from typing import ClassVar, Protocol

from caulk.model.errors import CaptureFailed, Lacks
from caulk.model.target import Process
from caulk.ports import Reach
from caulk.runtimes.jvm.attach import Listener, listener

Tick = Callable[[], object]

# jcmd is a JVM of its own, and small if it is told to be.
_SMALL = ("-J-Xms8m", "-J-Xmx48m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1")
# What JDK 8 understands too.
_SPOKEN = {"true": "1", "false": "0"}
_INHERITED = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")


class Channel(Protocol):
    """An open way to one JVM; its methods raise `CaptureFailed` if the JVM refuses or hangs."""

    name: ClassVar[str]

    def command(self, line: str, *, timeout_s: float = 60.0, tick: Tick = lambda: None) -> bytes:
        """The text that a diagnostic command answers with."""

    def flag(self, name: str) -> str | None:
        """The value of a switch now, `true` and `false` for those that are on or off; None if the JVM has none such."""

    def set_flag(self, name: str, value: str) -> None:
        """Sets a manageable switch; the empty text unsets one that is text."""


@dataclass(frozen=True, slots=True)
class Socket:
    """Commands over the attach socket."""

    listener: Listener
    name: ClassVar[str] = "attach"

    def command(self, line: str, *, timeout_s: float = 60.0, tick: Tick = lambda: None) -> bytes:
        """See `Channel`."""
        return self.listener.ask("jcmd", line, timeout_s=timeout_s, tick=tick)

    def flag(self, name: str) -> str | None:
        """See `Channel`."""
        return _value(self.listener.ask("printflag", name).decode(errors="replace"), name)

    def set_flag(self, name: str, value: str) -> None:
        """See `Channel`."""
        self.listener.ask("setflag", name, _SPOKEN.get(value, value))


@dataclass(frozen=True, slots=True)
class Tool:
    """Commands by a `jcmd` beside the JVM, where no connection can be made from here."""

    reach: Reach
    process: Process
    path: str
    name: ClassVar[str] = "jcmd"

    def command(self, line: str, *, timeout_s: float = 60.0, tick: Tick = lambda: None) -> bytes:
        """See `Channel`; `tick` is called before and after."""
        tick()
        text = self._run([self.path, *_SMALL, str(self.process.pid), line], timeout_s)
        tick()
        # Its first line is the number of the process.
        return text.partition(b"\n")[2]

    def flag(self, name: str) -> str | None:
        """See `Channel`."""
        return _value(self._jinfo(name).decode(errors="replace"), name)

    def set_flag(self, name: str, value: str) -> None:
        """See `Channel`."""
        self._jinfo({"true": f"+{name}", "false": f"-{name}"}.get(value, f"{name}={value}"))

    def _jinfo(self, flag: str) -> bytes:
        # VM.set_flag cannot unset a text.
        return self._run([join(dirname(self.path), "jinfo"), *_SMALL, "-flag", flag, str(self.process.pid)], 60.0)

    def _run(self, command: list[str], timeout_s: float) -> bytes:
        unset = [word for name in _INHERITED if name in self.process.environ for word in ("-u", name)]
        ran = self.reach.run([*(("env", *unset) if unset else ()), *command], timeout_s=timeout_s)
        if ran.code:
            said = (ran.err or ran.out)[-400:].decode(errors="replace").strip()
            raise CaptureFailed(f"{command[0]} could not ask the JVM: {said}")
        return ran.out


def channel(reach: Reach) -> Channel:
    """The JVM's socket, or `jcmd` where the reach has no way to the socket; raises `Lacks` if there is neither."""
    try:
        return Socket(listener(reach))
    except Lacks as lack:
        process = reach.process()
        path = jcmd(reach, process)
        if path is None:
            raise Lacks(
                f"{lack}; and the image has no jcmd beside {process.executable or 'java'}",
                hint=lack.hint or "Use an image with a JDK, or a helper container in the target's PID namespace.",
            ) from lack
        return Tool(reach, process, path)


def jcmd(reach: Reach, process: Process) -> str | None:
    """The `jcmd` that came with the JVM of a process; None in an image with no more than a JRE."""
    beside = dirname(process.executable)
    homes = [beside, join(dirname(dirname(beside)), "bin"), join(process.environ.get("JAVA_HOME", ""), "bin")]
    for home in homes:
        path = join(home, "jcmd")
        if path.startswith("/") and reach.stat(path) is not None:
            return path
    return None


def _value(said: str, name: str) -> str | None:
    """Of `-XX:+Name`, `-XX:-Name` or `-XX:Name=value`; a switch that is not there is told in other words."""
    said = said.strip()
    if said in (f"-XX:+{name}", f"-XX:-{name}"):
        return "true" if said[4] == "+" else "false"
    head = f"-XX:{name}="
    return said.removeprefix(head) if said.startswith(head) else None
