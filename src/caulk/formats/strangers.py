"""Files that are no dump at all: named for what they are, so that the person sees what went wrong."""

import html
import re

from caulk.model.errors import MalformedDump

#: What people hand in by mistake, by its first bytes.
_KNOWN_STRANGERS = (
    (b"\x7fELF", "a program or a core file, not a profile of one"),
    (b"PK\x03\x04", "a zip archive"),
    (b"<svg", "a picture"),
    (b"\x89PNG", "a picture"),
)


def stranger(path: str, head: bytes) -> MalformedDump:
    """The error for bytes that no format claims: it names what they are where that can be told."""
    text = head.lstrip()[:2048]
    if re.match(rb"(?i)<(!doctype html|html|head|\?xml)", text):
        title = re.search(rb"(?is)<title[^>]*>(.*?)</title>", text) or re.search(rb"(?is)<h1[^>]*>(.*?)</h1>", text)
        said = html.unescape(title[1].decode("utf-8", "replace")).strip()[:80] if title else ""
        return MalformedDump(
            f"{path} is an HTML page{f' ({said!r})' if said else ''}, not a profile",
            hint="The download saved an error or login page: look at address and login; `curl -f` would have failed.",
        )
    for magic, name in _KNOWN_STRANGERS:
        if text.startswith(magic) or head.startswith(magic):
            return MalformedDump(f"{path} is {name}, which caulk does not read")
    if text.isascii() and text[:1].isalnum() and b"\0" not in text:
        first = text.splitlines()[0].decode("ascii")[:80]
        return MalformedDump(
            f"{path} is text that begins {first!r}, not a profile",
            hint="If it was downloaded, that is the server's answer. `caulk analyze --help` lists the formats.",
        )
    return MalformedDump(
        f"{path} is not in a format that caulk knows", hint="`caulk analyze --help` lists the formats that it reads."
    )
