"""Compile the kernels where a C compiler and the Python headers are at hand; install them as plain Python elsewhere.

Everything else is declared in pyproject.toml. `CAULK_PURE=1` skips the compiler.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

# setuptools comes first: it puts `distutils` in place where Python no longer brings it.
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

from distutils.ccompiler import new_compiler  # isort: skip
from distutils.errors import CCompilerError, DistutilsError  # isort: skip
from distutils.sysconfig import customize_compiler, get_python_inc  # isort: skip

PROCESSORS = os.cpu_count() or 1
NOT_KERNELS = {"__init__.py", "uncompiled.py"}


class OneWheel(bdist_wheel):
    """Tag the wheel for every CPython from 3.11 on, which is what the kernels are built against."""

    def get_tag(self) -> tuple[str, str, str]:
        python, abi, platform = super().get_tag()
        return ("cp311", "abi3", platform) if self.distribution.ext_modules else (python, abi, platform)


def build_page() -> None:
    """The page belongs to the wheel and the sdist, so that nobody who installs caulk needs Node.js.

    An sdist brings it built; a checkout that has it is left alone, since make knows when it is old.
    """
    if Path("frontend/build").exists() and not Path("src/caulk/views/page/index.html").exists():
        subprocess.run(["frontend/build"], check=True)


class WithPage(build_py):
    def run(self) -> None:
        build_page()
        super().run()


class SourceWithPage(sdist):
    def run(self) -> None:
        build_page()
        super().run()


def can_compile() -> bool:
    """Whether a C file that includes Python.h compiles here: tried, not guessed."""
    compiler = new_compiler()
    customize_compiler(compiler)
    with tempfile.TemporaryDirectory() as scratch:
        probe = Path(scratch, "probe.c")
        probe.write_text("#include <Python.h>\n")
        try:
            compiler.compile([str(probe)], output_dir=scratch, include_dirs=[get_python_inc()])
        except (CCompilerError, DistutilsError):
            return False
    return True


def kernels() -> list[Extension]:
    if os.environ.get("CAULK_PURE"):
        return []
    if not can_compile():
        print(
            "caulk: no C compiler or no Python headers: the kernels will run as plain Python, slowly", file=sys.stderr
        )
        return []
    from Cython.Build import cythonize

    extensions = [
        Extension(
            f"caulk._core.{source.stem}",
            [str(source)],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            # -fwrapv: the kernels multiply hashes and rely on two's complement. -g0: nobody debugs generated C.
            extra_compile_args=["-O2", "-fwrapv", "-g0"],
        )
        for source in sorted(Path("src/caulk/_core").glob("*.py"))
        if source.name not in NOT_KERNELS
    ]
    return cythonize(
        extensions,
        build_dir="build/cython",
        nthreads=PROCESSORS,
        language_level=3,
        # Bounds stay checked in everything that reads input; the compiler need not advise against it.
        compiler_directives={"show_performance_hints": False},
    )


setup(
    ext_modules=kernels(),
    cmdclass={"bdist_wheel": OneWheel, "build_py": WithPage, "sdist": SourceWithPage},
    options={"build_ext": {"parallel": PROCESSORS}},
)
