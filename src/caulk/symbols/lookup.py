"""The names of one module's addresses: from the cache, from debug information, from symbols that prove their extent."""

import time
from collections.abc import Sequence

from caulk.model.tree import Mapping
from caulk.symbols.addresses import asked_address, virtual_address
from caulk.symbols.binaries import Binaries, Module, base_name, build_id
from caulk.symbols.cache import Cache, key_of
from caulk.symbols.elf import Elf, Symbols
from caulk.symbols.lines import Calls, Place, order_for, tools
from caulk.symbols.names import demangled

#: For one module, and for all of them: a dump may name any number.
_TIMEOUT_S = 60.0
_WHOLE_S = 300.0
_NO_SYMBOLS = Symbols([])
#: tcmalloc, Google's and gperftools', has sections of its own in the program that it is linked into, so that its code
#: is told from the program's without a symbol: https://github.com/google/tcmalloc, tcmalloc/internal/config.h.
_ALLOCATOR_SECTIONS = ("google_malloc", "malloc_hook")
_ALLOCATOR = (Place("tcmalloc::(no symbol)"),)


class Lookup:
    """Answers module by module. `problems` are those of this machine, not of a module."""

    def __init__(self, binaries: Binaries, cache: Cache) -> None:
        self._binaries, self._cache = binaries, cache
        self._tools = tools()
        self._ends = time.monotonic() + _WHOLE_S
        self.problems: list[str] = []

    def names(
        self, nameless: Sequence[tuple[int, Mapping | None, int]], *, is_main: bool
    ) -> tuple[dict[int, Calls], str]:
        """The calls at each frame that has a name now, by its number, and why others have none (or nothing).

        All are of one file, but each of its own mapping.
        """
        first = nameless[0][1]
        if first is None or not first.file or first.file.startswith(("[", "//", "anon_inode:", "/memfd:", "/dev/")):
            return {}, _nowhere(len(nameless), first)
        if time.monotonic() > self._ends:
            self._say(f"naming took more than {_WHOLE_S:.0f} s: further modules were not looked at")
            return {}, ""
        module = self._binaries.module(first, is_main=is_main)
        if not module.binary and not module.debug:
            return {}, _no_file(first, module, len(nameless))
        virtual = {
            frame: place
            for frame, mapping, address in nameless
            if mapping and (place := virtual_address(module, mapping, address)) is not None
        }
        known = self._known(module, sorted(set(virtual.values())))
        found = {frame: calls for frame, place in virtual.items() if (calls := known.get(place))}
        left = len(nameless) - len(found)
        return found, _unnamed(first, module, left, fits=bool(virtual)) if left else ""

    def _known(self, module: Module, addresses: list[int]) -> dict[int, Calls]:
        """Calls at virtual addresses; an empty tuple is one that nothing names."""
        key = key_of(module.binary, module.debug, self._tools[0].name if self._tools else "")
        kept = self._cache.load(key)
        wanted = [address for address in addresses if address not in kept]
        if wanted:
            answer, is_whole = self._asked(module, wanted)
            kept |= answer
            if is_whole:
                self._cache.save(key, kept)
        return kept

    def _asked(self, module: Module, addresses: list[int]) -> tuple[dict[int, Calls], bool]:
        """What the files themselves say, and whether it is all that they have to say."""
        ours = module.binary.symbols() if module.binary else _NO_SYMBOLS
        other = module.debug.symbols() if module.debug and module.debug is not module.binary else _NO_SYMBOLS
        shift = _shift(module)
        asked = {
            a: asked_address(module.binary, a, is_start=ours.starts(a) or other.starts(a + shift)) for a in addresses
        }
        lines, is_whole = self._lines(module.debug, sorted({a + shift for a in asked.values()}))
        mangled = {a: name for a, at in asked.items() if (name := other.at(at + shift) or ours.at(at))}
        names = demangled(set(mangled.values()))
        found: dict[int, Calls] = {}
        for a, at in asked.items():
            calls, name = lines.get(at + shift, ()), names.get(mangled.get(a, ""), "")
            if calls and name.endswith(f"::{calls[0].function}"):
                # binutils has only the last part of a static function's name; its symbol has all of it.
                calls = (Place(name, calls[0].file, calls[0].line), *calls[1:])
            found[a] = calls or ((Place(name),) if name else _of_section(module, at))
        return found, is_whole

    def _lines(self, file: Elf | None, addresses: list[int]) -> tuple[dict[int, Calls], bool]:
        """What debug information says; the second tool is asked where the first knows nothing of the file at all."""
        if not file or not file.has_lines:
            return {}, True
        if not self._tools:
            self._say("neither llvm-symbolizer nor addr2line is on PATH: functions have no file and line"
                      " (apt-get install binutils)")  # fmt: skip
            return {}, True
        ended = True
        for tool in order_for(file, self._tools):
            found, ended = tool.ask(file, addresses, timeout_s=_TIMEOUT_S)
            if found:
                break
        if not ended:
            self._say(f"{tool.name} did not finish with {file.path} in {_TIMEOUT_S:.0f} s: some names are missing")
        return found, ended

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _of_section(module: Module, address: int) -> Calls:
    """What the part of the binary that an address is in says of it: whether it is the allocator's."""
    is_allocator = module.binary and module.binary.section_at(address) in _ALLOCATOR_SECTIONS
    return _ALLOCATOR if is_allocator else ()


def _shift(module: Module) -> int:
    """How far the debug file's addresses lie from the binary's: not at all, unless one of them was prelinked."""
    if not module.binary or not module.debug:
        return 0
    starts = [next((s.vaddr for s in elf.segments if s.is_code), 0) for elf in (module.binary, module.debug)]
    return starts[1] - starts[0]


def _nowhere(count: int, mapping: Mapping | None) -> str:
    if mapping and mapping.file.startswith("["):
        return f"{base_name(mapping.file)}: {_addresses(count)} of the kernel's own code"
    return f"{_addresses(count)} in no binary: code made at run time, or a profile without its mappings"


def _no_file(mapping: Mapping, module: Module, count: int) -> str:
    name, wanted = base_name(mapping.file), build_id(mapping.build_id)
    if module.refused:
        return (
            f"{name}: {_addresses(count)}: {module.refused[0]}, the profile's is {wanted}, so it was not used."
            " Give the binary that ran: --binary PATH."
        )
    told = f" (build-id {wanted})" if wanted else ""
    return (
        f"{name}: {_addresses(count)}: symbols are missing, its file is not here{told}."
        " Give it: --binary PATH, the file or a directory that holds it."
    )


def _unnamed(mapping: Mapping, module: Module, count: int, *, fits: bool) -> str:
    name, file = base_name(mapping.file), module.binary or module.debug
    assert file
    if not fits:
        return (
            f"{name}: {_addresses(count)}: {file.path} has no code there, it must be another build."
            " Give the binary that ran: --binary PATH."
        )
    if module.debug:
        return f"{name}: {_addresses(count)} that {module.debug.path} has no function for"
    return (
        f"{name}: {_addresses(count)}: symbols are missing, {file.path} is stripped. Give an unstripped build"
        " (--binary PATH) or its debug file (--debug-dir DIR), install its debug package, or set DEBUGINFOD_URLS."
    )


def _addresses(count: int) -> str:
    return "1 address stays unnamed" if count == 1 else f"{count:,} addresses stay unnamed"
