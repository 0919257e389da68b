"""Every profile of a Go program is taken from its own endpoint, wherever that is and whoever may ask."""

import base64
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from endpoints import GO, Kept, in_background, running

from caulk.capture.verify import fault
from caulk.formats import read
from caulk.model.capture import Taken
from caulk.model.errors import CaptureFailed, CaulkError, Unreachable, UsageError
from caulk.model.target import Access, Process, Target
from caulk.places import endpoint
from caulk.places.local import LocalReach
from caulk.ports import Reach, Way
from caulk.runtimes import go as runtime
from caulk.runtimes.endpoint.http import Site, ask

GOROUTINES = 1000
#: Taken over a second each; the others at once.
RECORDED = ("cpu", "heap-delta", "goroutine-delta")
AT_ONCE = ("heap", "allocs", "goroutine", "goroutine-counts", "goroutine-profile", "block", "mutex", "threadcreate")


@pytest.fixture(scope="module")
def server(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    (folder / "main.go").write_text(GO)
    subprocess.run([go, "build", "-o", "shop", "main.go"], cwd=folder, check=True)
    return folder / "shop"


@pytest.fixture(scope="module")
def shop(server: Path) -> Iterator[LocalReach]:
    with running(server, "all", GOROUTINES) as [reach, _]:
        yield reach


@pytest.fixture
def certificate(require, tmp_path: Path) -> Path:
    key, public, both = (tmp_path / f"{name}.pem" for name in ("key", "public", "shop"))
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=shop"]
    command = [require("openssl"), "req", "-x509", *kind, "-keyout", key, "-out", public]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    both.write_bytes(key.read_bytes() + public.read_bytes())
    return both


def ways(reach: Reach, **access: object) -> dict[str, Way]:
    return {way.alias: way for way in runtime.ways(reach, Access(**access))}


def taken(way: Way) -> tuple[Taken, Kept]:
    sink = Kept()
    return way.take(sink), sink


@pytest.mark.parametrize("alias", AT_ONCE + RECORDED)
def test_every_profile_is_taken_whole_and_read_as_what_it_is(shop, tmp_path, alias):
    way = ways(shop, seconds=1)[alias]
    assert way.check().standing == "ready"
    cost = way.cost()
    result, sink = taken(way)
    assert not result.remote
    path = Path(sink.file(tmp_path))
    assert not fault(path, way.format)
    assert len(sink.written) <= cost.size_bytes
    profile = read(str(path))
    assert profile.format == way.format
    if alias == "heap":
        names = {profile.tree.frames.function_name(frame) for frame in profile.tree.frame}
        assert "main.openSession" in names
        assert result.facts["go"].startswith("go1.")
        assert len(result.facts["build_id"]) >= 16


def test_stacks_of_goroutines_are_told_in_size_within_a_factor_of_two(shop):
    way = ways(shop)["goroutine"]
    cost = way.cost()
    _, sink = taken(way)
    assert len(sink.written) <= cost.size_bytes <= 2 * len(sink.written)
    # Every buffer that the text did not fit into lies in the program for a while.
    assert cost.extra_bytes >= cost.size_bytes


def test_where_only_the_index_is_mounted_all_but_the_cpu_profile_is_taken(server):
    with running(server, "index", 3) as [reach, _]:
        found = ways(reach)
        check = found["cpu"].check()
        assert check.standing == "needs"
        assert "pprof.Profile" in check.fix
        assert taken(found["heap"])[1].written[:2] == b"\x1f\x8b"
        with pytest.raises(CaptureFailed, match="Unknown profile") as failed:
            found["cpu"].take(Kept())
        assert "pprof.Profile" in failed.value.hint


def test_a_prefix_leads_to_the_profiles(server):
    with running(server, "prefix", 3) as [reach, port]:
        check = ways(reach)["heap"].check()
        assert (check.standing, f"127.0.0.1:{port}/debug/pprof/ answered 404" in check.why) == ("needs", True)
        assert taken(ways(reach, prefix="/internal/")["heap"])[1].written


def test_handlers_of_single_profiles_are_found_below_the_prefix_itself(server):
    with running(server, "heap", 3) as [reach, _]:
        found = ways(reach, prefix="pprof")
        assert found["heap"].check().standing == "ready"
        assert found["allocs"].check().standing == "needs"
        assert taken(found["heap"])[1].written


def test_a_program_without_profiles_is_told_how_to_serve_them(server):
    with running(server, "none", 3) as [reach, _]:
        check = ways(reach)["heap"].check()
        assert (check.standing, "net/http/pprof" in check.fix) == ("needs", True)


def test_a_certificate_has_to_be_trusted(server, certificate):
    with running(server, "tls", 3, certificate) as [reach, _]:
        check = ways(reach)["heap"].check()
        assert (check.standing, "--cacert" in check.fix) == ("needs", True)
        assert taken(ways(reach, scheme="https", is_insecure=True)["heap"])[1].written
        # The scheme is found out, and the certificate need not be for the loopback that it is reached by.
        assert taken(ways(reach, cacert=str(certificate))["heap"])[1].written


def test_an_address_has_to_have_the_name_that_its_certificate_is_for(server, certificate):
    with running(server, "tls", 3, certificate) as [_, port]:
        access = Access(cacert=str(certificate))
        [target] = endpoint.targets(f"https://127.0.0.1:{port}", access)
        with pytest.raises(Unreachable, match=r"not valid for '127\.0\.0\.1'"):
            ways(endpoint.reach(target, access), cacert=str(certificate))


@pytest.mark.parametrize("said", ["Bearer s3cret", "Basic " + base64.b64encode(b"me:s3cret").decode()])
def test_who_may_ask_is_answered_and_the_secret_is_never_shown(server, said):
    with running(server, "guarded", 3, said) as [reach, _]:
        check = ways(reach)["heap"].check()
        assert (check.standing, "answered 401" in check.why, "--header" in check.fix) == ("needs", True, True)
        assert taken(ways(reach, headers={"Authorization": said})["heap"])[1].written
        for wrong in (f"{said}x", f"{said}\nX: y", f"{said}\u2603"):
            way = ways(reach, headers={"Authorization": wrong})["heap"]
            shown = repr(way.check())
            with pytest.raises(CaulkError) as failed:
                way.take(Kept())
            shown += repr(failed.value) + failed.value.hint + repr(failed.value.__cause__)
            assert said.split()[1] not in shown


class Beside(LocalReach):
    """The way to a process whose sockets cannot be seen, among two that listen."""

    def process(self) -> Process:
        return replace(super().process(), sockets=frozenset())

    def fetch(self, path, offset=0, length=None):
        if not path.endswith("/net/tcp"):
            return iter([b""])
        rows = [f"0: 0100007F:{port:04X} 00000000:0000 0A 0 0 0 {self.process().uid} 0 7" for port in self.ports]
        return iter(["\n".join(["head", *rows]).encode()])


def test_what_authorizes_is_not_sent_to_a_port_that_may_be_anothers(shop):
    heard = []

    def answer(listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                heard.append(link.recv(65536))
                link.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        in_background(lambda: answer(one))
        in_background(lambda: answer(other))
        reach = Beside(shop.target, shop.hand.pid)
        reach.ports = [one.getsockname()[1], other.getsockname()[1]]
        secret = {"Authorization": "Bearer s3cret"}
        assert ways(reach, headers=secret)["heap"].check().standing == "needs"
        assert len(heard) == 4
        assert not any(b"s3cret" in request for request in heard)
        # Who names the port has said whose it is.
        assert ways(reach, headers=secret, port=reach.ports[0])["heap"].check().standing == "needs"
        assert b"s3cret" in heard[-1]
        for listener in (one, other):
            # Closed alone, it would keep its thread waiting at a descriptor that is another's by then.
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(what: bytes, *, is_cut: bool) -> Iterator[Site]:
    """A server that says this to whatever it is asked, and then ends the connection, or never does."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(what)
        if is_cut:
            theirs.shutdown(socket.SHUT_WR)
        yield Site(lambda: ours, "127.0.0.1", 6060)


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("said", "is_cut"),
    [
        (b"", True),
        (b"", False),
        (HEAD, False),
        (HEAD + b"Content-Length: 9\r\n\r\nabc", True),
        (HEAD + b"Content-Length: 9\r\n\r\nabc", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", False),
        (HEAD + b"\r\nabc", False),
        (b"220 mail.example.org ESMTP\r\n", True),
    ],
)
def test_an_answer_that_is_cut_or_never_ends_is_no_answer(said, is_cut):
    with answering(said, is_cut=is_cut) as site, pytest.raises(Unreachable):
        ask(site, "/", timeout_s=0.1, most_bytes=1000)


def test_an_answer_is_read_no_further_than_it_may_be():
    with answering(HEAD + b"\r\n" + b"x" * 2000, is_cut=True) as site, pytest.raises(CaptureFailed, match="more than"):
        ask(site, "/", timeout_s=9, most_bytes=1000)


def test_an_address_alone_is_enough(shop, tmp_path):
    access = Access()
    port = ways(shop)["heap"].check().why.split(":")[2].partition("/")[0]
    [target] = endpoint.targets(f"http://localhost:{port}/debug/pprof/heap", access)
    reach = endpoint.reach(target, access)
    result, sink = taken(ways(reach)["heap"])
    assert result.facts["endpoint"] == f"http://localhost:{port}/debug/pprof"
    assert read(sink.file(tmp_path)).format == "pprof"


def test_an_address_where_nobody_answers_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(Unreachable, match="Connection refused"):
        ways(endpoint.reach(endpoint.targets(address, Access())[0], Access()))


def test_an_address_of_something_else_has_one_way_that_says_so(server):
    with running(server, "none", 3) as [_, port]:
        [way] = ways(endpoint.reach(endpoint.targets(f"http://127.0.0.1:{port}", Access())[0], Access())).values()
        assert (way.alias, way.check().standing) == ("heap", "needs")


def test_only_the_program_that_go_built_is_served(shop):
    assert runtime.serves(shop.process())
    assert not runtime.serves(LocalReach(Target("local", "pid:1", "this"), 1).process())


def test_a_program_of_go_cannot_be_armed(shop):
    with pytest.raises(CaptureFailed, match="kernel kills"):
        runtime.arm(shop, "/tmp")


def test_a_name_and_a_password_do_not_stand_in_an_address():
    with pytest.raises(UsageError) as failed:
        endpoint.targets("http://me:s3cret@shop:6060", Access())
    assert "s3cret" not in str(failed.value)
