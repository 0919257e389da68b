"""A JSON document that is asked for its values, one token at a time: the kernel's tape with numbers and texts decoded.

A document that was cut short answers with what comes before the cut; absent values are 0 and empty.
"""

import json
from collections.abc import Iterator

from caulk._core import json as tokens


class Document:
    """The tokens of `data`; raises `ValueError` with the byte at which it is not JSON."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.tape: tokens.Tape = tokens.tape(data)

    @property
    def coverage(self) -> float:
        """The share of the bytes that make whole tokens."""
        return self.tape.position / (len(self._data) + 1) if self.tape.is_cut else 1.0

    def elements(self, array: int) -> Iterator[int]:
        """The tokens of an array's elements; none if it is no array."""
        token = self.tape.first(array)
        while token >= 0:
            yield token
            token = self.tape.next(token)

    def number(self, token: int) -> int | float:
        """The number at `token`, 0 if there is none."""
        kind = self.tape.kind(token)
        if kind == "i":
            return self.tape.value(token)
        if kind == "d":
            start = self.tape.start(token)
            return float(self._data[start : start + self.tape.value(token)])
        return 0

    def text(self, token: int) -> str:
        """The string at `token`, empty if it is none; what is no text in it becomes U+FFFD."""
        kind = self.tape.kind(token)
        if kind not in ('"', "\\") or token < 0:
            return ""
        start = self.tape.start(token)
        text = self._data[start : start + self.tape.value(token)].decode("utf-8", "replace")
        if kind == '"':
            return text
        decoded: str = json.loads(f'"{text}"')
        return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
