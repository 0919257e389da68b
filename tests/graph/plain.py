"""Kernels as they run where there is no compiler, in place of the ones that are installed."""

from types import ModuleType

import pytest

from caulk._core import uncompiled


def uncompile(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Give `modules` the uncompiled form of all that they have from kernels."""
    for module in modules:
        for name, value in list(vars(module).items()):
            is_kernel = isinstance(value, ModuleType)
            package, _, kernel = str(getattr(value, "__name__" if is_kernel else "__module__", "")).rpartition(".")
            if package == "caulk._core" and kernel != "uncompiled":
                plain = uncompiled.load(kernel)
                monkeypatch.setattr(module, name, plain if is_kernel else getattr(plain, value.__name__))
