"""A container that does not run: its files are read by the engine, and renamed where the engine keeps them here."""

import contextlib
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from caulk.model.errors import CaptureFailed, Lacks
from caulk.model.target import Target
from caulk.places.docker.engine import NotThere
from caulk.places.docker.stopped import Stopped

DUMP = b"JAVA PROFILE 1.0.2\0" + b"x" * 5000


class Engine:
    """An engine whose containers' files lie in `files`, as it sees them."""

    is_here = True

    def __init__(self, files: dict[str, Path]) -> None:
        self.files, self.is_running = files, False

    def get(self, path: str):
        return {"State": {"Running": self.is_running}}

    @contextlib.contextmanager
    def archive(self, container: str, path: str):
        if path not in self.files:
            raise NotThere("no such file")
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            archive.add(self.files[path], path.rpartition("/")[2])
        made.seek(0)
        with tarfile.open(fileobj=made, mode="r|") as archive:
            yield archive


@pytest.fixture
def stopped(tmp_path: Path):
    """Makes a container with a writable layer and a volume at /dumps, both on this machine, and a dump at `path`."""
    layer, volume = tmp_path / "layer", tmp_path / "volume"
    (layer / "app").mkdir(parents=True)
    volume.mkdir()

    def make(path: str) -> tuple[Stopped, Engine, Path]:
        at = volume / path.removeprefix("/dumps/") if path.startswith("/dumps/") else layer / path.lstrip("/")
        at.write_bytes(DUMP)
        engine = Engine({path: at})
        found = {
            "Id": "c0ffee",
            "Mounts": [{"Destination": "/dumps", "Source": str(volume)}],
            "GraphDriver": {"Data": {"UpperDir": str(layer)}},
            "State": {"ExitCode": 3},
        }
        return Stopped(Target("docker", "docker:shop", "shop"), engine, found), engine, at

    return make


@pytest.mark.parametrize("path", ["/dumps/heap.hprof", "/app/heap.hprof"])
def test_a_dump_is_moved_out_of_the_way_in_a_volume_and_in_the_containers_own_layer(stopped, path):
    reach, _, at = stopped(path)
    reach.move(path, path + ".1")
    assert not at.exists()
    assert at.with_name("heap.hprof.1").read_bytes() == DUMP


def test_what_is_fetched_is_compared_with_a_second_reading_by_the_engine(stopped):
    reach, _, _ = stopped("/app/heap.hprof")
    heard: list[str] = []
    assert b"".join(reach.fetch("/app/heap.hprof", 10, 90, heard.append)) == DUMP[10:100]
    assert heard == [hashlib.sha256(DUMP[:100]).hexdigest()]


def test_a_dump_is_never_moved_onto_another_file(stopped):
    reach, _, at = stopped("/dumps/heap.hprof")
    at.with_name("heap.hprof.1").write_bytes(b"older")
    with pytest.raises(CaptureFailed, match="File exists"):
        reach.move("/dumps/heap.hprof", "/dumps/heap.hprof.1")
    assert at.exists() and at.with_name("heap.hprof.1").read_bytes() == b"older"


def test_a_file_that_is_not_the_one_the_engine_sees_is_left_alone(stopped, tmp_path):
    reach, engine, at = stopped("/dumps/heap.hprof")
    engine.files["/dumps/heap.hprof"] = tmp_path / "elsewhere"
    (tmp_path / "elsewhere").write_bytes(b"another machine's")
    with pytest.raises(Lacks, match="machine of the engine"):
        reach.move("/dumps/heap.hprof", "/dumps/heap.hprof.1")
    assert at.exists()


def test_a_link_that_leads_out_of_the_volume_is_not_followed(stopped, tmp_path):
    reach, engine, at = stopped("/dumps/heap.hprof")
    outside = tmp_path / "outside"
    outside.mkdir()
    at.rename(outside / "heap.hprof")
    (at.parent / "sub").symlink_to(outside)
    engine.files["/dumps/sub/heap.hprof"] = outside / "heap.hprof"
    with pytest.raises(Lacks):
        reach.remove("/dumps/sub/heap.hprof")
    assert (outside / "heap.hprof").exists()


@pytest.mark.parametrize("change", [{"is_here": False}, {"is_running": True}])
def test_nothing_is_moved_where_the_engine_is_elsewhere_or_the_container_runs_again(stopped, change):
    reach, engine, at = stopped("/app/heap.hprof")
    for name, value in change.items():
        setattr(engine, name, value)
    with pytest.raises(Lacks, match="machine of the engine"):
        reach.move("/app/heap.hprof", "/app/heap.hprof.1")
    assert at.exists()
