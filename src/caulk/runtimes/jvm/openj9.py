"""OpenJ9, the JVM of IBM Semeru: it is recognised and explained, as it speaks neither HotSpot's protocol nor HPROF.

Its library is libj9vmNN.so, and its attach directory /tmp/.com_ibm_tools_attach (https://eclipse.dev/openj9/docs/attachapi/).
"""

from caulk.model.capture import Check
from caulk.model.target import Process

_FIX = (
    "Run the program with a HotSpot JVM (image eclipse-temurin) while you look for the leak; or have OpenJ9 write a\n"
    "system dump (`jcmd PID Dump.system FILE`, or -Xdump:system:events=systhrow,filter=java/lang/OutOfMemoryError),\n"
    "and open it in Eclipse Memory Analyzer with its DTFJ adapter."
)


def is_openj9(process: Process) -> bool:
    """Whether the JVM of a process is OpenJ9."""
    return any(path.rpartition("/")[2].startswith("libj9vm") for path in process.libraries)


def explained() -> Check:
    """Why nothing can be taken from it."""
    return Check(
        "impossible", "this JVM is OpenJ9: it has no HotSpot attach protocol, and its dumps (PHD) are not HPROF", _FIX
    )
