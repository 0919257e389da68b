"""Programs of C++, C and Rust that print where they are, and the profiles that a heap profiler would make of it."""

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.tree import Mapping
from caulk.symbols.elf import read_elf

#: What main calls, from the outside in. `add` is always inlined into `fill`, which is never inlined.
SHOP = """
#include <cstdio>
#include <execinfo.h>
#include <vector>
__attribute__((noinline)) void print_stack() {
    void* at[64];
    int count = backtrace(at, 64);
    for (int i = 0; i < count; i++) std::printf("%p\\n", at[i]);
}
namespace shop {
struct Cart {
    std::vector<int> items;
    __attribute__((always_inline)) inline void add(int item) { items.push_back(item); print_stack(); }
};
__attribute__((noinline)) static int fill(Cart& cart) { cart.add(7); __asm__ volatile(""); return 1; }
}
namespace { __attribute__((noinline)) int hidden_helper(shop::Cart& cart) { return shop::fill(cart) + 1; } }
int main() {
    shop::Cart cart;
    int result = hidden_helper(cart);
    std::FILE* maps = std::fopen("/proc/self/maps", "r");
    for (int c; (c = std::fgetc(maps)) != EOF;) std::putchar(c);
    return result != 2;
}
"""
EXPECTED = ["main", "(anonymous namespace)::hidden_helper", "shop::fill", "shop::Cart::add", "print_stack"]


@dataclass(frozen=True)
class Run:
    """Return addresses, the outermost caller first, and the mappings of the process."""

    addresses: tuple[int, ...]
    mappings: tuple[Mapping, ...]

    def of(self, path: Path) -> list[int]:
        """The addresses in that file's mappings."""
        inside = [m for m in self.mappings if m.file == str(path)]
        return [a for a in self.addresses if any(m.start <= a < m.limit for m in inside)]

    def moved(self, path: Path, to: str, build_id: str = "") -> "Run":
        """The same run of a program that lay elsewhere; with the build-id that its producer wrote."""
        return replace(
            self,
            mappings=tuple(replace(m, file=to, build_id=build_id) if m.file == str(path) else m for m in self.mappings),
        )

    def profile(self, *, back: int = 0) -> Profile:
        """A heap profile of one stack, each address less `back`, as some producers write it."""
        builder = ProfileBuilder(Measure("inuse_space", "bytes"))
        for mapping in self.mappings:
            builder.mapping(mapping)
        frames = []
        for address in self.addresses:
            at = next((i for i, m in enumerate(self.mappings) if m.start <= address < m.limit), -1)
            frames.append(builder.frame("", mapping=at, address=address - back))
        builder.add(frames, [4096])
        return builder.build(format="test", runtime="native", kind="heap")


def compiled(directory: Path, source: str, *flags: str, name: str = "shop", compiler: str = "g++") -> Path:
    """The program of that source."""
    directory.mkdir(parents=True, exist_ok=True)
    text = directory / f"{name}.{'c' if compiler == 'gcc' else 'cpp'}"
    text.write_text(source)
    ran([compiler, str(text), *flags, "-o", str(directory / name)])
    return directory / name


def run(program: Path, **environ: str) -> Run:
    """Run a program that prints its stack, the innermost address first, and then its mappings."""
    lines = ran([str(program)], env=environ or None).splitlines()
    addresses = [int(line, 16) for line in lines if line.startswith("0x")]
    rows = [line.split(maxsplit=5) for line in lines if "-" in line.split(" ")[0] and not line.startswith("0x")]
    mappings = []
    for row in rows:
        start, limit = (int(part, 16) for part in row[0].split("-"))
        mappings.append(Mapping(start, limit, int(row[2], 16), row[5] if len(row) > 5 else ""))
    return Run(tuple(reversed(addresses)), tuple(mappings))


def ran(command: list[str], **how) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **how).stdout


def stripped(program: Path, into: Path) -> Path:
    into.parent.mkdir(parents=True, exist_ok=True)
    ran(["strip", "-o", str(into), str(program)])
    return into


def split(program: Path) -> tuple[Path, Path]:
    """Take the symbols out of a program into a file beside it, linked by name."""
    debug = program.with_name(f"{program.name}.debug")
    ran(["objcopy", "--only-keep-debug", str(program), str(debug)])
    ran(["strip", str(program)])
    ran(["objcopy", f"--add-gnu-debuglink={debug}", str(program)])
    return program, debug


def copied(path: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)
    return to


def stack(profile: Profile) -> list[str]:
    """The functions of the profile's one stack, the outermost first."""
    [leaf] = profile.nodes
    return [profile.frames.function_name(f) for f in profile.tree.stack(leaf)]


def named_of(profile: Profile) -> list[str]:
    """Those of its functions that the program's source has."""
    return [name for name in stack(profile) if name in EXPECTED]


def build_id_of(path: Path) -> str:
    found = read_elf(path).build_id
    assert found
    return found
