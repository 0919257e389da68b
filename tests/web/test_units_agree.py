"""The page writes numbers, sizes and names as Python does: both sides are held to the same examples.

The examples are `frontend/test/units.json`, which the page's own tests read too. Run this file to write them anew.
"""

import json
import zlib
from pathlib import Path
from typing import Any

from caulk.model import units
from caulk.views.markup import plain

EXAMPLES = Path(__file__).parents[2] / "frontend/test/units.json"

_VALUES = (
    *(0, 1, -1, 0.4, 0.5, 1.5, 2.5, -2.5, 999.5, 512, 1000, 1023, 1023.5, 1023.9, 1024, 1025, 1536, 10 * 1024, 10234),
    *(10235, 102348, 102349, 102400, 1 << 20, (1 << 20) - 1, (1 << 20) * 1.125, (1 << 20) * 1.375, (1 << 20) * 10.25),
    *((1 << 20) * 12.75, (1 << 20) * 100.5, (1 << 20) * 101.5, -(21 << 20), 1 << 30, 1.9e9, 123456789012, 1 << 40),
    *(1 << 50, (1 << 53) - 1, 9.5e18, 1e22, 1999, 2000, 59_999_999, 60 * 10**9, 3600 * 10**9, 5.5e12, 9.995, 99.95),
)
_SHARES = (
    *(0, 1, 0.573, 0.0995, 0.0994, 0.09949, 0.001, 0.00099, 0.0005, -0.0005, -0.06, -0.25, 0.125, 0.135, 0.0625),
    *(0.00125, 0.01125, 0.005, 0.025, 0.125001, 12.5, 1e-9, 0.995, 0.9999),
)
_SPANS = (
    *(0, 0.0004, 0.0005, 0.0015, 0.0025, 0.25, 0.9994, 0.9999, 1, 1.25, 2.75, 9.94, 9.95, 9.99, 10, 10.5, 11.5, 59.6),
    *(119.4, 119.9, 120, 3599, 7199, 7200, 259199, 259200, 1e6, 1e9),
)
_SIZES = (
    *("0", "4096", "2G", "512 MiB", "1.5gb", " 10k ", "3 tib", "7b", "1.1k"),
    *("", "-1", "1e3", "10 MM", "٣", "1 0", "M"),
)
_NAMES = (
    *("main", "a\nb\tc", "evil\u202egnp.exe", "zero\u200bwidth", "soft\u00adhyphen", "\x1b[31m"),
    *("日本語", "\U0001f600", "x" * 600, "é" * 501),
)
_PACKAGES = ("", "main", "net/http", "com.example.shop", "caulk/views", "日本語")


def examples() -> dict[str, Any]:
    """What Python says, by function: its arguments, then its answer."""
    return {
        "format_value": [
            [value, unit, signed, units.format_value(value, unit, signed=signed)]
            for value in _VALUES
            for unit, signed in (("bytes", False), ("bytes", True), ("nanoseconds", False), ("count", True))
        ],
        "format_share": [[share, units.format_share(share)] for share in _SHARES],
        "format_duration": [[span, units.format_duration(span)] for span in _SPANS],
        "parse_bytes": [[text, _or_none(units.parse_bytes, text)] for text in _SIZES],
        "plain": [[name, plain(name)] for name in _NAMES],
        "hue": [[name, zlib.crc32(name.encode()) % 360] for name in _PACKAGES],
    }


def _or_none(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


def test_the_page_is_held_to_what_python_says():
    assert json.loads(EXAMPLES.read_text()) == json.loads(json.dumps(examples())), f"run {Path(__file__).name}"


if __name__ == "__main__":
    lists = (
        f' "{name}": [\n' + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]"
        for name, rows in examples().items()
    )
    EXAMPLES.write_text("{\n" + ",\n".join(lists) + "\n}\n")
