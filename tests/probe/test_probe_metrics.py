"""What a worker measures, what its file holds, and what a scrape says of it."""

import gc
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Lock

import pytest
from caulk_probe import cells, exposition, families, memory, objects, slots
from caulk_probe.settings import Invalid, Settings
from served import PROBE, samples, values


def made() -> cells.Cells:
    return cells.Cells(bytearray(cells.SIZE), Lock())


def text_of(*files: cells.Cells) -> str:
    found = [(number, True, bytes(each.buffer)) for number, each in enumerate(files)]
    return "\n".join(exposition.samples(found, "shop"))


# -- the file


def test_numbers_go_on_where_the_file_has_them():
    first = made()
    first.numbers[first.find(families.REQUESTS, "home")] = 41
    second = cells.Cells(first.buffer, Lock())
    second.numbers[second.find(families.REQUESTS, "home")] += 1
    assert 'caulk_probe_requests_total{container="shop",view_name="home",worker="0"} 42' in text_of(second)


def test_a_file_that_is_full_counts_the_rest_as_other():
    full = made()
    for number in range(20_000):
        full.numbers[full.find(families.REQUESTS, f"view {number} " + 50 * "x")] += 1
    found = values(samples(text_of(full)), "caulk_probe_requests_total", view_name="other")
    assert found["0"] > 10_000
    assert full.end <= cells.SIZE


def test_a_file_that_is_cut_short_or_of_another_version_is_no_slot(tmp_path: Path):
    (tmp_path / "slot-0000").write_bytes(bytes(made().buffer)[:1000])
    (tmp_path / "slot-0001").write_bytes(b"caulkpr0" + bytes(cells.SIZE - 8))
    assert list(slots.every(str(tmp_path))) == []
    slot = slots.claim(str(tmp_path))
    assert cells.Cells(slot.mapped, Lock()).end == cells.HEAD


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_breaks_no_scrape(seed: int):
    import random

    damaged, numbers = made(), random.Random(seed)
    for view in ("a", "b", "c"):
        damaged.find(families.ALLOCATION, view)
    for _ in range(40):
        damaged.buffer[numbers.randrange(cells.HEAD, damaged.end)] = numbers.randrange(256)
    assert isinstance(text_of(damaged), str)


# -- the text


def test_names_with_any_letters_are_escaped():
    odd = made()
    odd.numbers[odd.find(families.REQUESTS, 'a"b\\c\nd')] = 1
    assert 'view_name="a\\"b\\\\c\\nd"' in text_of(odd)


def test_prometheus_reads_the_text():
    from prometheus_client.parser import text_string_to_metric_families

    file = made()
    for family in families.FAMILIES:
        at = file.find(family, "x")
        file.numbers[at] = 2
    text = text_of(file) + "\n"
    parsed = {sample.name for each in text_string_to_metric_families(text) for sample in each.samples}
    assert {"django_memory_usage_bytes", "django_memory_growth_events_total", "django_python_objects_total"} <= parsed
    assert {"django_gc_collections_total", "django_allocation_bytes_bucket", "django_allocation_bytes_sum"} <= parsed


def test_buckets_are_those_of_the_documents_and_each_holds_the_smaller():
    file = made()
    at = file.find(families.ALLOCATION, "home")
    for bucket in range(len(families.BUCKETS) + 1):
        file.numbers[at + bucket] = 1
    found = samples(text_of(file))
    bounds = {dict(key)["le"]: value for (name, key), value in found.items() if name.endswith("_bucket")}
    kib, mib = 1024.0, 1024.0**2
    expected = [kib, 10 * kib, 100 * kib, mib, 10 * mib, 100 * mib]
    assert bounds == {**{str(bound): number for number, bound in enumerate(expected, 1)}, "+Inf": 7}


def test_what_prometheus_client_has_registered_follows_but_for_our_own_names():
    from prometheus_client import CollectorRegistry, Counter

    registry = CollectorRegistry()
    Counter("django_memory_growth_events", "the described middleware's", registry=registry)
    Counter("orders", "the program's", registry=registry).inc()
    names = [each.name for each in exposition._Without(registry).collect()]
    assert names == ["orders"]


# -- what is measured


def test_resident_and_anonymous_memory_are_those_of_proc_status():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident, anonymous = memory.Statm().read()
    assert abs(resident - int(status["VmRSS"].split()[0]) * 1024) < 16 << 20
    assert abs(anonymous - int(status["RssAnon"].split()[0]) * 1024) < 16 << 20


def test_a_descriptor_that_the_program_closes_is_opened_anew():
    statm = memory.Statm()
    os.close(statm.descriptor)
    with open(os.devnull) as other:  # noqa: PTH123 - it may take the number
        assert statm.read()[0] > 1 << 20
        assert other.read() == ""


class Ticket:
    def __init__(self, number: int):
        self.number, self.text, self.tags = number, f"ticket {number}", [number]


HELD: dict[int, Ticket] = {}


def walked(*, seconds: float = 10.0) -> dict[str, int]:
    walk = objects.Walk()
    while not walk.step(seconds):
        pass
    return walk.labelled()


def test_the_walk_counts_what_is_held_and_strings_too():
    before = walked()
    HELD.update({number: Ticket(number) for number in range(5000)})
    try:
        after = walked()
    finally:
        HELD.clear()
    assert after["list"] - before["list"] == pytest.approx(5000, abs=200)
    assert after["str"] - before["str"] == pytest.approx(5000, abs=500)
    assert set(after) == {"dict", "list", "tuple", "str", "function", "method"}
    assert walked()["list"] == pytest.approx(before["list"], abs=200)


def test_a_dict_that_changes_under_the_walk_is_taken_to_be_all_like_what_was_seen():
    HELD.update({number: Ticket(number) for number in range(20_000)})
    try:
        walk, before = objects.Walk(), walked()["list"]
        while not any(type(each) is objects._Pieces and each.size == 20_000 for each in walk.stack):
            assert not walk.step(0.0005)
        HELD[-1] = Ticket(-1)
        while not walk.step(10.0):
            pass
    finally:
        HELD.clear()
    assert walk.labelled()["list"] == pytest.approx(before, rel=0.1)


def test_a_step_of_the_walk_looks_at_the_clock_after_few_objects(monkeypatch: pytest.MonkeyPatch):
    big = [[] for _ in range(100_000)]
    clock, visited = count(), []
    monkeypatch.setattr(objects.time, "thread_time", lambda: next(clock))
    walk = objects.Walk()
    plain = walk.visit
    walk.visit = lambda found: (visited.append(len(found)), plain(found))[1]  # type: ignore[method-assign]
    walk.stack.append(big)
    steps = 0
    # Each look at the clock is a second here: a step is what is done between two of them.
    while steps < 200 and not walk.step(1.5):
        assert sum(visited) <= (objects._AT_ONCE + 1) * 2 * objects._PIECE
        visited.clear()
        steps += 1
    assert steps == 200


def test_the_walk_runs_nothing_of_the_program():
    class Trap:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

        def __hash__(self) -> int:
            raise AssertionError

    class Meta(type):
        def __hash__(cls) -> int:
            raise AssertionError

    trap = [Trap(), Meta("Odd", (), {})]
    HELD[0] = trap  # type: ignore[assignment]
    try:
        assert walked()["list"] > 0
    finally:
        HELD.clear()
    gc.collect()


# -- settings


def settings(**told: str) -> Settings:
    return Settings(told.get)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENABLE_MEMORY_PROFILING", "maybe"),
        ("MEMORY_PROFILING_SAMPLE_RATE", "2"),
        ("MEMORY_PROFILING_SAMPLE_RATE", "nan"),
        ("MEMORY_GROWTH_THRESHOLD_MB", "ten"),
        ("MEMORY_GROWTH_THRESHOLD_MB", "0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_its_name(name: str, value: str):
    with pytest.raises(Invalid, match=f"{name} is '{value}': write"):
        settings(**{name: value})


def test_thresholds_are_named_as_in_the_documents_and_none_counts_twice():
    assert [name for name, _ in settings().thresholds] == ["10mb", "50mb", "100mb"]
    assert [name for name, _ in settings(MEMORY_GROWTH_THRESHOLD_MB="50").thresholds] == ["50mb", "100mb"]


def test_importing_the_probe_imports_next_to_nothing():
    code = "import sys; before = set(sys.modules); import caulk_probe.wsgi; print(*sorted(set(sys.modules) - before))"
    told = {**os.environ, "PYTHONPATH": str(PROBE)}
    said = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True).stdout
    dear = {"re", "typing", "logging", "threading", "random", "hmac", "hashlib", "base64", "socket", "http", "asyncio"}
    assert not dear & set(said.split())
