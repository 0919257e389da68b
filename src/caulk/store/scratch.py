"""Columns laid aside in a file without a name: the kernel keeps in memory what of them is in use, and room permits."""

import mmap
import tempfile
from pathlib import Path

from caulk.model.column import Column
from caulk.model.errors import UsageError


class Scratch:
    """A place for columns in a directory; the disk has them back once nobody refers to them, or the process ends."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, column: Column) -> Column:
        """The same column, to be read only, in a file; raises `UsageError` where the disk has no room for it."""
        view = memoryview(column)
        if not view.nbytes:
            return column
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._directory) as file:
                file.write(view)
                file.flush()
                data = mmap.mmap(file.fileno(), view.nbytes, access=mmap.ACCESS_READ)
        except OSError as error:
            raise UsageError(
                f"no room in {self._directory} for what memory cannot hold: {error.strerror}",
                hint="CAULK_HOME names another place; --max-memory allows more memory.",
            ) from None
        laid: Column = memoryview(data).cast(view.format)  # type: ignore[call-overload]
        return laid
