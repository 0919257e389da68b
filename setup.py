"""Compile the kernels where a C compiler is at hand; install them as plain Python where it is not.

Everything else is declared in pyproject.toml. `CAULK_PURE=1` skips the compiler.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

CORE = Path("src/caulk/_core")
NOT_KERNELS = {"__init__.py", "uncompiled.py"}
PURE = bool(os.environ.get("CAULK_PURE"))


class OptionalBuild(build_ext):
    """Build each kernel; without compiler or headers, say so and go on: the sources run uncompiled."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            self.give_up(error)

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:
            self.give_up(error)

    def copy_extensions_to_source(self) -> None:
        built = [
            e
            for e in self.extensions
            if Path(self.get_ext_fullpath(e.name)).exists()
            or Path(self.build_lib, self.get_ext_filename(self.get_ext_fullname(e.name))).exists()
        ]
        self.extensions = built
        super().copy_extensions_to_source()

    @staticmethod
    def give_up(error: Exception) -> None:
        print(f"caulk: the kernels are not compiled ({error}); they will run as plain Python, slowly", file=sys.stderr)


class OneWheel(bdist_wheel):
    """Tag the wheel for every CPython from 3.11 on, which is what the kernels are built against."""

    def get_tag(self) -> tuple[str, str, str]:
        python, abi, platform = super().get_tag()
        return ("cp311", "abi3", platform) if self.distribution.ext_modules else (python, abi, platform)


def kernels() -> list[Extension]:
    if PURE:
        return []
    from Cython.Build import cythonize

    extensions = [
        Extension(
            f"caulk._core.{source.stem}",
            [str(source)],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            # -fwrapv: the kernels multiply hashes and rely on two's complement.
            extra_compile_args=["-O2", "-fwrapv"],
        )
        for source in sorted(CORE.glob("*.py"))
        if source.name not in NOT_KERNELS
    ]
    return cythonize(
        extensions,
        build_dir="build/cython",
        language_level=3,
        # Bounds stay checked in everything that reads input; the compiler need not advise against it.
        compiler_directives={"show_performance_hints": False},
    )


setup(ext_modules=kernels(), cmdclass={"build_ext": OptionalBuild, "bdist_wheel": OneWheel})
