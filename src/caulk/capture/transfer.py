"""A finished file in the target, brought here in pieces: resumed after every cut, and hashed at both ends.

The target hashes what it reads while it travels, where it can; else the file is hashed there afterwards.
"""

import time
from collections.abc import Callable

from caulk.model.capture import Remote
from caulk.model.errors import CaptureFailed, Lacks, Unreachable
from caulk.ports import Progress, Reach
from caulk.store.captures import Draft

#: A connection that drops is opened again so many times in a row without a byte between, with growing pauses.
_TRIES, _PAUSE_S = 5, 0.2


def fetch(
    reach: Reach, remote: Remote, draft: Draft, progress: Progress, pause: Callable[[float], None] = time.sleep
) -> None:
    """Brings the file into the draft, from where the draft ends.

    Raises `CaptureFailed` if the file is another than it was, or came changed; `Unreachable` when the target is gone.
    What came stays in the draft, to be resumed.
    """
    _agree(reach, remote, draft)
    theirs = _stream(reach, remote, draft, progress, pause)
    progress(draft.size, remote.size_bytes, "comparing")
    try:
        theirs = theirs or reach.digest(remote.path, remote.size_bytes)
    except Lacks:
        # Nothing in the target can hash: the dump's own end, and its length, must do.
        draft.say(warnings=(*draft.entry.manifest.warnings, "not compared with a hash made in the target"))
        return
    if theirs != draft.sha256:
        draft.restart()
        raise CaptureFailed(
            f"{remote.path} arrived with another SHA-256 than it has in the target",
            hint="The file changes, or the connection alters it. It is still there: run the same command again.",
        )


def _agree(reach: Reach, remote: Remote, draft: Draft) -> None:
    """Makes sure that the file is the one that was begun with, as far as it is here; else begins anew."""
    stat = reach.stat(remote.path)
    if stat is None:
        raise CaptureFailed(f"{remote.path} is no longer in {reach.target.reference}")
    if stat.size != remote.size_bytes:
        raise CaptureFailed(
            f"{remote.path} in {reach.target.reference} has {stat.size:,} bytes, not {remote.size_bytes:,}",
            hint="Something still writes it, or another file took its place.",
        )
    if not draft.size:
        return
    try:
        is_same = draft.size <= stat.size and reach.digest(remote.path, draft.size) == draft.sha256
    except Lacks:
        is_same = False
    if not is_same:
        draft.restart()


def _stream(reach: Reach, remote: Remote, draft: Draft, progress: Progress, pause: Callable[[float], None]) -> str:
    """Brings the rest; gives the SHA-256 that the target computed on the way, or nothing."""
    tries, heard = 0, [""]
    while draft.size < remote.size_bytes:
        before = draft.size
        try:
            for piece in reach.fetch(remote.path, draft.size, remote.size_bytes - draft.size, heard.append):
                draft.write(piece[: remote.size_bytes - draft.size])
                progress(draft.size, remote.size_bytes, "fetching")
            cut = Unreachable(f"{remote.path} ended after {draft.size:,} of {remote.size_bytes:,} bytes")
        except Lacks:
            raise
        except Unreachable as error:
            cut = error
        if draft.size >= remote.size_bytes:
            break
        tries = 1 if draft.size > before else tries + 1
        if tries >= _TRIES:
            raise cut
        pause(_PAUSE_S * 2**tries)
    return heard[-1]
