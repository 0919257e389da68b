"""V8 sampling heap profiles: of a real Node with its inspector, and made ones where a rule needs it."""

import json
import math
import random
import subprocess
from datetime import UTC, datetime

import pytest

from caulk.formats import v8_sampling
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure

PROGRAM = """
import { Session } from 'node:inspector';
import { writeFileSync } from 'node:fs';
const session = new Session();
session.connect();
const samplingInterval = 4096;
session.post('HeapProfiler.startSampling', { samplingInterval });
const kept = [];
function small(n) { for (let i = 0; i < n; i++) kept.push({ a: i, b: i, c: i, d: i }); }
function large(n) { for (let i = 0; i < n; i++) kept.push(new Array(20000).fill(i)); }
small(100000);
large(20);
session.post('HeapProfiler.getSamplingProfile', (error, { profile }) => {
  writeFileSync(process.argv[2], JSON.stringify({ ...profile, samplingInterval }));
});
"""


@pytest.fixture(scope="module")
def folder(node, tmp_path_factory):
    """A folder with `leak.mjs` and what it wrote, `out`."""
    folder = tmp_path_factory.mktemp("node caf\u00e9")
    (folder / "leak.mjs").write_text(PROGRAM, encoding="utf-8")
    assert " " in str(folder)
    assert not str(folder).isascii()
    subprocess.run([node, folder / "leak.mjs", folder / "out"], check=True)
    return folder


@pytest.fixture
def real(folder):
    return (folder / "out").read_bytes()


def own(profile):
    """Values of each stack, by its functions from the outermost caller."""
    tree, found = profile.tree, {}
    for node in range(1, len(tree)):
        stack = tuple(profile.frames.function_name(f) for f in tree.stack(node))
        assert stack not in found
        found[stack] = tuple(column[node] for column in tree.values)
    return found


def made(*children, **more):
    """A profile with these nodes below its root."""
    return json.dumps({"head": vertex("(root)", 0, *children, line=-1), **more}).encode()


def vertex(name, size, *children, line=0, url="", number=0):
    call = {"functionName": name, "scriptId": "1", "url": url, "lineNumber": line, "columnNumber": 7}
    return {"callFrame": call, "selfSize": size, "id": number, "children": list(children)}


def test_totals_of_a_real_profile_are_what_node_wrote(real):
    pending, expected = [json.loads(real)["head"]], 0
    while pending:
        at = pending.pop()
        expected += at["selfSize"]
        pending += at["children"]
    profile = v8_sampling.read(real)
    assert profile.tree.total(0) == expected > 0
    assert (profile.runtime, profile.kind, profile.period, profile.coverage) == ("node", "heap", 4096, 1.0)
    assert [measure.role for measure in profile.measures] == ["live", "live"]
    assert profile.comments == profile.warnings == ()


def test_a_real_leak_is_named_with_its_file_and_line(folder, real):
    profile = v8_sampling.read(real)
    frames = {profile.frames.function_name(f): f for f in range(len(profile.frames))}
    lines = PROGRAM.splitlines()
    for name in ("small", "large"):
        assert lines[profile.frames.line[frames[name]] - 1].startswith(f"function {name}(")
        # A module's address is a percent-encoded `file:` URL.
        assert profile.frames.file_name(frames[name]) == str(folder / "leak.mjs")


def test_the_number_of_objects_is_found_within_its_sampling_error(real):
    values = {stack[-1]: value for stack, value in own(v8_sampling.read(real)).items()}
    # 100,000 objects of 56 bytes at 4,096 bytes a sample are some 1,370 samples: five standard errors are 14 %.
    assert abs(values["small"][1] - 100_000) < 14_000
    # Objects larger than the interval are all seen; a sampled small one beside them stands for a few dozen.
    assert values["large"][1] >= 20
    assert abs(values["large"][0] - 20 * 20000 * 8) < 20 * 20000


@pytest.mark.parametrize("interval", [1024, 32768, 524288])
@pytest.mark.parametrize("size", [16, 56, 100, 4096, 100_000, 3_000_000])
def test_objects_of_one_size_are_counted_as_v8_scaled_them(interval, size):
    sampled = 300
    scale = 1 / (1 - math.exp(-size / interval))
    one, all_of_them = int(scale + 0.5), int(sampled * scale + 0.5)
    samples = [{"size": size * one, "nodeId": 5, "ordinal": i} for i in range(sampled)]
    data = made(vertex("f", size * all_of_them, number=5), samples=samples, samplingInterval=interval)
    assert own(v8_sampling.read(data)) == {("f",): (size * all_of_them, all_of_them)}


def test_sizes_that_no_interval_explains_leave_the_number_of_objects_unsaid():
    data = made(vertex("f", 10, number=5), samples=[{"size": 10, "nodeId": 5, "ordinal": 1}])
    profile = v8_sampling.read(data)
    assert profile.measures == (Measure("live", "bytes"),)
    assert "the number of objects cannot be told" in profile.comments[1]


def test_an_interval_that_is_not_in_the_file_is_told_by_the_samples(node, tmp_path):
    (tmp_path / "leak.js").write_text("kept = Array.from({length: 2e5}, (_, i) => ({i, more: [i, i, i, i]}))")
    for more, period in ((), 524288), (("--heap-prof-interval=32768",), 32768):
        out = tmp_path / f"{period}.heapprofile"
        subprocess.run(
            [node, "--heap-prof", f"--heap-prof-name={out.name}", *more, "leak.js"], cwd=tmp_path, check=True
        )
        assert v8_sampling.read(out.read_bytes()).period == period


def test_a_function_without_a_name_is_called_by_its_place():
    profile = v8_sampling.read(made(vertex("", 5, url="file:///app/leak.js", line=6), vertex("", 7)))
    assert own(profile) == {("leak.js:7",): (5,), ("(anonymous)",): (7,)}


def test_an_interval_that_is_not_in_the_file_is_v8s_own_and_said():
    profile = v8_sampling.read(made(vertex("f", 10)))
    assert profile.period == 32768
    assert "V8's 32,768 bytes is assumed" in profile.comments[0]


def test_the_root_is_no_frame_and_the_nameless_is_anonymous():
    nested = vertex("", 5, vertex("g", 7, line=9, url="file:///srv/a%20b/caf%C3%A9.js"), line=-1)
    profile = v8_sampling.read(made(nested))
    assert own(profile) == {("(anonymous)",): (5,), ("(anonymous)", "g"): (7,)}
    frames = profile.frames
    assert [(frames.file_name(f), frames.line[f]) for f in range(2)] == [("", 0), ("/srv/a b/caf\u00e9.js", 10)]


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("file:///C:/app/x.js", "C:/app/x.js"),
        ("node:internal/timers", "node:internal/timers"),
        ("https://shop.example/a%20b.js", "https://shop.example/a%20b.js"),
        ("/srv/100%25.js", "/srv/100%25.js"),
        ("file:///srv/%FF.js", "/srv/\ufffd.js"),
    ],
)
def test_only_file_urls_become_paths(url, file):
    assert v8_sampling.read(made(vertex("f", 1, url=url))).frames.file_name(0) == file


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb"a\ud83d\ude00b", "a\U0001f600b"),
        (rb"a\ud83db", "a\ufffdb"),
        (rb"tab\t\"q\"\\", 'tab\t"q"\\'),
        (b"a\xffb", "a\ufffdb"),
        (b"a\\n\xff", "a\n\ufffd"),
    ],
)
def test_names_with_escapes_and_broken_unicode_are_still_names(written, name):
    data = made(vertex("NAME", 1)).replace(b"NAME", written)
    assert v8_sampling.read(data).frames.function_name(0) == name


def test_siblings_of_one_function_are_one_stack():
    assert own(v8_sampling.read(made(vertex("f", 1, vertex("g", 2)), vertex("f", 4, vertex("g", 8))))) == {
        ("f",): (5,),
        ("f", "g"): (10,),
    }


def test_siblings_keep_their_order_and_their_parents():
    data = made(vertex("a", 1, vertex("b", 2), vertex("c", 3, vertex("d", 4))), vertex("e", 5))
    stacks = [("a",), ("a", "b"), ("a", "c"), ("a", "c", "d"), ("e",)]
    assert list(own(v8_sampling.read(data)).items()) == [(s, (i,)) for i, s in enumerate(stacks, 1)]


def test_a_tree_100_000_calls_deep_is_read():
    depth = 100_000
    opening = json.dumps(vertex("f", 1))[:-2].encode()
    profile = v8_sampling.read(b'{"head":' + opening * depth + b"]}" * depth + b"}")
    assert len(profile.tree) == depth + 1
    assert profile.tree.total(0) == depth


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (1_700_000_000_500, datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)),
        ("2023-11-14T22:13:20Z", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T23:13:20+01:00", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("yesterday", None),
        (1e300, None),
        ([], None),
    ],
)
def test_the_time_that_the_agent_wrote_is_read_as_utc(taken, expected):
    assert v8_sampling.read(made(takenAt=taken)).taken_at == expected


def test_the_memory_that_the_agent_wrote_stands_beside_the_stacks():
    said = {"rss": 5e7, "heapUsed": 4, "external": 3, "arrayBuffers": 2, "other": 1, "heapTotal": "9"}
    found = v8_sampling.read(made(memory=said)).memory
    assert found == {"rss": 50_000_000, "heapUsed": 4, "external": 3, "arrayBuffers": 2}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"head":7}', b'{"head":{"children":[{}]}}', b'{"head":{},}', b'{"nodes":[]}']
)
def test_what_is_no_profile_is_an_error_with_a_hint_or_says_where(data):
    with pytest.raises(MalformedDump, match=r"V8 heap profile( with|: .* at byte)"):
        v8_sampling.read(data)


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (made(vertex("f", 1)), True),
        (b'\xef\xbb\xbf\n { "memory": {},\n "head" : {"selfSize": 1, "callFrame": {', True),
        (b'{"snapshot":{"meta":{}}}', False),
        (b'{"nodes":[{"callFrame":{}}]}', False),
        (b'x "head": {"callFrame"', False),
        (b"", False),
    ],
)
def test_a_profile_is_told_by_its_content(head, claimed):
    assert v8_sampling.sniff(head) is claimed


def test_numbers_beyond_any_heap_neither_overflow_nor_turn_negative():
    for number in (b"1e400", b"-1e400", b"9" * 400, b"-5"):
        data = made(vertex("f", 123456789, vertex("g", 123456789))).replace(b"123456789", number)
        assert 0 <= v8_sampling.read(data).tree.total(0) < 1 << 63


def test_a_file_made_of_hard_sums_is_read_all_the_same():
    weights = [vertex("f", 10**9, number=n) for n in range(200)]
    samples = [{"size": w, "nodeId": n, "ordinal": 1} for n in range(200) for w in (32832, 32800, 33000, 40000)]
    assert v8_sampling.read(made(*weights, samples=samples)).tree.total(1) > 0


def test_a_profile_that_was_cut_gives_the_nodes_before_the_cut_and_says_so():
    data = made(vertex("a", 1, vertex("b", 2), vertex("c", 3, vertex("d", 4))), vertex("e", 5), samples=[])
    whole, totals = own(v8_sampling.read(data)), []
    for end in range(len(data)):
        try:
            profile = v8_sampling.read(data[:end])
        except MalformedDump:
            assert not totals
            continue
        assert 0 < profile.coverage < 1
        assert "was cut short at byte" in profile.warnings[0]
        for stack, (size,) in own(profile).items():
            assert size in (0, whole[stack][0])
        totals.append(profile.tree.total(0))
    assert totals == sorted(totals)
    assert set(totals) == {0, 1, 3, 6, 10, 15}


def test_damage_is_an_error_or_an_answer_and_never_anything_else():
    data = made(
        vertex("a", 65632, vertex("b", 2, number=8), number=7, url="file:///x.js"),
        samples=[{"size": 32816, "nodeId": 7, "ordinal": i} for i in range(2)],
        takenAt="2023-11-14T22:13:20Z",
        samplingInterval=32768,
    )
    pick = random.Random(4)
    answers = 0
    for _ in range(500):
        mutant = bytearray(data)
        for _ in range(pick.randint(1, 3)):
            at = pick.randrange(len(mutant))
            mutant[at : at + pick.randint(0, 3)] = pick.choice((b"", b'"', b"9", b"-", b"[", b"}", b",", b"\\", b"e9"))
        try:
            profile = v8_sampling.read(bytes(mutant))
        except MalformedDump:
            continue
        answers += 1
        assert profile.tree.total(0) >= 0
    assert 20 < answers < 500
