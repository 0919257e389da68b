"""What a test sees of a page: a picture compared with the one that is kept, faults of access, what sticks out."""

import base64
import os
from pathlib import Path

from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"


def golden(page: Page, name: str, *, share: float = 0.01) -> None:
    """Compares what is seen with the picture of that name; at most `share` of the points may differ clearly.

    Browsers and fonts draw letters a little differently, so points are compared with room. With CAULK_GOLDEN=write the
    picture is made anew: look at it before it is committed.
    """
    path = HERE / "golden" / f"{name}.png"
    seen = page.screenshot(animations="disabled", caret="hide")
    if os.environ.get("CAULK_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(seen)
        return
    other = page.context.new_page()
    try:
        found = other.evaluate(_DIFFERENCE, [_data(seen), _data(path.read_bytes())])
    finally:
        other.close()
    if found > share:
        kept = Path(os.environ.get("CAULK_GOLDEN_OUT", str(ROOT / "out/golden")))
        kept.mkdir(parents=True, exist_ok=True)
        (kept / path.name).write_bytes(seen)
    assert found <= share, f"{found:.1%} of {path.name} look different now"


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


_DIFFERENCE = """async ([a, b]) => {
  const points = async (url) => {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, image.width, image.height)
  }
  const [one, other] = [await points(a), await points(b)]
  if (one.width !== other.width || one.height !== other.height) return 1
  let different = 0
  for (let at = 0; at < one.data.length; at += 4) {
    const far = [0, 1, 2].some((part) => Math.abs(one.data[at + part] - other.data[at + part]) > 48)
    if (far) different++
  }
  return different / (one.width * one.height)
}"""


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
