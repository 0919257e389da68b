"""Incidents, dumps, rules and jobs in a browser: what happened, what is kept, what goes on by itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dump_page import DUMPS
from page_fleet import LEDGER, Watched
from page_server import serving
from playwright.sync_api import Locator, Page, expect


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


@pytest.fixture
def incident(page: Page, fleet) -> Page:
    page.goto(f"{fleet.base}/i/{fleet.incident}")
    expect(part(page, "What happened")).to_be_visible()
    return page


@pytest.fixture(scope="module")
def own(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, str]]:
    """A fleet of which a test may change what it has, and its address."""
    watched = Watched(tmp_path_factory.mktemp("own"), page=built)
    watched.fill(hours=3)
    watched.capture(DUMPS / "go.1.pb.gz", 900)
    watched.incident("ledger", key=LEDGER)
    with serving(watched.site) as base:
        yield watched, base
    watched.close()


def test_an_incident_tells_what_happened_what_was_found_and_how_it_is_now(incident: Page, fleet):
    expect(incident.get_by_role("heading", level=1)).to_contain_text("main.sessions")
    happened = part(incident, "What happened")
    for what in ("opened", "captured", "analysed"):
        expect(happened.get_by_text(what, exact=True).first).to_be_visible()
    finding = part(incident, "Findings").get_by_role("article").first
    expect(finding).to_contain_text("main.sessions")
    expect(finding).to_contain_text("cart.go:22")
    expect(finding).to_contain_text("none is ever deleted")
    expect(part(incident, "Then and now").get_by_role("row").filter(has_text="State")).to_contain_text(
        re.compile("leaking.*leaking", re.S)
    )
    part(incident, "Dumps").get_by_role("link", name="Growth over the last three").click()
    expect(incident).to_have_url(f"{fleet.base}/d/{'..'.join(fleet.dumps)}")
    expect(incident.get_by_role("tabpanel")).to_contain_text("main.putSession")


def test_an_incident_is_exported_as_markdown_and_as_one_file(incident: Page, tmp_path: Path, fleet):
    for name, words in (
        ("For a ticket", "main.sessions"),
        ("For a program", '"schema"'),
        ("One file", "main.sessions"),
    ):
        incident.get_by_role("button", name="Export").click()
        with incident.expect_download() as kept:
            incident.get_by_role("menuitem", name=re.compile(name)).click()
        assert words in Path(kept.value.path()).read_text()
        kept.value.save_as(tmp_path / kept.value.suggested_filename)
    asked: list[str] = []
    incident.on("request", lambda request: asked.append(request.url))
    incident.goto((tmp_path / f"{fleet.incident}.html").as_uri())
    expect(incident.locator("body")).to_contain_text("none is ever deleted")
    assert len(asked) == 1


def test_incidents_are_listed_and_lead_to_theirs(page: Page, fleet):
    page.goto(f"{fleet.base}/incidents")
    page.get_by_role("button", name="Closed").click()
    expect(page.get_by_text("No incident is closed.")).to_be_visible()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page).to_have_url(f"{fleet.base}/incidents?state=open")
    table = page.get_by_role("grid", name="Incidents")
    expect(table.get_by_role("code").first).to_have_text("main.sessions")
    table.get_by_role("link").first.click()
    expect(page).to_have_url(f"{fleet.base}/i/{fleet.incident}")


def test_a_note_is_added_and_an_incident_is_closed_with_its_reason(page: Page, own):
    _, base = own
    page.goto(f"{base}/incidents")
    page.get_by_role("grid", name="Incidents").get_by_role("link").first.click()
    happened = part(page, "What happened")
    note = page.get_by_role("textbox", name="A note")
    note.fill("rolled back <b>2.3.0</b>")
    note.press("Control+Enter")
    expect(happened.get_by_text("rolled back <b>2.3.0</b>")).to_be_visible()
    page.get_by_role("button", name="Close…").click()
    dialog = page.get_by_role("dialog", name="Close the incident")
    dialog.get_by_role("textbox").fill("fixed in 2.3.1")
    dialog.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("○ closed").first).to_be_visible()
    expect(happened).to_contain_text("fixed in 2.3.1")
    expect(page.get_by_role("button", name="Close…")).to_have_count(0)


def test_what_a_rule_opens_shows_without_being_asked_for(page: Page, own):
    watched, base = own
    page.goto(base)
    rail = page.get_by_role("complementary", name="What goes on")
    expect(rail).to_be_visible()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    watched.incident("web", ago=10)
    expect(rail.get_by_role("link", name="web")).to_be_visible()


def test_two_dumps_are_chosen_to_be_compared_and_all_may_be_had(page: Page, fleet):
    page.goto(f"{fleet.base}/captures")
    table = page.get_by_role("region", name="Dumps")
    boxes = table.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    boxes.nth(0).check()
    boxes.nth(2).check()
    expect(page).to_have_url(re.compile("chosen="))
    page.reload()
    expect(boxes.nth(2)).to_be_checked()
    page.get_by_role("link", name="Compare the two").click()
    expect(page).to_have_url(f"{fleet.base}/d/{fleet.dumps[0]}..{fleet.dumps[2]}")
    page.goto(f"{fleet.base}/captures")
    with page.expect_download() as kept:
        table.get_by_role("link", name=re.compile("^Download")).first.click()
    assert Path(kept.value.path()).read_bytes().startswith(b"\x1f\x8b")


def test_dumps_and_jobs_are_called_by_program_and_time_and_ids_stay_at_hand(page: Page, fleet):
    page.goto(f"{fleet.base}/captures")
    newest = page.get_by_role("region", name="Dumps").get_by_role("row").nth(1)
    expect(newest.get_by_role("link").first).to_have_text(re.compile(r"^api \d{4}-\d\d-\d\d \d\d:\d\d$"))
    expect(newest.get_by_text(fleet.dumps[-1], exact=True)).to_be_visible()
    name = newest.get_by_role("link").first.inner_text()
    newest.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("tabpanel")).to_contain_text("main.putSession")
    page.goto(f"{fleet.base}/i/{fleet.incident}")
    dump = part(page, "Dumps").get_by_role("link", name=name, exact=True)
    expect(dump).to_have_attribute("title", fleet.dumps[-1])
    page.goto(f"{fleet.base}/jobs")
    job = page.get_by_role("link", name=re.compile(f"^Analyse .*{name}$")).first
    ids = job.get_attribute("title") or ""
    assert ids.endswith(fleet.dumps[-1])
    job.click()
    expect(page).to_have_url(f"{fleet.base}/d/{ids}")


def test_a_dump_is_deleted_only_when_that_is_said_twice(page: Page, own):
    watched, base = own
    page.goto(f"{base}/captures")
    delete = page.get_by_role("button", name=re.compile("^Delete"))
    delete.click()
    dialog = page.get_by_role("dialog", name="Delete a dump")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    assert len(watched.site.captures.all()) == 1
    delete.click()
    dialog.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No dump yet")).to_be_visible()
    assert watched.site.captures.all() == []


def test_a_rule_says_when_it_fires_and_is_tried_on_the_last_days(page: Page, fleet):
    page.goto(f"{fleet.base}/rules")
    rule = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="leak", exact=True))
    for word in ("When", "Whom", "Does", "At most"):
        expect(rule.get_by_text(word, exact=True)).to_be_visible()
    rule.get_by_role("button", name="Test on the last 7 days").click()
    tested = rule.get_by_role("status").last
    expect(tested).to_contain_text("It would have fired")
    expect(tested.get_by_role("row").filter(has_text="api")).not_to_have_count(0)


def test_a_job_is_listed_while_it_runs_is_cancelled_and_is_listed_when_it_is_over(page: Page, fleet):
    def task(talk, job) -> None:
        talk.progress(1, 4, "reading")
        while not job.is_cancelled:
            talk.progress(1, 4, "reading")
            job.ended.wait(0.02)
        talk.progress(1, 4, "reading")

    page.goto(f"{fleet.base}/jobs")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    fleet.watched.site.jobs.begin("analysis", "Analyse <i>something</i>", task)
    bar = page.get_by_role("progressbar", name="Analyse <i>something</i>")
    expect(bar).to_have_attribute("aria-valuenow", "25")
    expect(page.get_by_role("link", name="Analyse <i>something</i>")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    over = page.get_by_role("listitem").filter(has_text="Analyse <i>something</i>")
    expect(over).to_contain_text("cancelled")
    expect(bar).to_have_count(0)
