"""Containers by an engine's API: figures of both cgroup versions, lives, and kills."""

import asyncio
from typing import Any

import pytest

from caulk.model.errors import CaptureFailed, Unreachable
from caulk.model.target import Target
from caulk.readings.docker import Containers, reading_of

V1 = {
    "usage": 500,
    "limit": 1000,
    "stats": {"total_rss": 300, "rss": 1, "total_cache": 200, "cache": 1, "total_shmem": 9},
}
V2 = {"usage": 500, "limit": 1000, "stats": {"anon": 300, "file": 200, "shmem": 9, "inactive_file": 100}}


class Engine:
    """An engine whose containers are set."""

    def __init__(self) -> None:
        self.containers: dict[str, Any] = {}
        self.ooms: list[str] = []
        self.asked: list[str] = []

    def get(self, path: str, **query: Any) -> Any:
        self.asked.append(path)
        if path == "/events":
            found, self.ooms = self.ooms, []
            return [{"Action": "oom", "Actor": {"ID": one}} for one in found]
        _, _, name, what = path.split("/")
        if name not in self.containers:
            raise CaptureFailed(f"no such container: {name}")
        about = self.containers[name]
        return {"memory_stats": about["memory"]} if what == "stats" else about["json"]

    def run(self, name: str, number: str, *, started: str = "10:00", limit: int = 0, image: str = "a") -> None:
        state = {"Running": True, "StartedAt": f"2026-11-21T{started}:00.123456789Z", "Pid": 77}
        about = {"Id": number, "State": state, "HostConfig": {"Memory": limit}, "Image": image}
        self.containers[name] = {"json": about, "memory": V2}

    def targets(self) -> list[Target]:
        labels = {"service": "api", "project": "shop"}
        return [Target("docker", f"docker:{name}", "api", {"container": name, **labels}) for name in self.containers]


def look(source: Containers) -> dict[str, list[Any]]:
    return {seen.replica: [event.what for event in seen.events] for seen in asyncio.run(source.read())}  # type: ignore[arg-type]


def test_both_versions_of_cgroups_say_the_same():
    one, other = reading_of(V1, 5.0), reading_of(V2, 5.0)
    assert one == other
    assert one
    assert (one.rss, one.anonymous, one.file, one.shared) == (500, 300, 200, 9)


def test_a_container_that_does_not_run_has_no_reading():
    assert reading_of({}, 5.0) is None


def test_the_containers_of_a_service_are_replicas_and_one_made_anew_is_its_heir():
    engine = Engine()
    engine.run("api-1", "a", limit=1 << 30)
    engine.run("api-2", "b")
    source = Containers(engine, engine.targets)
    (first, _) = asyncio.run(source.read())
    assert first.workload.key == "compose:api@shop"
    assert (first.limit, [event.what for event in first.events]) == (1 << 30, ["restart", "limit"])
    del engine.containers["api-1"]
    engine.run("api-3", "c", started="11:00", limit=1 << 30, image="b")
    assert look(source) == {"0": ["deploy"], "1": []}


def test_a_restart_in_place_is_told_and_a_kill_for_memory_is_why():
    engine = Engine()
    engine.run("api-1", "a")
    source = Containers(engine, engine.targets)
    look(source)
    engine.run("api-1", "a", started="11:00")
    assert look(source) == {"0": ["restart"]}
    source._asked_until -= 60
    engine.ooms = ["a"]
    engine.run("api-1", "a", started="12:00")
    assert look(source) == {"0": ["oom"]}
    assert look(source) == {"0": []}


def test_one_that_ends_between_two_questions_is_over_and_no_error():
    engine = Engine()
    engine.run("api-1", "a")
    targets = engine.targets()
    source = Containers(engine, lambda: targets)
    look(source)
    engine.containers.clear()
    (gone,) = asyncio.run(source.read())
    assert gone.is_over


def test_one_that_was_asked_for_by_name_and_is_removed_is_over_and_then_missed():
    engine = Engine()
    engine.run("api-1", "a")

    def find() -> list[Target]:
        if not engine.containers:
            raise Unreachable("docker:api-1: there is no such container")
        return engine.targets()

    source = Containers(engine, find)
    look(source)
    engine.containers.clear()
    assert [seen.is_over for seen in asyncio.run(source.read())] == [True]
    with pytest.raises(Unreachable, match="no such container"):
        asyncio.run(source.read())


def test_its_process_is_known_only_where_the_engine_is_of_this_machine():
    engine = Engine()
    engine.run("api-1", "a")
    for is_here in (True, False):
        (seen,) = asyncio.run(Containers(engine, engine.targets, is_here=is_here).read())
        assert seen.target
        assert seen.target.labels.get("host_pid") == ("77" if is_here else None)
