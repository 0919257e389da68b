"""Turns the cells that the end-to-end tests noted into the page of the docs: matrix.py CELLS.json PAGE.md."""

import json
import sys
from pathlib import Path

HEAD = """# What can be captured where

Made by `make e2e` from what its tests did: each cell is a real program with a planted leak under a memory limit,
captured and analysed, and the leak was named. A *full* image has a shell, and for the JVM `jcmd`; a *bare* one runs
non-root with a read-only root, no capabilities, and has no shell, tar or JDK tools. The cell says by which way.

"""


def main(cells: str, page: str) -> None:
    """Read the cells, write the page."""
    noted = json.loads(Path(cells).read_text())
    columns = sorted({(cell["place"], cell["image"]) for cell in noted})
    rows = sorted({cell["runtime"] for cell in noted})
    found = {(cell["runtime"], cell["place"], cell["image"]): cell["method"] for cell in noted}
    lines = [
        "| runtime | " + " | ".join(f"{place}, {image}" for place, image in columns) + " |",
        "| --- |" + " --- |" * len(columns),
        *(
            f"| {row} | " + " | ".join(f"`{found[row, *c]}`" if (row, *c) in found else "" for c in columns) + " |"
            for row in rows
        ),
    ]
    Path(page).write_text(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
