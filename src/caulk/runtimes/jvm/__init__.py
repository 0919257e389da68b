"""The JVM: heap dumps and histograms of one that runs, the dump that it writes when its heap is exhausted.

Under `caulk run` that dump is switched on by JAVA_TOOL_OPTIONS; "Picked up JAVA_TOOL_OPTIONS: ..." on standard error is
the JVM's own. What runs already is asked over HotSpot's attach protocol, as `jcmd` does, so that a JRE without `jcmd`
answers too (`attach`), and armed by its manageable flags (`arming`).
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.jvm.arming import arm, disarm
from caulk.runtimes.jvm.attach import listener
from caulk.runtimes.jvm.dumps import HeapDump
from caulk.runtimes.jvm.flags import refuses_attaching, stated_by
from caulk.runtimes.jvm.oom import OomDump
from caulk.runtimes.jvm.openj9 import is_openj9
from caulk.runtimes.jvm.survey import Survey
from caulk.runtimes.jvm.texts import Figures, Histogram, live_bytes

__all__ = [
    "EVIDENCE",
    "LIBRARY",
    "NAME",
    "SUFFIX",
    "arm",
    "disarm",
    "environment",
    "histogram",
    "live_bytes",
    "recognises",
    "refuses",
    "serves",
    "ways",
]

NAME = "jvm"
EVIDENCE = ("heap graph", "histogram")
SUFFIX = ".histogram"
LIBRARY = "libjvm.so"


def serves(process: Process) -> bool:
    """Whether a process is a JVM: by what it has loaded, or by its launcher where that cannot be seen."""
    return (
        process.has_loaded(LIBRARY) or is_openj9(process) or (not process.libraries and recognises(process.executable))
    )


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """The heap as a graph, live, whole, or as it was when it was exhausted; then by class; then figures."""
    survey = Survey(reach, access)
    return (
        HeapDump(survey, "attach:GC.heap_dump", "heap"),
        HeapDump(survey, "attach:GC.heap_dump -gz=1", "heap-gz", "-gz=1", 15, ".hprof.gz"),
        HeapDump(survey, "attach:GC.heap_dump -all", "heap-all", "-all"),
        OomDump(survey),
        Histogram(survey),
        Figures(survey, "attach:GC.heap_info", "heap-info", "GC.heap_info"),
        Figures(survey, "attach:VM.native_memory", "native-memory", "VM.native_memory"),
    )


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
    return refuses_attaching(stated_by(command, environ))


def histogram(reach: Reach) -> bytes:
    """The live objects by class, as `jcmd PID GC.class_histogram` prints them; raises `CaptureFailed`."""
    return listener(reach).ask("inspectheap", "-live")
