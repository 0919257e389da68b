"""A target that is only an address can be connected to there, and nothing else."""

import socket

import pytest

from caulk.model.errors import Lacks, Unreachable, UsageError
from caulk.model.target import Access, Target
from caulk.places import endpoint

ANY = Access()


def found(address: str) -> Target:
    [target] = endpoint.targets(address, ANY)
    return target


@pytest.mark.parametrize(
    ("address", "reference"),
    [
        ("http://shop:6060", "http://shop:6060"),
        ("HTTP://Shop/", "http://shop:80"),
        ("https://shop/internal/debug/pprof/heap?gc=1", "https://shop:443/internal"),
        ("http://[::1]:9901/heap_dump", "http://[::1]:9901"),
    ],
)
def test_an_address_is_one_target_with_what_stands_before_its_profiles(address, reference):
    target = found(address)
    assert target.reference == reference
    assert endpoint.targets(target.reference, ANY) == [target]


@pytest.mark.parametrize(
    "address", ["http:", "http://", "https:///debug", "http://shop:port", "http://shop:99999", "ftp://a"]
)
def test_what_is_no_address_is_no_target(address):
    with pytest.raises(UsageError):
        endpoint.targets(address, ANY)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as refused:
        endpoint.targets("https://me:s3cret@shop/", ANY)
    assert "s3cret" not in str(refused.value) + refused.value.hint


def test_it_is_connected_to_there_and_nowhere_else():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = endpoint.reach(found(f"http://127.0.0.1:{port}"), ANY)
        with reach.connect(("127.0.0.1", port)) as ours:
            theirs, _ = server.accept()
            with theirs:
                theirs.sendall(b"x")
            assert ours.recv(9) == b"x"
        for other in (("127.0.0.1", port - 1), "/run/admin.sock"):
            with pytest.raises(Lacks):
                reach.connect(other)
    with pytest.raises(Unreachable, match=str(port)):
        reach.connect(("127.0.0.1", port))


@pytest.mark.parametrize(
    "verb",
    [
        lambda reach: reach.process(),
        lambda reach: reach.reading(),
        lambda reach: reach.run(["true"]),
        lambda reach: reach.stat("/a"),
        lambda reach: reach.listing("/"),
        lambda reach: reach.volume("/"),
        lambda reach: reach.fetch("/a"),
        lambda reach: reach.digest("/a", 1),
        lambda reach: reach.put("/a", b""),
        lambda reach: reach.remove("/a"),
        lambda reach: reach.move("/a", "/b"),
        lambda reach: reach.signal(10),
        lambda reach: reach.lend(1),
    ],
)
def test_every_other_verb_says_that_an_address_is_not_enough(verb):
    with pytest.raises(Lacks, match="only an address") as lacks:
        verb(endpoint.reach(found("http://shop:6060"), ANY))
    assert "pid:" in lacks.value.hint


def test_no_limit_is_known_to_be_in_the_way_of_an_address():
    reach = endpoint.reach(found("http://shop:6060"), ANY)
    assert (reach.room().free, reach.patience()) == (None, None)
