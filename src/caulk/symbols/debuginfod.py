"""Debug files from a debuginfod server, by build-id, for who has set `DEBUGINFOD_URLS`. Bounded in bytes and in time.

Protocol: https://sourceware.org/elfutils/Debuginfod.html (`GET /buildid/ID/debuginfo`).
"""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

#: As the other clients do: a server that had nothing is asked again after ten minutes.
_ASK_AGAIN_S = 600
_MAX_BYTES = 4 << 30
_CONNECT_S = 10.0
_WHOLE_S = 90.0


class Debuginfod:
    """The servers at `urls`; files are kept in `directory`, without which nothing is fetched."""

    def __init__(self, urls: Sequence[str], directory: Path | None, *, whole_s: float = _WHOLE_S) -> None:
        self._urls = [url.rstrip("/") for url in urls if url.startswith(("http://", "https://"))]
        self._directory = directory
        self._ends = time.monotonic() + whole_s
        self.problems: list[str] = []

    def fetch(self, build_id: str) -> Path | None:
        """The debug file of a build-id; None where no server has it. The time given is that of all calls together."""
        if not self._urls or not self._directory:
            return None
        file, missing = self._directory / f"{build_id}.debug", self._directory / f"{build_id}.missing"
        if file.is_file():
            return file
        with suppress(OSError):
            if time.time() - missing.stat().st_mtime < _ASK_AGAIN_S:
                return None
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for url in self._urls:
                if time.monotonic() > self._ends:
                    return None
                if self._download(f"{url}/buildid/{build_id}/debuginfo", file):
                    return file
            missing.touch(mode=0o600)
        except OSError as error:
            self.problems.append(f"debug files cannot be kept in {self._directory}: {error.strerror}")
        return None

    def _download(self, url: str, file: Path) -> bool:
        import httpx2  # noqa: PLC0415  # a tenth of a second, for those who fetch

        partial = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            timeout = httpx2.Timeout(_CONNECT_S, read=_CONNECT_S)
            with httpx2.stream("GET", url, timeout=timeout, follow_redirects=True) as answer:
                if answer.status_code != 200:
                    return False
                with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                    for piece in answer.iter_bytes():
                        out.write(piece)
                        if out.tell() > _MAX_BYTES or time.monotonic() > self._ends:
                            self.problems.append(f"{url} was given up: too large, or too slow")
                            return False
            partial.replace(file)
            return True
        except httpx2.HTTPError as error:
            self.problems.append(f"{url}: {type(error).__name__}")
            return False
        finally:
            partial.unlink(missing_ok=True)
