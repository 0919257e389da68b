"""`caulk judge`: what it reads, what it answers, and with what exit code."""

import json

import pytest

from caulk.cli import carry_out

HOUR = 3600
BEGIN = 1_767_225_600
MB = 1 << 20


def rows(rate, *, days=5, tail=""):
    return [
        f"{BEGIN + i * 600},{200 * MB + int(rate * MB * i / 6) + (i * 7919 % 1000) * 1000}{tail}"
        for i in range(days * 144)
    ]


@pytest.fixture
def ask(tmp_path, capsys):
    def asked(text, *options):
        file = tmp_path / "series"
        file.write_text(text)
        code = carry_out(["judge", str(file), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return asked


def csv(*lines, header="time,bytes"):
    return "\n".join([header, *lines]) + "\n"


def test_a_leak_exits_with_1_and_says_all_that_the_schema_promises(ask):
    code, out, err = ask(csv(*rows(3)), "-o", "json", "--limit", "800M")
    assert (code, err) == (1, "")
    answer = json.loads(out)
    assert answer["schema"] == "caulk.judgement/1"
    (one,) = answer["series"]
    assert list(one) == [
        "name", "state", "why", "kind", "growth_bytes_per_hour", "growth_interval", "since", "since_event",
        "first_said", "time_to_limit_s", "recommended_limit_bytes", "confidence", "evidence",
    ]  # fmt: skip
    assert one["state"] == "leaking"
    assert one["growth_bytes_per_hour"] == pytest.approx(3 * MB, rel=0.05)
    assert one["since"].startswith("2026-01-01T")
    assert "2026-01-01T00:00:00Z" < one["first_said"] < "2026-01-04T00:00:00Z"
    assert 0 < one["time_to_limit_s"] < 200 * HOUR


def test_exit_zero_and_steady_exit_with_0(ask):
    assert ask(csv(*rows(3)), "--exit-zero")[0] == 0
    code, out, _ = ask(csv(*rows(0)))
    assert code == 0
    assert "steady" in out


def test_series_are_judged_apart_and_replicas_together(ask):
    lines = rows(3, tail=",a,0") + rows(3, tail=",a,1") + rows(0, tail=",b,0")
    _, out, _ = ask(csv(*lines, header="time,bytes,series,replica"), "-o", "json")
    assert [(s["name"], s["state"]) for s in json.loads(out)["series"]] == [("a", "leaking"), ("b", "steady")]


def test_events_set_limits_and_begin_lives(ask):
    lines = rows(3, tail=",")
    lines[0] += "limit=800M"
    _, out, _ = ask(csv(*lines, header="time,bytes,event"), "-o", "json")
    assert json.loads(out)["series"][0]["time_to_limit_s"] > 0


def test_times_may_be_iso_8601_and_rows_in_any_order(ask):
    lines = [
        f"2026-01-0{day}T{hour:02}:{minute:02}:00Z,{200 * MB}"
        for day in (2, 1)
        for hour in range(24)
        for minute in (0, 20, 40)
    ]
    code, out, _ = ask(csv(*lines), "-o", "json")
    assert (code, json.loads(out)["series"][0]["state"]) == (0, "steady")


def test_other_columns_and_empty_values_are_said_and_left_out(ask):
    _, _, err = ask(csv(*rows(0, tail=",4"), f"{BEGIN},,1", header="time,bytes,cpu"))
    assert "cpu" in err
    assert "1 rows without a number of bytes" in err


def test_an_answer_of_prometheus_is_a_series_a_result(ask):
    values = [[BEGIN + i * 600, str(200 * MB + i * MB)] for i in range(500)]
    flat = [[BEGIN + i * 600, str(200 * MB)] for i in range(500)]
    result = [
        {"metric": {"pod": "p1", "job": "x"}, "values": values},
        {"metric": {"pod": "p2", "job": "x"}, "values": flat},
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    code, out, _ = ask(json.dumps(answer), "-o", "json")
    assert code == 1
    assert [(s["name"], s["state"]) for s in json.loads(out)["series"]] == [("p1", "leaking"), ("p2", "steady")]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 5, "empty"),
        ("time,bytes\n", 5, "no readings"),
        ("when,bytes\n1,2\n", 5, "no time and bytes"),
        ("time,bytes\nyesterday,2\n", 5, "line 2"),
        ("time,bytes\n1,many\n", 5, "line 2"),
        ("time,bytes,event\n1,2,party\n", 5, "no event"),
        ('{"status": "error", "error": "bad query"}', 5, "bad query"),
        ('{"status": "success", "data": {"resultType": "vector", "result": []}}', 2, "not a matrix"),
        ('{"status": ', 5, "no answer of Prometheus"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(ask, text, code, said):
    got, out, err = ask(text)
    assert (got, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_a_limit_that_is_no_size_is_a_usage_error(ask):
    code, _, err = ask(csv(*rows(0)), "--limit", "lots")
    assert code == 2
    assert "--limit" in err
