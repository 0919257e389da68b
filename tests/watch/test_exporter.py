"""The loop's own metrics: each of a known name, readable by Prometheus, with exemplars for who takes them."""

import re
import shutil
import subprocess

import pytest

from caulk.model import metrics
from caulk.model.judgement import Judgement
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.readings.exposition import pattern, samples
from caulk.watch.exporter import Counters, Seen, exposition
from caulk.watch.fleet import Row

API = Workload("k8s:shop/api", 'a"p\\i\n', "go")
JUDGED = Judgement("api", "leaking", "it grows")


def seen() -> Seen:
    observation = Observation(API, "0", Reading(5.0, 300, 200, heap=100), limit=1000)
    row = Row(API, "leaking", JUDGED, 1, 300, 1000, 0.2, 50.5, 3600.0, 1.0, 5.0, (observation,))
    return Seen(
        (row,),
        {"notify": 2},
        {"pid:": (7, 1)},
        {("api", "http://h/metrics", "with"): 200, ("api", "http://h/metrics", "without"): 401},
        {"captures": 12},
    )


@pytest.fixture
def counters() -> Counters:
    made = Counters()
    for seconds, capture in ((0.3, "c1"), (0.4, "c2"), (99.0, "c3")):
        made.count(metrics.CAPTURES, (API.key, "go", "complete"), ("capture", capture))
        made.observe(metrics.CAPTURE_DURATION, ("go",), seconds, ("capture", capture))
    made.count(metrics.CAPTURES, (API.key, "go", "failed"))
    made.count(metrics.INCIDENTS, (API.key, "leak"), ("incident", "i1"))
    return made


def values(page: bytes) -> dict[tuple[str, ...], float]:
    found = samples(page, pattern(re.findall(r"^(caulk_\w+)", page.decode(), re.MULTILINE)))
    return {(one.name, *one.labels.values()): one.value for one in found}


def test_what_the_loop_sees_and_does_is_there(counters):
    told = values(exposition(seen(), counters, is_open=False))
    key = API.key
    assert told["caulk_target_memory_bytes", key, "0", "go", "heap"] == 100
    assert told["caulk_target_limit_bytes", key, "0", "go"] == 1000
    assert told["caulk_target_state", key, "go", "leaking"] == 1
    assert told["caulk_target_state", key, "go", "steady"] == 0
    assert told["caulk_target_growth_bytes_per_hour", key, "go"] == 50.5
    assert told["caulk_captures_total", key, "go", "complete"] == 3
    assert told["caulk_capture_duration_seconds_bucket", "go", "0.5"] == 2
    assert told["caulk_capture_duration_seconds_bucket", "go", "+Inf"] == 3
    assert told["caulk_capture_duration_seconds_sum", "go"] == pytest.approx(99.7)
    assert told["caulk_outbox_pending", "notify"] == 2
    assert told["caulk_reading_errors_total", "pid:"] == 1
    assert told["caulk_endpoint_http_status", "api", "http://h/metrics", "without"] == 401
    assert told["caulk_store_bytes", "captures"] == 12


def test_every_metric_that_is_promised_is_exported_with_its_labels(counters):
    page = exposition(seen(), counters, is_open=False).decode()
    for metric in metrics.METRICS:
        assert f"# TYPE {metric.name} {metric.type}\n" in page
        series = re.search(rf"^{metric.name}(?:_bucket)?{{(.*)}} ", page, re.MULTILINE)
        assert series, metric.name
        labels = tuple(re.findall(r'(\w+)="', series[1]))
        assert tuple(label for label in labels if label != "le") == metric.labels


def test_the_newest_capture_and_incident_are_exemplars_and_only_in_openmetrics(counters):
    page = exposition(seen(), counters, is_open=True).decode()
    assert re.search(
        r'^caulk_captures_total\{.*outcome="complete"\} 3 # \{capture="c3"\} 1 \d+\.\d+$', page, re.MULTILINE
    )
    assert re.search(r'le="0\.5"\} 2 # \{capture="c2"\} 0\.4 ', page)
    assert '{incident="i1"}' in page
    assert "# TYPE caulk_captures counter" in page
    assert page.endswith("\n# EOF\n")
    assert "# {" not in exposition(seen(), counters, is_open=False).decode()


def test_prometheus_finds_nothing_wrong_with_it(counters):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not on this machine")
    page = exposition(seen(), counters, is_open=False)
    ran = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)
    # It dislikes the names that other metrics of the same kind have everywhere; what it cannot read is another matter.
    assert ran.returncode in (0, 3), ran.stderr


def test_a_loop_that_sees_nothing_has_a_page_too():
    assert exposition(Seen(), Counters(), is_open=True) == b"# EOF\n"
    assert exposition(Seen(), Counters(), is_open=False) in (b"", b"\n")
