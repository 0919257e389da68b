"""The built page with its answers in one file, which asks nobody for anything: and can be opened years later.

Script and style stand in it and are allowed by their hashes. The answers are an island, base64 of gzip of a container:
u32 (little-endian) the length of a header, the header (JSON: `entries` with path, media type, and where each body lies
behind the header), then the bodies. The same answers give the same file.
"""

import base64
import gzip
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from caulk.views.markup import text

#: What a ticket system or a mail server takes without complaint.
MAX_BYTES = 2_000_000

_SCRIPT = re.compile(r'\s*<script type="module"[^>]* src="/assets/([^"]+)"></script>')
_STYLE = re.compile(r'\s*<link rel="stylesheet"[^>]* href="/assets/([^"]+)">')
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
_NOSCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer, by the path with its parameters that the page asks for it by."""

    path: str
    media: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Built:
    """The page as it was built: its HTML without script and style, and these."""

    html: str
    script: str
    style: str

    @property
    def policy(self) -> str:
        """What a browser may do with a file of it: run this script, use this style, and ask nobody."""
        allowed = f"script-src '{_hash(self.script)}'; style-src '{_hash(self.style)}'"
        return f"default-src 'none'; {allowed}; img-src data: blob:; base-uri 'none'; form-action 'none'"


def built(root: Path | None = None) -> Built | None:
    """The page that was built into the package, or into `root`; None where it was not."""
    return _built(root or Path(str(files("caulk.views").joinpath("page"))))


def render(page: Built, title: str, entries: Sequence[Entry]) -> str:
    """The file; `title` is what a tab of the browser says, and whoever has no script."""
    said = text(title)
    html = _TITLE.sub(lambda _: f"<title>{said}</title>", page.html)
    html = _NOSCRIPT.sub(lambda _: f"<noscript><p>{said}</p><p>The rest needs JavaScript.</p></noscript>", html)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{page.policy}">'
    html = html.replace("<head>", f"<head>\n    {policy}", 1)
    html = html.replace("</head>", f"  <style>{page.style}</style>\n  </head>", 1)
    island = f'<script type="application/octet-stream" id="island">{_island(entries)}</script>'
    return html.replace("</body>", f'  {island}\n    <script type="module">{page.script}</script>\n  </body>', 1)


def _island(entries: Sequence[Entry]) -> str:
    listed, at = [], 0
    for entry in entries:
        listed.append({"path": entry.path, "type": entry.media, "at": at, "length": len(entry.body)})
        at += len(entry.body)
    header = msgspec.json.encode({"entries": listed})
    whole = b"".join((struct.pack("<I", len(header)), header, *(entry.body for entry in entries)))
    return base64.b64encode(gzip.compress(whole, 9, mtime=0)).decode()


@cache
def _built(root: Path) -> Built | None:
    try:
        html = (root / "index.html").read_text("utf-8")
        script = "".join((root / "assets" / name).read_text("utf-8") for name in _SCRIPT.findall(html))
        style = "".join((root / "assets" / name).read_text("utf-8") for name in _STYLE.findall(html))
    except FileNotFoundError:
        return None
    # What a parser of HTML would take for the script's end, or for a comment, can only stand in its strings.
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return Built(_STYLE.sub("", _SCRIPT.sub("", html)), script, style)


def _hash(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"
