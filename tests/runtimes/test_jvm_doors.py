"""JVMs that are hard to reach: hung, busy, of another user, with nowhere to write; what is said of each can be done."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from jvms import JDKS, TICKETS, Kept, Living, awaited, living

from caulk.capture.verify import fault
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.runtimes import jvm
from caulk.runtimes.jvm import attach

JAVA = JDKS[0] / "bin/java"
NOBODY = 65534
POD = Target("kubernetes", "k8s:shop/pod/enforcer-0/enforcer", "enforcer", {"container": "enforcer"})


@pytest.fixture
def holder(classes: Path) -> Iterator[Living]:
    with living(JAVA, classes) as program:
        yield program


@pytest.fixture
def mounted(require: Callable[[str], str], classes: Path) -> Callable[..., AbstractContextManager[Living]]:
    """A program with mounts of its own: `mounted("mount -t tmpfs none /mnt", "-XX:…")`."""
    unshare = require("unshare")
    if os.geteuid() != 0 or subprocess.run([unshare, "-m", "true"], check=False).returncode:
        pytest.skip("unobtainable: only root, with SYS_ADMIN, has mounts of its own")

    @contextmanager
    def start(mounts: str, *options: str) -> Iterator[Living]:
        before = (unshare, "-m", "sh", "-ec", f'{mounts}; exec "$@"', "sh")
        with living(JAVA, classes, *options, before=before) as program:
            yield program

    return start


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PING_S", "_WAKING_S", "_TICK_S"):
        monkeypatch.setattr(attach, name, 0.2)


@pytest.mark.usefixtures("soon")
def test_a_stopped_jvm_that_never_listened_is_said_to_hang_and_is_not_left_a_trigger(holder: Living) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    with pytest.raises(CaptureFailed, match=r"did not open its listener .* hangs, or is stopped") as refused:
        jvm.histogram(holder.reach)
    assert "kill -CONT" in refused.value.hint
    assert not Path(f"/tmp/.attach_pid{holder.pid}").exists()


@pytest.mark.usefixtures("soon")
def test_a_stopped_jvm_that_listens_is_found_out_before_it_is_told_to_dump(holder: Living, tmp_path: Path) -> None:
    jvm.histogram(holder.reach)
    os.kill(holder.pid, signal.SIGSTOP)
    way = holder.ways(str(tmp_path))["heap"]
    assert (way.check().standing, "hangs or is stopped" in way.check().why) == ("needs", True)
    with pytest.raises(CaptureFailed, match="hangs or is stopped"):
        way.take(Kept())
    os.kill(holder.pid, signal.SIGCONT)
    awaited(lambda: holder.ways(str(tmp_path))["heap"].check().standing == "ready")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("soon")
def test_a_listener_that_is_busy_with_another_is_said_to_be(holder: Living) -> None:
    jvm.histogram(holder.reach)
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(attach.socket_path(holder.pid))
        with pytest.raises(CaptureFailed, match="one listener is busy with another request"):
            jvm.histogram(holder.reach)
    awaited(lambda: holder.ways()["histogram"].check().standing == "ready")


def test_a_jvm_that_has_ended_is_said_to_be_gone(holder: Living) -> None:
    way = holder.ways()["histogram"]
    assert way.check().standing == "ready"
    holder.process.kill()
    holder.process.wait()
    with pytest.raises(CaulkError, match=r"ended|no process"):
        way.take(Kept())


@pytest.mark.skipif(os.geteuid() != 0, reason="unobtainable: only root starts programs of other users")
@pytest.mark.parametrize("jdk", JDKS, ids=lambda jdk: jdk.name)
def test_a_jvm_of_another_user_is_reached_by_root_as_that_user(jdk: Path, classes: Path, tmp_path: Path) -> None:
    folder = classes / f"of-nobody-{jdk.name}"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with living(jdk / "bin/java", classes, user=NOBODY, group=NOBODY, extra_groups=[]) as program:
        assert program.ways(str(tmp_path))["heap"].check().standing == "needs"  # root's own directory
        taken = program.ways(str(folder))["heap"].take(Kept())
        assert Path(taken.remote).stat().st_uid == NOBODY
        assert not fault(Path(taken.remote), "hprof")
        program.reach.remove(taken.remote)
    assert not list(folder.iterdir())


def test_a_jvm_that_refuses_to_be_attached_to_gets_no_signal(classes: Path) -> None:
    with living(JAVA, classes, "-XX:+DisableAttachMechanism") as program:
        checks = {way.alias: way.check() for way in program.ways().values()}
        assert {checks[alias].standing for alias in ("heap", "histogram", "heap-info")} == {"needs"}
        assert "DisableAttachMechanism" in checks["heap"].fix
        program.process.kill()
        assert program.process.stdout is not None
        assert program.process.stdout.read() == ""


class NoSockets(LocalReach):
    """A place that runs commands in the target, and connects to nothing."""

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        raise Lacks(f"{address} cannot be connected to from here")


def test_without_sockets_the_jcmd_of_the_image_is_asked(
    classes: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("jcmd")
    noisy = {**os.environ, "JAVA_TOOL_OPTIONS": "-Dloud=true"}
    with living(JAVA, classes, env=noisy) as program:
        reach = NoSockets(program.reach.target, program.pid)
        ways = {way.alias: way for way in jvm.ways(reach, Access(directory=str(tmp_path)))}
        assert "jcmd" in ways["heap"].check().why
        assert ways["histogram"].cost().extra_bytes > program.ways()["histogram"].cost().extra_bytes
        sink = Kept()
        assert ways["histogram"].take(sink).facts["by"] == "jcmd"
        assert f"{TICKETS} " in sink.written.decode()
        taken = ways["heap"].take(Kept())
        assert not fault(Path(taken.remote), "hprof")
        (tmp_path / "a b").mkdir()
        settings = jvm.arm(reach, str(tmp_path / "a b"))
        assert [s.before for s in settings] == ["", "false"]
        jvm.disarm(reach, settings)
        assert [s.before for s in jvm.arm(program.reach, str(tmp_path))] == ["", "false"]


def test_an_image_with_neither_says_what_is_missing(holder: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    reach = NoSockets(holder.reach.target, holder.pid)
    monkeypatch.setattr("caulk.runtimes.jvm.channel.jcmd", lambda reach, process: None)
    with pytest.raises(Lacks, match=r"cannot be connected to from here; and the image has no jcmd"):
        jvm.ways(reach, Access())[0].take(Kept())


def test_no_dump_goes_to_memory(mounted: Callable[..., AbstractContextManager[Living]], tmp_path: Path) -> None:
    with mounted(f"mount -t tmpfs none {tmp_path}") as program:
        check = program.ways(str(tmp_path))["heap"].check()
        assert (check.standing, "tmpfs" in check.why) == ("needs", True)
        with pytest.raises(CaptureFailed, match="tmpfs"):
            jvm.arm(program.reach, str(tmp_path))
        program.reach.target = POD
        # Unlike the one that is memory, others are taken where the user names none.
        assert program.ways()["heap"].check().standing == "ready"


def test_a_volume_that_fills_up_fails_the_dump_and_is_cleared(
    mounted: Callable[..., AbstractContextManager[Living]], require: Callable[[str], str], tmp_path: Path
) -> None:
    image, volume = tmp_path / "image", tmp_path / "volume"
    volume.mkdir()
    image.write_bytes(bytes(1 << 21))
    subprocess.run([require("mke2fs"), "-q", "-t", "ext2", image], check=True)
    with mounted(f"mount -o loop {image} {volume}") as program:
        way = program.ways(str(volume))["heap"]
        assert way.check().standing == "ready"
        cost = way.cost()
        assert cost.disk_bytes > program.reach.volume(cost.directory).free_bytes
        with pytest.raises(CaptureFailed, match=r"could not write the dump: .*No space left"):
            way.take(Kept())
        assert [Path(found.path).name for found in program.reach.listing(str(volume))] == ["lost+found"]


def test_a_read_only_tmp_is_told_with_the_volume_that_is_missing(
    mounted: Callable[..., AbstractContextManager[Living]],
) -> None:
    with mounted("mount -t tmpfs -o ro none /tmp") as program:
        program.reach.target = POD
        check = program.ways()["heap"].check()
        assert (check.standing, "/tmp cannot be written to" in check.why) == ("needs", True)
        assert "name: enforcer" in check.fix
        assert "mountPath: /tmp" in check.fix
        with pytest.raises(CaptureFailed):
            jvm.histogram(program.reach)


def test_in_a_read_only_root_no_dump_can_be_written_at_exhaustion_either(
    mounted: Callable[..., AbstractContextManager[Living]],
) -> None:
    path = "/home/wso2/logs/heap-dump.hprof"
    options = ("-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={path}")
    with mounted("mount -o remount,bind,ro /", *options) as program:
        program.reach.target = POD
        ways = program.ways()
        check = ways["oom-dump"].check()
        assert (check.standing, "no dump can be written" in check.why, path in check.why) == ("needs", True, True)
        assert "mountPath: /home/wso2/logs" in check.fix
        assert {ways[alias].check().standing for alias in ("heap", "histogram")} == {"needs"}
        with pytest.raises(CaptureFailed):
            jvm.arm(program.reach, "")
