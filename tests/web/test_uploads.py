"""Dumps that a browser sends: private, bounded, known when all of it is there, and gone when they are deleted."""

import asyncio
import os
import stat

import pytest
from page_asking import client, own
from starlette.requests import ClientDisconnect

from caulk.config.schema import Config, Serve
from caulk.config.values import Size
from caulk.web.server import application
from caulk.web.site import site
from caulk.web.uploads import Uploads


@pytest.fixture
def profile(go_heaps):
    return go_heaps[0].read_bytes()


def files(home):
    """What uploads have left on disk."""
    return sorted(path for path in (home / "uploads").rglob("*") if path.is_file())


def test_an_upload_is_a_dump_like_any_other(served, profile):
    answer = served.send("PUT", "/api/uploads?name=heap.pb.gz", content=profile)
    assert answer.status_code == 201
    number = answer.json()["id"]
    assert served.get(f"/api/d/{number}").json()["dumps"][0]["name"] == "heap.pb.gz"
    assert served.get(f"/api/d/{number}/suspects").status_code == 200
    assert [(dump["id"], dump["origin"]) for dump in served.get("/api/d").json()["dumps"]] == [(number, "upload")]


def test_an_upload_is_its_owners_alone(served, profile, home):
    served.send("PUT", "/api/uploads?name=heap.pb.gz", content=profile)
    for path in [home / "uploads", *(home / "uploads").rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


@pytest.mark.parametrize("name", ["../../../tmp/owned", "/etc/passwd", "a\0b", "<script>", "x" * 900, "", "\u202e"])
def test_the_name_of_an_upload_is_a_label_and_no_path(served, profile, home, tmp_path, name):
    answer = served.browser.put("/api/uploads", params={"name": name}, headers=own(), content=profile)
    assert answer.status_code == 201
    assert {path.name for path in files(home)} == {"dump", "name.json"}
    shown = served.get(f"/api/d/{answer.json()['id']}").json()["dumps"][0]["name"]
    assert shown.isprintable()
    assert 0 < len(shown) <= 200


def test_what_is_too_large_is_refused_and_leaves_nothing(home, profile):
    one = site(home, config=Config(serve=Serve(upload=Size(1000))))
    browser = client(application(one))
    whole = browser.put("/api/uploads", headers=own(), content=b"x" * 1001)
    piecewise = browser.put("/api/uploads", headers=own(), content=iter([b"x" * 600] * 2))
    assert (whole.status_code, piecewise.status_code) == (413, 413)
    assert files(home) == []
    assert browser.put("/api/uploads", headers=own(), content=b"x" * 1000).status_code == 201


def test_an_upload_that_is_cut_off_leaves_nothing(home):
    async def body():
        yield b"x" * 2_000_000
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        asyncio.run(Uploads(home / "uploads").take(body(), "heap"))
    assert list((home / "uploads").iterdir()) == []


def test_an_empty_upload_is_no_dump(served, home):
    assert served.send("PUT", "/api/uploads?name=empty").status_code == 400
    assert files(home) == []


def test_a_disk_that_is_nearly_full_takes_nothing(served, home, profile, monkeypatch):
    monkeypatch.setattr("caulk.web.uploads._SPARED", 1 << 62)
    answer = served.send("PUT", "/api/uploads", content=profile)
    assert answer.status_code == 507
    assert "full" in answer.json()["what"]
    assert files(home) == []


def test_uploads_are_there_after_a_restart_and_what_was_never_whole_is_not(served, home, profile):
    number = served.send("PUT", "/api/uploads?name=heap.pb.gz", content=profile).json()["id"]
    old, young = (home / "uploads" / f"{digit * 16}" for digit in "ab")
    for directory in (old, young):
        directory.mkdir()
        (directory / "dump.part").write_bytes(b"half")
    os.utime(old / "dump.part", (0, 0))
    again = site(home)
    assert [(known.id, known.name) for known in again.dumps.all()] == [(number, "heap.pb.gz")]
    # Another caulk may still be taking the young one.
    assert (old.exists(), young.exists()) == (False, True)
    again.close()


def test_a_deleted_upload_is_gone(served, home, profile):
    number = served.send("PUT", "/api/uploads?name=heap.pb.gz", content=profile).json()["id"]
    served.get(f"/api/d/{number}/flame")
    assert served.send("DELETE", f"/api/uploads/{number}").status_code == 200
    assert files(home) == []
    assert served.get(f"/api/d/{number}").status_code == 404
    assert served.get(f"/api/d/{number}/flame").status_code == 404
    assert served.send("DELETE", f"/api/uploads/{number}").status_code == 404


def test_nobody_can_delete_a_file_that_was_not_uploaded(served, go_heaps):
    number = served.show(go_heaps[0])
    assert served.send("DELETE", f"/api/uploads/{number}").status_code == 404
    assert go_heaps[0].exists()
