"""Text from a dump, made safe and visible in a page: escaped, clipped, and without characters that hide or reorder."""

import html
import json
import re
from typing import Any

#: Longest text from a dump that a page shows; a C++ template may be ten thousand characters long.
MAX_TEXT = 500
#: Longest sentence: it quotes several such texts.
MAX_SENTENCE = 2000

_CODE = re.compile(r"`([^`]+)`")
_SPACE = re.compile(r"[\t\n\r]+")
#: Controls, zero-width characters, bidirectional overrides and lone surrogates: a name must look like what it is.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def plain(value: object, *, limit: int = MAX_TEXT) -> str:
    """`value` as one line of visible characters, its middle left out beyond `limit` of them; not yet escaped."""
    text = str(value)
    if len(text) > limit:
        tail = limit // 3
        text = f"{text[: limit - tail - 1]}…{text[-tail:]}"
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", _SPACE.sub(" ", text))


def text(value: object, *, limit: int = MAX_TEXT) -> str:
    """`value` for an element's text or a quoted attribute."""
    return html.escape(plain(value, limit=limit))


def prose(value: object) -> str:
    """A sentence of an analysis, escaped; what stands between backquotes is code."""
    return _CODE.sub(r"<code>\1</code>", text(value, limit=MAX_SENTENCE))


def json_island(value: Any) -> str:
    """`value` as a `<script type="application/json">`: data that no parser of HTML or JavaScript can mistake."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json">{data}</script>'
