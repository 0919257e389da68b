"""A capture for an incident: the cheapest way that answers, within its limits, once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from caulk.capture.offers import Offer
from caulk.config.rules import Analyse, Capture, Collect, Limits, Rule, Trigger
from caulk.config.schema import Keep
from caulk.config.values import Share, Size
from caulk.model.capture import Check, Cost, Taken
from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.incident import Incident, Moment
from caulk.model.records import Analysis, Finding, Verdict
from caulk.model.series import Reading
from caulk.model.target import Access, Process, Room, Target
from caulk.model.watching import Appeared, Workload
from caulk.store.captures import Captures
from caulk.store.incidents import Incidents
from caulk.watch import analysing, capturing
from caulk.watch.actions import Done, Later, TryAgain
from caulk.watch.analysing import Analysing
from caulk.watch.capturing import Capturing, dearer, ordered
from caulk.watch.steps import step

SHOP = Target("local", "pid:7", "shop")
SNAPSHOT = b'{"snapshot":{},"strings":[]}'
MB = 1 << 20
INCIDENT = Incident(
    "i1", "k1", "leak", "it leaks", Workload("local:shop", "shop", "node"), 1.0, target=SHOP, memory=100 * MB
)


class Way:
    """A way of which all is told."""

    format, suffix = "heapsnapshot", ".heapsnapshot"

    def __init__(self, alias: str, evidence: str, pause_s: float = 0.0, *, fails: CaulkError | None = None) -> None:
        self.name, self.alias, self.evidence, self.pause_s, self.fails = (
            f"told:{alias}",
            alias,
            evidence,
            pause_s,
            fails,
        )

    def check(self) -> Check:
        return Check("ready", "")

    def cost(self) -> Cost:
        return Cost(pause_s=self.pause_s)

    def take(self, sink) -> Taken:
        if self.fails:
            raise self.fails
        sink.write(SNAPSHOT)
        return Taken()


def offer(alias: str, evidence: str, pause_s: float = 0.0, *, against: str = "", standing="ready", fails=None) -> Offer:
    way = Way(alias, evidence, pause_s, fails=fails)
    return Offer("node", way, Check(standing, "why not"), way.cost(), (against,) if against else ())


class Reach:
    target = SHOP

    def process(self) -> Process:
        return Process(7, 0, 0, 1000.0)

    def reading(self) -> Reading:
        return Reading(0.0, 120 * MB, 110 * MB)

    def room(self) -> Room:
        return Room(110 * MB, 1 << 30)

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., object]:
        def lacks(*_: object) -> object:
            raise Lacks(f"no {name} here")

        return lacks


@pytest.fixture
def captures(tmp_path: Path) -> Captures:
    return Captures(tmp_path / "captures")


@pytest.fixture
def found(monkeypatch) -> list[Offer]:
    """What there is to take; a test fills it."""
    listed: list[Offer] = []
    for module in (capturing, analysing):
        monkeypatch.setattr(module, "offers", lambda *_: listed)
    monkeypatch.setattr("caulk.capture.places.reach", lambda *_: Reach())
    return listed


def taking(captures: Captures, **more: object) -> Capturing:
    rule = Rule(name="leak", trigger=Trigger(state=("leaking",)), limits=more.pop("limits", Limits()))
    return Capturing(captures, Access(), {"leak": rule}, more.pop("keep", Keep()), clock=lambda: 1000.0, **more)


def owed(action=Capture(), position: int = 100):  # noqa: B008 - it is a value
    return step(action, "i1", position, 1.0)


HEAP, PROFILE, COUNTS = (
    offer("heap", "graph", 5.0),
    offer("profile", "profile", 0.1),
    offer("histogram", "histogram", 0.5),
)


def aliases(offers) -> list[str]:
    return [one.way.alias for one in offers]


def test_the_cheapest_way_comes_first_and_of_each_evidence_the_best():
    second = offer("sampling", "profile", 0.0)
    figures = offer("figures", "figures", 0.0)
    assert aliases(ordered([HEAP, PROFILE, second, COUNTS, figures], Capture())) == ["profile", "histogram", "heap"]


def test_what_a_guard_forbids_is_no_way_and_memory_may_be_lent():
    tight = offer("heap", "graph", 5.0, against="it needs 1 GB of memory in the target, and 1 MB are free")
    probed = offer("histogram", "histogram", 1.0, against="it is restarted after 3 s")
    assert aliases(ordered([tight, probed, offer("x", "profile", standing="needs")], Capture())) == []
    assert aliases(ordered([tight, probed], Capture(lend=Size(MB)))) == ["heap"]


def test_ways_that_are_named_are_taken_in_their_order():
    assert aliases(ordered([HEAP, PROFILE, COUNTS], Capture(ways=("heap", "told:profile")))) == ["heap", "profile"]


def test_a_second_capture_is_by_the_way_of_the_first():
    assert aliases(ordered([HEAP, PROFILE, COUNTS], Capture(), ["told:histogram"]))[0] == "histogram"


def test_a_dearer_way_is_of_an_evidence_that_was_not_had():
    assert dearer([HEAP, PROFILE, COUNTS], ["told:profile"]).way.alias == "histogram"
    assert dearer([HEAP, PROFILE], ["told:profile", "told:heap"]) is None


def test_a_way_that_fails_gives_place_to_the_next(captures, found):
    found += [HEAP, offer("profile", "profile", 0.1, fails=CaptureFailed("it broke"))]
    done = taking(captures).capture(owed(), INCIDENT)
    (entry,) = captures.all()
    assert (done.what, entry.manifest.method, entry.manifest.cause) == ("captured", "told:heap", "i1/100")
    assert (done.facts["capture"], done.facts["memory"]) == (entry.manifest.id, 110 * MB)


def test_the_same_step_takes_nothing_twice(captures, found):
    found.append(PROFILE)
    first = taking(captures).capture(owed(), INCIDENT)
    again = taking(captures).capture(owed(), INCIDENT)
    assert again.facts == first.facts
    taking(captures).capture(owed(position=300), INCIDENT)
    assert len(captures.all()) == 2


def test_a_refusal_is_final_and_says_where_to_look(captures, found):
    found.append(offer("heap", "graph", against="it would stand still"))
    with pytest.raises(CaptureFailed, match="`caulk doctor pid:7` says what would help") as error:
        taking(captures).capture(owed(), INCIDENT)
    assert "it would stand still" in error.value.hint
    assert not isinstance(error.value, TryAgain)


def test_what_may_pass_is_tried_again_and_not_for_ever(captures, found):
    found.append(offer("heap", "graph", fails=Unreachable("it went away")))
    with pytest.raises(TryAgain, match="it went away"):
        taking(captures).capture(owed(), INCIDENT)
    with pytest.raises(Unreachable):
        taking(captures).capture(replace(owed(), attempts=3), INCIDENT)


def test_how_it_ended_is_counted(captures, found):
    ends = []
    counted = taking(captures, took=lambda incident, outcome, seconds, capture: ends.append((outcome, capture)))
    found.append(PROFILE)
    done = counted.capture(owed(), INCIDENT)
    found[:] = []
    with pytest.raises(CaptureFailed):
        counted.capture(owed(position=300), INCIDENT)
    assert ends == [("complete", done.facts["capture"]), ("refused", "")]


def test_a_full_store_takes_nothing_more(captures, found):
    found.append(PROFILE)
    full = taking(captures, limits=Limits(disk=Size(10)))
    assert full.capture(owed(), INCIDENT).what == "captured"
    assert full.capture(owed(position=300), INCIDENT).what == "skipped"


def test_quotas_of_the_store_are_kept(captures, found):
    found.append(PROFILE)
    few = taking(captures, keep=Keep(count=1))
    for position in (100, 300):
        few.capture(owed(position=position), INCIDENT)
    assert [entry.manifest.cause for entry in captures.all()] == ["i1/300"]


def had(memory: int | None, limit: int | None = None) -> Incident:
    moment = Moment(5.0, "captured", "", "i1/100", 100, capture="c1", memory=memory)
    return replace(INCIDENT, captures=("c1",), moments=(moment,), limit=limit)


@pytest.mark.parametrize(
    ("incident", "grown", "wakes_at"),
    [
        (had(200 * MB), 0.1, 220 * MB),
        (had(200 * MB), 0.01, 208 * MB),
        (had(200 * MB, limit=230 * MB), 0.5, 215 * MB),
        (had(None), 0.1, 110 * MB),
    ],
)
def test_a_second_capture_waits_for_growth_that_shows_but_not_until_there_is_no_room(
    captures, incident, grown, wakes_at
):
    later = taking(captures).capture(owed(Capture(grown=Share(grown))), incident)
    assert later == Later(1000.0 + 86400.0, wakes_at)


def test_without_a_first_capture_there_is_no_second(captures, found):
    assert taking(captures).capture(owed(Capture(grown=Share(0.1))), INCIDENT).what == "skipped"


def test_once_it_waited_it_is_taken(captures, found):
    found.append(PROFILE)
    step = replace(owed(Capture(grown=Share(0.1))), attempts=1)
    assert taking(captures).capture(step, had(200 * MB)).what == "captured"


def dump(tmp_path: Path, data: bytes) -> Incident:
    kept = tmp_path / "kept.heapsnapshot"
    kept.write_bytes(data)
    return replace(INCIDENT, dump=Appeared(5.0, SHOP, "/dumps/a.heapsnapshot", len(data), "heapsnapshot", str(kept)))


def test_a_dump_that_appeared_is_collected_once(captures, tmp_path):
    for _ in range(2):
        done = taking(captures).collect(owed(Collect()), dump(tmp_path, SNAPSHOT))
        assert done.what == "collected"
    (entry,) = captures.all()
    assert entry.path.read_bytes() == SNAPSHOT
    assert (entry.manifest.method, entry.manifest.taken_at) == ("appeared", "1970-01-01T00:00:05Z")


def test_a_dump_that_is_cut_is_not_kept(captures, tmp_path):
    with pytest.raises(CaptureFailed, match="not whole"):
        taking(captures).collect(owed(Collect()), dump(tmp_path, SNAPSHOT[:-3]))
    assert captures.all() == []


NAMED = Analysis(
    verdict=Verdict("leaking", "It leaks.", 0.9),
    findings=(Finding(1, "collection", "`ORDERS` grows", 1, 0, 1.0, 1, holder="shop.ORDERS"),),
)
UNNAMED = Analysis(verdict=Verdict("steady", "Nothing grows.", 0.5))


@pytest.fixture
def store(tmp_path: Path):
    made = Incidents(f"sqlite:///{tmp_path}/incidents.db")
    made.open(INCIDENT, [])
    yield made
    made.dispose()


def analysed(store, captures, said: list[Analysis], incident: Incident = INCIDENT, action=Analyse()) -> Done:  # noqa: B008
    asked = []
    analyse = Analysing(store, captures, Access(), lambda paths: (asked.append(len(paths)), said.pop(0))[1])
    done = analyse(owed(action, 400), incident)
    return done, asked


def two(captures, found) -> Incident:
    found.append(PROFILE)
    numbers = [taking(captures).capture(owed(position=at), INCIDENT).facts["capture"] for at in (100, 300)]
    return replace(INCIDENT, captures=tuple(numbers))


def test_all_captures_of_an_incident_are_analysed_together(store, captures, found):
    done, asked = analysed(store, captures, [NAMED], two(captures, found))
    assert (done.text, asked, done.following) == ("leaking: `ORDERS` grows", [2], [])


def test_where_nothing_is_named_a_dearer_way_follows_and_another_look(store, captures, found):
    incident = two(captures, found)
    found.append(HEAP)
    done, asked = analysed(store, captures, [UNNAMED], incident)
    assert [(one.id, one.kind) for one in done.following] == [("i1/401", "capture"), ("i1/402", "analyse")]
    assert '"ways":["told:heap"]' in done.following[0].document
    assert asked == [2]


def test_where_there_is_no_dearer_way_the_newest_is_looked_at_alone(store, captures, found):
    done, asked = analysed(store, captures, [UNNAMED, NAMED], two(captures, found))
    assert (asked, done.text) == ([2, 1], "leaking: `ORDERS` grows")


def test_who_wants_nothing_dearer_gets_nothing_dearer(store, captures, found):
    incident = two(captures, found)
    found.append(HEAP)
    done, _ = analysed(store, captures, [UNNAMED, UNNAMED], incident, Analyse(dearer=False))
    assert done.following == []


def test_without_captures_of_its_own_an_incident_is_told_by_those_before(store, captures, found):
    earlier = two(captures, found)
    for number, capture in enumerate(earlier.captures):
        store.add("i1", Moment(5.0, "captured", "", f"s{number}", number + 1, capture=capture))
    done, asked = analysed(store, captures, [NAMED], replace(INCIDENT, id="i2"))
    assert (done.what, asked) == ("analysed", [2])


def test_without_any_capture_there_is_nothing_to_analyse(store, captures, found):
    assert analysed(store, captures, [])[0].what == "skipped"
