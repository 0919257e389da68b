"""The same dump without what the program had in memory: sizes, types, references and names of code, no values.

A module for each format that can be redacted, called as the format's own module is. Each writes anew what is known to
be structure; whatever it does not know is left out. What a program calls by data (keys of maps, names of threads,
labels of samples) is a value.
"""

from importlib import import_module
from pkgutil import iter_modules

from caulk.formats import GRAPHS, recognise
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump, UsageError
from caulk.ports import Write


def redact(source: Source, write: Write) -> tuple[str, ...]:
    """Write the redacted dump piece by piece; returns what has to be known about it.

    Raises `UsageError` for a format that has no redacted form, and `MalformedDump` for what cannot be read: what was
    written by then is of no use.
    """
    module = recognise(source)
    name = module.__name__.rpartition(".")[2]
    can = {each.name for each in iter_modules(__path__)}
    if name not in can:
        raise UsageError(
            f"{source.path} is {module.NAME}, which cannot be redacted",
            hint=f"These can: {', '.join(import_module(f'caulk.formats.{each}').NAME for each in sorted(can))}.",
        )
    data = source.data if name in GRAPHS else source.whole()
    try:
        return source.warnings + tuple(import_module(f"{__name__}.{name}").redact(data, write))
    except MalformedDump as error:
        raise MalformedDump(f"{source.path}: {error}", hint=error.hint) from None
