"""The mapping files of a dump: which are meant, which bundle or class each knows, and what is said of them.

Given (`--mapping`) are source maps, `mapping.txt` of R8 or ProGuard, and directories of source maps; beside the dump
`*.map` and `mapping.txt` are found. Nothing is ever fetched.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from urllib.parse import unquote

from caulk.model.errors import UsageError
from caulk.model.original import ClassNames, Script, lookups, original_class
from caulk.model.profile import Profile
from caulk.symbols.lines import Calls, Place
from caulk.symbols.proguard import ProguardMapping
from caulk.symbols.rewrite import rewritten
from caulk.symbols.source_maps import MOST_BYTES, read_map

#: Files looked at below one given directory.
_MOST_FILES = 20_000
_BESIDE = "mapping.txt"
_HEAD = 64
#: So many files are spoken of one by one.
_SPOKEN_OF = 4


class Mappings:
    """What is known of the names of one dump (`Originals`); `comments` and `warnings` say how it went."""

    def __init__(self, given: Sequence[Path], beside: Path | None = None) -> None:
        self._given = list(given)
        #: Source maps by the file name of their bundle, and mappings of classes; those given first.
        self._maps: dict[str, list[Path]] = {}
        self._classes: list[ProguardMapping] = []
        self._seen: set[Path] = set()
        self._scripts: dict[str, Script | None] = {}
        self._unknown: dict[str, None] = {}
        self._problems: list[str] = []
        self._bundles: dict[str, Path] = {}
        self._renamed: dict[Path, int] = {}
        for path in given:
            self._add(path)
        if beside:
            self._add_beside(beside)

    @property
    def comments(self) -> tuple[str, ...]:
        """What was named by which file."""
        bundles = [f"{_base(url)} is shown as its source, by {path}" for url, path in self._bundles.items()]
        classes = [
            f"{count:,} classes have their names in the source, by {path}" for path, count in self._renamed.items()
        ]
        return (*classes, *_some(bundles, "bundles are named by their source maps"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which given files were of no use."""
        useful = {*self._bundles.values(), *self._renamed}
        unused = [
            f"{path}: nothing in this dump is named by it; is it of another build?{self._met}"
            for path in self._given
            if not any(file == path or path in file.parents for file in useful)
        ]
        return (*_some(self._problems, "mapping files could not be read"), *_some(unused, "mapping files name nothing"))

    def script(self, url: str) -> Script | None:
        """The bundle that was loaded from `url`: the map of its file name, of several the one whose path is like it."""
        if url not in self._scripts:
            self._scripts[url] = self._script(url)
        return self._scripts[url]

    def classes(self, names: Iterable[str]) -> Mapping[str, ClassNames]:
        """Those of the classes that a mapping names."""
        wanted = frozenset(names)
        found: dict[str, ClassNames] = {}
        for mapping in self._classes:
            new = {short: each for short, each in mapping.classes(wanted).items() if short not in found}
            if new:
                self._renamed[mapping.path] = len(new)
            found.update(new)
        return found

    @property
    def _met(self) -> str:
        names = list(islice(self._unknown, 3))
        return f" (The dump has {', '.join(names)}{' …' if len(self._unknown) > 3 else ''}.)" if names else ""

    def _script(self, url: str) -> Script | None:
        path = _path(url)
        name = _base(url)
        if not name or url.startswith("node:"):
            return None
        likely = sorted(self._maps.get(name, ()), key=lambda file: -_alike(path, file.as_posix()))
        if len(likely) > 1 and _alike(path, likely[0].as_posix()) == _alike(path, likely[1].as_posix()):
            self._problems.append(f"{name} may be that of {likely[0]} or of {likely[1]}: neither was taken")
            return None
        for file in likely[:1]:
            try:
                map = read_map(file)
            except UsageError as error:
                self._problems.append(str(error))
                return None
            self._bundles[url] = file
            return map.of(url)
        self._unknown[name] = None
        return None

    def _add(self, path: Path) -> None:
        """Take what was given; raises `UsageError` where a file is no mapping."""
        if path.is_dir():
            files = list(islice(path.rglob("*"), _MOST_FILES))
            for file in sorted(file for file in files if file.suffix == ".map" and _is_map(file)):
                self._add_map(file)
            for file in sorted(file for file in files if file.name == _BESIDE and file.is_file()):
                self._classes.append(_proguard(file))
        elif path.suffix == ".map" or _is_map(path):
            self._add_map(path)
            # Given alone, it is of the bundle that it says, whatever it is called.
            bundle = _base(read_map(path).file)
            if bundle and path not in self._maps.setdefault(bundle, []):
                self._maps[bundle].append(path)
        else:
            self._classes.append(_proguard(path))

    def _add_beside(self, directory: Path) -> None:
        try:
            found = sorted(islice(directory.glob("*.map"), _MOST_FILES))
        except OSError:
            return
        for file in found:
            if _is_map(file):
                self._add_map(file)
        mapping = directory / _BESIDE
        if mapping.is_file() and not any(each.path.samefile(mapping) for each in self._classes):
            try:
                self._classes.append(_proguard(mapping))
            except UsageError as error:
                self._problems.append(str(error))

    def _add_map(self, file: Path) -> None:
        real = file.resolve()
        if real not in self._seen:
            self._seen.add(real)
            self._maps.setdefault(file.name.removesuffix(".map"), []).append(file)


def files_of(given: Sequence[Path], beside: Path | None) -> tuple[str, ...]:
    """What answers depend on: the files' paths, sizes and times of change."""
    found: list[Path] = []
    for path in given:
        found += islice(path.rglob("*"), _MOST_FILES) if path.is_dir() else (path,)
    if beside:
        found += chain(islice(beside.glob("*.map"), _MOST_FILES), beside.glob(_BESIDE))
    facts = []
    for path in sorted(set(found)):
        if path.is_file():
            status = path.stat()
            facts.append(f"{path.absolute()} {status.st_size} {status.st_mtime_ns}")
    return tuple(facts)


def named(profile: Profile, mappings: Mappings) -> Profile:
    """The profile with the names of the source; itself where nothing in it is known.

    Without columns a bundle of few lines cannot be told apart: V8's own profiles have them, and their reader asks.
    """
    frames = profile.frames
    calls: dict[int, Calls] = {}
    if profile.format == "jvm-histogram":
        functions = [frames.strings[number] for number in frames.function]
        known = mappings.classes({part for name in functions for part in lookups(name)})
        for i, name in enumerate(functions):
            if (own := original_class(name, known)) != name:
                calls[i] = (Place(own, frames.file_name(i), frames.line[i]),)
    elif profile.runtime != "jvm" and profile.format != "v8-sampling":
        for i in range(len(frames)):
            script = mappings.script(frames.file_name(i)) if frames.line[i] > 0 else None
            written = script.at(frames.line[i] - 1, None, frames.strings[frames.function[i]]) if script else None
            if written:
                calls[i] = (Place(*written),)
    if calls:
        profile = rewritten(profile, calls)
    return profile


def said(comments: tuple[str, ...], warnings: tuple[str, ...], mappings: Mappings) -> dict[str, tuple[str, ...]]:
    """The fields of a snapshot that say what the mappings did."""
    return {"comments": (*comments, *mappings.comments), "warnings": (*warnings, *mappings.warnings)}


@lru_cache(maxsize=8)
def _opened(path: Path, _size: int, _time: int) -> ProguardMapping:
    return ProguardMapping(path)


def _proguard(path: Path) -> ProguardMapping:
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return _opened(path, status.st_size, status.st_mtime_ns)


def _is_map(path: Path) -> bool:
    """Whether a file begins as JSON does: linkers write `.map` files too."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return head.startswith((b"{", b")]}'"))


def _path(url: str) -> str:
    return unquote(url.partition("?")[0].partition("#")[0], errors="replace")


def _base(url: str) -> str:
    return _path(url).replace("\\", "/").rpartition("/")[2]


def _alike(url: str, map: str) -> int:
    """How many of their last directories two paths share."""
    ours, theirs = url.replace("\\", "/").split("/")[-2::-1], map.split("/")[-2::-1]
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))


def _some(texts: Sequence[str], further: str) -> list[str]:
    rest = len(texts) - _SPOKEN_OF
    return [*texts[:_SPOKEN_OF], *([f"{rest:,} further {further}"] if rest > 0 else [])]
