"""What leaves and what enters by the page: values only after they are asked for, files by drop and by button."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dump_page import CULPRIT, DUMPS, dumps, pane, rows, tab
from page_server import begun, shown
from playwright.sync_api import Page, expect

from caulk.web.site import Site

SECRET = "hunter2 is the password"
_NODE = """
const kept = globalThis.kept = [];
for (let n = 0; n < 50; n++) kept.push({ owner: ('SECRET ' + (n % 3)).split('').join('') });
require('node:v8').writeHeapSnapshot(process.argv[2]);
process.exit(0);
"""


@dataclass
class Here:
    """A site of one's own, and its address."""

    site: Site
    base: str

    def log(self) -> list[dict[str, object]]:
        """What was written down of what people did."""
        path = self.site.home / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def here(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    one = shown(tmp_path_factory.mktemp("home"), page=built)
    end, base = begun(one)
    yield Here(one, base)
    end()


@pytest.fixture(scope="session")
def secretive(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heap snapshot of a Node.js program that holds the secret."""
    folder = tmp_path_factory.mktemp("secret")
    (folder / "hold.cjs").write_text(_NODE.replace("SECRET", SECRET))
    out = folder / "secret.heapsnapshot"
    subprocess.run([node, folder / "hold.cjs", out], check=True, capture_output=True, timeout=300)
    assert SECRET.encode() in out.read_bytes()
    return out


def test_a_value_is_in_no_page_until_it_is_revealed_and_that_is_logged(page: Page, here: Here, secretive: Path):
    bodies: list[str] = []
    page.on("response", lambda answer: bodies.append(answer.url))
    page.goto(f"{here.base}/d/{here.site.dumps.add(secretive)}")
    expect(pane(page).get_by_role("article").first).to_be_visible()
    for name in page.get_by_role("tab", disabled=False).all_inner_texts():
        tab(page, name).click()
        expect(pane(page).locator(".answered").first).to_be_visible()
        assert SECRET not in page.content(), name
    tab(page, "Strings").click()
    page.get_by_role("button", name=re.compile("Reveal the texts")).click()
    dialog = page.get_by_role("dialog", name="Reveal texts")
    expect(dialog).to_contain_text("written into the log")
    dialog.get_by_role("button", name="Cancel").click()
    assert SECRET not in page.content()
    assert here.log() == []
    page.get_by_role("button", name=re.compile("Reveal the texts")).click()
    dialog.get_by_role("button", name="Reveal", exact=True).click()
    expect(rows(page, SECRET).first).to_be_visible()
    (line,) = here.log()
    assert (line["action"], line["of"]) == ("reveal", page.url.split("/d/")[1].split("/")[0])
    page.get_by_role("button", name="Hide the texts").click()
    expect(rows(page, SECRET)).to_have_count(0)
    assert SECRET not in page.content()
    page.reload()
    expect(rows(page).nth(1)).to_be_visible()
    assert SECRET not in page.content()


def test_a_file_chosen_by_button_is_uploaded_and_opened(page: Page, here: Here):
    page.goto(f"{here.base}/captures")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name=re.compile("Open a file")).click()
    chosen.value.set_files(dumps("go")[0])
    expect(page).to_have_url(re.compile(r"/d/\w+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("go.1.pb.gz")
    expect(pane(page).get_by_role("article").first).to_contain_text(CULPRIT["go"])


def test_two_files_dropped_anywhere_show_what_grew_between_them(page: Page, here: Here):
    page.goto(f"{here.base}/jobs")
    drop(page, *dumps("python")[:2])
    expect(page).to_have_url(re.compile(r"/d/\w+\.\.\w+$"))
    expect(pane(page).get_by_role("article").first).to_contain_text(CULPRIT["python"])


def test_an_upload_says_how_far_it_is(page: Page, here: Here):
    page.goto(f"{here.base}/captures")
    page.route("**/api/uploads*", lambda route: None)
    drop(page, DUMPS / "jvm.2.hprof.zst")
    bar = page.get_by_role("progressbar", name="Upload jvm.2.hprof.zst")
    expect(bar).to_be_visible()
    expect(page.locator(".drop, .choose-files").get_by_text(re.compile(r"\d+ kB"))).to_be_visible()


_DAMAGED = {
    "notes.txt": (b"milk, eggs", r"\w+ \w+ \w+"),
    "cut.hprof": (b"JAVA PROFILE 1.0.2\0\0\0\0\x08", "the file ends within its header.*The dump was cut short"),
}


@pytest.mark.parametrize("name", _DAMAGED)
def test_a_file_that_is_no_dump_gets_a_sentence(
    page: Page, here: Here, tmp_path: Path, refused: Callable[[int], None], name: str
):
    data, words = _DAMAGED[name]
    (tmp_path / name).write_bytes(data)
    page.goto(f"{here.base}/captures")
    drop(page, tmp_path / name)
    said = page.get_by_role("alert").first
    expect(said).to_contain_text(name)
    expect(said).to_contain_text(re.compile(words))
    assert "Traceback" not in page.content()
    refused(400)


def test_an_analysis_is_cancelled_and_begun_again(page: Page, here: Here, monkeypatch: pytest.MonkeyPatch):
    is_slow = [True]
    real = here.site.jobs.begin

    def slow(kind, title, task, **more):
        def waits(talk, job):
            while is_slow[0]:
                talk.progress(1, 4, "reading")
                if job.ended.wait(0.05):
                    break
            return task(talk, job)

        return real(kind, title, waits, **more)

    monkeypatch.setattr(
        type(here.site.jobs), "begin", lambda _, kind, title, task, **more: slow(kind, title, task, **more)
    )
    number = here.site.dumps.add(DUMPS / "jvm.1.hprof.zst")
    page.goto(f"{here.base}/d/{number}")
    bar = page.get_by_role("progressbar", name=re.compile("Analyse jvm.1"))
    expect(bar).to_have_attribute("aria-valuenow", "25")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("cancelled", re.I)).first).to_be_visible()
    is_slow[0] = False
    page.get_by_role("button", name=re.compile("again", re.I)).first.click()
    expect(pane(page).get_by_role("article").first).to_contain_text(CULPRIT["jvm"])


def drop(page: Page, *files: Path) -> None:
    """Drops files on the page, as from a file manager."""
    told = [[file.name, list(file.read_bytes())] for file in files]
    page.get_by_role("main").wait_for()
    page.evaluate(
        """(files) => {
          const carried = new DataTransfer()
          for (const [name, bytes] of files) carried.items.add(new File([new Uint8Array(bytes)], name))
          for (const kind of ['dragenter', 'dragover', 'drop'])
            document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }))
        }""",
        told,
    )
