"""Answers `caulk capture` from inside the program: listens on a private Unix socket, and streams what it is asked for.

    import caulk_probe.control; caulk_probe.control.start()    # in the program
    python -m caulk_probe app.py                                # around it
    CAULK_PROBE=1 python app.py                                 # where caulk-probe is installed

The socket is `/tmp/.caulk_probe_pid<PID>` of mode 0600, or has an abstract name where /tmp cannot be written to. Only
the program's own user and root are answered, whoever may connect. A forked child listens for itself. Whatever goes
wrong stays here: the program runs on, and ends as if nobody listened. The protocol is on the page docs/cpython-probe.md
of caulk.

Linux, Python 3.9 and later. It imports built-in modules alone, its threads are unknown to `threading`, and its
descriptors have high numbers: the program sees as little as possible of it.
"""

from __future__ import annotations

import _signal
import _socket
import _thread
import atexit
import errno
import fcntl
import os
import sys
import time

from caulk_probe import answers

VERSION = 1

_PATH = "/tmp/.caulk_probe_pid"  # noqa: S108 - where caulk looks for it, whatever TMPDIR is
_ABSTRACT = "\0caulk_probe_pid"
#: Nobody looks at descriptors this high; the first free one would shift the program's own numbers.
_DESCRIPTOR = 900
#: Who is asked for nothing, or takes nothing, for so long is hung up on.
_PATIENCE_S = 120
_MOST_CLIENTS = 8
_LONGEST = 4096
_SO_COOKIE = 57
_LONG = 8 if sys.maxsize > 1 << 32 else 4
#: Before the next attempt to listen, where the program closes what it does not know.
_PAUSES_S = (0.05, 0.5, 5.0)


def _genuine(name):
    """A function of `_thread` as it was before gevent or the like: theirs would stop the whole program with us."""
    found = getattr(_thread, name)
    if type(found) is not type(len) and "gevent.monkey" in sys.modules:
        found = sys.modules["gevent.monkey"].get_original("_thread", name)
    return found if type(found) in (type(len), type) else None


_allocate_lock, _start_new_thread = _genuine("allocate_lock"), _genuine("start_new_thread")


class End:
    """One end of a connection, or the socket that listens.

    The program may close its descriptor at any time, all at once with those that it does not know, and open its own
    with that number. So nothing is asked of a descriptor before it was seen to be the same socket, in the same breath:
    `getsockopt` keeps the interpreter's lock.
    """

    def __init__(self, descriptor):
        try:
            high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR)
        except OSError:  # the program may have fewer descriptors
            high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(descriptor)
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, high)
        self.socket.settimeout(None)  # the program may have set another for all its sockets
        self.cookie = self._cookie()
        self.pending = b""

    def _cookie(self):
        try:
            return self.socket.getsockopt(_socket.SOL_SOCKET, _SO_COOKIE, 8)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                return None
        try:  # a kernel that only looks like Linux
            return self.socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        except OSError:
            return None

    def is_mine(self):
        """Whether the descriptor is still what it was."""
        return self.cookie is not None and self._cookie() == self.cookie

    def close(self):
        """Closes a descriptor that is ours, and only forgets one that the program has taken."""
        if self.is_mine():
            self.socket.close()
        else:
            self.socket.detach()

    def peer(self):
        """The user at the other end."""
        credentials = self.socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[4:8], sys.byteorder)

    def limit(self, seconds):
        """How long each `recv` and `send` may take; the kernel's own, so that a forked child has it too."""
        value = seconds.to_bytes(_LONG, sys.byteorder) + bytes(_LONG)
        for option in (_socket.SO_SNDTIMEO, _socket.SO_RCVTIMEO):
            self.socket.setsockopt(_socket.SOL_SOCKET, option, value)

    def send(self, data):
        """All of it; raises OSError where nobody takes it, or the descriptor is not ours any more."""
        rest = memoryview(data)
        while rest:
            if not self.is_mine():
                raise OSError(errno.EBADF, "the program has closed the connection")
            # Where the program wants to die of SIGPIPE, it is not to die of this one.
            rest = rest[self.socket.send(rest, _socket.MSG_NOSIGNAL) :]

    def line(self):
        """The next request; None when there is no more."""
        while b"\n" not in self.pending:
            if len(self.pending) > _LONGEST or not self.is_mine():
                return None
            data = self.socket.recv(_LONGEST)
            if not data:
                return None
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode("utf-8", "replace")


class _Control:
    """What this process listens with, and who is being answered; `pid` is whose it is."""

    def __init__(self):
        self.pid = os.getpid()
        self.listener, self.path, self.inode = None, "", 0
        self.clients = []
        self.jobs = answers.Jobs(_allocate_lock, _in_thread)

    def listen(self):
        """Opens the socket; gives its address. Raises OSError where none can be had."""
        self.sweep()
        name = "{}{}".format(_PATH, self.pid)
        for address in (name, name, "{}{}.{}".format(_ABSTRACT, self.pid, os.urandom(4).hex())):
            made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            made.settimeout(None)
            try:
                os.fchmod(made.fileno(), 0o600)  # what bind makes has these rights
                made.bind(address)
                if address[0] != "\0" and os.geteuid() == 0:
                    # Root may become another user, as workers of a server do, who is to be answered then.
                    os.chmod(address, 0o666)  # noqa: S103 - the peer's user is what counts
                made.listen(_MOST_CLIENTS)
            except OSError as error:
                made.close()
                if address[0] == "\0":
                    raise
                if error.errno == errno.EADDRINUSE:
                    _remove_if_dead(address)
                continue
            self.path = "" if address[0] == "\0" else address
            self.inode = os.stat(address).st_ino if self.path else 0
            self.listener = End(made.detach())
            return address
        raise OSError(errno.EADDRINUSE, "no address to listen at")

    def sweep(self):
        """Removes what processes that were killed have left."""
        try:
            folder, _, stem = _PATH.rpartition("/")
            for name in os.listdir(folder):
                if name.startswith(stem) and not os.path.exists("/proc/" + name[len(stem) :]):
                    _remove_if_dead(folder + "/" + name)
        except OSError:
            pass

    def serve(self):
        """Listens, and listens anew where the program has closed the socket."""
        failures = 0
        while _control is self:
            try:
                if self.listener is None:
                    self.listen()
                if not self.listener.is_mine():
                    self.forget()
                    continue
                descriptor, _ = self.listener.socket._accept()
                failures = 0
                self.welcome(End(descriptor))
            except Exception:
                time.sleep(_PAUSES_S[failures])
                failures = min(failures + 1, len(_PAUSES_S) - 1)

    def welcome(self, client):
        """Answers a client from a thread of its own; strangers are hung up on."""
        if client.peer() not in (os.geteuid(), 0) or len(self.clients) >= _MOST_CLIENTS:
            client.close()
            return
        client.limit(_PATIENCE_S)
        self.clients.append(client)
        try:
            _in_thread(self.attend, client)
        except RuntimeError:  # the program may have no more threads
            self.leave(client)

    def attend(self, client):
        """All requests of one client, one after the other."""
        try:
            client.send(
                "caulk-probe {}\npid {}\npython {}.{}.{}\n\n".format(VERSION, self.pid, *sys.version_info[:3]).encode()
            )
            for request in iter(client.line, None):
                self.jobs.answer(client, request)
        except Exception:  # the client is gone, or the interpreter is going
            pass
        finally:
            self.leave(client)

    def leave(self, client):
        """Hangs up."""
        if client in self.clients:
            self.clients.remove(client)
        client.close()

    def forget(self):
        """Lets go of the socket and of its name."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.close()
        path, self.path = self.path, ""
        try:
            if path and self.pid == os.getpid() and os.stat(path).st_ino == self.inode:
                os.unlink(path)
        except OSError:
            pass


_control: _Control | None = None
_is_hooked = False


def start():
    """Listens, from a thread; once for a process. Raises RuntimeError or OSError where that cannot be done."""
    global _control, _is_hooked  # a process has one control
    if _control is not None:
        return
    if not sys.platform.startswith("linux"):
        raise RuntimeError("caulk-probe listens on Linux only")
    if _start_new_thread is None or _allocate_lock is None:
        raise RuntimeError("threads are replaced (gevent, eventlet): start caulk_probe.control before that is done")
    control = _Control()
    control.listen()
    _control = control
    _in_thread(control.serve)
    if not _is_hooked:
        atexit.register(stop)
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
        _is_hooked = True


def stop():
    """Listens no more."""
    global _control  # as above
    control, _control = _control, None
    if control is not None:
        control.jobs.unwatch()
        if control.listener is not None and control.listener.is_mine():
            control.listener.socket.shutdown(_socket.SHUT_RDWR)  # wakes the thread that waits for clients
        control.forget()


def serve_once(name, seconds, done):
    """Answers one client at an abstract `name` if it comes within `seconds`, from a thread; then calls `done`."""
    if _start_new_thread is None or _allocate_lock is None:
        raise RuntimeError("threads are replaced")
    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    made.bind("\0" + name)
    made.listen(_MOST_CLIENTS)
    listener, control = End(made.detach()), _Control()
    listener.limit(seconds)

    def serve():
        try:
            while not control.clients:
                client = End(listener.socket._accept()[0])
                if client.peer() in (os.geteuid(), 0):
                    client.limit(_PATIENCE_S)
                    control.clients.append(client)
            listener.close()
            control.attend(control.clients[0])
        except OSError:  # nobody came
            pass
        finally:
            listener.close()
            done()

    _in_thread(serve)


def _in_thread(work, *arguments):
    """A thread that no signal comes to: it has the mask of its maker."""
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        _start_new_thread(work, arguments)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _remove_if_dead(path):
    """Deletes a socket that nobody listens at."""
    asked = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
    try:
        asked.connect(path)
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            try:
                os.unlink(path)
            except OSError:
                pass
    finally:
        asked.close()


def _before_fork():
    """Keeps a child from being born in the middle of a dump, and CPython 3.12 and later from blaming the program."""
    try:
        if _control is None or answers.is_forking():
            return
        _control.jobs.pause()
        if sys.version_info >= (3, 12) and _thread._count() <= 1 + len(_control.clients):
            import warnings

            # The other threads are the control's: the program did nothing that is deprecated.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of", DeprecationWarning)
    except Exception:  # fork as if nobody listened
        pass


def _after_fork():
    try:
        if _control is not None and not answers.is_forking():
            _control.jobs.resume()
    except Exception:  # as above
        pass


def _in_child():
    global _control  # a child has its own
    try:
        # A child that only writes a dump is no process of the program; it keeps the connection that it writes to.
        if _control is None or answers.is_forking():
            return
        parents, _control = _control, None
        for end in (parents.listener, *parents.clients):
            if end is not None:
                end.close()
        _control = _Control()
        _control.jobs.inherit(parents.jobs)
        _in_thread(_control.serve)
    except Exception:  # the child runs without
        pass
