"""What `pip install caulk` gives, with compiled kernels and without: both wheels are built and installed for real."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/caulk"
#: The C that the checkout's own kernels were compiled from.
TRANSLATED = ROOT / "build/cython"
BLOCKED = "import sys; sys.modules['cython'] = sys.modules['Cython'] = None\n"


def output(*command: str | Path, **variables: str) -> str:
    """What `command` prints, run from the root directory so that no checkout is in reach."""
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "CAULK_PURE", "CC"}}
    ran = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environ | variables, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def build(into: Path, **variables: str) -> Path:
    """The one wheel that a checkout gives; built from a copy, because a build writes beside the sources."""
    checkout = into / "checkout"
    for path in [
        *PACKAGE.rglob("*"),
        *(ROOT / name for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE")),
    ]:
        if path.is_file() and path.suffix not in {".so", ".pyc"}:
            copy = checkout / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    output(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", into / "dist", checkout, **variables)
    [wheel] = (into / "dist").iterdir()
    return wheel


def install(wheel: Path, into: Path) -> Path:
    """The Python of a fresh virtual environment that holds the wheel and what it depends on."""
    output(sys.executable, "-m", "venv", into)
    python = into / "bin/python"
    output(python, "-m", "pip", "install", wheel)
    return python


@pytest.fixture(scope="module")
def compiled_wheel(gcc, tmp_path_factory) -> Path:
    """Compiled by a gcc whose last word is `-O0`: what is asked here is what the wheel holds, not how fast that is.

    Cython need not translate again what is younger than its source.
    """
    folder = tmp_path_factory.mktemp("compiled")
    if TRANSLATED.is_dir():
        shutil.copytree(TRANSLATED, folder / "checkout" / TRANSLATED.relative_to(ROOT))
    hasty = folder / "gcc"
    hasty.write_text(f'#!/bin/sh\nexec {gcc} "$@" -O0\n')
    hasty.chmod(0o755)
    return build(folder, CC=str(hasty))


@pytest.fixture(scope="module")
def pure_wheel(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("pure"), CAULK_PURE="1")


@pytest.fixture(scope="module", params=["compiled", "pure"])
def installed(request, tmp_path_factory) -> tuple[Path, bool]:
    wheel = request.getfixturevalue(f"{request.param}_wheel")
    return install(wheel, tmp_path_factory.mktemp("venv")), request.param == "compiled"


def contents(wheel: Path) -> set[str]:
    names = zipfile.ZipFile(wheel).namelist()
    return {name.removeprefix("caulk/") for name in names if name.startswith("caulk/")}


def sources() -> set[str]:
    """Every file of the package that is not made by a compiler."""
    files = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file())
    return {str(path) for path in files if path.suffix not in {".so", ".pyc"}}


def test_the_compiled_wheel_serves_every_python_from_3_11_and_holds_sources_and_kernels(compiled_wheel):
    assert "-cp311-abi3-linux_" in compiled_wheel.name
    kernels = {path for path in sources() if path.startswith("_core/") and path.endswith(".pyi")}
    assert contents(compiled_wheel) == sources() | {path.replace(".pyi", ".abi3.so") for path in kernels}


def test_the_pure_wheel_serves_every_machine_and_holds_the_sources_alone(pure_wheel):
    assert pure_wheel.name.endswith("-py3-none-any.whl")
    assert contents(pure_wheel) == sources()


def test_without_a_working_compiler_the_wheel_is_the_pure_one(tmp_path):
    assert build(tmp_path, CC="/bin/false").name.endswith("-py3-none-any.whl")


def test_the_command_works_outside_the_checkout(installed):
    python, _ = installed
    assert output(python.with_name("caulk"), "--version").strip()


def test_cython_is_never_needed_to_run(installed):
    python, compiled = installed
    assert output(python, "-c", BLOCKED + "from caulk import _core; print(_core.COMPILED)").strip() == str(compiled)


def test_uncompiled_kernels_are_mentioned_once_when_there_is_much_to_read(installed, tmp_path):
    python, compiled = installed
    dump = tmp_path / "large.folded"
    dump.write_text("".join(f"main;{chr(97 + n % 10) * 2000} {n + 1}\n" for n in range(5000)))
    said = output(python.with_name("caulk"), "diff", dump, dump, "--out", tmp_path / "difference.json")
    assert said.count("not compiled") == (0 if compiled else 1)


def test_byte_code_is_there_after_the_install(installed):
    python, _ = installed
    where = Path(output(python, "-c", "import caulk; print(caulk.__path__[0])").strip())
    modules = {path.stem for path in where.glob("*.py")}
    assert modules == {path.name.split(".")[0] for path in where.glob("__pycache__/*.pyc")}


def test_make_without_venv_names_the_package_to_install(tmp_path):
    python = tmp_path / "python-without-ensurepip"
    python.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.modules[\'ensurepip\'] = None; exec(sys.argv[2])" "$@"\n'
    )
    python.chmod(0o755)
    said = refused(tmp_path, python)
    assert "apt-get install python3-venv" in said


def test_make_with_an_old_python_says_which_one_it_takes(tmp_path):
    python = tmp_path / "python3.9"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert "Python 3.11 or later" in refused(tmp_path, python)


def test_make_without_any_python_names_the_packages_to_install(tmp_path):
    assert "apt-get install python3 python3-venv" in refused(tmp_path, tmp_path / "nothing")


def refused(directory: Path, python: Path) -> str:
    """What `make install` says, in an empty checkout, as it refuses this interpreter."""
    (directory / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("pyproject.toml", "setup.py"):
        (directory / name).touch()
    ran = subprocess.run(
        ["make", f"PYTHON={python}", "install"], cwd=directory, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert not (directory / ".venv").exists()
    return ran.stderr
