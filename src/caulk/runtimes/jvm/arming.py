"""Dumps at death, switched on in a running JVM by its manageable flags, and put back as they were."""

import contextlib
from collections.abc import Iterator, Sequence
from posixpath import normpath

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Access, Volume
from caulk.ports import Reach
from caulk.runtimes.jvm import figures
from caulk.runtimes.jvm.channel import Channel, channel
from caulk.runtimes.jvm.checks import room_for_dumps
from caulk.runtimes.jvm.flags import GZIP, ON_OOM, PATH
from caulk.runtimes.jvm.makeup import UNKNOWN
from caulk.runtimes.jvm.openj9 import explained, is_openj9
from caulk.runtimes.jvm.survey import Survey
from caulk.runtimes.jvm.volumes import SPARE_BYTES, best


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Has the JVM dump its heap when it is exhausted, into `directory` or where there is room.

    Packed if there is little room. Raises `CaptureFailed` if no dump could be written there; then nothing is switched.
    """
    now = Survey(reach, Access(directory=normpath(directory) if directory else ""))
    if is_openj9(now.process):
        raise CaptureFailed(explained().why, hint=explained().fix)
    volume = _volume(now)
    jvm = channel(reach)
    done: list[Setting] = []
    try:
        for name, value in _wanted(volume, figures.dump_bytes(now.heap, UNKNOWN)):
            before = jvm.flag(name)
            if before is not None:
                done.append(Setting(name, value, before))
                jvm.set_flag(name, value)
            elif name != GZIP:
                raise CaptureFailed(f"this JVM has no {name}")
    except BaseException:
        with contextlib.suppress(CaulkError):
            _put_back(jvm, done)
        raise
    return done


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Puts back what still stands as `arm` left it."""
    _put_back(channel(reach), settings)


def _wanted(volume: Volume, size: int) -> Iterator[tuple[str, str]]:
    """The switches, that which arms the others last."""
    yield PATH, volume.path
    if volume.free_bytes < size + SPARE_BYTES:
        yield GZIP, "1"
    yield ON_OOM, "true"


def _volume(now: Survey) -> Volume:
    volume = best(now.volumes, figures.dump_bytes(now.heap, UNKNOWN))
    if volume is None:
        check = room_for_dumps(now.reach.target, now.volumes, now.access.directory)
        raise CaptureFailed(f"no dump could be written when the heap is exhausted: {check.why}", hint=check.fix)
    return volume


def _put_back(jvm: Channel, settings: Sequence[Setting]) -> None:
    for setting in reversed(settings):
        if jvm.flag(setting.name) == setting.value:
            jvm.set_flag(setting.name, setting.before)
