"""Jobs: progress, an end that can be asked for, and what went wrong in words."""

import threading

import pytest

from caulk.model.errors import UsageError
from caulk.web.events import Events
from caulk.web.jobs import Jobs

LONG_S = 30


@pytest.fixture
def jobs():
    made = Jobs(Events())
    yield made
    made.close()


def ended(job):
    assert job.ended.wait(LONG_S)
    return job


def test_a_job_says_how_far_it_is_and_what_came_of_it(jobs):
    half, go_on = threading.Event(), threading.Event()

    def task(talk, _):
        talk.progress(1, 2, "reading")
        half.set()
        assert go_on.wait(LONG_S)
        return {"id": "x"}

    job = jobs.begin("analysis", "Analyse it", task)
    assert half.wait(LONG_S)
    said = job.record()
    assert (said["state"], said["progress"], said["step"], said["log"]) == ("running", 0.5, "reading", ["reading"])
    assert said["ended_at"] is None
    go_on.set()
    said = ended(job).record()
    assert (said["state"], said["progress"], said["result"]) == ("done", 1.0, {"id": "x"})
    assert said["ended_at"] >= said["began_at"]


def test_the_same_work_is_begun_once(jobs):
    go_on = threading.Event()
    first = jobs.begin("analysis", "a", lambda *_: go_on.wait(LONG_S) and None, key="same")
    assert jobs.begin("analysis", "a", lambda *_: None, key="same") is first
    go_on.set()
    ended(first)
    assert jobs.begin("analysis", "a", lambda *_: None, key="same") is not first


def test_a_cancelled_job_ends_at_its_next_step(jobs):
    begun, go_on = threading.Event(), threading.Event()

    def task(talk, _):
        begun.set()
        assert go_on.wait(LONG_S)
        talk.progress(1, 2, "further")
        pytest.fail("it went on")

    job = jobs.begin("analysis", "a", task)
    assert begun.wait(LONG_S)
    jobs.cancel(job)
    go_on.set()
    assert ended(job).state == "cancelled"


def test_a_job_that_waits_is_cancelled_at_once_and_never_begins(jobs):
    go_on, ran = threading.Event(), []
    first = [jobs.begin("analysis", str(n), lambda *_: go_on.wait(LONG_S) and None) for n in range(2)]
    waits = jobs.begin("analysis", "waits", lambda *_: ran.append(1))
    assert waits.state == "waiting"
    jobs.cancel(waits)
    assert waits.state == "cancelled"
    go_on.set()
    for job in first:
        ended(job)
    ended(jobs.begin("analysis", "last", lambda *_: None))
    assert ran == []


@pytest.mark.parametrize(
    ("problem", "what", "hint"),
    [
        (UsageError("no such thing", hint="Look there."), "no such thing", "Look there."),
        (MemoryError(), "not enough memory", "max-memory"),
        (ValueError("surprise"), "ValueError: surprise", "report"),
    ],
)
def test_a_job_that_fails_says_what_and_what_to_do(jobs, problem, what, hint):
    def task(*_):
        raise problem

    said = ended(jobs.begin("analysis", "a", task)).record()
    assert said["state"] == "failed"
    assert what in said["what"]
    assert hint in said["hint"]


def test_old_jobs_are_forgotten_and_running_ones_never(jobs):
    go_on = threading.Event()
    running = jobs.begin("analysis", "runs", lambda *_: go_on.wait(LONG_S) and None)
    for number in range(250):
        last = ended(jobs.begin("analysis", str(number), lambda *_: None))
    assert running in jobs.all()
    assert last in jobs.all()
    assert len(jobs.all()) <= 202
    go_on.set()
    ended(running)


def test_jobs_are_listed_newest_first_and_can_be_cancelled_over_http(served):
    begun, go_on = threading.Event(), threading.Event()

    def task(talk, _):
        begun.set()
        while not go_on.wait(0.01):
            talk.progress(0, 1, "on")

    jobs = served.site.jobs
    first = ended(jobs.begin("analysis", "first", lambda *_: None))
    second = jobs.begin("analysis", "second", task)
    assert begun.wait(LONG_S)
    assert [job["title"] for job in served.get("/api/jobs").json()["jobs"]] == ["second", "first"]
    assert served.get(f"/api/jobs/{first.id}").json()["state"] == "done"
    assert served.send("POST", f"/api/jobs/{second.id}/cancel").status_code == 200
    assert ended(second).state == "cancelled"
    assert served.get("/api/jobs/999").status_code == 404


def test_what_was_cancelled_is_begun_anew_though_it_has_not_ended_yet(jobs):
    goes_on = threading.Event()

    def task(talk, job):
        goes_on.wait(30)
        talk.progress(1, 2, "on")

    first = jobs.begin("analysis", "one", task, key="same")
    assert jobs.begin("analysis", "one", task, key="same") is first
    jobs.cancel(first)
    second = jobs.begin("analysis", "one", task, key="same")
    assert second is not first
    goes_on.set()
    assert second.ended.wait(30)
    assert second.state == "done"
