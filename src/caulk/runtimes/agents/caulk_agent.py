"""The agent inside a CPython program: traces its allocations and answers `caulk run` over a Unix socket.

With `--native` memray records them instead, C code included, where it can be imported; else all is as without.

Started by `sitecustomize` next to it; standard library only, CPython 3.8 and later. Whatever goes wrong stays here: the
program runs on. It imports built-in modules alone, its thread is unknown to `threading` and its socket has a high
number: the program sees as little as possible of it.
The protocol is that of `caulk.run.wire`.
"""

from __future__ import annotations

import _imp
import _pickle
import _signal
import _socket
import _thread
import _tracemalloc
import atexit
import errno
import fcntl
import os
import sys
import time

# Nobody looks at descriptors this high; the first free one would shift the program's own numbers.
_DESCRIPTOR = 900
# A capture at the end must be worth its time: the program ran this long, and twice as long as the last one took since.
_SHORTEST_S = 1.0
# Before each attempt to connect again.
_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# What `connect` raises where caulk has ended, or is out of the program's reach by now.
_GONE = (errno.ENOENT, errno.ECONNREFUSED, errno.EACCES, errno.EPERM)
# A `struct timeval`: a caulk that was stopped holds up the program's forks, and its end, for ten seconds at most.
_LONG = 8 if sys.maxsize > 1 << 32 else 4
_PATIENCE = (10).to_bytes(_LONG, sys.byteorder) + bytes(_LONG)


class Agent:
    """One process's connection to caulk; a forked child makes its own.

    The program may close the agent's descriptor at any time, all at once with those that it does not know, and open
    its own with that number. So nothing is asked of a descriptor before it was seen to lead to caulk, in the same
    breath: `getsockopt` keeps the interpreter's lock, and no line of Python comes between. A capture goes to caulk by
    that same descriptor, since a file would be one more.
    """

    def __init__(self) -> None:
        self.path = os.environ["CAULK_RUN_SOCKET"]
        self.final = _recording_path() or "{}.final".format(_stem())
        self.final_not_before = time.monotonic() + _SHORTEST_S
        self.lock = _thread.allocate_lock()
        self.peer = None
        self.connect()

    def connect(self) -> None:
        """Raises OSError where caulk is gone, or the program has closed what was about to be connected."""
        first = _blocking(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM))
        try:
            first.connect(self.path)
            # The first time nothing of the program runs beside this, so that it is caulk who answered.
            peer = _peer(first)
            if peer is None or self.peer not in (None, peer):
                raise OSError(errno.EBADF, "the program has closed the agent's descriptor")
            self.peer = peer
            try:
                high = fcntl.fcntl(first.fileno(), fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR)
            except OSError:  # the program may have fewer descriptors
                high = fcntl.fcntl(first.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
        except OSError as error:
            _let_go(first, is_mine=error.errno in _GONE or _peer(first) == self.peer is not None)
            raise
        _let_go(first, is_mine=_peer(first) == self.peer)
        self.socket = _blocking(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, high))
        if self.is_mine():
            self.socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, _PATIENCE)
        runtime = "memray" if _recording else "cpython"
        self.send("hello {} {}.{}.{} main {}".format(runtime, *sys.version_info[:3], self.final))

    def is_mine(self) -> bool:
        """Whether the descriptor still leads to caulk."""
        return _peer(self.socket) == self.peer

    def hang_up(self) -> None:
        """Lets caulk know."""
        _let_go(self.socket, is_mine=self.is_mine())

    def send(self, line: str, *pieces: bytes) -> None:
        """One line to caulk, and what belongs to it; nothing once the descriptor is not the agent's any more."""
        for piece in (os.fsencode(line) + b"\n", *pieces):
            rest = memoryview(piece)
            while rest:
                if not self.is_mine():
                    return
                try:
                    # Caulk may be gone: where the program wants to die of SIGPIPE, it is not to die of this one.
                    rest = rest[self.socket.send(rest, _socket.MSG_NOSIGNAL) :]
                except OSError:
                    if self.is_mine():
                        raise

    def serve(self) -> None:
        """Answers until caulk hangs up."""
        pending = b""
        while True:
            if not self.is_mine():
                self.reconnect()
                pending = b""
            try:
                data = self.socket.recv(4096)
            except OSError:  # closed by the program, which the next line sees, or by caulk
                data = b""
            if not self.is_mine():
                continue
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                self.answer(os.fsdecode(line))

    def reconnect(self) -> None:
        """Connects anew; raises OSError where caulk is gone. The program may still be closing and opening its own."""
        self.socket.detach()
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            try:
                with self.lock:  # a child forked now would keep the connection open
                    self.connect()
                return
            except OSError as error:
                if error.errno in _GONE or pause_s == _PAUSES_S[-1]:
                    raise

    def answer(self, request: str) -> None:
        """Does what one line of caulk's asks for."""
        verb = request.partition(" ")[0]
        if _recording:
            return
        if verb == "memory":
            self.send("memory " + _figures())
        elif verb == "capture":
            with self.lock:
                try:
                    said, pieces = self.capture()
                    line = "taken {} size={}".format(said, sum(map(len, pieces)))
                except Exception as error:
                    line, pieces = "failed {}: {}".format(type(error).__name__, error).replace("\n", " "), ()
                # Within the lock: once the program's end has it, this thread may not run again.
                self.send(line, *pieces)

    def capture(self):
        """When it was taken and how much there is, and the pieces of what `tracemalloc.Snapshot.dump` would write."""
        at, started, figures = time.time(), time.monotonic(), _figures()
        # What this file allocated is in it too: some KB that do not grow, cheaper left in than looked for.
        traces = _pickle.dumps(_tracemalloc._get_traces(), 4)
        limit = _tracemalloc.get_traceback_limit().to_bytes(4, "little")
        seconds = time.monotonic() - started
        self.final_not_before = time.monotonic() + max(0.25, 2 * seconds)
        pieces = (_HEAD, memoryview(traces)[len(_PROTOCOL) : -len(_STOP)], _TAIL % limit)
        return "at={} seconds={:.6f} {}".format(at, seconds, figures), pieces


# The pickle of a `tracemalloc.Snapshot` around that of its list of traces. `tracemalloc` itself would import a quarter
# of a second and 600 KB of modules: in a small program's first snapshot nothing would be larger.
_PROTOCOL, _STOP = b"\x80\x04", b"."
_NEW_OBJECT = b")\x81}("
_HEAD = (
    _PROTOCOL
    + b"ctracemalloc\nSnapshot\n" + _NEW_OBJECT + b"X\x06\0\0\0traces"
    + b"ctracemalloc\n_Traces\n" + _NEW_OBJECT + b"X\x07\0\0\0_traces"
)  # fmt: skip
_TAIL = b"ubX\x0f\0\0\0traceback_limitJ%bub" + _STOP

_agent: Agent | None = None
_has_started_tracing = False
_recording = None  # memray's tracker, the path of its file and the process that it began in


def start() -> None:
    """Connects, starts tracing and answers from a thread; raises where caulk is not there."""
    global _has_started_tracing, _recording  # the process has one agent and one tracer
    try:
        _recording = _record()
    except Exception:  # no memray, or none that works here
        pass
    try:
        _begin()
    except OSError:
        if _recording:
            _recording[0].__exit__(None, None, None)
        raise
    if not _recording and not _tracemalloc.is_tracing():
        _tracemalloc.start(int(os.environ.get("CAULK_RUN_FRAMES", "16")))
        _has_started_tracing = True
    atexit.register(_at_exit)
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)


def _record():
    """Starts memray if caulk asks for it: the program's own, or caulk's where that fits this interpreter."""
    wanted = os.environ.get("CAULK_RUN_NATIVE")
    if not wanted:
        return None
    suffix, _, folder = wanted.partition(":")
    is_alike = folder and suffix == _imp.extension_suffixes()[0]
    if is_alike:
        sys.path.append(folder)  # behind all that the program has itself
    try:
        import memray  # and, when it begins, what it needs

        memray.set_log_level(40)  # its warnings would be the program's
        path = _stem() + ".memray"
        tracker = memray.Tracker(
            destination=memray.FileDestination(path, compress_on_exit=False), native_traces=True, follow_fork=True
        )
        tracker.__enter__()
    finally:
        if is_alike:
            sys.path.remove(folder)
    return tracker, path, os.getpid()


def _recording_path() -> str | None:
    """The file that memray writes of this process: that of a forked child has its number behind."""
    if not _recording:
        return None
    _, path, pid = _recording
    return path if pid == os.getpid() else "{}.{}".format(path, os.getpid())


def _stem() -> str:
    return "{}/{}-{:x}".format(os.environ["CAULK_RUN_WORKSPACE"], os.getpid(), time.time_ns())


def _begin() -> None:
    global _agent  # a forked child has its own
    _agent = Agent()
    # A thread has the mask of its maker, and what the program blocks in its own threads would else come to this one.
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        _thread.start_new_thread(_answer, (_agent,))
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _answer(agent: Agent) -> None:
    try:
        agent.serve()
    except Exception:  # caulk is gone, or the interpreter is going
        pass
    try:
        agent.hang_up()
        # A program that imported `tracemalloc` may count on its tracing; else nobody needs to pay for it any more.
        if _has_started_tracing and "tracemalloc" not in sys.modules:
            _tracemalloc.stop()
    except Exception:  # the same
        pass


def _at_exit() -> None:
    if _recording:
        try:
            _recording[0].__exit__(None, None, None)
        except Exception:  # a forked child's, which memray ends itself
            pass
        return
    try:
        agent = _agent
        if agent and agent.lock.acquire(timeout=10) and time.monotonic() >= agent.final_not_before:
            if os.path.exists(agent.path):
                _write(agent.final, agent.capture()[1])
    except Exception:  # the program ends as it would have
        pass


def _before_fork() -> None:
    """Keeps a child from being born in the middle of a capture, and CPython 3.12+ from blaming the program."""
    try:
        _agent.lock.acquire(timeout=10)
        if sys.version_info >= (3, 12):
            import warnings  # loaded by every interpreter; `re` comes with the filter

            # The other thread is the agent's: the program did nothing that is deprecated.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of", DeprecationWarning)
    except Exception:  # fork as if nobody watched
        pass


def _after_fork() -> None:
    try:
        _agent.lock.release()
    except Exception:  # it was not acquired in time
        pass


def _in_child() -> None:
    try:
        _agent.hang_up()
        # A child that only writes a heap dump is no process of the program; it needs its tracing to the end.
        if not getattr(sys.modules.get("caulk_probe.dumper"), "is_forking", False):
            _begin()
    except Exception:  # caulk is gone
        pass


def _blocking(socket):
    """Without the time-out that the program may have set for all its sockets."""
    if _socket.getdefaulttimeout() is not None:
        socket.settimeout(None)
    return socket


def _peer(socket) -> bytes | None:
    """Who answers at the other end: its process, user and group; None if the descriptor is no socket."""
    try:
        return socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    except OSError:
        return None


def _let_go(socket, *, is_mine: bool) -> None:
    """Closes a descriptor that is the agent's, and only forgets one that the program has taken."""
    if is_mine:
        socket.close()
    else:
        socket.detach()


def _write(path: str, pieces) -> None:
    """Makes a file of the pieces, whole or not at all."""
    part = path + ".part"
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(pieces)
        os.rename(part, path)
    except BaseException:
        os.unlink(part)
        raise


def _figures() -> str:
    live, peak = _tracemalloc.get_traced_memory()
    return f"heap={live} peak={peak} overhead={_tracemalloc.get_tracemalloc_memory()}"
