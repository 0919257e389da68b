"""What a client of `control` may ask for: the object graph, what `tracemalloc` knows, figures, and switches.

An answer is a line `ok` or `failed REASON`, lines of a name and a value, and an empty line. What is streamed follows in
pieces, each behind its length (4 bytes, little endian); a length of 0 ends it, and one more such answer tells how it
went. Nothing is written to a disk, but where `watch` is told to.
"""

from __future__ import annotations

import _pickle
import _tracemalloc
import contextlib
import gc
import os
import posix
import sys
import time
import warnings

from caulk_probe import dumper

_PIECE = 1 << 18
_MOST_FRAMES = 64
_LOOK_S = 1.0
#: How long a fork of the program waits for a dump that is under way.
_FORK_WAITS_S = 10

# The pickle of a `tracemalloc.Snapshot` around that of its list of traces. `tracemalloc` itself would import a quarter
# of a second and 600 KB of modules.
_PROTOCOL, _STOP = b"\x80\x04", b"."
_NEW_OBJECT = b")\x81}("
_HEAD = (
    _PROTOCOL
    + b"ctracemalloc\nSnapshot\n" + _NEW_OBJECT + b"X\x06\0\0\0traces"
    + b"ctracemalloc\n_Traces\n" + _NEW_OBJECT + b"X\x07\0\0\0_traces"
)  # fmt: skip
_TAIL = b"ubX\x0f\0\0\0traceback_limitJ%bub" + _STOP


def is_forking():
    """Whether this fork is the dumper's own."""
    return dumper.is_forking


class Refused(Exception):
    """What was asked for is not done; the message says why."""


class Jobs:
    """What is under way in this process: one capture at a time."""

    def __init__(self, allocate_lock, in_thread):
        #: Held for a capture, and while the program's objects are in our hands.
        self.busy, self.walking = allocate_lock(), allocate_lock()
        self.directory, self.dumped = "", ""
        self.is_paused = False
        self.in_thread = in_thread

    # -- forks of the program

    def pause(self):
        """Waits until nothing of the program's is in our hands, for a while."""
        self.is_paused = self.walking.acquire(timeout=_FORK_WAITS_S)

    def resume(self):
        """Goes on."""
        if self.is_paused:
            self.walking.release()

    def inherit(self, parents):
        """Does in a child what its parent was told to do."""
        if parents.directory:
            self.watch(parents.directory)

    # -- requests

    def answer(self, client, request):
        """Does what one line asks for."""
        verb, _, rest = request.partition(" ")
        work = _VERBS.get(verb)
        try:
            if work is None:
                raise Refused("this caulk-probe does not know {!r}: it is older than caulk".format(verb[:40]))
            work(self, client, rest)
        except Refused as error:
            _say(client, error=error)
        except OSError:  # the client is gone
            raise
        except Exception as error:
            _say(client, error="{}: {}".format(type(error).__name__, error))

    def plan(self, client, _rest):
        """What a graph would cost by a child and in place, and what the traces would."""
        facts = {}
        for mode in ("fork", "in-place"):
            plan = dumper.plan("/", fork=mode == "fork")
            pause_s = plan.pause_s
            if mode == "fork":
                # Beside other threads the data of each is looked for among all objects, before the fork.
                pause_s = 0.01 + 2 * pause_s + 4e-8 * sys.getallocatedblocks()
            facts.update(
                {
                    mode + "-pause-s": "{:.6f}".format(pause_s),
                    mode + "-seconds": "{:.3f}".format(plan.seconds),
                    mode + "-extra-bytes": plan.extra_bytes,
                    # Not a word of the disk: what is streamed needs none.
                    mode + "-is-safe": int(plan.headroom_bytes < 0 or plan.extra_bytes <= plan.headroom_bytes * 0.9),
                    mode + "-size-bytes": plan.disk_bytes,
                    mode + "-refused": plan.why if "interpreter lock" in plan.why else "",
                }
            )
        _say(client, {**facts, **self.facts()})

    def figures(self, client, _rest):
        """What the interpreter counts by itself."""
        counts = ("{} {}".format(i, stat["collections"]) for i, stat in enumerate(gc.get_stats()))
        memory = {
            name: dumper._figure("/proc/self/status", field + ":")
            for name, field in (("rss", "VmRSS"), ("anonymous", "RssAnon"), ("peak-rss", "VmHWM"))
        }
        known = {
            **memory,
            "allocated-blocks": sys.getallocatedblocks(),
            "frozen-objects": gc.get_freeze_count(),
            "uncollectable-objects": len(gc.garbage),
            "collections": ", ".join("generation " + each for each in counts),
            "modules": len(sys.modules),
            "threads": len(sys._current_frames()),
        }
        _say(client, {**known, **self.facts()})

    def facts(self):
        """What is switched on here."""
        live, peak = _tracemalloc.get_traced_memory()
        return {
            "frames": _tracemalloc.get_traceback_limit() if _tracemalloc.is_tracing() else 0,
            "traced-bytes": live,
            "traced-peak-bytes": peak,
            "traces-bytes": _tracemalloc.get_tracemalloc_memory(),
            "watch": self.directory,
            "dumped": self.dumped,
        }

    def start(self, client, rest):
        """Traces allocations from now on, with so many frames."""
        frames = int(rest) if rest.isdigit() else 16
        if not 1 <= frames <= _MOST_FRAMES:
            raise Refused("tracemalloc is started with 1 to {} frames here".format(_MOST_FRAMES))
        before = self.facts()["frames"]
        if not before:
            _tracemalloc.start(frames)
        _say(client, {"before": before})

    def stop(self, client, _rest):
        """Traces no more."""
        _tracemalloc.stop()
        _say(client)

    def watch(self, rest):
        """Has the graph dumped into a directory before the memory limit is reached, while a dump still fits."""
        self.directory, self.dumped = rest, ""
        self.in_thread(self.look, rest)

    def unwatch(self):
        """Looks no more."""
        self.directory = ""

    def asked_to_watch(self, client, rest):
        """As `watch`, where the directory can be written to."""
        before = self.directory
        if not os.path.isdir(rest) or not os.access(rest, os.W_OK | os.X_OK):
            raise Refused("the program cannot write to {}".format(rest))
        if rest != before:
            self.watch(rest)
        _say(client, {"before": before})

    def asked_to_unwatch(self, client, _rest):
        """As `unwatch`."""
        self.unwatch()
        _say(client)

    def look(self, directory):
        """Dumps once, in place, when there is hardly more left than a dump takes."""
        path = "{}/caulk-{}-{}.cgraph".format(directory.rstrip("/"), os.getpid(), time.time_ns())
        while self.directory == directory:
            plan = dumper.plan(path)
            if 0 <= plan.headroom_bytes < 2 * plan.extra_bytes and self.busy.acquire(False):
                try:
                    with self.walking:
                        dumper.dump(path)
                    self.dumped = path
                except Exception as error:
                    dumper._say_error(path, error)
                finally:
                    self.busy.release()
                return
            time.sleep(_LOOK_S)

    # -- captures

    def graph(self, client, rest):
        """The object graph, by a child (`fork`) or in place; `force` after it overrides the plan."""
        mode, _, how = rest.partition(" ")
        is_child = mode == "fork"
        plan = dumper.plan("/", fork=is_child)
        is_tight = 0 <= plan.headroom_bytes * 0.9 < plan.extra_bytes
        if "interpreter lock" in plan.why or (is_tight and how != "force"):
            raise Refused(plan.why)
        self.alone(client, self.by_child if is_child else self.in_place)

    def traces(self, client, _rest):
        """All that is traced, as `tracemalloc.Snapshot.dump` would write it."""
        if not _tracemalloc.is_tracing():
            raise Refused("tracemalloc does not trace: `caulk arm` starts it")
        self.alone(client, self.pickled)

    def alone(self, client, work):
        """One capture at a time."""
        if not self.busy.acquire(False):
            raise Refused("another capture of this process is under way")
        try:
            work(client)
        finally:
            self.busy.release()

    def in_place(self, client):
        """Written by this thread; others run between its steps."""
        _say(client, {"mode": "in-place"})
        was_enabled, started = gc.isenabled(), time.thread_time()
        # A collection in between would run the program's finalizers, in this thread.
        gc.disable()
        error = ""
        try:
            with self.walking:
                _walk(client, "in-place", None)
        except OSError:  # the client is gone
            raise
        except Exception as reason:
            error = "{}: {}".format(type(reason).__name__, reason)
        finally:
            if was_enabled:
                gc.enable()
        # What others lost: they ran while this thread waited for whom it sends to.
        _end(client, {"pause-s": "{:.6f}".format(time.thread_time() - started)}, error)

    def by_child(self, client):
        """A child writes, and the program goes on."""
        _say(client, {"mode": "fork"})
        try:
            with self.walking:
                told, pause_s = _fork(client)
        except OSError as error:
            _end(client, {}, "no child can be made: {}".format(error))
            return
        try:
            said = b""
            while not said.endswith(b"\n"):
                piece = os.read(told, 4096)
                if not piece:
                    break
                said += piece
        finally:
            os.close(told)
        if not said.endswith(b"\n"):
            # It may have ended within a piece: nothing more can be said on this connection.
            raise OSError("the child that wrote the graph ended early")
        error = said.decode("utf-8", "replace").strip()
        _end(client, {"pause-s": "{:.6f}".format(pause_s)}, error)

    def pickled(self, client):
        """The traces as a pickle; what this file allocated is in it too, some KB that do not grow."""
        started = time.thread_time()
        with self.walking:
            traces = _tracemalloc._get_traces()
            limit = _tracemalloc.get_traceback_limit().to_bytes(4, "little")
            _say(client, {"frames": _tracemalloc.get_traceback_limit()})
            stream = _Stream(client)
            stream.add(_HEAD)
            _pickle.Pickler(_Inner(stream), 4).dump(traces)
            del traces
        del stream.waiting[-len(_STOP) :]
        stream.add(_TAIL % limit)
        stream.flush()
        _end(client, {"pause-s": "{:.6f}".format(time.thread_time() - started)})


_VERBS = {
    "plan": Jobs.plan,
    "figures": Jobs.figures,
    "graph": Jobs.graph,
    "tracemalloc": Jobs.traces,
    "start": Jobs.start,
    "stop": Jobs.stop,
    "watch": Jobs.asked_to_watch,
    "unwatch": Jobs.asked_to_unwatch,
}


class _Stream(dumper._File):
    """What is written, in pieces to who asked for it; the last byte is kept until `flush`."""

    def __init__(self, client):
        self.client, self.waiting = client, bytearray()

    def add(self, data):
        """More of it."""
        self.waiting += data
        if len(self.waiting) > _PIECE:
            last = self.waiting[-1:]
            del self.waiting[-1:]
            self.flush()
            self.waiting += last

    write = add

    def flush(self):
        """Sends what waits."""
        if self.waiting:
            self.client.send(len(self.waiting).to_bytes(4, "little"))
            self.client.send(self.waiting)
            self.waiting = bytearray()


class _Inner:
    """A file for the pickler: what it writes, but for the head of the protocol."""

    def __init__(self, stream):
        self.stream, self.skip = stream, len(_PROTOCOL)

    def write(self, data):
        self.stream.add(bytes(data)[self.skip :])
        self.skip = 0


def _walk(client, mode, threads, pause_s=0.0):
    """The whole dump, as the dumper writes it into a file."""
    threads = threads or dumper._Threads(gc.get_objects)
    stream = _Stream(client)
    stream.write(dumper.MAGIC + dumper.VERSION.to_bytes(4, "little") + bytes(4))
    skip = set(threads.parts())
    objects = gc.get_objects()
    walk = dumper._Walk(stream, skip, threads, mode, pause_s)
    try:
        walk.apart(walk.run, objects)
        stream.flush()
    finally:
        # Its handlers refer to it: what it held would stay until the collector runs, and be seen by the next dump.
        vars(walk).clear()


def _fork(client):
    """A grandchild that writes, so that nobody has to wait for it: where it says how it went, and the pause.

    It is the kernel's fork with Python's callbacks, not one that gevent has put in its place.
    """
    started, parent = time.perf_counter(), os.getpid()
    threads = dumper._Threads(gc.get_objects if len(sys._current_frames()) > 1 else list)
    told, tell = os.pipe()
    was_enabled = gc.isenabled()
    gc.disable()
    # From Python 3.12 on a fork beside threads warns; this child takes no lock that a thread could have held.
    with warnings.catch_warnings() if sys.version_info >= (3, 12) else contextlib.nullcontext():
        if sys.version_info >= (3, 12):
            warnings.simplefilter("ignore", DeprecationWarning)
        dumper.is_forking = True
        try:
            child = posix.fork()
        except OSError:
            os.close(told)
            os.close(tell)
            raise
        finally:
            dumper.is_forking = os.getpid() != parent
            if os.getpid() == parent and was_enabled:
                gc.enable()
    pause_s = time.perf_counter() - started
    if child:
        os.close(tell)
        try:
            posix.waitpid(child, 0)  # it leaves when it has forked
        except OSError:  # the program's own handler was first
            pass
        return told, pause_s
    try:
        if posix.fork() == 0:
            _write(client, tell, threads, pause_s)
    finally:
        os._exit(0)


def _write(client, tell, threads, pause_s):
    """The grandchild's whole life."""
    said = b"\n"
    try:
        dumper._alone()
        kept = sorted((client.socket.fileno(), tell))
        # What the program serves is not to stay open with us.
        for first, last in zip([0, *(each + 1 for each in kept)], [*kept, os.sysconf("SC_OPEN_MAX")]):
            os.closerange(first, last)
        gc.unfreeze()
        _walk(client, "fork", threads, pause_s)
    except BaseException as error:
        said = "{}: {}\n".format(type(error).__name__, error).encode("utf-8", "replace")
    os.write(tell, said)


def _say(client, facts=(), error=None):
    """One answer."""
    lines = ["ok" if error is None else "failed " + " ".join(str(error).split())]
    lines.extend("{} {}".format(*fact) for fact in dict(facts).items())
    client.send(("\n".join(lines) + "\n\n").encode("utf-8", "replace"))


def _end(client, facts, error=""):
    """The end of a stream, and how it went."""
    client.send(bytes(4))
    _say(client, facts, error or None)
