"""Damage to dumps, the same for the same seed, and the two forms of the kernels that have to read it alike."""

import os
import random
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import caulk._core
from caulk._core import uncompiled

#: Mutants of each sample.
COUNT = int(os.environ.get("CAULK_FUZZ", "300"))
#: Numbers on which readers break: as varints, as text, as 32 and 64 bits.
NUMBERS = (0, 1, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**63))
#: Bytes that mean something to one format or another.
_BYTES = b'\0\1\x7f\x80\xff\n -9,[]{}"\\'


def mutant(samples: Mapping[str, bytes], name: str, seed: int) -> bytes:
    """The sample of that name with one to four things wrong, pieces of the others among them.

    Of two mutants one has everything else at its place: where lengths and offsets lead, readers come further with it.
    """
    chance = random.Random(seed)
    out = bytearray(samples[name])
    in_place = chance.randrange(2)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(out))
        end = min(len(out), at + chance.choice((1, 1, 2, 8, 64)))
        match chance.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
                continue
            case 1:
                piece = bytes([chance.choice(_BYTES)])
            case 2:
                piece = b""
            case 3:
                piece = bytes(out[at:end]) * chance.choice((2, 3, 21))
            case 4:
                piece = chance.randbytes(end - at) + bytes(out[at:end])
            case 5:
                piece = _spelled(chance.choice(NUMBERS), chance)
            case 6 if not chance.randrange(4):
                del out[at:]
                continue
            case _:
                other = samples[chance.choice(sorted(samples))]
                start = chance.randint(0, len(other))
                piece = other[start : start + 40]
        out[at : at + len(piece) if in_place else end] = piece
    return bytes(out)


def _spelled(value: int, chance: random.Random) -> bytes:
    match chance.randrange(4):
        case 0:
            return str(value).encode()
        case 1:
            return (value & 0xFFFFFFFF).to_bytes(4, chance.choice(("little", "big")))
        case 2:
            return (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, chance.choice(("little", "big")))
        case _:
            value &= 0xFFFFFFFFFFFFFFFF
            return b"".join(
                bytes([value >> shift & 0x7F | (0x80 if value >> shift + 7 else 0)])
                for shift in range(0, max(value.bit_length(), 1), 7)
            )


def kernels() -> dict[str, tuple[ModuleType, ModuleType]]:
    """Every kernel by name: as it is installed, which is compiled where a compiler was, and uncompiled."""
    return {
        path.stem: (import_module(f"caulk._core.{path.stem}"), uncompiled.load(path.stem))
        for path in sorted(Path(caulk._core.__file__).parent.glob("*.py"))
        if path.stem not in ("__init__", "uncompiled")
    }


def uncompile(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after which every module uses the kernels uncompiled, those that it has names from too."""
    plain: dict[int, object] = {}
    for compiled, other in kernels().values():
        plain[id(compiled)] = other
        for name, value in vars(compiled).items():
            if getattr(value, "__module__", None) == compiled.__name__ and name in vars(other):
                plain[id(value)] = vars(other)[name]

    def switch() -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("caulk.") and not name.startswith("caulk._core."):
                for attribute, value in list(vars(module).items()):
                    if id(value) in plain:
                        monkeypatch.setattr(module, attribute, plain[id(value)])

    return switch
