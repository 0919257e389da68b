"""What a test sees of a page: a picture compared with the one that is kept, faults of access, what sticks out."""

import base64
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: Of windows.
SIZES = {"desk": (1280, 720), "phone": (390, 844)}
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"


def golden(page: Page, name: str, *, share: float = 0.01, mask: Sequence[Locator] = ()) -> None:
    """Compares what is seen with the picture of that name; at most `share` of the points may differ clearly.

    Browsers and fonts draw letters a little differently, so points are compared with room. With CAULK_GOLDEN=write the
    picture is made anew: look at it before it is committed. What lies under `mask` is another each time.
    """
    path = HERE / "golden" / f"{name}.png"
    seen = page.screenshot(animations="disabled", caret="hide", mask=list(mask), mask_color="#808080")
    if os.environ.get("CAULK_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(_reduced(page, seen))
        return
    found = _elsewhere(page, _DIFFERENCE, [_data(seen), _data(path.read_bytes())])
    if found > share:
        kept = Path(os.environ.get("CAULK_GOLDEN_OUT", str(ROOT / "out/golden")))
        kept.mkdir(parents=True, exist_ok=True)
        (kept / path.name).write_bytes(seen)
    assert found <= share, f"{found:.1%} of {path.name} look different now"


def _elsewhere(page: Page, script: str, given: object) -> Any:
    """What a script gives on an empty page."""
    other = page.context.new_page()
    try:
        return other.evaluate(script, given)
    finally:
        other.close()


def _reduced(page: Page, png: bytes) -> bytes:
    """The same picture as a PNG of at most 256 colours: a third of the size."""
    width, height, colours, points = _elsewhere(page, _REDUCED, _data(png))
    rows = base64.b64decode(points)
    lines = b"".join(b"\0" + rows[at : at + width] for at in range(0, len(rows), width))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(colours)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


_POINTS = """const points = async (url) => {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, image.width, image.height)
  }"""

_DIFFERENCE = (
    "async ([a, b]) => {"
    + _POINTS
    + """
  const [one, other] = [await points(a), await points(b)]
  if (one.width !== other.width || one.height !== other.height) return 1
  let different = 0
  for (let at = 0; at < one.data.length; at += 4) {
    const far = [0, 1, 2].some((part) => Math.abs(one.data[at + part] - other.data[at + part]) > 48)
    if (far) different++
  }
  return different / (one.width * one.height)
}"""
)

_REDUCED = (
    "async (url) => {"
    + _POINTS
    + """
  const DEEP = 255 / 31
  const { width, height, data } = await points(url)
  const colours = new Uint16Array(width * height)
  const counts = new Uint32Array(32768)
  for (let at = 0; at < colours.length; at++) {
    const [r, g, b] = [0, 1, 2].map((part) => Math.round(data[4 * at + part] / DEEP))
    counts[(colours[at] = (r << 10) | (g << 5) | b)]++
  }
  const kept = [...counts.keys()].sort((x, y) => counts[y] - counts[x]).slice(0, 256)
  const parts = (colour) => [colour >> 10, (colour >> 5) & 31, colour & 31]
  const far = (x, y) => parts(x).reduce((sum, part, i) => sum + (part - parts(y)[i]) ** 2, 0)
  const nearest = new Map()
  const place = (colour) => {
    if (!nearest.has(colour)) {
      const order = kept.map((one, i) => [far(one, colour), i]).sort((x, y) => x[0] - y[0])
      nearest.set(colour, order[0][1])
    }
    return nearest.get(colour)
  }
  let text = ''
  for (const colour of colours) text += String.fromCharCode(place(colour))
  return [width, height, kept.flatMap((colour) => parts(colour).map((part) => Math.round(part * DEEP))), btoa(text)]
}"""
)


def faults(page: Page) -> list[str]:
    """What axe finds serious or critical on a page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:160]})"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def overflows(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
