"""The functions of a snapshot: what each is called and where it stands, in a known bundle as its source has it.

V8 says for closures where their code begins, and for objects where their constructor's does: so classes of a bundle get
their names too. Variables of a bundle are renamed in the scopes of its functions.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from caulk._core import heap_functions as kernel
from caulk.formats.heap_snapshot.names import CLOSURE, OBJECT, Names, TypeRow
from caulk.formats.heap_snapshot.text import Snapshot
from caulk.model.column import Column, Ints
from caulk.model.graph import Label
from caulk.model.original import Originals, Script

_PLACE = 0xFFFFFFFF
_CONTEXT, _OUTER = Label("internal", "context"), Label("internal", "previous")
#: Bundles whose variables are renamed: a byte a node says whose scope it is.
_MOST_SCRIPTS = 255


@dataclass
class Functions:
    """`named` objects (`'i'`, ascending) and where their name stands (`naming`, `'i'`) in `texts`: `name file:line`.

    One function of the source has one name, however many closures were made of it. Lines count from 1. `types` are
    further types, behind those of the snapshot. `scopes` has by known bundle the functions of it.
    """

    named: Ints
    naming: Ints
    texts: list[str]
    types: list[TypeRow] = field(default_factory=list)
    scopes: list[tuple[Script, Ints]] = field(default_factory=list)


def functions(
    snapshot: Snapshot, types: Column, keys: Ints, names: Names, originals: Originals | None = None
) -> Functions:
    """Name the functions of a snapshot; with `originals`, `types` gets the numbers of the types that are added."""
    located = snapshot.located, snapshot.line, snapshot.column, snapshot.script
    objects, numbers, found, places, scripts = kernel.functions(types, *located)
    urls = _urls((keys[key >> 32], scripts[key & _PLACE]) for key in found) if originals else {}
    known = {number: originals.script(names.script(url)) for number, url in urls.items()} if originals else {}
    texts: dict[str, int] = {}
    more: dict[TypeRow, int] = {}
    text_of, type_of = array("i", [-1]) * len(found), array("i", [-1]) * len(found)
    of_script: dict[Script, bytearray] = {}
    for i, key in enumerate(found):
        type_key, place = keys[key >> 32], key & _PLACE
        is_closure, line = type_key & 31 == CLOSURE, places[place] >> 32
        script = known.get(scripts[place])
        name = names.of(type_key) if script else ""
        written = script.at(line, places[place] & _PLACE, name) if script else None
        if script and is_closure:
            of_script.setdefault(script, bytearray(len(found)))[i] = 1
        if is_closure:
            text = names.function(type_key, line)
            if written:
                text = f"{names.or_anonymous(written.function)} {written.file}:{written.line}"
            text_of[i] = texts.setdefault(text, len(texts))
        if written and (is_closure or (type_key & 31 == OBJECT and written.function != name)):
            own = names.or_anonymous(written.function)
            row: TypeRow = (own, "closure" if is_closure else "object", written.file)
            type_of[i] = len(keys) + more.setdefault(row, len(more))
    scopes = [
        (script, kernel.those(objects, numbers, bytes(marks)))
        for script, marks in list(of_script.items())[:_MOST_SCRIPTS]
    ]
    kernel.retype(types, objects, numbers, type_of, text_of)
    return Functions(objects, numbers, list(texts), list(more), scopes)


def rename_variables(found: Functions, snapshot: Snapshot, labels: list[Label]) -> None:
    """Give the variables in scopes of known bundles the names of their source; `labels` grows by these."""
    numbers = {label: number for number, label in enumerate(labels)}
    if not found.scopes or _CONTEXT not in numbers:
        return
    ways = numbers[_CONTEXT], numbers.get(_OUTER, -1)
    mark = bytearray(len(snapshot.kind))
    old = len(labels)
    for scope, (_, closures) in enumerate(found.scopes, 1):
        kernel.mark_scopes(snapshot.first, snapshot.target, snapshot.what, closures, ways, mark, scope)
    for scope, (script, _) in enumerate(found.scopes, 1):
        table = array("i", range(old))
        for number, label in enumerate(labels[:old]):
            if label.kind == "variable" and (name := script.variable(label.name)) != label.name:
                own = Label("variable", name)
                table[number] = numbers.setdefault(own, len(numbers))
                if numbers[own] == len(labels):
                    labels.append(own)
        kernel.relabel(snapshot.first, snapshot.what, mark, scope, table)


def _urls(closures: Iterable[tuple[int, int]]) -> dict[int, int]:
    """By a script's number the string that is its address: only closures say both."""
    return {script: key >> 34 for key, script in closures if key & 31 == CLOSURE and key >> 34}
