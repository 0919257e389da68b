"""Puts `caulk_probe.pth` beside the package, where `site` reads it; all else stands in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithStart(build_py):
    """The package, and the line that starts it."""

    def run(self):
        """Builds the package, and copies the line beside it."""
        super().run()
        self.copy_file("caulk_probe.pth", str(Path(self.build_lib, "caulk_probe.pth")))

    def get_source_files(self):
        """What a source distribution needs as well."""
        return [*super().get_source_files(), "caulk_probe.pth"]


setup(cmdclass={"build_py": WithStart})
