"""The same profile, its addresses named: the files found, the tools asked once, the stacks written anew.

An address that nothing proves a name for stays `module+0x…`, and the profile's warnings say what would name it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from caulk.model.origin import is_runtime_library
from caulk.model.profile import Profile
from caulk.model.tree import Frames, Mapping

if TYPE_CHECKING:
    from caulk.symbols.lines import Calls

DEBUG_DIRECTORIES = (Path("/usr/lib/debug"),)
_WORD = 0xFFFFFFFFFFFFFFFF
#: So many modules are spoken of one by one, those with the most unnamed addresses.
_SPOKEN_OF = 4


def symbolize(
    profile: Profile,
    *,
    binaries: Sequence[Path] = (),
    debug_directories: Sequence[Path] = DEBUG_DIRECTORIES,
    debuginfod: Sequence[str] = (),
    cache: Path | None = None,
    beside: Path | None = None,
) -> Profile:
    """The profile with functions for its addresses, several where calls were inlined; itself where none lacks one.

    `binaries` are files, or directories such as the root of a container's files; `beside` is the profile's directory;
    `debuginfod` are servers, asked last, and only if `cache` says where to keep what they send. Never fails: what stays
    unnamed is counted in the warnings, by module, with what to do.
    """
    if not lacks_names(profile):
        return profile
    # Most profiles come with their names, and pay for none of this.
    from caulk.symbols.binaries import Binaries, base_name  # noqa: PLC0415
    from caulk.symbols.cache import Cache  # noqa: PLC0415
    from caulk.symbols.debuginfod import Debuginfod  # noqa: PLC0415
    from caulk.symbols.lookup import Lookup  # noqa: PLC0415
    from caulk.symbols.rewrite import rewritten  # noqa: PLC0415

    servers = Debuginfod(debuginfod, cache / "debug" if cache else None)
    lookup = Lookup(
        Binaries(
            binaries,
            debug_directories,
            beside=beside,
            names=frozenset(base_name(m.file) for m in profile.frames.mappings),
            fetch=servers.fetch,
        ),
        Cache(cache / "names" if cache else None),
    )
    main = _main(profile.frames.mappings)
    named: dict[int, Calls] = {}
    unnamed: list[tuple[int, str]] = []
    minor: list[str] = []
    for (file, _), module in _modules(profile.frames).items():
        names, problem = lookup.names(module, is_main=bool(file) and file == main)
        named.update(names)
        if problem and is_runtime_library(file):
            minor.append(f"{base_name(file)} ({len(module) - len(names)})")
        elif problem:
            unnamed.append((len(names) - len(module), problem))
    warnings = [problem for _, problem in sorted(unnamed)]
    further = len(warnings) - _SPOKEN_OF
    if further > 0:
        warnings[_SPOKEN_OF:] = [f"{further} further modules have addresses without names"]
    if minor:
        warnings.append(
            f"system libraries have addresses without names, for want of debug packages: {', '.join(minor)}"
        )
    said = (*profile.warnings, *lookup.problems, *servers.problems, *warnings)
    return replace(rewritten(profile, named) if named else profile, warnings=said)


def lacks_names(profile: Profile) -> bool:
    """Whether a frame has an address and nothing else."""
    frames = profile.frames
    if all(frames.function) or not any(frames.address):
        return False
    return any(map(_is_nameless, frames.function, frames.file, frames.address))


def _is_nameless(function: int, file: int, address: int) -> bool:
    return bool(address) and not function and not file


#: A frame without a name: its number, its mapping (None: it lies in none), its address.
Nameless = tuple[int, Mapping | None, int]


def _modules(frames: Frames) -> dict[tuple[str, str], list[Nameless]]:
    """The frames that have an address and no name, by the file and build-id of their mapping."""
    found: dict[tuple[str, str], list[Nameless]] = {}
    mappings = frames.mappings
    order = sorted(range(len(mappings)), key=lambda i: mappings[i].start)
    starts = [mappings[i].start for i in order]
    for i, function in enumerate(frames.function):
        address = frames.address[i] & _WORD
        if not _is_nameless(function, frames.file[i], address):
            continue
        at = frames.mapping[i]
        if at < 0 and order:  # a producer that lists mappings, but not which is whose
            before = bisect_right(starts, address) - 1
            at = order[before] if before >= 0 and address < mappings[order[before]].limit else -1
        mapping = mappings[at] if at >= 0 else None
        key = (mapping.file, mapping.build_id) if mapping else ("", "")
        found.setdefault(key, []).append((i, mapping, address))
    return found


def _main(mappings: Sequence[Mapping]) -> str:
    """The file of the program itself: the first that is no library."""
    return next((m.file for m in mappings if m.file and m.file[0] != "[" and ".so" not in m.file), "")
