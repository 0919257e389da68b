"""A PostgreSQL of one test run: a cluster in a folder of its own, listening at a Unix socket there and nowhere else."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

#: Debian keeps the server's programs out of PATH, those of each release in a folder.
_PROGRAMS = "usr/lib/postgresql/*/bin"
#: Text in the order of a language, as most clusters have it, and not in that of its bytes.
_LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en")
_USER = "caulk"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, of the newest release that is installed; None where there is none."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/").glob(f"{_PROGRAMS}/initdb"), key=lambda path: float(path.parts[-3]))
    return Path(on_path).parent if on_path else found[-1].parent if found else None


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A cluster that runs meanwhile; gives the URL of its databases, for `format(name)`. `folder` is `programs()`."""
    # A socket's path has 107 bytes at most, and root's server runs as somebody who cannot look into a test's folders.
    with tempfile.TemporaryDirectory(prefix="caulk-pg-", dir="/tmp", ignore_cleanup_errors=True) as home:
        owner = _owner(Path(home))
        told = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
        data = ("-D", f"{home}/data")
        control = [*owner, folder / "pg_ctl", *data, "-w"]
        _run([*owner, folder / "initdb", *data, f"--username={_USER}", "--auth=trust", "--no-sync", *_LOCALE], home)
        _run([*control, "-l", f"{home}/log", "-o", told, "start"], home)
        try:
            yield f"postgresql://{_USER}@/{{}}?host={home}"
        finally:
            _run([*control, "-m", "immediate", "stop"], home)


def _owner(home: Path) -> Sequence[str]:
    """What a command begins with: the server refuses to be root."""
    if os.geteuid():
        return ()
    shutil.chown(home, "postgres")
    return ("runuser", "-u", "postgres", "--")


def _run(command: Sequence[str | Path], folder: str) -> None:
    # A server that stays would keep pipes open.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
        said.seek(0)
        assert done.returncode == 0, said.read()
