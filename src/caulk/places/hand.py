"""The hand: what a program next to a process can do to it; its files, connections and signals.

`places.local` imports it; the other places send `source()`, for any Python from 3.6 on and nothing but its library, as
`python3 -I -S -c SOURCE VERB JSON` to where the process is seen; numbers are those there. The answer is a line of JSON,
`{"ok": ...}` or `{"error": "unreachable" | "lacks" | "missing" | "failed", "message": ..., "hint": ...}`. By verb:

    facts, processes                {}: of the hand itself, and the candidates in its PID namespace
    process, reading, room          {"pid": 7}; this and all below also take "started", as `process` gives it
    stat, listing, volume, remove   {"pid": 7, "path": "/tmp/x"}
    digest                          ... and {"length": 4096}
    fetch                           ... and {"offset": 0, "length": null}; after `{"ok": N}` come N bytes, fewer if cut;
                                    with {"hashed": true} a line behind them has the SHA-256 of all up to their end
    put                             ... and {"mode": 384, "length": 5}; the file's bytes are standard input
    move                            ... and {"to": "/tmp/y"}
    signal                          {"pid": 7, "signum": 3}
    peek                            {"pid": 7, "address": 4096, "length": 8}; the answer is in hexadecimal digits
    poke                            {"pid": 7, "writes": [[4096, "00ff"]], "bits": [[4096, 32]], "expected": []}
    connect                         {"pid": 7, "address": ["127.0.0.1", 80] or "/path"}; after the answer it is joined
                                    to standard input and output; {"over": FD} sends it through that socket instead
    run                             {"pid": 7, "command": [...], "environ": {...}}: becomes the command, and answers
                                    only on the descriptor {"over": FD}, where it cannot

Paths are the target's: links are followed below its root only, as it would, relative ones from its directory. Changes
are made as its user.
"""

import contextlib
import ctypes
import errno
import hashlib
import heapq
import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

if __name__ != "__main__":  # as a script it stands below the eye
    from caulk.places.eye import Answer, Eye, Ids, Trouble, facts, processes

PIECE = 1 << 20
#: Addresses, each with bytes in hexadecimal digits.
Changes = Sequence[Tuple[int, str]]
#: What is read at most of a file of the kernel's.
_MOST_TEXT = 16 << 20
_MOST_LISTED, _MOST_LINKS = 10000, 40
_STOPS_S = 2.0
_F_SETPIPE_SZ = 1031
# Other systems, which send the hand but do not run it, lack some of these.
_DIRECTORY = sum(getattr(os, name, 0) for name in ("O_PATH", "O_DIRECTORY", "O_CLOEXEC"))


def source() -> str:
    """The eye and the hand as one script."""
    texts = []
    for module in ("eye.py", "hand.py"):
        with open(os.path.join(os.path.dirname(__file__), module), encoding="ascii") as file:
            texts.append(file.read())
    return "\n".join(texts)


class Hand(Eye):
    """The verbs on one process. Where `root` was opened while it lived, its files can be reached after its end."""

    def __init__(self, pid: int, started: Optional[int] = None, ids: Optional[Ids] = None, root: int = -1) -> None:
        super().__init__(pid, started, ids)
        self._root = root
        if root >= 0:
            os.set_inheritable(root, False)

    def root(self) -> int:
        """A descriptor of the target's root directory; it outlives the target."""
        if self._root < 0:
            self.alive()
            try:
                self._root = os.open(self.path("root"), _DIRECTORY)
            except OSError as error:
                raise self.refused("see the files of", error) from error
        return self._root

    def close(self) -> None:
        """Lets go of the target's root."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _about(self, path: str, error: OSError) -> Trouble:
        message = f"{path} of process {self.pid}: {error.strerror or error}."
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return Trouble("missing", message)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            theirs = f"The target's own user, {self.uid}, may not do this: name another directory."
            hint = theirs if os.geteuid() in (0, self.uid) else f"Run as user {self.uid} or as root."
            return Trouble("lacks", message, hint)
        return Trouble("failed", message)

    @contextlib.contextmanager
    def at(self, path: str) -> Iterator[Tuple[int, str]]:
        """The directory that `path` lies in, as a descriptor, and its name there, which is no link.

        The walk never leaves the target's root, however the links change meanwhile.
        """
        above = [os.dup(self.root())]
        try:
            name = _walk(above, path if path.startswith("/") else f"{self.link('cwd')}/{path}")
            yield above[-1], name
        except OSError as error:
            raise self._about(path, error) from error
        finally:
            for descriptor in above:
                os.close(descriptor)

    @contextlib.contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        with self.at(path) as (directory, name):
            # Without O_NONBLOCK a pipe that nobody writes to would hold us.
            descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def stat(self, path: str) -> Optional[Answer]:
        """The file at `path`; None if there is none."""
        with _may_be_missing(), self.at(path) as (directory, name):
            return _stat(path, name, directory)
        return None

    def _is_directory(self, path: str) -> bool:
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found["mode"])

    def listing(self, path: str) -> List[Answer]:
        """What lies right in a directory, by name; of very many the newest, and nothing if it is not there."""
        files = []
        if self._is_directory(path):
            with self._opened(path, os.O_RDONLY | os.O_DIRECTORY) as directory:
                for name in os.listdir(directory):
                    with contextlib.suppress(FileNotFoundError):
                        files.append(_stat(f"{path.rstrip('/')}/{name}", name, directory))
        newest = heapq.nlargest(_MOST_LISTED, files, key=lambda file: file["modified"])
        return sorted(newest, key=lambda file: file["path"])

    def volume(self, path: str) -> Answer:
        """Where a directory lies; where it is missing, the nearest above it, and then nothing can be written."""
        above, is_there = path, self.stat(path) is not None
        while above not in ("", "/") and not self._is_directory(above):
            above = os.path.dirname(above.rstrip("/"))
        with self._opened(above or "/", _DIRECTORY) as directory:
            space = os.fstatvfs(directory)
            with open(f"/proc/self/fdinfo/{directory}") as file:
                mount = next((line.split()[1] for line in file if line.startswith("mnt_id:")), "")
            with self.acting():
                may_write = os.access(".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True)
        mounts = (line.partition(" - ") for line in self.text("mountinfo").splitlines())
        return {
            "path": path,
            "kind": next((rest.split()[0] for place, _, rest in mounts if place.split(" ", 1)[0] == mount), ""),
            "free_bytes": space.f_bavail * space.f_frsize,
            "is_writable": is_there and may_write and not space.f_flag & os.ST_RDONLY,
        }

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[Tuple[int, int]]:
        """A regular file, open, and its size."""
        with self._opened(path, os.O_RDONLY) as descriptor:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise Trouble("failed", f"{path} of process {self.pid} is not a regular file.")
            yield descriptor, info.st_size

    def fetch(self, path: str, offset: int = 0, length: Optional[int] = None) -> Iterator[bytes]:
        """Pieces of a file from `offset` on: `length` bytes, or up to the end that it had when it was opened."""
        with self.part(path, offset, length) as (_, pieces):
            yield from pieces

    @contextlib.contextmanager
    def part(self, path: str, offset: int = 0, length: Optional[int] = None) -> Iterator[Tuple[int, Iterator[bytes]]]:
        """How many bytes `fetch` gives, and their pieces."""
        with self.file(path) as (descriptor, size):
            if not size:
                # What the kernel makes up as it is read, as all of /proc, has no size before.
                with open(descriptor, "rb", closefd=False) as file:
                    text = file.read(_MOST_TEXT)[offset:][:length]
                yield len(text), iter([text] if text else [])
                return
            end = max(size if length is None else min(offset + length, size), offset)
            yield end - offset, _pieces(descriptor, offset, end)

    def digest(self, path: str, length: int) -> str:
        """SHA-256 of the first `length` bytes of a file, in hexadecimal digits."""
        checked = hashlib.sha256()
        with self.file(path) as (descriptor, _):
            for piece in _pieces(descriptor, 0, length):
                checked.update(piece)
        return checked.hexdigest()

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        """As the target's user. It holds for all threads where that is another: for a process of its own."""
        uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
        self.root()
        if uid == self.uid and (uid != 0 or gid == self.gid):
            yield
            return
        try:
            os.setgroups(self.groups)
            os.setegid(self.gid)
            os.seteuid(self.uid)
        except PermissionError as error:
            raise self.refused("act for", error) from error
        try:
            yield
        finally:
            os.seteuid(uid)
            os.setegid(gid)
            os.setgroups(groups)

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file of the target's user, whole or not at all; never over another."""
        new, flags = ".caulk-" + os.urandom(8).hex(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with self.acting(), self.at(path) as (directory, name):
            descriptor = os.open(new, flags, mode, dir_fd=directory)
            try:
                with open(descriptor, "wb") as file:
                    os.fchmod(descriptor, mode)
                    file.write(data)
                _rename(new, directory, name, directory)
            except BaseException:
                os.unlink(new, dir_fd=directory)
                raise

    def remove(self, path: str) -> None:
        """Deletes a file; it may be gone already."""
        with _may_be_missing(), self.acting(), self.at(path) as (directory, name):
            os.unlink(name, dir_fd=directory)

    def move(self, path: str, to: str) -> None:
        """Renames a file, never onto another."""
        with self.acting(), self.at(path) as (directory, name), self.at(to) as (other, new):
            _rename(name, directory, new, other)

    def signal(self, signum: int) -> None:
        """Sends a signal, if it has a handler for it: without one it would end."""
        self.alive()
        if not self.caught() >> (signum - 1) & 1:
            name = signal.Signals(signum).name
            raise Trouble("failed", f"Process {self.pid} has no handler for {name}, which might end it: not sent.")
        try:
            os.kill(self.pid, signum)
        except OSError as error:
            raise self.refused(f"send {signal.Signals(signum).name} to", error) from error

    def peek(self, address: int, length: int) -> str:
        """Bytes of its memory, in hexadecimal digits; fewer where it has no more there."""
        self.alive()
        try:
            with open(self.path("mem"), "rb", buffering=0) as memory:
                return os.pread(memory.fileno(), min(length, PIECE), address).hex()
        except OSError as error:
            raise self.refused("read the memory of", error) from error

    def poke(self, writes: Changes, bits: Sequence[Tuple[int, int]] = (), expected: Changes = ()) -> None:
        """Writes into its memory, and then sets bits of its words of 8 bytes, while none of its threads runs.

        Nothing is written where memory is not as `expected` by then. For a process of its own: whatever ends it, the
        target goes on.
        """
        try:
            with self.still(), open(self.path("mem"), "r+b", buffering=0) as file:
                memory = file.fileno()
                if any(os.pread(memory, len(data) // 2, at) != bytes.fromhex(data) for at, data in expected):
                    raise Trouble("failed", f"The memory of process {self.pid} is not any more as it was.")
                for address, data in writes:
                    os.pwrite(memory, bytes.fromhex(data), address)
                for address, mask in bits:
                    word = int.from_bytes(os.pread(memory, 8, address), sys.byteorder) | mask
                    os.pwrite(memory, word.to_bytes(8, sys.byteorder), address)
        except OSError as error:
            raise self.refused("write into the memory of", error) from error

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Holds all its threads, those that it makes meanwhile too, without a signal to any of them."""
        self.alive()
        held: Dict[int, int] = {}
        try:
            while True:
                new = [int(name) for name in os.listdir(self.path("task")) if int(name) not in held]
                if not new:
                    break
                for thread in new:
                    held[thread] = 0
                    with contextlib.suppress(ProcessLookupError, ChildProcessError):
                        _ptrace(0x4206, thread)  # PTRACE_SEIZE
                        _ptrace(0x4207, thread)  # PTRACE_INTERRUPT
                        held[thread] = _signal_at_stop(thread)
            yield
        finally:
            for thread, signum in held.items():
                with contextlib.suppress(OSError):
                    _ptrace(17, thread, signum)  # PTRACE_DETACH

    def shares_network(self) -> bool:
        """Whether the ports of the target are ours."""
        self.alive()
        try:
            # Every network namespace has its own tree of these files; unlike ns/net, anybody may look at it.
            return os.stat(self.path("net/dev")).st_ino == os.stat("/proc/self/net/dev").st_ino
        except OSError as error:
            raise self.refused("see the network of", error) from error

    def connect(self, address: Any, timeout_s: float = 10.0) -> socket.socket:
        """A connection as the target's user would get it: to a port, a path, or a name that begins with NUL.

        For a process of its own, unless `address` is a port and the network is ours.
        """
        is_path = isinstance(address, str) and not address.startswith("\0")
        if not is_path and not self.shares_network():
            self.enter("net")
        try:
            if not isinstance(address, str):
                return socket.create_connection((address[0], address[1]), timeout_s)
            made = socket.socket(socket.AF_UNIX)
            made.settimeout(timeout_s)
            with self.acting():
                if is_path:
                    with self.at(address) as (directory, name):
                        # A path may have 107 bytes; the name alone has few.
                        os.fchdir(directory)
                        made.connect(name)
                else:
                    made.connect(address)
            return made
        except (OSError, Trouble) as error:
            if isinstance(error, Trouble) and error.kind == "lacks":
                raise
            where = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
            raise Trouble("unreachable", f"{where} of process {self.pid} does not answer: {error}.") from error

    def enter(self, *names: str) -> List[str]:
        """Goes into those of the target's namespaces that are not ours, and names them: in a process of its own."""
        setns = _system("setns")
        try:
            opened = [(name, os.open(self.path("ns/" + name), os.O_RDONLY)) for name in names if self._is_foreign(name)]
            if opened and setns(opened[0][1], 0) and self._is_foreign("user"):
                # What a user made without root opens only to who is in the same user namespace; ids differ there.
                setns(os.open(self.path("ns/user"), os.O_RDONLY), 0)
                self.uid, self.gid, self.groups = self._ids()
            for _, descriptor in opened:
                if setns(descriptor, 0):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        except OSError as error:
            raise self.refused("enter the namespaces of", error) from error
        return [name for name, _ in opened]

    def _is_foreign(self, name: str) -> bool:
        return os.stat(self.path("ns/" + name)).st_ino != os.stat("/proc/self/ns/" + name).st_ino


@contextlib.contextmanager
def _may_be_missing() -> Iterator[None]:
    try:
        yield
    except Trouble as trouble:
        if trouble.kind != "missing":
            raise


def _walk(above: List[int], path: str) -> str:
    """Follows a path down from the directory `above[0]`; `above` grows by those on the way, and the name is left."""
    waiting, links = path.split("/")[::-1], 0
    while waiting:
        part = waiting.pop()
        if part == ".." and len(above) > 1:
            os.close(above.pop())
        if part in ("", ".", ".."):
            continue
        to = None
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISLNK(os.stat(part, dir_fd=above[-1], follow_symlinks=False).st_mode):
                to = os.readlink(part, dir_fd=above[-1])
        if to is not None:
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            while to.startswith("/") and len(above) > 1:
                os.close(above.pop())
            waiting += to.split("/")[::-1]
        elif any(after not in ("", ".") for after in waiting):
            above.append(os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=above[-1]))
        else:
            return part
    return "."


def _pieces(descriptor: int, offset: int, end: int) -> Iterator[bytes]:
    while offset < end:
        piece = os.pread(descriptor, min(end - offset, PIECE), offset)
        if not piece:
            raise Trouble("unreachable", f"The file was cut: it ends at byte {offset:,} of {end:,}.")
        yield piece
        offset += len(piece)


def _stat(path: str, name: str, directory: int) -> Answer:
    info = os.stat(name, dir_fd=directory, follow_symlinks=False)
    return {"path": path, "size": info.st_size, "modified": info.st_mtime, "mode": info.st_mode, "inode": info.st_ino}


def _rename(name: str, directory: int, new: str, other: int) -> None:
    try:
        # A second name, unlike a rename, never replaces a file; killed in between, both names are there.
        os.link(name, new, src_dir_fd=directory, dst_dir_fd=other, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        if new in os.listdir(other):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(name, new, src_dir_fd=directory, dst_dir_fd=other)
    else:
        os.unlink(name, dir_fd=directory)


def _system(name: str) -> Any:
    """A function of the C library."""
    return getattr(ctypes.CDLL(None, use_errno=True), name)


def _ptrace(request: int, thread: int, data: int = 0) -> None:
    call = _system("ptrace")
    call.restype, call.argtypes = ctypes.c_long, [ctypes.c_long] * 4
    if call(request, thread, 0, data):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _signal_at_stop(thread: int) -> int:
    """Waits until a thread stands still; the signal that it was just about to get, which it is to get afterwards."""
    until = time.monotonic() + _STOPS_S
    while time.monotonic() < until:
        stopped, status = os.waitpid(thread, os.WNOHANG | 0x40000000)  # __WALL
        if stopped == thread:
            return 0 if status >> 16 or not os.WIFSTOPPED(status) else os.WSTOPSIG(status)
        time.sleep(0.0005)
    raise OSError(errno.EBUSY, "one of its threads does not stop")


def run(hand: Hand, command: List[str], environ: Dict[str, str], over: int = 2) -> None:
    """Becomes a command of the target's image, in its namespaces, as its user and with no more rights than it has."""
    root, directory, bounds = hand.root(), hand.link("cwd"), int(hand.status().get("CapBnd", "0"), 16)
    is_ours, prctl = os.path.samestat(os.fstat(root), os.stat("/")), _system("prctl")
    os.set_inheritable(over, over == 2)
    prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody in there looks into us while we still have our rights
    entered = hand.enter("ipc", "uts", "net", "pid", "mnt")
    child = os.fork() if "pid" in entered else 0
    if child:
        code = os.waitpid(child, 0)[1]
        os._exit(os.WEXITSTATUS(code) if os.WIFEXITED(code) else 128 + os.WTERMSIG(code))
    try:
        if not is_ours or "mnt" in entered:
            os.fchdir(root)
            os.chroot(".")
        for capability in range(64 if os.geteuid() == 0 else 0):
            if not bounds >> capability & 1:
                prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: what the target has not, root there has not
        if (os.geteuid(), os.getegid()) != (hand.uid, hand.gid):
            os.setgroups(hand.groups)
            os.setresgid(hand.gid, hand.gid, hand.gid)
            os.setresuid(hand.uid, hand.uid, hand.uid)
    except OSError as error:
        raise hand.refused("run a command beside", error) from error
    prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    with contextlib.suppress(OSError):
        os.chdir(directory)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        # A directory of PATH that is closed to the user is no reason to say that the command is there.
        os._exit(127 if error.errno == errno.ENOENT or "/" not in command[0] else 126)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _say(answer: Answer, descriptor: int = 1) -> None:
    _write(descriptor, json.dumps(answer).encode() + b"\n")


def _fetch(hand: Hand, path: str, offset: int = 0, length: Optional[int] = None, hashed: bool = False) -> None:
    import fcntl  # noqa: PLC0415 - not on all systems that send the hand

    with contextlib.suppress(OSError):
        # A pipe of a whole piece: who empties it finds it full, and wakes less often.
        fcntl.fcntl(1, _F_SETPIPE_SZ, PIECE)
    checked = hashlib.sha256()
    with hand.part(path, offset, length) as (size, pieces):
        _say({"ok": size})
        for before in hand.fetch(path, 0, offset) if hashed and offset else ():
            checked.update(before)
        for piece in pieces:
            if hashed:
                checked.update(piece)
            _write(1, piece)
    if hashed:
        _say({"ok": checked.hexdigest()})


def _connect(hand: Hand, address: Any, over: Optional[int] = None) -> None:
    made = hand.connect(address)
    if over is not None:
        with socket.socket(socket.AF_UNIX, fileno=over) as to:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, made.fileno().to_bytes(4, sys.byteorder))]
            to.sendmsg([b'{"ok": null}\n'], rights)
        return
    _say({"ok": None})
    made.settimeout(None)

    def send() -> None:
        with contextlib.suppress(OSError):
            for piece in iter(lambda: os.read(0, PIECE), b""):
                made.sendall(piece)
            made.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    for piece in iter(lambda: made.recv(PIECE), b""):
        _write(1, piece)


def carry_out(verb: str, request: Answer) -> None:
    """Carries out one verb and writes the answer."""
    if verb in ("facts", "processes"):
        return _say({"ok": facts() if verb == "facts" else processes()})
    known = {name: request.pop(name) for name in ("started", "ids", "root") if name in request}
    hand = Hand(request.pop("pid"), **known)
    if verb == "run":
        return run(hand, **request)
    if verb == "fetch":
        return _fetch(hand, **request)
    if verb == "connect":
        return _connect(hand, **request)
    if verb == "put":
        request["data"] = sys.stdin.buffer.read(request.pop("length", -1))
    return _say({"ok": getattr(hand, verb)(**request)})


def main(verb: str, request: str = "{}") -> None:
    """One verb from the command line."""
    asked = json.loads(request)
    try:
        carry_out(verb, dict(asked))
    except Trouble as trouble:
        answer = {"error": trouble.kind, "message": str(trouble), "hint": trouble.hint}
        _say(answer, asked.get("over") or 1)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
