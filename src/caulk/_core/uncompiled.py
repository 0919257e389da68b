"""A stand-in for the `cython` module, and the kernels run as plain Python through it.

Cython is needed to build, never to run: without a compiler the kernels import this in its place. The tests run both
forms on the same input, this one as the oracle.
"""

import operator
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

compiled = False


class _Type:
    """A C type: an annotation, and in `cast` the wrap-around that C would do."""

    def __init__(self, bits: Any = 0, *, signed: bool = True) -> None:
        self._bits, self._signed = bits, signed

    def __getitem__(self, _: object) -> "_Type":
        return self

    def wrap(self, value: Any) -> Any:
        if not self._bits:
            return value
        value = operator.index(value) & ((1 << self._bits) - 1)
        return value - (1 << self._bits) if self._signed and value >> (self._bits - 1) else value


uchar = _Type(8, signed=False)
int = _Type(32)
uint = _Type(32, signed=False)
longlong = _Type(64)
ulonglong = _Type(64, signed=False)
Py_ssize_t = _Type(64)
double = _Type()
bint = _Type()
void = _Type()
const = _Type()


def cast(to: _Type, value: Any) -> Any:
    """What C's cast would give."""
    return to.wrap(value)


class _Nothing:
    """`nogil` and `gil`: decorators and context managers that do nothing here."""

    def __call__(self, function: Any = None) -> Any:
        return function if callable(function) else self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


nogil = gil = _Nothing()


def _unchanged(function: Any) -> Any:
    return function


cclass = cfunc = ccall = inline = final = _unchanged


def exceptval(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """Cython's error value of a C function; Python needs none."""
    return _unchanged


def declare(_: _Type, value: Any) -> Any:
    """A C variable of a module."""
    return value


def boundscheck(_: bool) -> Callable[[Any], Any]:
    """A function whose own checks are enough for C; Python always checks."""
    return _unchanged


_PACKAGE = f"{__package__}._uncompiled"


class _Sources:
    """Where Python finds the kernels of a package beside this one, in which they get one another uncompiled."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        package, _, kernel = name.rpartition(".")
        return spec_from_file_location(name, Path(__file__).with_name(f"{kernel}.py")) if package == _PACKAGE else None


def load(name: str) -> ModuleType:
    """The kernel `name` uncompiled, and so those that it imports, whether or not compiled forms exist."""
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = []
        sys.modules[_PACKAGE] = package
        sys.meta_path.append(_Sources)
    before = sys.modules.get("cython")
    sys.modules["cython"] = sys.modules[__name__]
    try:
        return import_module(f"{_PACKAGE}.{name}")
    finally:
        if before is None:
            del sys.modules["cython"]
        else:
            sys.modules["cython"] = before
