"""The switches that a JVM was started with: from its command line, and from the variables that add to it.

Later ones win; the JVM reads JAVA_TOOL_OPTIONS before its command line, and _JAVA_OPTIONS after it
(https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html). Files of options (`@FILE`, `-XX:Flags=FILE`) are
not read.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from caulk.model.target import Process

#: Of a way to heap dumps at death: whether, where, and how strongly packed. All can be set in a running JVM.
ON_OOM, PATH, GZIP = "HeapDumpOnOutOfMemoryError", "HeapDumpPath", "HeapDumpGzipLevel"

_BEFORE = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
_AFTER = ("_JAVA_OPTIONS",)


def stated(process: Process) -> Mapping[str, str]:
    """The `-XX` switches by name, `true` or `false` where they are on or off; and `-D` properties, by `D` and name."""
    return stated_by(process.command, process.environ)


def stated_by(command: Sequence[str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """The same, of a command line and its environment."""
    found = {}
    for word in _all_words(command, environ):
        if word.startswith(("-XX:+", "-XX:-")):
            found[word[5:]] = "true" if word[4] == "+" else "false"
        elif word.startswith(("-XX:", "-D")) and "=" in word:
            name, _, value = word.removeprefix("-XX:").removeprefix("-").partition("=")
            found[name] = value
    return found


def words(process: Process) -> list[str]:
    """Every word that a JVM was started with, in the order in which it reads them."""
    return _all_words(process.command, process.environ)


def refuses_attaching(switches: Mapping[str, str]) -> bool:
    """Whether the attach mechanism is off: SIGQUIT would then print a thread dump into the program's output."""
    return switches.get("DisableAttachMechanism") == "true"


def _all_words(command: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    return [*_words(environ, _BEFORE), *command, *_words(environ, _AFTER)]


def _words(environ: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        try:
            yield from shlex.split(environ.get(name, ""))
        except ValueError:
            yield from environ[name].split()
