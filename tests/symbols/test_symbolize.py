"""Addresses of real programs get their names, by every way a binary and its symbols may be found, or keep to none."""

import os
import re
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import native_programs as native
import pytest
from native_programs import EXPECTED, SHOP, Run, named_of, stack

from caulk.formats.builder import ProfileBuilder
from caulk.formats.dropped import without_dropped
from caulk.model.measure import Measure
from caulk.model.samples import Nodes, Samples
from caulk.model.tree import Mapping
from caulk.symbols import lookup
from caulk.symbols.lines import tools
from caulk.symbols.symbolize import symbolize

NOWHERE = {"debug_directories": ()}


@pytest.fixture(params=[tool.name for tool in tools()])
def each_tool(request, monkeypatch):
    """Every test that asks for this is run with each of this machine's tools alone."""
    only = [tool for tool in tools() if tool.name == request.param]
    monkeypatch.setattr(lookup, "tools", lambda: only)
    return request.param


@pytest.fixture(scope="module")
def shop(require, tmp_path_factory) -> Path:
    require("g++")
    return native.compiled(tmp_path_factory.mktemp("shop"), SHOP, "-O2", "-g")


@pytest.fixture(scope="module")
def shop_run(shop) -> Run:
    return native.run(shop)


@pytest.mark.parametrize("flags", [(), ("-no-pie",), ("-gz=zlib",), ("-gdwarf-4",), ("-static-pie",)], ids=str)
def test_a_program_with_debug_information_gets_functions_files_lines_and_inlined_calls(
    flags, each_tool, require, tmp_path
):
    require("g++")
    program = native.compiled(tmp_path, SHOP, "-O2", "-g", *flags)
    named = symbolize(native.run(program).profile(), **NOWHERE)
    assert named_of(named) == EXPECTED
    lines = {named.frames.function_name(i): named.frames.line[i] for i in range(len(named.frames))}
    source = SHOP.splitlines()
    assert "cart.add(7)" in source[lines["shop::fill"] - 1]
    assert "print_stack()" in source[lines["shop::Cart::add"] - 1]
    assert "hidden_helper(cart)" in source[lines["main"] - 1]
    assert {f for f in map(named.frames.file_name, range(len(named.frames))) if f.endswith("shop.cpp")}


def test_names_are_those_that_addr2line_gives(shop, shop_run, each_tool):
    addresses = shop_run.of(shop)
    base = min(m.start for m in shop_run.mappings if m.file == str(shop))
    peer = []
    for address in addresses:
        lines = native.ran(["addr2line", "-f", "-i", "-C", "-s", "-e", str(shop), hex(address - 1 - base)]).splitlines()
        peer += reversed(list(zip(lines[::2], (line.split()[0] for line in lines[1::2]), strict=True)))
    named = symbolize(replace(shop_run, addresses=tuple(addresses)).profile(), **NOWHERE)
    frames = named.frames
    ours = [(frames.function_name(f), f"shop.cpp:{frames.line[f]}") for f in named.tree.stack(named.nodes[0])]
    inside = [(name, line) for name, line in peer if line.startswith("shop.cpp")]
    assert [line for _, line in inside] == [line for _, line in ours if not line.endswith(":0")]
    for (theirs, _), (name, _) in zip(inside, ours[-len(inside) :], strict=True):
        assert name.removeprefix("shop::") in theirs


@pytest.mark.parametrize("back", [0, 1])
def test_a_line_is_that_of_the_call_whether_or_not_the_producer_stepped_back(back, shop_run):
    named = symbolize(shop_run.profile(back=back), **NOWHERE)
    lines = {named.frames.function_name(i): named.frames.line[i] for i in range(len(named.frames))}
    assert "int result = hidden_helper(cart);" in SHOP.splitlines()[lines["main"] - 1]


def test_an_exact_address_of_an_instruction_is_taken_as_it_is(shop, shop_run):
    start = next(
        int(line.split()[0], 16) for line in native.ran(["nm", str(shop)]).splitlines() if line.endswith(" T main")
    )
    base = min(m.start for m in shop_run.mappings if m.file == str(shop))
    assert stack(symbolize(replace(shop_run, addresses=(base + start,)).profile(), **NOWHERE)) == ["main"]


def test_several_mappings_of_one_file_are_each_translated_by_their_own_offset(shop_run, shop):
    offsets = {m.offset for m in shop_run.mappings if m.file == str(shop)}
    assert len(offsets) > 1
    assert named_of(symbolize(shop_run.profile(), **NOWHERE)) == EXPECTED


@pytest.mark.parametrize(
    "flag",
    ["-fuse-ld=gold", "-Wl,-Ttext-segment=0x10000000", "-Wl,-z,noseparate-code", "-Wl,-z,max-page-size=0x200000"],
)
def test_segments_are_translated_wherever_the_linker_laid_them(flag, require, tmp_path):
    require("ld.gold")
    program = native.compiled(tmp_path, SHOP, "-O2", "-g", flag)
    assert named_of(symbolize(native.run(program).profile(), **NOWHERE)) == EXPECTED


def test_a_shared_library_and_the_program_are_named_each_by_its_own_file(require, tmp_path):
    require("g++")
    library, main = (
        SHOP.replace("int main()", 'extern "C" int run_shop()'),
        'extern "C" int run_shop();\nint main() { return run_shop() + 0 * 2; }',
    )
    native.compiled(tmp_path, library, "-O2", "-g", "-shared", "-fPIC", name="libshop.so")
    program = native.compiled(
        tmp_path, main, "-g", str(tmp_path / "libshop.so"), f"-Wl,-rpath,{tmp_path}", name="front"
    )
    names = stack(symbolize(native.run(program).profile(), **NOWHERE))
    assert [n for n in names if n in EXPECTED or n == "run_shop"] == ["main", "run_shop", *EXPECTED[1:]]


def test_a_stripped_program_is_never_blamed_on_its_nearest_symbol(require, tmp_path, each_tool):
    require("g++")
    # -rdynamic exports `main` and `print_stack`, but not the static functions between them.
    program = native.compiled(tmp_path, SHOP, "-O2", "-g", "-rdynamic")
    native.ran(["strip", str(program)])
    run = native.run(program)
    named = symbolize(run.profile(), **NOWHERE)
    names = stack(named)
    assert [n for n in names if n in EXPECTED] == ["main", "print_stack"]
    assert len([n for n in names if n.startswith("shop+0x")]) >= 2
    [warning] = [w for w in named.warnings if w.startswith("shop: ")]
    assert "symbols are missing" in warning
    assert "--binary" in warning
    assert "--debug-dir" in warning
    assert "DEBUGINFOD_URLS" in warning


@pytest.mark.parametrize("section", ["google_malloc", "malloc_hook"])
def test_the_allocators_own_section_tells_its_code_in_a_stripped_program(section, require, tmp_path):
    require("g++")
    source = SHOP.replace("noinline)) void print_stack", f'noinline, section("{section}"))) void print_stack')
    program = native.compiled(tmp_path, source, "-O2")
    native.ran(["strip", str(program)])
    profile = replace(native.run(program).profile(), drop_frames="malloc|tcmalloc::.*")
    named = symbolize(profile, **NOWHERE)
    *callers, innermost = stack(named)
    assert innermost.startswith("tcmalloc::")
    assert callers[-1].startswith("shop+0x")
    # What the profile asks to leave out could not be left out before it had its names.
    assert stack(without_dropped(profile)) == stack(profile)
    assert stack(without_dropped(named)) == callers


def test_symbols_without_debug_information_give_functions_and_no_lines(require, tmp_path):
    require("g++")
    program = native.compiled(tmp_path, SHOP, "-O2")
    named = symbolize(native.run(program).profile(), **NOWHERE)
    assert named_of(named) == [name for name in EXPECTED if name != "shop::Cart::add"]
    assert not any(named.frames.line)


@pytest.mark.parametrize("compression", ["none", "zlib", "zstd"])
def test_a_separate_debug_file_is_found_by_its_link(compression, require, tmp_path, each_tool):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path, SHOP, "-O2", "-g"))
    try:
        native.ran(["objcopy", f"--compress-debug-sections={compression}", str(debug)])
    except subprocess.CalledProcessError:
        assert compression == "zstd"  # binutils built without it make no such files either
        return
    # The link holds a checksum; here the build-id vouches for the file.
    names = stack(symbolize(native.run(program).profile(), **NOWHERE))
    if compression == "zstd" and each_tool == "llvm-symbolizer":
        assert "print_stack" in names  # an LLVM that cannot inflate it leaves the symbols
    else:
        assert [n for n in names if n in EXPECTED] == EXPECTED


def test_without_build_ids_a_debug_link_counts_only_with_its_checksum(require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path, SHOP, "-O2", "-g", "-Wl,--build-id=none"))
    run = native.run(program)
    assert named_of(symbolize(run.profile(), **NOWHERE)) == EXPECTED
    with debug.open("ab") as file:
        file.write(b"!")
    assert "shop::fill" not in stack(symbolize(run.profile(), **NOWHERE))


def test_a_debug_file_is_found_by_build_id_in_a_debug_directory(require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path / "bin", SHOP, "-O2", "-g"))
    run, build_id = native.run(program), native.build_id_of(program)
    debug.rename(native.copied(debug, tmp_path / "debug/.build-id" / build_id[:2] / f"{build_id[2:]}.debug"))
    assert named_of(symbolize(run.profile(), debug_directories=[tmp_path / "debug"])) == EXPECTED


@pytest.mark.parametrize("flags", [(), ("-no-pie",)], ids=str)
def test_a_debug_file_alone_names_a_program_that_is_gone(flags, require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path, SHOP, "-O2", "-g", *flags))
    run = native.run(program).moved(program, "/gone/shop", native.build_id_of(program))
    assert named_of(symbolize(run.profile(), binaries=[debug], **NOWHERE)) == EXPECTED


def test_a_binary_that_moved_is_found_beside_the_profile(shop, shop_run, tmp_path):
    native.copied(shop, tmp_path / "server")
    run = shop_run.moved(shop, "/usr/local/bin/server")
    assert named_of(symbolize(run.profile(), beside=tmp_path, **NOWHERE)) == EXPECTED


@pytest.mark.parametrize("name", ["server", "other-name"])
def test_a_given_binary_is_the_program_under_any_name(name, shop, shop_run, tmp_path):
    given = native.copied(shop, tmp_path / name)
    run = shop_run.moved(shop, "/usr/local/bin/server")
    assert named_of(symbolize(run.profile(), binaries=[given], **NOWHERE)) == EXPECTED


def test_a_given_directory_is_searched_by_build_id_and_as_the_root_of_a_container(shop, shop_run, tmp_path):
    native.copied(shop, tmp_path / "by-id/deep/down/renamed")
    native.copied(shop, tmp_path / "root/opt/app/server")
    by_id = shop_run.moved(shop, "/gone/server", native.build_id_of(shop))
    by_path = shop_run.moved(shop, "/opt/app/server")
    assert named_of(symbolize(by_id.profile(), binaries=[tmp_path / "by-id"], **NOWHERE)) == EXPECTED
    assert named_of(symbolize(by_path.profile(), binaries=[tmp_path / "root"], **NOWHERE)) == EXPECTED


def test_a_binary_with_another_build_id_is_refused_and_said(shop, shop_run, tmp_path):
    run = shop_run.moved(shop, str(shop), "ab" * 20)
    named = symbolize(run.profile(), **NOWHERE)
    assert not named_of(named)
    [warning] = [w for w in named.warnings if w.startswith("shop: ")]
    assert native.build_id_of(shop) in warning
    assert "ab" * 20 in warning


def test_a_binary_that_is_nowhere_is_asked_for_with_its_build_id(shop, shop_run):
    named = symbolize(shop_run.moved(shop, "/gone/server", "cd" * 20).profile(), **NOWHERE)
    [warning] = [w for w in named.warnings if w.startswith("server: ")]
    assert "cd" * 20 in warning
    assert "--binary" in warning


def test_the_stacks_values_and_labels_stay_as_they_were(shop_run):
    before = shop_run.profile()
    after = symbolize(before, **NOWHERE)
    assert after.total(0) == before.total(0) == 4096
    assert after.measures == before.measures
    assert after.samples.labels == before.samples.labels


def test_stacks_written_as_a_tree_get_the_same_names(shop_run):
    rows = shop_run.profile()
    tree = rows.tree
    nodes = replace(
        rows, samples=Samples(Nodes(tree.parent, tree.frame, rows.nodes), rows.samples.labels, rows.samples.values)
    )
    assert stack(symbolize(nodes, **NOWHERE)) == stack(symbolize(rows, **NOWHERE))


def test_a_profile_with_all_its_names_is_itself_and_costs_no_import():
    code = (
        "import sys; from caulk.formats.builder import ProfileBuilder; from caulk.model.measure import Measure\n"
        "from caulk.symbols.symbolize import symbolize\n"
        "b = ProfileBuilder(Measure('inuse_space', 'bytes')); b.add([b.frame('main', 'a.c', 1)], [1])\n"
        "p = b.build(format='t', runtime='native', kind='heap'); assert symbolize(p) is p\n"
        "print(sorted(m for m in sys.modules if m in ('subprocess', 'httpx2', 'msgspec', 'caulk.symbols.lookup')))"
    )
    assert (
        native.ran([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) == "[]\n"
    )


def test_a_second_look_starts_no_tool(shop_run, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = symbolize(shop_run.profile(), cache=cache, **NOWHERE)

    def fail(*_args, **_how):
        raise AssertionError("a tool was started")

    monkeypatch.setattr("caulk.symbols.process.subprocess.Popen", fail)
    second = symbolize(shop_run.profile(), cache=cache, **NOWHERE)
    assert stack(second) == stack(first)
    assert second.warnings == first.warnings


def test_the_cache_is_its_owners_alone_and_damage_to_it_is_ignored(shop_run, tmp_path):
    cache = tmp_path / "cache"
    first = symbolize(shop_run.profile(), cache=cache, **NOWHERE)
    files = list((cache / "names").iterdir())
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert stat.S_IMODE((cache / "names").stat().st_mode) == 0o700
    for file in files:
        file.write_bytes(b'{"1": [[' * 1000)
    assert stack(symbolize(shop_run.profile(), cache=cache, **NOWHERE)) == stack(first)


def test_debug_information_that_arrives_later_is_not_hidden_by_the_cache(require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path, SHOP, "-O2", "-g"))
    run, away = native.run(program), debug.with_suffix(".away")
    debug.rename(away)
    assert "shop::fill" not in stack(symbolize(run.profile(), cache=tmp_path / "cache", **NOWHERE))
    away.rename(debug)
    assert named_of(symbolize(run.profile(), cache=tmp_path / "cache", **NOWHERE)) == EXPECTED


def test_without_any_tool_symbols_still_name_and_the_lack_is_said(shop_run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    named = symbolize(shop_run.profile(), **NOWHERE)
    assert "main" in stack(named)
    assert any("apt-get install binutils" in warning for warning in named.warnings)


class Server(ThreadingHTTPServer):
    """Answers for one build-id, and counts what it was asked."""

    def __init__(self, build_id: str, data: bytes) -> None:
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                known = self.path == f"/buildid/{build_id}/debuginfo"
                self.send_response(200 if known else 404)
                self.end_headers()
                self.wfile.write(data if known else b"")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def test_a_debuginfod_server_is_asked_once_for_what_nothing_here_names(require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path, SHOP, "-O2", "-g"))
    run, build_id = native.run(program), native.build_id_of(program)
    server = Server(build_id, debug.read_bytes())
    debug.unlink()
    try:
        how = {"debuginfod": [server.url], "cache": tmp_path / "cache", **NOWHERE}
        assert named_of(symbolize(run.profile(), **how)) == EXPECTED
        first = list(server.asked)
        assert first.count(f"/buildid/{build_id}/debuginfo") == 1
        assert named_of(symbolize(run.profile(), **how)) == EXPECTED
        assert server.asked == first
        server.asked.clear()
        assert "shop::fill" not in stack(symbolize(run.profile(), cache=tmp_path / "other", **NOWHERE))
        assert not server.asked
    finally:
        server.shutdown()
        server.server_close()


def test_what_a_server_sends_for_another_build_is_not_believed(require, tmp_path):
    require("objcopy")
    program, debug = native.split(native.compiled(tmp_path / "a", SHOP, "-O2", "-g"))
    _, foreign = native.split(
        native.compiled(
            tmp_path / "b", SHOP.replace("return 1;", "return 1 + 0 * __LINE__;") + "int more;", "-O1", "-g"
        )
    )
    run, server = native.run(program), Server(native.build_id_of(program), foreign.read_bytes())
    debug.unlink()
    try:
        named = symbolize(run.profile(), debuginfod=[server.url], cache=tmp_path / "cache", **NOWHERE)
        assert "shop::fill" not in stack(named)
    finally:
        server.shutdown()
        server.server_close()


def test_rust_functions_are_named_without_their_hashes(require, tmp_path):
    rustc = require("rustc")
    source = tmp_path / "leak.rs"
    source.write_text(
        'extern "C" { fn backtrace(at: *mut *mut u8, n: i32) -> i32; }\n'
        "mod cart { #[inline(never)] pub fn fill<T: Default>(keep: &mut Vec<T>) {\n"
        "  keep.push(T::default()); super::show(); std::hint::black_box(keep); } }\n"
        "#[inline(never)] fn show() { let mut at = [std::ptr::null_mut(); 64];\n"
        "  let n = unsafe { backtrace(at.as_mut_ptr(), 64) };\n"
        '  for a in &at[..n as usize] { println!("{:p}", *a); } }\n'
        "fn main() { let mut keep: Vec<u64> = Vec::new(); cart::fill(&mut keep);\n"
        '  print!("{}", std::fs::read_to_string("/proc/self/maps").unwrap()); println!("{}", keep.len()); }\n'
    )
    native.ran([rustc, "-g", "-C", "opt-level=1", str(source), "-o", str(tmp_path / "leak")])
    names = stack(symbolize(native.run(tmp_path / "leak").profile(), **NOWHERE))
    ours = [n for n in names if n.startswith("leak::")]
    assert ours[-2:] in (["leak::cart::fill", "leak::show"], ["leak::cart::fill<u64>", "leak::show"])
    assert "leak::main" in ours
    assert not [n for n in names if re.search(r"::h[0-9a-f]{16}|\[[0-9a-f]+\]|\$u7b\$", n)]


def test_a_mapping_that_is_no_file_is_said_and_not_opened(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    places = [
        Mapping(0x1000, 0x2000, 0, str(fifo)),
        Mapping(0x3000, 0x4000, 0, "[vdso]"),
        Mapping(0x5000, 0x6000, 0, "\0"),
    ]
    builder.add([builder.frame("", mapping=builder.mapping(m), address=m.start + 8) for m in places], [1])
    builder.add([builder.frame("", address=0x99)], [1])
    named = symbolize(builder.build(format="t", runtime="native", kind="heap"), **NOWHERE)
    assert len(named.warnings) == 4
    assert len(named.frames) == 4


def test_binutils_is_among_the_tools(require):
    require("addr2line")
    assert "addr2line" in [tool.name for tool in tools()]


def test_system_libraries_without_symbols_are_one_warning_behind_the_others(require, shop_run):
    run = replace(
        shop_run, mappings=tuple(replace(m, file=m.file.replace("/usr/lib/", "/gone/")) for m in shop_run.mappings)
    )
    [warning] = symbolize(run.profile(), **NOWHERE).warnings
    assert "libc.so.6 (2)" in warning
    assert "debug packages" in warning


def test_without_build_ids_another_systems_library_is_not_taken_for_the_dumps(require, tmp_path):
    require("g++")
    source = SHOP.replace("int main()", 'extern "C" int run_shop()')
    main = 'extern "C" int run_shop();\nint main() { return run_shop(); }'
    library = native.compiled(tmp_path, source, "-O2", "-g", "-shared", "-fPIC", name="libshop.so")
    program = native.compiled(tmp_path, main, "-g", str(library), f"-Wl,-rpath,{tmp_path}", name="front")
    run = native.run(program)
    assert "shop::fill" in stack(symbolize(run.profile(), **NOWHERE))
    padding = 'namespace { __attribute__((used)) void pad() { __asm__ volatile(".fill 65536, 1, 0x90"); } }\n'
    native.compiled(tmp_path, padding + source, "-O2", "-g", "-shared", "-fPIC", name="libshop.so")
    names = stack(symbolize(run.profile(), **NOWHERE))
    assert len([n for n in names if n.startswith("libshop.so+0x")]) >= 4
    assert "main" in names
