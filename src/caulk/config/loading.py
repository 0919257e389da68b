"""caulk.toml found, read and checked, with what the environment says laid over it.

Whatever is wrong is said with the file (or the variable), the table, the key, and what would be allowed there. A
variable names a setting by its path: `CAULK_WATCH__INTERVAL`, `CAULK_RULES__LEAK__LIMITS__COUNT` (rules by their name).
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from caulk.config.rules import DEFAULT_RULES
from caulk.config.schema import Config
from caulk.config.tree import allowed, expected, is_table, secrets, strangers
from caulk.config.values import parse, plain
from caulk.model.errors import UsageError

NAME = "caulk.toml"
_BETWEEN = "__"


def load(path: str = "", environ: Mapping[str, str] = os.environ) -> Config:
    """The settings from the file at `path`, else ./caulk.toml, else the user's own; what none of them has is default.

    Raises `UsageError` that names the file or variable, the table and the key.
    """
    file = _found(path)
    data = _read(file) if file else {}
    if file:
        for where, key in secrets(data, Config):
            variable = _variable((*where, key))
            raise UsageError(
                f"{file}: {_table(where)} {key}: a secret does not stand in a configuration",
                hint=f"Put it into a file and give {key}_file, or into the environment as {variable}.",
            )
    config = _checked(data, str(file) if file else "")
    overlay = {name: value for name, value in environ.items() if name.startswith("CAULK_") and _BETWEEN in name}
    for name in sorted(overlay):
        _lay(data, name, overlay[name])
        config = _checked(data, name)
    return config


def _found(path: str) -> Path | None:
    if path:
        if not Path(path).is_file():
            raise UsageError(f"{path}: there is no such file", hint="--config names a caulk.toml; none is needed.")
        return Path(path)
    for directory in (Path(), platformdirs.user_config_path("caulk")):
        if (directory / NAME).is_file():
            return directory / NAME
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not TOML: {error}", hint="https://toml.io says how it is written.") from None


def _checked(data: dict[str, Any], source: str) -> Config:
    """The data as settings; `source` is what an error blames."""
    for where, key, known in strangers(data, Config):
        raise UsageError(f"{source}: {_table(where)} {key} is no setting", hint=f"Known there: {', '.join(known)}.")
    try:
        config = msgspec.convert(data, Config, dec_hook=parse)
    except msgspec.ValidationError as error:
        raise _explained(error, data, source) from None
    names = [rule.name for rule in config.rules]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{source}: [[rules]] name: {name!r} is given twice", hint="Each has a name of its own.")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
            raise UsageError(
                f"{source}: [[rules]] name: {name!r} is not a name", hint="Small letters, digits, hyphens."
            )
    for rule in config.rules:
        for unknown in (to for act in rule.actions for to in getattr(act, "to", ()) if to not in config.notify):
            raise UsageError(
                f"{source}: [[rules]] {rule.name}: nobody is called {unknown!r}",
                hint=f"There must be a table [notify.{unknown}]; known: {', '.join(config.notify) or 'none'}.",
            )
    return config


def _explained(error: msgspec.ValidationError, data: Any, source: str) -> UsageError:
    """Msgspec's message with the table and key it means, and what is allowed there."""
    said, _, path = str(error).partition(" - at `$")
    steps = _named(tuple(re.findall(r"[^.\[\]`]+|\[\.\.\.\]", path)), data)
    if missing := re.search(r"missing required field `(\w+)`", said):
        hint = expected((*steps, missing[1]), Config)
        return UsageError(f"{source}: {_table(steps)} {missing[1]} is missing", hint=hint)
    if not steps or is_table(steps, Config):
        return UsageError(f"{source}: {_table(steps)} {_plain(said)}")
    hint = "" if " is not a" in said else expected(steps, Config)
    numbered = f" {int(steps.pop()) + 1}" if steps[-1].isdigit() else ""
    return UsageError(f"{source}: {_table(steps[:-1])} {steps[-1]}{numbered}: {_plain(said)}", hint=hint)


def _named(steps: tuple[str, ...], data: Any) -> list[str]:
    """The path with the name of the table that msgspec leaves out: the first that is wrong there."""
    found: list[str] = []
    for step in steps:
        name = next((name for name in data if not _is_notifier(data[name])), step) if step == "[...]" else step
        found.append(name)
        try:
            data = data[int(name) if isinstance(data, list) else name]
        except (LookupError, ValueError, TypeError):
            data = None
    return found


def _is_notifier(table: Any) -> bool:
    try:
        msgspec.convert({"notify": {"it": table}}, Config, dec_hook=parse)
    except msgspec.ValidationError:
        return False
    return True


def _plain(said: str) -> str:
    said = re.sub(r"^Expected `(a)?([^`]+)`, got `([^`]+)`", _wanted, said)
    return said[:1].lower() + said[1:] if said[:1].isupper() else said


def _wanted(match: re.Match[str]) -> str:
    return f"{'an a' if match[1] else 'a '}{match[2]} is wanted, not a {match[3]}"


def _table(steps: Sequence[str]) -> str:
    """A path as people see it in the file: `[watch]`, `[[rules]] 2 limits`; the top is `at the top:`."""
    if not steps:
        return "at the top:"
    counted = [str(int(step) + 1) if step.isdigit() else step for step in steps]
    if steps[0] != "rules":
        return f"[{'.'.join(counted)}]"
    number = f" {counted[1]}" if len(steps) > 1 else ""
    return f"[[rules]]{number}{' ' + '.'.join(counted[2:]) if counted[2:] else ''}"


def _variable(steps: tuple[str, ...]) -> str:
    return "CAULK_" + _BETWEEN.join(step.upper().replace("-", "_") for step in steps)


def _lay(data: dict[str, Any], name: str, value: str) -> None:
    """Writes the value of a variable where its name says; raises `UsageError` if that is nowhere."""
    steps = name.removeprefix("CAULK_").lower().split(_BETWEEN)
    place: Any = data
    for at, step in enumerate(steps[:-1]):
        if steps[at - 1 : at] == ["rules"] and at == 1:
            place = _rule(place, step, name)
        elif at == 1 and steps[0] == "notify":
            place = place.setdefault(_spelled(place, step), {})
        elif isinstance(place, list):
            if not step.isdigit() or int(step) >= len(place):
                raise UsageError(f"{name}: there is no number {step} there", hint="They count from 0.")
            place = place[int(step)]
        else:
            place = place.setdefault(step, [] if (at == 0 and step == "rules") else {})
    if not isinstance(place, dict):
        raise UsageError(f"{name} names no setting", hint="CAULK_TABLE__KEY, as in CAULK_WATCH__INTERVAL.")
    place[steps[-1]] = _value(value, allowed(tuple(steps), Config))


def _spelled(place: Mapping[str, Any], step: str) -> str:
    """A name of the file as a variable spells it, without capitals and hyphens."""
    return next((known for known in place if known.lower().replace("-", "_") == step), step.replace("_", "-"))


def _rule(rules: list[Any], step: str, name: str) -> Any:
    """The rule that a variable names; a default one is written down, to be changed."""
    wanted = step.replace("_", "-")
    for rule in rules:
        if isinstance(rule, dict) and rule.get("name") == wanted:
            return rule
    for default in DEFAULT_RULES:
        if default.name == wanted:
            rules.append(msgspec.to_builtins(default, enc_hook=plain))
            return rules[-1]
    raise UsageError(f"{name}: no rule is called {wanted!r}")


def _value(text: str, is_text: bool) -> Any:
    """What a variable holds: text where text is wanted, else a value as TOML writes it (`5`, `true`, `["a", "b"]`)."""
    if is_text:
        return text
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text
