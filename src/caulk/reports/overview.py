"""What dumps are, before anything is asked of them (`caulk.dump/1`)."""

from collections.abc import Sequence
from pathlib import PurePath

from caulk.analysis.dumps import Dump
from caulk.model.overview import Counted, Overview, Shown
from caulk.model.records import Total
from caulk.reports.tabs import tabs


def overview(dumps: Sequence[Dump]) -> Overview:
    """The dumps as they are compared, with what the last counts and what can be asked of them."""
    newest = dumps[-1].profile
    return Overview(
        dumps=tuple(map(_shown, dumps)),
        totals=tuple(Total(m.name, m.unit, newest.total(i)) for i, m in enumerate(newest.measures)),
        measures=tuple(Counted(m.name, m.unit, i == newest.default_measure) for i, m in enumerate(newest.measures)),
        tabs=tabs(dumps),
    )


def _shown(dump: Dump) -> Shown:
    profile = dump.profile
    return Shown(
        name=PurePath(dump.path).name,
        format=profile.format,
        runtime=profile.runtime,
        kind=profile.kind,
        size_bytes=dump.size_bytes,
        taken_at=profile.taken_at.isoformat().replace("+00:00", "Z") if profile.taken_at else None,
        coverage=round(profile.coverage, 4),
        mode=dump.mode,
        warnings=profile.warnings,
    )
