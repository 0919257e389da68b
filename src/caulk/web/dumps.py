"""The dumps that the page may show, by id, and those of them that are open.

A request names a dump by its id and never by a path: what is not in this list does not exist for the page. Several ids
joined by `..` are asked about together: two are a difference, more are growth.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caulk import app
from caulk.analysis.dumps import Dump
from caulk.model.errors import CaulkError, UsageError
from caulk.model.graph import References
from caulk.store.captures import Captures, Entry
from caulk.store.index import key_of
from caulk.web.answers import Answer, Answers
from caulk.web.errors import NotFound
from caulk.web.jobs import Job, Jobs
from caulk.web.uploads import Uploads

if TYPE_CHECKING:
    from caulk.app import Talk

#: So many are kept open: columns of heap dumps lie in mapped files, which the system takes back as it likes.
_OPEN = 12
_MOST_TOGETHER = 24
#: Manifests of captures are read again after so long.
_FRESH_S = 2.0
#: How soon a job that only waits hears that it was cancelled.
_STEP_S = 0.2
_ID = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Known:
    """A dump that may be asked for. `origin` is file, capture or upload; `target` what it was captured of."""

    id: str
    path: Path
    name: str
    origin: str
    size_bytes: int
    format: str = ""
    runtime: str = ""
    taken_at: str | None = None
    target: str = ""


class Dumps:
    """Dumps that were named at the start or uploaded, and every complete capture; of any thread."""

    def __init__(self, captures: Captures, jobs: Jobs, uploads: Uploads, reading: app.Reading | None = None) -> None:
        self._captures, self._jobs, self._reading = captures, jobs, reading or app.Reading()
        self.uploads = uploads
        self.answers = Answers()
        self._files: dict[str, Known] = {}
        self._captured: tuple[float, list[Known]] = (0.0, [])
        self._open: OrderedDict[tuple[str, References], Dump] = OrderedDict()
        self._lock = threading.Lock()
        for file, label in uploads.all():
            self.add(file, name=label, origin="upload")

    def add(self, path: Path, *, name: str = "", origin: str = "file") -> str:
        """Lets the page ask for a file; gives its id, which is that of its content. Raises `UsageError`."""
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
        number = key_of(path)[:12]
        self._files[number] = Known(number, path, name or path.name, origin, path.stat().st_size)
        return number

    def all(self) -> list[Known]:
        """Files first, then captures, the newest first."""
        return [self._told(known) for known in list(self._files.values())] + self._complete(_FRESH_S)

    def known(self, number: str) -> Known:
        """The dump of that id; raises `NotFound`."""
        found = self._files.get(number)
        if found:
            return self._told(found)
        for age in (_FRESH_S, 0.0):
            for known in self._complete(age):
                if known.id == number:
                    return known
        raise NotFound(f"there is no dump {number!r} here", hint="/api/d lists what there is.")

    def remove(self, number: str) -> None:
        """Deletes a dump that was uploaded; raises `NotFound` where there is none."""
        known = self._files.get(number)
        if known is None or known.origin != "upload":
            raise NotFound(f"no dump {number!r} was uploaded", hint="/api/d lists what there is.")
        with self._lock:
            self._files.pop(number, None)
            for key in [key for key in self._open if key[0] == number]:
                del self._open[key]
        self.uploads.remove(known.path)

    def look_again(self) -> None:
        """Captures came or went: what was known of them holds no longer."""
        self._captured = (0.0, [])

    def _complete(self, age_s: float) -> list[Known]:
        """The complete captures, the newest first, as they were at most `age_s` seconds ago."""
        at, found = self._captured
        if not at or time.monotonic() - at >= age_s:
            found = [_of_capture(entry) for entry in self._captures.all() if entry.manifest.complete]
            self._captured = (time.monotonic(), found)
        return found

    def named(self, ids: str) -> list[Known]:
        """The dumps of `a..b..c`; raises `NotFound`."""
        numbers = ids.split("..")
        if len(numbers) > _MOST_TOGETHER or not all(_ID.fullmatch(number) for number in numbers):
            raise NotFound(f"{ids[:100]!r} is no dump", hint="`a` is a dump, `a..b` a difference.")
        return [self.known(number) for number in numbers]

    def are_open(self, ids: str, references: References = "strong") -> bool:
        """Whether the dumps of `a..b..c` can be asked at once; looks at nothing but what is open."""
        return all((number, references) in self._open for number in ids.split(".."))

    def is_open(self, known: Known, references: References = "strong") -> bool:
        """Whether it can be asked at once."""
        return (known.id, references) in self._open

    def analysed(self) -> list[tuple[str, Dump]]:
        """The dumps that are open, with their ids; those asked for last come last."""
        with self._lock:
            return list({number: dump for (number, _), dump in self._open.items()}.items())

    def beside(self, wanted: Sequence[Known]) -> dict[str, Any]:
        """The ids of the dumps before and after the last of these, and of all others of the same target.

        By time where all have one; files, of which that is known once they are read, as they were given.
        """
        last, asked = wanted[-1], {known.id for known in wanted}
        line = [known for known in self.all() if _is_beside(known, last)]
        if all(known.taken_at for known in line):
            line.sort(key=lambda known: known.taken_at or "")
        at = next((i for i, known in enumerate(line) if known.id == last.id), 0)
        others = [known for known in line if known.id not in asked]
        return {
            "previous": line[at - 1].id if at else None,
            "next": line[at + 1].id if at + 1 < len(line) else None,
            "siblings": [{"id": k.id, "taken_at": k.taken_at, "size_bytes": k.size_bytes} for k in others],
        }

    def opened(self, wanted: Sequence[Known], references: References) -> list[Dump] | Job:
        """The dumps, read and analysed; or the job that is at it."""
        found = self._found(wanted, references)
        if found is not None:
            return found
        title = " and ".join(known.name for known in wanted[:3]) + (" and more" if len(wanted) > 3 else "")
        key = "open " + " ".join(known.id for known in wanted) + f" {references}"
        return self._jobs.begin("analysis", f"Analyse {title}", self._opening(wanted, references), key=key)

    def awaiting(self, title: str, key: Hashable, making: "Future[Answer]") -> Job:
        """The job that waits for an answer which takes long; who asks again when it is done has the answer at once."""

        def task(talk: "Talk", _: Job) -> None:
            while not wait([making], _STEP_S).done:
                talk.progress(0, 1, "asking")
            making.result()

        return self._jobs.begin("analysis", title, task, key=f"ask {key}")

    def _found(self, wanted: Sequence[Known], references: References) -> list[Dump] | None:
        with self._lock:
            keys = [(known.id, references) for known in wanted]
            if not all(key in self._open for key in keys):
                return None
            for key in keys:
                self._open.move_to_end(key)
            return [self._open[key] for key in keys]

    def _opening(
        self, wanted: Sequence[Known], references: References
    ) -> "Callable[[Talk, Job], dict[str, list[str]]]":
        def task(talk: "Talk", _: Job) -> dict[str, list[str]]:
            missing = [known for known in wanted if not self.is_open(known, references)]
            reading = replace(self._reading, references=references)
            with _named(missing):
                dumps = app.load([str(known.path) for known in missing], reading=reading, talk=talk)
            with self._lock:
                for known, dump in zip(missing, dumps, strict=True):
                    # People know it by its name; where it lies is nobody's business.
                    self._open[known.id, references] = replace(dump, path=known.name)
                while len(self._open) > max(_OPEN, len(wanted)):
                    self._open.popitem(last=False)
            return {"dumps": [known.id for known in wanted]}

        return task

    def _told(self, known: Known) -> Known:
        """With what reading it told."""
        dump = self._open.get((known.id, "strong"))
        if dump is None:
            return known
        profile = dump.profile
        taken = profile.taken_at.isoformat().replace("+00:00", "Z") if profile.taken_at else None
        return replace(known, format=profile.format, runtime=profile.runtime, taken_at=taken)


@contextmanager
def _named(wanted: Sequence[Known]) -> Iterator[None]:
    """Errors name dumps as people do."""
    try:
        yield
    except CaulkError as error:
        said, hint = str(error), error.hint
        for known in wanted:
            said, hint = (text.replace(str(known.path), known.name) for text in (said, hint))
        raise type(error)(said, hint=hint) from None


def _is_beside(known: Known, other: Known) -> bool:
    """Whether both are of one target, as far as anybody knows: files that were named together are taken for it."""
    if known.id == other.id or known.target or other.target:
        return known.id == other.id or (known.target, known.format) == (other.target, other.format)
    # A file that nobody has read yet may be of any format.
    is_same = known.format == other.format or not (known.format and other.format)
    return is_same and known.origin == other.origin == "file"


def _of_capture(entry: Entry) -> Known:
    m = entry.manifest
    name = f"{m.target.name} {m.taken_at[:16].replace('T', ' ')}" if m.target.name else m.id
    return Known(
        m.id, entry.path, name, "capture", m.size_bytes, m.format, m.target.runtime, m.taken_at, m.target.reference
    )
