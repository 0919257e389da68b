"""Writes the object graph of the CPython program that it runs in: who holds what, with names and sizes, no contents.

    import caulk_probe.dumper as d; d.dump("x.cgraph")             # from a debugger's shell
    d.dump("x.cgraph", fork=True)                                  # the program stops for milliseconds
    d.install_signal(signal.SIGUSR2, "x.cgraph")                   # kill -USR2 PID

Layout and promises: docs/cpython-graph.md of caulk. Standard library only, Python 3.9 and later.

No code of the program is called: attributes are read by the descriptors of C types, sizes by the `__sizeof__` of C
types, and nothing is compared, hashed, printed or imported. Objects are known by their address. What grows with the
heap is one list of the tracked objects, 8 bytes each, and one bit for 16 bytes of what is not tracked.
"""

from __future__ import annotations

import _thread
import _tracemalloc
import atexit
import gc
import os
import signal
import sys
import time
import types
import warnings
import weakref
from array import array
from itertools import chain, compress, count, filterfalse, islice, repeat
from operator import attrgetter, is_
from typing import NamedTuple

MAGIC = b"\x89CGRAPH\n"
VERSION = 1

#: Kinds of labels, in the file's numbers; the strengths of a reference.
FIELD, STATIC, ELEMENT, KEY, LOCAL, VARIABLE, INTERNAL, ROOT = range(8)
STRONG, _, WEAK = range(3)
NONE = 0xFFFFFFFF
#: A row of more references for the object before: large containers are written in pieces.
CONTINUED = 0xFFFFFFFF

#: Whether this is a child that writes a dump and runs nothing of the program, or is about to be one.
is_forking = False

#: How long a thread may take to begin; longer than any part of a dump but the whole.
_PATIENCE_S = 10
_PIECE = 1 << 14
_BATCH = 512
#: `__dict__` comes into being when it is asked for; to learn the names of attributes, this often for a type.
_PEEKS = 4096
_NAMES = 512
#: Attributes that objects of one class can keep beside them, without a dict of their own.
_SHARED = 30
_LONGEST = 120

# Bits of `type.__flags__`.
_MANAGED_WEAKREF, _MANAGED_DICT, _HEAP, _HAVE_GC = 1 << 3, 1 << 4, 1 << 9, 1 << 14
_LONG, _LIST, _TUPLE, _BYTES, _TEXT, _DICT, _ERROR, _TYPE = (1 << bit for bit in range(24, 32))

_referents, _is_tracked = gc.get_referents, gc.is_tracked
_trace_of = _tracemalloc._get_object_traceback
_attribute = object.__getattribute__
_mro = type.__dict__["__mro__"].__get__
_base = type.__dict__["__base__"].__get__
_bases = type.__dict__["__bases__"].__get__
_flags = type.__dict__["__flags__"].__get__
_own_space = type.__dict__["__dict__"].__get__
_type_module = type.__dict__["__module__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_basicsize = type.__dict__["__basicsize__"].__get__
_itemsize = type.__dict__["__itemsize__"].__get__
_dictoffset = type.__dict__["__dictoffset__"].__get__
_weakrefoffset = type.__dict__["__weakrefoffset__"].__get__
_HEADER = sys.getsizeof([]) - [].__sizeof__()
# By the address of the type: a type may have a metaclass with an `__eq__` and `__hash__` of the program.
_FRAMES = {
    id(types.GeneratorType): ("generator", types.GeneratorType.gi_frame.__get__),
    id(types.CoroutineType): ("coroutine", types.CoroutineType.cr_frame.__get__),
    id(types.AsyncGeneratorType): ("generator", types.AsyncGeneratorType.ag_frame.__get__),
}
_CACHED = type(__import__("functools").lru_cache(maxsize=None)(len))
_CELL = type((lambda cell: lambda: cell)(0).__closure__[0])
#: Attributes of C types that hold something, but are computed: read where the type is exactly this.
_COMPUTED = {
    ("_asyncio", "Task"): ("_coro", "_fut_waiter", "_loop"),
    ("_asyncio", "Future"): ("_loop", "_result"),
    ("builtins", "traceback"): ("tb_next",),
    ("builtins", "BaseException"): ("args", "__traceback__", "__context__", "__cause__"),
}


class Refused(Exception):
    """The dump would endanger the program; the message says why."""


class Plan(NamedTuple):
    """What a dump would cost, before anything is done: seconds that the program stops, bytes, and whether it may."""

    pause_s: float
    seconds: float
    extra_bytes: int
    disk_bytes: int
    headroom_bytes: int
    is_safe: bool
    why: str


def dump(path, *, fork=False, force=False):
    """Write the graph to `path` (mode 0600, under another name until it is whole); returns the path.

    In place the calling thread writes, for seconds, and other threads run between its steps: it holds the interpreter
    lock in stretches. With `fork` a child writes and the program goes on after milliseconds: the file is there when
    `is_done(path)`. Raises `Refused` where `plan` says no and `force` does not insist, OSError where writing fails or
    something is at `path` already.
    """
    path = os.path.abspath(os.fspath(path))
    for there in (path, path + ".error"):
        if os.path.lexists(there):
            raise FileExistsError(17, "a dump overwrites nothing", there)
    ahead = plan(path, fork=fork)
    if not (ahead.is_safe or force):
        raise Refused(ahead.why)
    was_enabled = gc.isenabled()
    # A collection in between would run the program's finalizers, in this thread.
    gc.disable()
    try:
        if fork:
            _in_child(path)
        else:
            _write(path, "in-place", None)
    finally:
        if was_enabled:
            gc.enable()
    return path


def is_done(path):
    """Whether the dump that was asked for is there; raises OSError with the child's reason where it failed."""
    try:
        with open(path + ".error") as file:
            raise OSError(file.read())
    except FileNotFoundError:
        return os.path.exists(path)


def install_signal(number, path, *, fork=True):
    """Dump on a signal, to `path` with a running number before its suffix; returns the handler that was there before.

    Python runs handlers between two steps of the main thread, so nothing is interrupted half-done. A refusal or a
    failure goes to `PATH.error`, never into the program.
    """
    stem, suffix = os.path.splitext(os.path.abspath(os.fspath(path)))
    names = ("{}.{}{}".format(stem, i, suffix) for i in count(1))

    def on_signal(_number, _frame):
        target = next(each for each in names if not os.path.lexists(each))
        try:
            dump(target, fork=fork)
        except Exception as error:
            _say_error(target, error)

    return signal.signal(number, on_signal)


def plan(path=".", *, fork=False):
    """What a dump to `path` would cost, from counters of the interpreter and the kernel (Linux); nothing is walked.

    A child shares the program's memory until one of both writes to it, and counting references writes: the child ends
    up with a copy of nearly all anonymous memory, which the memory limit must bear.
    """
    blocks = sys.getallocatedblocks()
    anonymous = _figure("/proc/self/status", "RssAnon:") or blocks * 64
    frames = _tracemalloc.get_traceback_limit() if _tracemalloc.is_tracing() else 0
    # What is allocated meanwhile is traced too.
    walk = blocks * (12 + frames if frames else 1.4) * 1e-6
    extra = 8 * blocks + anonymous // 64 + (14 << 20)
    # Copying page tables: measured 25 ms a GiB, twice where the first child leaves while the program waits.
    pause = 0.002 + anonymous / (1 << 30) * 0.03 if fork else walk
    if fork:
        extra += anonymous
    disk = 46 * blocks + (1 << 20)
    left, limited_by = _headroom()
    free = _free_disk(path)
    why = ""
    if not fork and hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled():
        why = "this Python runs threads without the interpreter lock: only fork=True sees objects that stand still"
    elif left is not None and extra > left * 0.9:
        why = "the dump needs {:,} bytes of memory, {} leaves {:,}".format(extra, limited_by, left)
        if fork:
            why += "; in place it needs {:,}".format(extra - anonymous)
    elif free is not None and disk > free * 0.95:
        why = "the dump needs {:,} bytes of disk, {:,} are free".format(disk, free)
    return Plan(pause, walk, extra, disk, -1 if left is None else left, not why, why)


def _figure(path, name):
    """The number behind a name in a file of `/proc`, in bytes; 0 where there is none."""
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(name):
                    words = line.split()
                    return int(words[1]) * (1024 if words[-1] == "kB" else 1)
    except (OSError, ValueError):
        pass
    return 0


def _headroom():
    """Bytes that can still be used, and what limits them: the machine, or the narrowest control group."""
    left, limited_by = _figure("/proc/meminfo", "MemAvailable:") or None, "the machine"
    try:
        with open("/proc/self/cgroup") as file:
            groups = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        groups = []
    for _number, controllers, folder in groups:
        if controllers == "":
            root, names = "/sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            root = "/sys/fs/cgroup/memory"
        else:
            continue
        # In a container the path may be that of the host, which is not there: its own group is then the root.
        while True:
            here = root + folder.rstrip("/")
            limit, used = (_number_in(here + "/" + name) for name in names[:2])
            if limit is not None and used is not None:
                room = limit - used + _figure(here + "/memory.stat", names[2])
                if left is None or room < left:
                    left, limited_by = max(room, 0), "the control group"
            if folder in ("", "/"):
                break
            folder = os.path.dirname(folder)
    return left, limited_by


def _number_in(path):
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _free_disk(path):
    try:
        found = os.statvfs(os.path.dirname(os.path.abspath(path)))
    except (AttributeError, OSError):
        return None
    return found.f_bavail * found.f_frsize


def _in_child(path):
    """Let a grandchild write, so that nobody has to wait for it; what a fork loses is gathered before."""
    global is_forking
    started, parent = time.perf_counter(), os.getpid()
    threads = _Threads(gc.get_objects if len(sys._current_frames()) > 1 else list)
    with warnings.catch_warnings():
        # From Python 3.12 on a fork beside threads warns; this child takes no lock that a thread could have held.
        warnings.simplefilter("ignore", DeprecationWarning)
        is_forking = True
        try:
            child = os.fork()
        finally:
            is_forking = os.getpid() != parent
    if child:
        threads = None
        _reap(child)
        return
    code = 1
    try:
        if os.fork():
            code = 0
        else:
            _alone()
            gc.unfreeze()
            _write(path, "fork", threads, time.perf_counter() - started)
            code = 0
    except BaseException as error:
        _say_error(path, error)
    finally:
        os._exit(code)


def _reap(child):
    """Take the first child's end, from a thread: it leaves when it has forked, which takes as long again."""

    def wait():
        try:
            os.waitpid(child, 0)
        except OSError:  # the program's own handler was first
            pass

    try:
        _thread.start_new_thread(wait, ())
    except RuntimeError:  # the program may have no more threads
        wait()


def _alone():
    """Take the grandchild out of the program's way: no signals, no terminal, the first to go when memory is short."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.SIG_IGN)
    os.setsid()
    try:
        os.nice(5)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass


def _say_error(path, error):
    try:
        descriptor = os.open(path + ".error", os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        os.write(descriptor, "{}: {}".format(type(error).__name__, error).encode("utf-8", "replace"))
        os.close(descriptor)
    except OSError:
        pass


def _write(path, mode, threads, pause_s=0.0):
    """The whole dump, under a temporary name until it is complete."""
    part = "{}.{}.part".format(path, os.getpid())
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        threads = threads or _Threads(gc.get_objects)
        skip = set(threads.parts())
        objects = gc.get_objects()
        walk = _Walk(_File(descriptor), skip, threads, mode, pause_s)
        try:
            walk.apart(walk.run, objects)
        finally:
            # Its handlers refer to it: what it held would stay until the collector runs, and be seen by the next dump.
            vars(walk).clear()
    except BaseException:
        os.unlink(part)
        raise
    finally:
        os.close(descriptor)
    os.rename(part, path)


def _trace_finder():
    """How to find the trace of an object that has attributes before its header, which CPython 3.11 gets wrong."""
    if not _tracemalloc.is_tracing() or sys.version_info[:2] != (3, 11):
        return None
    try:
        import ctypes

        found = ctypes.pythonapi._PyTraceMalloc_GetTraceback
        found.restype, found.argtypes = ctypes.py_object, (ctypes.c_uint, ctypes.c_size_t)
    except (ImportError, AttributeError):
        return None
    return found


class _Threads:
    """What only the process has in which the threads run: their frames, and the data of `threading.local`."""

    def __init__(self, objects):
        here = sys._getframe()
        while here is not None and here.f_globals is globals():
            here = here.f_back
        current = sys._current_frames()
        # The entry of this thread is this very frame: a cycle.
        del current[_thread.get_ident()]
        #: (frame, its locals as pairs) of every thread, innermost first.
        self.stacks = [_stack(frame) for frame in (here, *current.values())]
        self.trace_at = _trace_finder()
        # Not before: a list of all objects would be one more that refers to the copies of variables.
        #: (`threading.local`, the dicts of all threads).
        self.local_data = _thread_locals(objects())

    def parts(self):
        """Addresses of everything that stands here for the dump alone."""
        yield id(self)
        yield id(vars(self))
        for stack in self.stacks:
            yield id(stack)
            for pair in stack:
                yield id(pair)
                yield id(pair[1])
                yield from map(id, pair[1])
        for pair in self.local_data:
            yield id(pair)
            yield id(pair[1])
        yield from (id(self.stacks), id(self.local_data))


def _stack(frame):
    found = []
    while frame is not None:
        if frame.f_globals is not globals():
            found.append((frame, _locals(frame)))
        frame = frame.f_back
    return found


def _locals(frame):
    """Names and values of a frame's variables, and nothing left behind."""
    if not frame.f_code.co_flags & 1:  # the body of a module or class: its variables are a dict that others hold
        return []
    try:
        seen = frame.f_locals
    except Exception:  # a frame that is just being made
        return []
    found = list(seen.items())
    # Before 3.13 this is a copy that stays with the frame and keeps old values alive; 3 is frame, `seen`, argument.
    if type(seen) is dict and sys.getrefcount(seen) <= 3:
        seen.clear()
    return found


def _thread_locals(objects):
    """Pairs of each `threading.local` and its threads' dicts: a fork drops those of the other threads."""
    kinds, found = [_thread._local], []
    for kind in kinds:
        kinds.extend(type.__subclasses__(kind))
        for each in compress(objects, map(is_, map(type, objects), repeat(kind))):
            # A dict by threads is among what it refers to; beside it at most the arguments of `__init__`.
            inner = [one for one in _referents(each) if type(one) is dict]
            found.append((each, [data for one in inner for data in list(one.values()) if type(data) is dict]))
    return found


def _by_address(objects, are_all):
    """Objects by address; of those that the collector tracks, which the list of all objects has, only if `are_all`."""
    held = list(objects if are_all else filterfalse(_is_tracked, objects))
    return dict(zip(map(id, held), held))


def _unmet(held, pages):
    """The objects whose addresses are met for the first time: `pages` has a bit for 16 bytes, by MiB of memory."""
    found = []
    for address, each in held.items():
        page = pages.get(address >> 20)
        if page is None:
            page = pages[address >> 20] = bytearray(8192)
        at, bit = address >> 7 & 8191, 1 << (address >> 4 & 7)
        if not page[at] & bit:
            page[at] |= bit
            found.append(each)
    return found


def _addresses(objects):
    return array("Q", map(id, objects))


def _allocated_at(objects, kinds, ahead, trace_at):
    """File and line of each object's allocation, or None; `ahead` and `trace_at` are those of `_Walk`."""
    found = []
    for each, kind in zip(objects, kinds):
        if kind == CONTINUED:
            found.append(None)
            continue
        offset = ahead[kind]
        trace = trace_at(0, id(each) - offset) if offset else _trace_of(each)
        found.append(trace[0] if trace else None)
    return found


class _File:
    """Blocks on a descriptor: a tag, the length, the bytes, up to a multiple of 8."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.write(MAGIC + VERSION.to_bytes(4, "little") + bytes(4))

    def block(self, tag, *columns):
        pieces = []
        for column in columns:
            if isinstance(column, array):
                if sys.byteorder == "big" and column.itemsize > 1:
                    column = array(column.typecode, column)
                    column.byteswap()
                column = column.tobytes()
            pieces.append(column)
        length = sum(map(len, pieces))
        self.write(tag + bytes(4) + length.to_bytes(8, "little"))
        for piece in pieces:
            self.write(piece)
        self.write(bytes(-length % 8))

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]


class _Kind:
    """How the objects of one type are written."""

    __slots__ = (
        "dict_of", "expected", "extra", "fields", "getter", "handler", "inline", "number", "peeks", "probes",
        "shape", "size", "sizeof", "slots", "tail", "type",
    )  # fmt: skip


class _Walk:
    """One dump: the tables of what has a number, the rows of the block that is being filled."""

    def __init__(self, file, skip, threads, mode, pause_s):
        self.file, self.skip, self.threads, self.mode, self.pause_s = file, skip, threads, mode, pause_s
        self.strings, self.labels, self.shapes, self.kinds, self.sites = {}, {}, {}, {}, {None: NONE}
        self.new_strings, self.new_labels, self.new_shapes, self.new_sites = [], array("I"), array("I"), array("I")
        self.new_types = array("Q")
        # Objects and what each refers to, until they are written; their addresses are taken in one go.
        self.holders, self.held, self.counted, self.waiting = [], [], 0, 0
        self.rows, self.names = array("I"), array("I")
        self.roots, self.large = array("Q"), array("Q")
        self.leaves, self.leaf_rows = [], array("I")
        self.pending, self.containers, self.pages, self.written = [], [], {}, set()
        self.functions = {}
        self.objects = self.references = self.changed = 0
        self.traces, self.trace_at = _tracemalloc.is_tracing(), threads.trace_at
        #: By number of the kind: how far before an object its trace is, where only the address finds it.
        self.ahead = []
        self.is_apart, self.stopped_by = self.traces, None
        self.frozen = gc.get_freeze_count() > 0
        self.internal = self.label(INTERNAL)
        self.key, self.held_key = self.label(KEY), self.label(INTERNAL, "key of")
        self.element = self.label(ELEMENT)
        self.plain = self.shape((), self.internal)

    # -- the order of things

    def run(self, objects):
        """Everything: what has names first, so that it is known by them, then all that the collector tracks."""
        self.info()
        if self.frozen:
            # `gc.freeze` hid a part from the collector: what is not in the list is met as what others refer to.
            for at in range(0, len(objects), _PIECE):
                _unmet(_by_address(objects[at : at + _PIECE], True), self.pages)
        self.modules()
        self.classes()
        self.frames()
        self.signals()
        if self.skip:
            objects = [each for each in objects if id(each) not in self.skip]
        self.apart(self.walk, objects)
        while self.holders or self.pending or self.containers:
            self.flush()
        self.file.block(b"END!", array("Q", (self.objects, self.references, self.changed)))

    def info(self):
        facts = [
            "python {}.{}.{}".format(*sys.version_info[:3]),
            "implementation {}".format(sys.implementation.name),
            "taken-at {:.3f}".format(time.time()),
            "mode {}".format(self.mode),
            "pause-s {:.6f}".format(self.pause_s),
            "traces {}".format(int(self.traces)),
            "memory rss {}".format(_figure("/proc/self/status", "VmRSS:")),
            "memory allocated-blocks {}".format(sys.getallocatedblocks()),
        ]
        callbacks = atexit._ncallbacks() if hasattr(atexit, "_ncallbacks") else 0
        if callbacks:
            facts.append("atexit {}".format(callbacks))
        self.file.block(b"INFO", "\n".join(facts).encode())

    def modules(self):
        modules = sys.modules
        root = self.label(ROOT, "module")
        space, state = self.label(INTERNAL, "__dict__"), self.label(INTERNAL, "state of the module")
        for name, module in list(dict.items(modules)) if issubclass(type(modules), dict) else []:
            if type(name) is not str or not issubclass(type(module), types.ModuleType):
                continue
            self.root(module, root)
            if id(module) in self.written:
                continue
            found = _referents(module)
            own = next((each for each in found if type(each) is dict), None)
            # A C module's state comes after, and may be a dict too: the first is the module's.
            labels = tuple(space if each is own else state for each in found)
            self.row(module, self.kind(type(module)), found, self.shape(labels), "module " + name)
            self.written.add(id(module))
            if own is not None and id(own) not in self.written:
                self.named_dict(own, "module " + name)
                self.written.add(id(own))

    def classes(self):
        root = self.label(ROOT, "builtin type")
        waiting = [object]
        while waiting:
            each = waiting.pop()
            if id(each) in self.written:
                continue
            if not _flags(each) & _HEAP:
                self.root(each, root)
            self.class_(self.kind(type(each)), each)
            waiting.extend(type.__subclasses__(each))
            if self.is_full():
                self.flush()

    def frames(self):
        root, data = self.label(ROOT, "thread"), self.label(INTERNAL, "data of a thread")
        for stack in self.threads.stacks:
            for frame, pairs in stack:
                self.root(frame, root)
                if id(frame) not in self.written:
                    self.frame(self.kind(type(frame)), frame, pairs)
                    self.written.add(id(frame))
        for each, spaces in self.threads.local_data:
            for space in spaces:
                self.named_dict(space, "")
            kind = self.kind(type(each))
            labels, values = self.attributes(kind, each, _referents(each))
            self.row(each, kind, values + spaces, self.shape((*labels, *[data] * len(spaces))))

    def signals(self):
        root = self.label(ROOT, "signal handler")
        for number in signal.valid_signals():
            handler = signal.getsignal(number)
            if handler is not None and not _flags(type(handler)) & _LONG:
                self.root(handler, root)

    def walk(self, objects):
        """Write the objects and let go of them, the youngest last: the list shrinks as the file grows."""
        while objects:
            batch = objects[-_BATCH:]
            del objects[-_BATCH:]
            self.apart(self.write, batch)
            del batch
            if self.is_full():
                self.flush()

    # -- tables

    def string(self, text):
        number = self.strings.get(text)
        if number is None:
            number = self.strings[text] = len(self.strings)
            self.new_strings.append(text)
        return number

    def label(self, kind, name="", strength=STRONG):
        key = (kind, name, strength)
        number = self.labels.get(key)
        if number is None:
            number = self.labels[key] = len(self.labels)
            self.new_labels.extend((kind, strength, self.string(name) if name else NONE, 0))
        return number

    def shape(self, labels, tail=NONE, second=NONE):
        """The names of an object's references: those of the first ones, then of all others, or of both halves."""
        key = (labels, tail, second)
        number = self.shapes.get(key)
        if number is None:
            number = self.shapes[key] = len(self.shapes)
            self.new_shapes.extend((len(labels), tail, second))
            self.new_shapes.extend(labels)
        return number

    def attribute_label(self, kind, name):
        """A name that could be code; others are data."""
        if type(name) is str and len(name) <= _LONGEST and name.isidentifier():
            return self.label(kind, name)
        return self.key

    def root(self, each, label):
        self.roots.extend((id(each), label))
        self.pending.append(each)

    def kind(self, type_):
        found = self.kinds.get(id(type_))
        return found or self.new_kind(type_)

    # -- rows

    def row(self, each, kind, found, shape, name=""):
        """One object and what it refers to."""
        self.place(each, kind.number, kind.size or self.size(each, kind), found, shape, name)

    def place(self, each, number, size, found, shape, name=""):
        if size > 0xFFFFFFFE:
            self.large.extend((id(each), size))
            size = 0xFFFFFFFF
        if name:
            self.names.extend((len(self.holders), self.string(name)))
        # One by one: a tuple of them would be an allocation more, which counts while allocations are traced.
        rows = self.rows
        rows.append(number)
        rows.append(size)
        rows.append(shape)
        rows.append(len(found))
        self.holders.append(each)
        self.held.append(found)

    def size(self, each, kind):
        try:
            return kind.sizeof(each) + kind.extra
        except Exception:  # half made
            return kind.extra

    def sites_of(self, objects, kinds):
        """The numbers of the lines that allocated the objects."""
        if not self.traces:
            return array("I")
        sites, numbers = self.sites, array("I")
        for line in self.apart(_allocated_at, objects, kinds, self.ahead, self.trace_at):
            number = sites.get(line)
            if number is None:
                number = sites[line] = len(sites) - 1
                self.new_sites.extend((self.string(line[0]), line[1]))
            numbers.append(number)
        return numbers

    def flush(self, *, is_between=True):
        """Write the block, and what it refers to that the collector does not track.

        In the middle of a large container (`is_between` false) only what refers to nothing: the container goes on.
        """
        held = self.apart(_by_address, chain(self.pending, chain.from_iterable(self.held)), self.frozen)
        self.pending = []
        self.emit()
        self.apart(self.take, self.apart(_unmet, held, self.pages))
        if is_between:
            containers, self.containers = self.containers, []
            self.apart(self.write, containers)
        self.emit_leaves()

    def take(self, objects):
        """Rows of those that refer to nothing; the others wait for the end of the container that is being written."""
        kinds, leaves, rows = self.kinds, self.leaves, self.leaf_rows
        for each in objects:
            kind = kinds.get(id(type(each))) or self.kind(type(each))
            if kind.handler is not None:
                self.containers.append(each)
                continue
            size = kind.size or self.size(each, kind)
            if size > 0xFFFFFFFE:
                self.large.extend((id(each), size))
                size = 0xFFFFFFFF
            leaves.append(each)
            rows.append(kind.number)
            rows.append(size)

    def write(self, objects):
        """Rows of objects that refer to others."""
        kinds = self.kinds
        for each, number in zip(objects, map(id, map(type, objects))):
            kind = kinds.get(number) or self.kind(type(each))
            kind.handler(kind, each)

    def is_full(self):
        """Whether there is enough for a block: references that wait, counted once for many rows, or objects."""
        self.waiting += sum(map(len, self.held[self.counted :]))
        self.counted = len(self.held)
        return self.waiting > _PIECE or self.counted > _PIECE

    def apart(self, work, *arguments):
        """What `work` returns; while allocations are traced, from a thread of its own.

        Each allocation, the dump's as well, looks through the lines of all frames below it, up to the number that is
        traced: at the bottom of a new stack that is a twentieth of the time.
        """
        if not self.is_apart:
            return work(*arguments)
        claim, end, found, failed = _thread.allocate_lock(), _thread.allocate_lock(), [], []
        end.acquire()

        def run():
            if claim.acquire(False):
                try:
                    found.append(work(*arguments))
                except BaseException as error:
                    failed.append(error)
                end.release()

        try:
            _thread.start_new_thread(run, ())
        except RuntimeError:  # the program may have no more threads
            self.is_apart = False
            return work(*arguments)
        while not self.has_ended(end):
            # A debugger may let no other thread run.
            if claim.acquire(False):
                if self.stopped_by:
                    raise self.stopped_by
                self.is_apart = False
                return work(*arguments)
        if failed or self.stopped_by:
            raise failed.pop() if failed else self.stopped_by
        return found.pop()

    def has_ended(self, end):
        """Wait for a thread; an interrupt stops it at its next step."""
        try:
            return end.acquire(True, _PATIENCE_S)
        except BaseException as error:
            self.stopped_by = error
            return False

    def emit_tables(self):
        block = self.file.block
        if self.new_strings:
            texts = [text.encode("utf-8", "replace") for text in self.new_strings]
            block(b"STRS", array("I", [len(texts), *map(len, texts)]), *texts)
            self.new_strings = []
        for tag, name in (
            (b"TYPE", "new_types"), (b"LABL", "new_labels"), (b"SHAP", "new_shapes"), (b"SITE", "new_sites"),
            (b"ROOT", "roots"), (b"BIGS", "large"),
        ):  # fmt: skip
            column = getattr(self, name)
            if column:
                block(tag, column)
                setattr(self, name, array(column.typecode))

    def emit(self):
        """The block of objects with references; the rows that follow belong to the next."""
        count = len(self.holders)
        site = self.sites_of(self.holders, self.rows[::4])
        self.emit_tables()
        if not count:
            return
        block = self.file.block
        if self.names:
            block(b"NAME", self.names)
        target = self.apart(_addresses, chain.from_iterable(self.held))
        sizes, source = array("Q", (count, len(target))), self.apart(_addresses, self.holders)
        block(b"OBJS", sizes, source, target, self.rows, site)
        self.objects += count
        self.references += len(target)
        self.holders, self.held, self.counted, self.waiting = [], [], 0, 0
        self.rows, self.names = array("I"), array("I")

    def emit_leaves(self):
        count = len(self.leaves)
        if count:
            site = self.sites_of(self.leaves, self.leaf_rows[::2])
            self.emit_tables()
            addresses = self.apart(_addresses, self.leaves)
            self.file.block(b"LEAF", array("Q", (count,)), addresses, self.leaf_rows, site)
            self.objects += count
            self.leaves, self.leaf_rows = [], array("I")

    # -- kinds of objects

    def new_kind(self, type_):
        kind = _Kind()
        mro = _mro(type_) or (type_,)
        flags = _flags(type_)
        module, name = _module(type_), _qualname(type_)
        kind.type, kind.number = type_, len(self.kinds)
        self.kinds[id(type_)] = kind
        self.new_types.extend((id(type_), flags, self.string(module) | self.string(name) << 32))
        kind.extra = (_HEADER if flags & _HAVE_GC else 0) + _preheader(flags)
        self.ahead.append(kind.extra if self.trace_at and kind.extra > _HEADER else 0)
        found = (_space(each).get("__sizeof__") for each in (*mro, object))
        kind.sizeof = next(each for each in found if type(each) is types.MethodDescriptorType)
        plain = kind.sizeof is object.__dict__["__sizeof__"] and not _itemsize(type_)
        kind.size = _basicsize(type_) + kind.extra if plain else 0
        kind.inline = 0
        kind.dict_of, kind.slots, kind.probes = None, [], []
        kind.getter, kind.expected, kind.fields, kind.peeks = None, -1, None, _PEEKS
        kind.shape, kind.tail = self.plain, NONE
        for each in mro:
            for key, value in list(_space(each).items()):
                if type(value) is types.MemberDescriptorType:
                    kind.slots.append((key, value, self.attribute_label(FIELD, key)))
                elif key == "__dict__" and type(value) is types.GetSetDescriptorType and kind.dict_of is None:
                    kind.dict_of = value.__get__
        for base in (type_, BaseException) if flags & _ERROR else (type_,):
            for key in _COMPUTED.get((_module(base), _qualname(base)), ()):
                slot = _space(base).get(key)
                if type(slot) is types.GetSetDescriptorType:
                    kind.slots.append((key, slot, self.label(FIELD, key)))
        kind.handler = self.handler(kind, type_, mro, flags)
        return kind

    def handler(self, kind, type_, mro, flags):
        """Which method writes the objects of a type; None where they refer to nothing."""
        if type_ is dict:
            kind.shape = self.shape((), self.held_key, self.key)
            return self.dict_
        for exact, method in (
            (types.FunctionType, self.function),
            (types.FrameType, self.frame),
            (_CELL, self.cell),
            (_CACHED, self.cached),
            (_thread._local, self.instance),
        ):
            if type_ is exact:
                return method
        if id(type_) in _FRAMES:
            return self.generator
        if type_ is list or type_ is tuple or type_ is set or type_ is frozenset:
            kind.shape = self.shape((), self.element)
            return self.list_ if type_ is list else self.sequence
        if flags & _TYPE:
            return self.class_
        if not flags & _HAVE_GC and not kind.slots:
            return None
        inherited = {id(each) for each in mro}
        if id(weakref.ref) in inherited:
            return self.weak
        if flags & _DICT:
            kind.tail = self.key
            return self.container
        if flags & (_LIST | _TUPLE) or id(set) in inherited or id(frozenset) in inherited:
            kind.tail = self.element
            fields = next((each for each in (_space(each).get("_fields") for each in mro) if each is not None), None)
            if flags & _TUPLE and type(fields) is tuple:
                kind.fields = [self.attribute_label(FIELD, name) for name in fields]
            return self.container
        if type_ is __import__("collections").deque:
            kind.shape = self.shape((), self.element)
            return self.sequence
        return self.instance

    def sequence(self, kind, each):
        self.place(each, kind.number, kind.sizeof(each) + kind.extra, _referents(each), kind.shape)

    def list_(self, kind, each):
        if len(each) <= _PIECE:
            self.place(each, kind.number, kind.sizeof(each) + kind.extra, _referents(each), kind.shape)
            return
        self.row(each, kind, each[:_PIECE], kind.shape)
        at = _PIECE
        while at < len(each):
            self.flush(is_between=False)
            self.place(each, CONTINUED, 0, each[at : at + _PIECE], kind.shape)
            at += _PIECE

    def dict_(self, kind, each):
        if sys.version_info >= (3, 13) and 0 < len(each) <= _SHARED and not _referents(each):
            # The `__dict__` that an object was asked for: its values are still the object's, which does not tell of it.
            self.roots.extend((id(each), self.label(ROOT, "__dict__ of an object")))
            self.place(each, kind.number, kind.sizeof(each) + kind.extra, (), self.plain)
            return
        if len(each) <= _PIECE:
            found = list(each)
            count = len(found)
            found.extend(each.values())
            if len(found) == 2 * count:
                self.place(each, kind.number, kind.sizeof(each) + kind.extra, found, kind.shape)
                return
        self.items(kind, each, (), ())

    def items(self, kind, each, found, labels):
        """A dict's keys and values, behind what else the object refers to; a large one in pieces."""
        keys, values = iter(dict.keys(each)), iter(dict.values(each))
        first = True
        while True:
            try:
                some, others = list(islice(keys, _PIECE)), list(islice(values, _PIECE))
            except RuntimeError:  # another thread changed it
                self.changed += 1
                some = others = []
            if len(some) != len(others):
                self.changed += 1
                others = others[: len(some)]
                some = some[: len(others)]
            held = some + others
            if first:
                self.row(each, kind, [*found, *held] if found else held, self.shape(labels, self.held_key, self.key))
            elif held:
                self.place(each, CONTINUED, 0, held, self.shape((), self.held_key, self.key))
            if len(some) < _PIECE:
                return
            first = False
            self.flush(is_between=False)

    def named_dict(self, each, name):
        """A dict whose keys are names in the program: of a module, of a thread."""
        items = list(dict.items(each))
        keys, values = [key for key, _ in items], [value for _, value in items]
        labels = (self.held_key,) * len(keys) + tuple(self.attribute_label(FIELD, key) for key in keys)
        self.row(each, self.kind(dict), keys + values, self.shape(labels), name)

    def container(self, kind, each):
        """A subclass of dict, list, tuple or set: its attributes, then what it contains."""
        is_dict = kind.tail == self.key
        if is_dict:
            held = list(dict.values(each))
        elif isinstance_of(each, list):
            held = list.__getitem__(each, slice(None))
        else:
            held = list(
                (tuple if isinstance_of(each, tuple) else set if isinstance_of(each, set) else frozenset).__iter__(each)
            )
        inside = set(map(id, held))
        if is_dict:
            inside.update(map(id, list(dict.keys(each))))
        rest = [one for one in _referents(each) if id(one) not in inside]
        labels, found = self.attributes(kind, each, rest)
        if is_dict:
            self.items(kind, each, found, tuple(labels))
            return
        if kind.fields and len(kind.fields) == len(held):
            self.row(each, kind, found + held, self.shape((*labels, *kind.fields)))
        else:
            self.row(each, kind, found + held, self.shape(tuple(labels), self.element))

    def instance(self, kind, each):
        found = _referents(each)
        if len(found) == kind.expected:
            try:
                values = kind.getter(each)
            except AttributeError:
                values = None
            if values is not None:
                size = kind.size or self.size(each, kind)
                self.place(each, kind.number, size + kind.inline, values, kind.shape)
                return
        labels, values = self.attributes(kind, each, found)
        self.row(each, kind, values, self.shape(tuple(labels)))

    def attributes(self, kind, each, found):
        """Labels and values of what an object refers to: by slot and attribute where they have a name."""
        type_ = kind.type
        rest = {id(one): one for one in found if one is not type_}
        labels, values = [], []
        for _name, slot, label in kind.slots:
            try:
                value = slot.__get__(each, type_)
            except Exception:  # not set
                continue
            if id(value) in rest:
                labels.append(label)
                values.append(value)
        for value in values:
            rest.pop(id(value), None)
        if kind.dict_of is None and not rest and kind.expected < 0 and len(values) == len(kind.slots):
            self.learn(kind, [])
        if kind.dict_of is not None and rest:
            known = len(values)
            for name, label in kind.probes:
                try:
                    value = _attribute(each, name)
                except AttributeError:
                    continue
                labels.append(label)
                values.append(value)
            left = dict(rest)
            for value in values[known:]:
                left.pop(id(value), None)
            if left and kind.peeks > 0:
                del labels[known:], values[known:]
                left = self.peek(kind, each, rest, labels, values)
            rest = left
        for value in rest.values():
            labels.append(self.internal)
            values.append(value)
        return labels, values

    def peek(self, kind, each, rest, labels, values):
        """Attributes from `__dict__` itself, whose names are remembered; returns what is left without one."""
        try:
            own = kind.dict_of(each, kind.type)
        except Exception:  # it has none
            return rest
        if not _flags(type(own)) & _DICT:
            return rest
        left = dict(rest)
        was_there = left.pop(id(own), None) is not None
        for name, value in list(dict.items(own)):
            labels.append(self.attribute_label(FIELD, name))
            values.append(value)
            left.pop(id(value), None)
        if was_there:
            labels.append(self.label(INTERNAL, "__dict__"))
            values.append(own)
        else:
            # Until now the values lay beside the object, and now they are counted with its new dict.
            kind.inline = max(kind.inline, dict.__sizeof__(own) - dict.__basicsize__)
            kind.peeks -= 1
            self.learn(kind, list(dict.keys(own)))
        return left

    def learn(self, kind, names):
        """Remember the attributes of one object, to read those of its like without asking for a `__dict__`."""
        known = {name for name, _ in kind.probes}
        safe = [name for name in names if self.is_safe(kind, name)]
        if len(known) < _NAMES:
            kind.probes.extend((name, self.attribute_label(FIELD, name)) for name in safe if name not in known)
        kind.expected = -1
        mro = _mro(kind.type)
        if any("__getattr__" in _space(base) or "__getattribute__" in _space(base) for base in mro[:-1]):
            return
        slots = [name for name, _, _ in kind.slots]
        weak, own = 8 * (_weakrefoffset(kind.type) > 0), 8 * (_dictoffset(kind.type) > 0)
        is_plain = _basicsize(kind.type) == _basicsize(object) + 8 * len(slots) + weak + own
        is_clear = len(safe) == len(names) and all(self.definition(kind, name) is slot for name, slot, _ in kind.slots)
        every = slots + names
        # With one attribute alone a dict in its place could not be told from the value.
        if is_plain and is_clear and 1 < len(every) <= 64:
            kind.getter = attrgetter(*every)
            kind.expected = len(every) + 1
            kind.shape = self.shape(tuple(self.attribute_label(FIELD, name) for name in every))

    def definition(self, kind, name):
        """What a type or its bases define by a name."""
        return next((_space(base)[name] for base in _mro(kind.type) if name in _space(base)), None)

    def is_safe(self, kind, name):
        """Whether looking the attribute up runs nothing: no class of the object defines anything by that name."""
        if type(name) is not str or not name.isidentifier():
            return False
        return self.definition(kind, name) is None

    def class_(self, kind, each):
        if id(each) in self.written:
            return
        self.written.add(id(each))
        items = list(_space(each).items())
        values = [value for _, value in items]
        labels = [self.attribute_label(STATIC, name) for name, _ in items]
        parts = {id(_mro(each)): "__mro__", id(_bases(each)): "__bases__", id(_base(each)): "__base__"}
        for one in _referents(each):
            labels.append(self.label(INTERNAL, parts.get(id(one), "__dict__" if type(one) is dict else "")))
            values.append(one)
        name = "class " + _named(_module(each), _qualname(each))
        extra = kind.extra if _flags(each) & _HEAP else 0
        self.place(each, kind.number, type.__sizeof__(each) + extra, values, self.shape(tuple(labels)), name)

    def function(self, kind, each):
        """A function and, by their names, the variables of the functions around it that it uses."""
        found, code, closure, name = _referents(each), each.__code__, each.__closure__, each.__qualname__
        if closure:
            found.extend(closure)
        known = self.functions.get(id(code))
        # Functions of one `def` differ in what is set on them; most do not.
        if known is None or known[1] != len(found) or known[2] is not name:
            parts = {
                id(each.__globals__): "__globals__", id(code): "__code__", id(closure): "__closure__",
                id(each.__defaults__): "__defaults__", id(each.__kwdefaults__): "__kwdefaults__",
            }  # fmt: skip
            labels = [self.label(INTERNAL, parts.get(id(one), "")) for one in found]
            for at, variable in enumerate(reversed(code.co_freevars) if closure else (), 1):
                labels[-at] = self.attribute_label(VARIABLE, variable)
            full = "function " + _named(each.__module__, name)
            known = code, len(found), name, self.shape(tuple(labels)), full if len(full) <= 2 * _LONGEST else ""
            if closure:
                self.functions[id(code)] = known
        self.place(each, kind.number, kind.size or self.size(each, kind), found, known[3], known[4])

    def cell(self, kind, each):
        self.row(each, kind, _referents(each), self.shape((), self.label(INTERNAL, "contents")))

    def cached(self, kind, each):
        """`functools.lru_cache`: what it kept stands beside its attributes."""
        space = kind.dict_of(each, kind.type) if kind.dict_of else {}
        known = {id(value): self.attribute_label(FIELD, name) for name, value in list(dict.items(space))}
        known[id(space)] = self.label(INTERNAL, "__dict__")
        found = _referents(each)
        caches = [one for one in found if type(one) is dict and id(one) not in known]
        for one in caches[-1:]:
            known[id(one)] = self.label(INTERNAL, "cache")
        self.row(each, kind, found, self.shape(tuple(known.get(id(one), self.key) for one in found)))

    def weak(self, kind, each):
        labels, values = self.attributes(kind, each, _referents(each))
        alive = weakref.ref.__call__(each)
        if alive is not None:
            labels.append(self.label(INTERNAL, "weak reference", WEAK))
            values.append(alive)
        self.row(each, kind, values, self.shape(tuple(labels)))

    def frame(self, kind, each, pairs=None):
        if id(each) in self.written:
            return
        if pairs is None:
            pairs = _locals(each)
        known = {id(value) for _, value in pairs}
        labels = [self.attribute_label(LOCAL, name) for name, _ in pairs]
        values = [value for _, value in pairs]
        for one in (*_referents(each), each.f_code, each.f_globals):
            if id(one) not in known:
                known.add(id(one))
                labels.append(self.internal)
                values.append(one)
        code = each.f_code
        module = dict.get(each.f_globals, "__name__") if _flags(type(each.f_globals)) & _DICT else None
        name = "frame {} ({}:{})".format(_named(module, code.co_name), code.co_filename, each.f_lineno)
        self.row(each, kind, values, self.shape(tuple(labels)), name)

    def generator(self, kind, each):
        """Generators and coroutines: their variables while they wait."""
        found = _referents(each)
        word, frame_of = _FRAMES[id(kind.type)]
        frame = frame_of(each) if found and kind.peeks > 0 else None
        names = {}
        if frame is not None and frame.f_globals is not globals():
            kind.peeks -= 1
            names = {id(value): self.attribute_label(LOCAL, name) for name, value in _locals(frame)}
            # Before 3.11 the variables are the frame's, an object of its own.
            names[id(frame)] = self.label(INTERNAL, "frame")
        labels = tuple(names.get(id(one), self.internal) for one in found)
        name = "{} {}".format(word, each.__qualname__)
        self.row(each, kind, found, self.shape(labels), name if len(name) <= 2 * _LONGEST else "")


def _space(type_):
    """What a type defines; nothing for one that nobody has used yet (Python 3.9)."""
    return _own_space(type_) or {}


def isinstance_of(each, base):
    """`isinstance` by the real type: `__class__` may be anything."""
    return any(one is base for one in _mro(type(each)))


def _module(type_):
    """The module of a type; a static one has it in its C name alone."""
    own = _space(type_).get("__module__") if _flags(type_) & _HEAP else _type_module(type_)
    return own if type(own) is str else ""


def _named(module, name):
    return "{}.{}".format(module, name) if type(module) is str and module not in ("", "builtins") else name


def _preheader(flags):
    """Bytes before the header that managed attributes and weak references take (CPython 3.11, 3.12 and later)."""
    if sys.version_info >= (3, 12):
        return 16 if flags & (_MANAGED_DICT | _MANAGED_WEAKREF) else 0
    return 16 if sys.version_info >= (3, 11) and flags & _MANAGED_DICT else 0
