"""What this process holds, by `/proc/self/statm`: one read of a descriptor that stays open."""

from __future__ import annotations

import fcntl
import os
import sys

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
#: Nobody looks at descriptors this high; the first free one would shift the program's own numbers.
_DESCRIPTOR = 900


class Statm:
    """Resident and anonymous bytes. The file is that of the process that opened it: a forked child makes its own."""

    def __init__(self):
        self.descriptor = -1
        self.open()

    def open(self):
        """Opens the file; where there is none, every reading is 0."""
        self.close()
        try:
            low = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            self.descriptor = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR)
            os.close(low)
        except OSError:  # the program may have fewer descriptors
            self.descriptor = low

    def read(self):
        """Resident bytes, and those of them that no file and no shared memory backs."""
        try:
            words = os.pread(self.descriptor, 96, 0).split()
            resident = int(words[1])
            return resident * _PAGE, (resident - int(words[2])) * _PAGE
        except (OSError, ValueError, IndexError):
            return self.again()

    def again(self):
        """The same, after the program has closed what it does not know."""
        if not sys.platform.startswith("linux"):
            return 0, 0
        self.descriptor = -1  # it may be another file's by now
        self.open()
        try:
            words = os.pread(self.descriptor, 96, 0).split()
            return int(words[1]) * _PAGE, (int(words[1]) - int(words[2])) * _PAGE
        except (OSError, ValueError, IndexError):
            return 0, 0

    def close(self):
        """Closes the file."""
        if self.descriptor >= 0:
            try:
                os.close(self.descriptor)
            except OSError:
                pass
            self.descriptor = -1


def started(process="self"):
    """When a process began, in clock ticks since the machine did; 0 where that is not known, or it is dead."""
    try:
        with open("/proc/{}/stat".format(process), "rb") as file:
            after = file.read(4096).rpartition(b")")[2].split()
        return 0 if after[0] in (b"Z", b"X") else int(after[19])
    except (OSError, ValueError, IndexError):
        return 0
