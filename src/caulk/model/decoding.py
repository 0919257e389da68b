"""JSON into records, from any thread.

msgspec describes a type to itself where it is first used, and a thread that comes meanwhile is given the unfinished
description and crashes the process (0.22). So types are described here, one at a time, and used when they are whole.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_LOCK = threading.Lock()
_MADE: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoded(data: bytes | memoryview | str | msgspec.Raw, type: type[T]) -> T:
    """The record that JSON says; raises `msgspec.MsgspecError`."""
    return _decoder(type).decode(data)


def converted(values: Any, type: type[T]) -> T:
    """The record that plain values make; raises `msgspec.ValidationError`."""
    _decoder(type)
    return msgspec.convert(values, type)


def _decoder(type: type[T]) -> msgspec.json.Decoder[T]:
    with _LOCK:
        if type not in _MADE:
            _MADE[type] = msgspec.json.Decoder(type)
        return _MADE[type]
