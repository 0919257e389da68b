"""Slots: which worker of a server this is, by a number that stays when workers come and go.

The workers of one server share a directory with a file for each slot. A worker takes the first slot that is free and
keeps it by `flock`, which the kernel lets go of however the worker dies. What it counts stands in the file (`cells`):
the next worker of the slot counts on from there. Any of them reads the files of all.

The directory is `CAULK_PROBE_DIR`, or one in /dev/shm (else /tmp, /var/tmp) named after the server: the process that
started the workers, where it runs the same program as they do, else the worker itself.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat

from caulk_probe import cells
from caulk_probe.memory import started

_BASES = ("/dev/shm", "/tmp", "/var/tmp")  # noqa: S108 - made for this user alone, and checked to be
_MOST = 1024


class NoSlot(Exception):
    """There is no directory to share; the message says why, and what to do."""


class Slot:
    """A worker's slot; `mapped` are the bytes of its file. The lock lasts until the process ends or `close`."""

    def __init__(self, directory, number, descriptor):
        self.directory, self.number, self.descriptor = directory, number, descriptor
        # On a file system that fills up, a page that was never written to would kill the process.
        os.posix_fallocate(descriptor, 0, cells.SIZE)
        os.ftruncate(descriptor, cells.SIZE)
        # The mapping keeps a descriptor; were it this one, a forked child would keep the lock as well.
        with open(_path(directory, number), "r+b") as file:
            self.mapped = mmap.mmap(file.fileno(), cells.SIZE)

    def close(self):
        """Gives the slot to whoever comes next, unless a process that it was inherited from has it still."""
        try:
            os.close(self.descriptor)
        except OSError:  # the program has closed it
            pass


def claim(directory):
    """The first slot that no living worker has. Raises NoSlot."""
    try:
        for number in range(_MOST):
            descriptor = os.open(_path(directory, number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return Slot(directory, number, descriptor)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
    except OSError as error:
        raise NoSlot(
            "caulk-probe cannot use {}: {}. Set CAULK_PROBE_DIR to a directory that all workers can write to.".format(
                directory, error.strerror
            )
        ) from None
    raise NoSlot("all {} slots in {} are taken".format(_MOST, directory))


def every(directory):
    """Number, whether a worker lives in it, and the bytes (a copy), of each slot."""
    for name in sorted(os.listdir(directory)):
        if not name.startswith("slot-"):
            continue
        try:
            with open(os.path.join(directory, name), "rb") as file:
                data = file.read(cells.SIZE)
        except OSError:  # it is just being removed
            continue
        head = cells.header(data)
        if head is not None:
            yield int(name[5:]), is_alive(head[0], head[1]), data


def is_alive(process, start):
    """Whether the process that began then still runs."""
    if not process:
        return False
    if os.path.exists("/proc/self/stat"):
        return started(process) == start
    try:
        os.kill(process, 0)
        return True
    except OSError:
        return False


def directory_of(named=""):
    """The directory of this server, made if need be; what dead servers left is removed. Raises NoSlot."""
    if named:
        try:
            os.makedirs(named, 0o700, exist_ok=True)
        except OSError as error:
            raise NoSlot("CAULK_PROBE_DIR: {} cannot be made: {}".format(named, error.strerror)) from None
        return named
    why = "no directory"
    for base in _BASES:
        own = "{}/caulk_probe-{}".format(base, os.geteuid())
        try:
            _make(own)
            _sweep(own)
            path = "{}/{}".format(own, _server())
            _make(path)
            return path
        except OSError as error:
            why = "{}: {}".format(own, error.strerror or error)
    raise NoSlot("caulk-probe has nowhere to share figures ({}): set CAULK_PROBE_DIR.".format(why))


def servers():
    """The directories of all servers of this user."""
    found = []
    for base in _BASES:
        own = "{}/caulk_probe-{}".format(base, os.geteuid())
        try:
            _check(own)
            found.extend("{}/{}".format(own, name) for name in sorted(os.listdir(own)))
        except OSError:
            continue
    return found


def _path(directory, number):
    return "{}/slot-{:04}".format(directory, number)


def _make(path):
    """A directory for this user alone."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    _check(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "not writable")


def _check(path):
    """Others can write to /tmp too: what they put there under this name is not used."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError(errno.EPERM, "it is not this user's own directory")


def _server():
    """A name for whoever started this worker: its number and its start, so that no later process has the same."""
    parent = os.getppid()
    try:
        same = os.readlink("/proc/{}/exe".format(parent)) == os.readlink("/proc/self/exe")
    except OSError:
        same = False
    process = parent if same and started(parent) else os.getpid()
    return "{}-{}".format(process, started(process))


def _sweep(own):
    """Removes the directories of servers that are gone."""
    for name in os.listdir(own):
        process, _, start = name.partition("-")
        if not (process.isdigit() and start.isdigit()) or is_alive(int(process), int(start)):
            continue
        path = "{}/{}".format(own, name)
        try:
            files = os.listdir(path)
            if not any(_is_held("{}/{}".format(path, each)) for each in files):
                for each in files:
                    os.unlink("{}/{}".format(path, each))
                os.rmdir(path)
        except OSError:  # another worker was first
            continue


def _is_held(path):
    """Whether a worker that has outlived its server, or one behind another process number space, has the file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)
