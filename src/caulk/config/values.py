"""The kinds of values that settings have: sizes, spans of time, shares, secrets; as people write them."""

from msgspec import Struct

from caulk.model.units import parse_bytes, parse_seconds


class Size(int):
    """Bytes, written `512M` or `2G`."""


class Span(float):
    """Seconds, written `30s`, `5m`, `12h` or `7d`."""


class Share(float):
    """A share of 1, written `80%` or `0.8`."""


class Secret(str):
    """What nobody may read: it stands in a file or in the environment, never in caulk.toml."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of caulk.toml."""


#: What is allowed, as an error says it.
WRITTEN = {
    Size: "a size: 512M or 2G",
    Span: "a span of time: 30s, 5m, 12h or 7d",
    Share: "a share: 80% or 0.8",
}


def parse(kind: type, value: object) -> object:
    """The value of a setting of one of these kinds; raises ValueError that says what is allowed."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    try:
        # A bare number is bytes, seconds or a share; a truth value is no number.
        text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        return _parsed(kind, text)
    except ValueError:
        raise ValueError(f"{value!r} is not {WRITTEN.get(kind, 'allowed')}") from None


def plain(value: object) -> object:
    """The number or text that `parse` makes the value of again."""
    if isinstance(value, Secret):
        raise TypeError("a secret is written nowhere")
    return int(value) if isinstance(value, Size) else float(str(value))


def _parsed(kind: type, text: str) -> object:
    if kind is Size:
        return Size(parse_bytes(text))
    if kind is Span:
        return Span(parse_seconds(text))
    share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return Share(share)
