"""The command line names the addresses of a dump by what it is given and what it finds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import native_programs as native
import pytest
from native_programs import SHOP

from caulk.model.profile import Profile
from caulk.views import pprof


def caulk(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "CAULK_HOME": str(home)}
    environ.pop("DEBUGINFOD_URLS", None)
    command = [sys.executable, "-m", "caulk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ, check=False)


def written(profile: Profile, path: Path) -> Path:
    path.write_bytes(pprof.encode(profile))
    return path


@pytest.fixture
def moved(require, tmp_path) -> tuple[Path, Path]:
    """A dump of a program that is no longer where it ran, and where it is now."""
    require("g++")
    program = native.compiled(tmp_path / "build", SHOP, "-O2", "-g")
    run = native.run(program).moved(program, "/gone/shop")
    return written(run.profile(), tmp_path / "heap.pb.gz"), program


def test_binary_names_the_function_that_allocates(moved, tmp_path):
    dump, program = moved
    ran = caulk("analyze", dump, "--binary", program, "-o", "json", "--exit-zero", home=tmp_path / "home")
    [finding] = json.loads(ran.stdout)["findings"][:1]
    assert "shop::fill" in [frame["function"] for frame in finding["stack"]]
    assert (tmp_path / "home/cache/names").is_dir()


def test_without_its_binary_the_dump_says_what_to_give(moved, tmp_path):
    dump, _ = moved
    ran = caulk("analyze", dump, "-o", "json", "--exit-zero", home=tmp_path / "home")
    [entry] = json.loads(ran.stdout)["inputs"]
    assert any("--binary" in warning for warning in entry["warnings"])


def test_every_report_verb_and_convert_take_a_binary_and_a_debug_directory(moved, tmp_path):
    dump, program = moved
    given = ("--binary", program, "--debug-dir", tmp_path)
    for verb in ("top", "tree", "flame", "peek"):
        assert "print_stack" in caulk(verb, dump, *given, home=tmp_path / "home").stdout
    ran = caulk("convert", dump, tmp_path / "named.folded", *given, home=tmp_path / "home")
    assert "shop::fill;shop::Cart::add;print_stack" in (tmp_path / "named.folded").read_text(), ran.stderr


def test_a_binary_that_is_not_there_is_a_usage_error(moved, tmp_path):
    dump, _ = moved
    ran = caulk("top", dump, "--binary", tmp_path / "nothing", home=tmp_path / "home")
    assert ran.returncode == 2
    assert "no such file" in ran.stderr
