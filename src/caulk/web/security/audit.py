"""The audit log: who had a capture taken or values shown, a line of JSON each (`audit.jsonl` in caulk's home).

Only its owner reads it, lines are only added, and what is not written there is not done.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from caulk.web.security.callers import Caller
from caulk.web.security.refusals import Refusal

NAME = "audit.jsonl"
_LONGEST = 4 << 10


class Audit:
    """The log in a directory, which is made with the first line."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME

    def note(self, caller: Caller, action: str, of: str, asked: Any = None) -> None:
        """Adds a line: `action` (`capture`, `reveal`) on `of`, with what was `asked` (JSON, left out above 4 kB).

        Raises `Refusal` (503) where it cannot be written.
        """
        written = msgspec.json.encode(asked)
        line = msgspec.json.encode(
            {
                "schema": "caulk.audit/1",
                "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "action": action,
                "of": of,
                "caller": caller.name,
                "roles": sorted(caller.roles),
                "address": caller.address,
                "asked": msgspec.Raw(written) if len(written) <= _LONGEST else None,
            }
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # In one write at the end: lines of several processes do not mix.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(self._path, flags, 0o600)
            try:
                os.write(file, line + b"\n")
            finally:
                os.close(file)
        except OSError as error:
            raise Refusal(
                503,
                f"the audit log cannot be written ({error.strerror}), so it was not done",
                hint=f"{NAME} in caulk's home must be a file that caulk may write, on a disk with room.",
            ) from None
