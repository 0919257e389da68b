"""What may stand where in caulk.toml, told from the classes of its tables."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import inspect

from caulk.config.values import WRITTEN, Secret

_Path = tuple[str, ...]


def strangers(data: Any, section: type) -> Iterator[tuple[_Path, str, list[str]]]:
    """Keys that no table knows: where, which, and what is known there."""
    for where, table, kind in _tables(data, inspect.type_info(section), ()):
        known = [field.encode_name for field in kind.fields] + ([kind.tag_field] if kind.tag_field else [])
        for key in table.keys() - set(known):
            yield where, key, sorted(known)


def secrets(data: Any, section: type) -> Iterator[tuple[_Path, str]]:
    """Secrets that stand in the data: where, and under what key."""
    for where, table, kind in _tables(data, inspect.type_info(section), ()):
        for field in kind.fields:
            if field.encode_name in table and getattr(field.type, "cls", None) is Secret:
                yield where, field.encode_name


def allowed(path: Sequence[str], section: type) -> bool:
    """Whether text stands at `path`, rather than a number, a list or a table."""
    return any(isinstance(kind, inspect.StrType | inspect.CustomType) for kind in _at(path, section))


def is_table(path: Sequence[str], section: type) -> bool:
    """Whether a table stands at `path`."""
    return any(isinstance(kind, inspect.StructType) for kind in _at(path, section))


def expected(path: Sequence[str], section: type) -> str:
    """A sentence that says what is wanted at `path`; empty where nothing more can be said."""
    kinds = _at(path, section)
    choices = [str(choice) for kind in kinds if isinstance(kind, inspect.LiteralType) for choice in kind.values]
    tags = [str(kind.tag) for kind in kinds if isinstance(kind, inspect.StructType) and kind.tag]
    written = [WRITTEN[kind.cls] for kind in kinds if isinstance(kind, inspect.CustomType) and kind.cls in WRITTEN]
    if choices or tags:
        return f"It is one of {', '.join(choices or tags)}."
    return f"It is {written[0]}." if written else ""


def _tables(data: Any, kind: Any, where: _Path) -> Iterator[tuple[_Path, dict[str, Any], inspect.StructType]]:
    """Every table of the data with what it is, as far as both agree; what does not is for msgspec to say."""
    if isinstance(kind, inspect.UnionType):
        structs = [one for one in kind.types if isinstance(one, inspect.StructType)]
        kind = structs[0] if len(structs) == 1 else next((s for s in structs if _is_tagged(data, s)), kind)
    if isinstance(kind, inspect.StructType) and isinstance(data, dict):
        yield where, data, kind
        for field in kind.fields:
            if field.encode_name in data:
                yield from _tables(data[field.encode_name], field.type, (*where, field.encode_name))
    elif isinstance(kind, inspect.DictType) and isinstance(data, dict):
        for key, value in data.items():
            yield from _tables(value, kind.value_type, (*where, key))
    elif isinstance(kind, inspect.VarTupleType) and isinstance(data, list):
        for at, value in enumerate(data):
            yield from _tables(value, kind.item_type, (*where, str(at)))


def _is_tagged(data: Any, kind: inspect.StructType) -> bool:
    return isinstance(data, dict) and kind.tag_field is not None and data.get(kind.tag_field) == kind.tag


def _at(path: Sequence[str], section: type) -> list[Any]:
    """What may stand at a path: several, where a table may be of several kinds."""
    kinds = _plain(inspect.type_info(section))
    for step in path:
        kinds = [inner for kind in kinds for inner in _within(kind, step)]
    return kinds


def _within(kind: Any, step: str) -> list[Any]:
    if isinstance(kind, inspect.StructType):
        if step == kind.tag_field:
            return [inspect.LiteralType((kind.tag,))]
        return [one for field in kind.fields if field.encode_name == step for one in _plain(field.type)]
    if isinstance(kind, inspect.DictType):
        return _plain(kind.value_type)
    return _plain(kind.item_type) if isinstance(kind, inspect.VarTupleType) else []


def _plain(kind: Any) -> list[Any]:
    return (
        [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if isinstance(kind, inspect.UnionType)
        else [kind]
    )
