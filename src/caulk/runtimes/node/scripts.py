"""The source maps of what a Node.js runs, and the bundles that they are of: kept beside a capture, where analyses look.

V8 tells each script that it has with its `sourceMappingURL` (Debugger.scriptParsed): the map itself, as a `data:` URL,
or a file beside the script, which is read through the place. Analyses find a map by the name of its script's file
alone, so that of several scripts of one name none can be kept.
"""

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import basename, dirname, join, normpath
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import CaulkError
from caulk.ports import Reach, Sink
from caulk.runtimes.node.protocol import Session

#: Bounds of what is looked at, kept, and waited for.
_MOST_FILES, _MOST_BYTES, _MOST_ALL, _PATIENCE_S = 300, 64 << 20, 256 << 20, 60.0
_ENABLE_S = 60.0


class _Parsed(msgspec.Struct):
    scriptId: str  # noqa: N815 - the protocol's own words
    url: str = ""
    sourceMapURL: str = ""  # noqa: N815


@dataclass(frozen=True, slots=True)
class _Script:
    number: str
    path: str
    map: str


def keep_maps(session: Session, reach: Reach, sink: Sink) -> list[str]:
    """Keeps the maps and their bundles; what is not kept is told in sentences, and is no failure of the capture."""
    try:
        scripts, namesakes = _scripts(session)
        warnings = _kept(scripts, session, reach, sink)
    except CaulkError as error:
        return [f"the scripts' source maps were not taken: {error}"]
    if namesakes:
        names = ", ".join(namesakes[:5]) + (" …" if len(namesakes) > 5 else "")
        warnings.append(f"several scripts have the same name, and their source maps were not taken: {names}")
    return warnings


def _scripts(session: Session) -> tuple[list[_Script], list[str]]:
    """Those with a map, the program's own first; and the names that several scripts have, one of them with a map."""
    parsed: list[_Parsed] = []

    def hear(method: str, params: msgspec.Raw) -> None:
        if method == "Debugger.scriptParsed":
            parsed.append(decoded(params, _Parsed))

    session.listener = hear
    # Where a debugger is attached, `debugger` in the code stops the program.
    session.send("Debugger.setSkipAllPauses", skip=True)
    session.ask("Debugger.enable", timeout_s=_ENABLE_S)
    session.listener = lambda *_: None
    session.ask("Debugger.setSkipAllPauses", skip=True)
    paths: dict[str, set[str]] = {}
    found = {}
    for each in parsed:
        path = unquote(each.url.removeprefix("file://").partition("?")[0])
        if path.startswith("/"):
            paths.setdefault(basename(path), set()).add(path)
            if each.sourceMapURL:
                found[path] = _Script(each.scriptId, path, each.sourceMapURL)
    alone = [script for script in found.values() if len(paths[basename(script.path)]) == 1]
    namesakes = {basename(script.path) for script in found.values()} - {basename(script.path) for script in alone}
    return sorted(alone, key=lambda script: ("/node_modules/" in script.path, script.path)), sorted(namesakes)


def _kept(scripts: Sequence[_Script], session: Session, reach: Reach, sink: Sink) -> list[str]:
    until, left, missing, late = time.monotonic() + _PATIENCE_S, _MOST_ALL, [], 0
    for number, script in enumerate(scripts):
        sink.progress(number, len(scripts), "reading source maps")
        if number >= _MOST_FILES or left <= 0 or time.monotonic() > until:
            late = len(scripts) - number
            break
        name = basename(script.path)
        map = _map(script, reach)
        if map is None:
            missing.append(name)
            continue
        text = session.ask("Debugger.getScriptSource", scriptId=script.number)["scriptSource"]
        bundle = text.encode("utf-8", "surrogatepass")
        sink.beside(f"{name}.map", map)
        sink.beside(name, bundle)
        left -= len(map) + len(bundle)
    session.ask("Debugger.disable")
    warnings = []
    if missing:
        warnings.append(f"{len(missing)} source maps are not there, or cannot be read: {', '.join(missing[:5])}")
    if late:
        warnings.append(f"{late} further source maps were not taken: they are too many")
    return warnings


def _map(script: _Script, reach: Reach) -> bytes | None:
    """The map of a script; None if it is not to be had."""
    if script.map.startswith("data:"):
        head, _, data = script.map.partition(",")
        try:
            return base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)
        except (binascii.Error, ValueError):
            return None
    if "://" in script.map and not script.map.startswith("file://"):
        return None
    path = normpath(join(dirname(script.path), unquote(script.map.removeprefix("file://").partition("?")[0])))
    try:
        found = reach.stat(path)
        if found is None or not 0 < found.size <= _MOST_BYTES:
            return None
        return b"".join(reach.fetch(path, 0, found.size))
    except CaulkError:
        return None
