"""Node.js over its inspector: what is planted is found in what comes, and the inspector is as it was before."""

import base64
import json
import sys
from pathlib import Path

import pytest
from nodes import LEAK, Kept, Living, analysis, awaited, living, needs_node

from caulk.capture.verify import fault
from caulk.formats.heap_snapshot import read as read_snapshot
from caulk.model.capture import EVIDENCE
from caulk.model.errors import CaptureFailed
from caulk.model.target import Access, Process
from caulk.runtimes import node
from caulk.runtimes.node import inspector

sys.path.append(str(Path(__file__).parents[1] / "symbols"))
import bundles

pytestmark = needs_node

#: A bundle whose functions live on whatever other bundles do.
BUNDLE = bundles.PROGRAM.replace("globalThis.keep=«u fill 19»", "(globalThis.kept??=[]).push(«u fill 19»)")

WORKERS = """
const { Worker, isMainThread, workerData } = require('node:worker_threads');
if (isMainThread) {
  let online = 0;
  for (const [name, count] of [['small', 10], ['quotes', 60000]]) {
    const worker = new Worker(__filename, { name, workerData: count });
    worker.on('message', () => { if (++online === 2) console.log('ready'); });
  }
  process.stdin.on('data', () => console.log('still here'));
} else {
  class Quote { constructor(n) { this.bid = { n }; } }
  const quotesOfWorker = [];
  for (let n = 0; n < workerData; n++) quotesOfWorker.push(new Quote(n));
  globalThis.quotesOfWorker = quotesOfWorker;
  require('node:worker_threads').parentPort.postMessage('');
  setInterval(() => {}, 1000);
}
"""
BUSY = "let kept = []; console.log('ready'); for (;;) { kept.push({}); if (kept.length > 1e5) kept = []; }"
BLOCKED = """
process.stdin.on('data', () => console.log('still here'));
console.log('ready');
setTimeout(() => require('node:child_process').execFileSync('sleep', ['2.5']), 0);
"""


@pytest.fixture
def leak(tmp_path):
    with living(tmp_path, LEAK) as program:
        yield program


def is_whole(tmp_path: Path, data: bytes) -> bool:
    file = tmp_path / "checked"
    file.write_bytes(data)
    return not fault(file, "heapsnapshot")


def opened(program: Living) -> int:
    """How often its inspector was opened."""
    return program.said.count("Debugger listening")


def test_the_ways_come_richest_first_and_have_names_of_their_own(leak):
    ways = node.ways(leak.reach, Access())
    assert [way.evidence for way in ways] == sorted((way.evidence for way in ways), key=EVIDENCE.index)
    assert len({way.alias for way in ways}) == len({way.name for way in ways}) == len(ways)


def test_looking_whether_it_would_work_opens_nothing(leak):
    checks = {alias: way.check() for alias, way in leak.ways().items()}
    assert {alias for alias, check in checks.items() if check.standing == "ready"} == {
        "heap", "heap-workers", "profile", "figures"
    }  # fmt: skip
    assert all(check.fix for check in checks.values() if check.standing == "needs")
    leak.ways()["heap"].cost()
    assert opened(leak) == 0


def test_a_snapshot_names_the_leak_and_the_inspector_is_closed_again(leak, tmp_path):
    kept = Kept()
    taken = leak.ways()["heap"].take(kept)
    assert "ordersByCustomer" in kept.analysis(tmp_path / "kept", "heap.heapsnapshot")
    assert is_whole(tmp_path, kept.written)
    assert (taken.remote, taken.warnings, taken.facts["thread"]) == ("", (), "main")
    assert float(taken.facts["pause_s"]) > 0
    assert not leak.is_listening
    assert opened(leak) == 1
    assert leak.answers()


def test_an_inspector_that_was_open_stays_open(tmp_path):
    with living(tmp_path, LEAK, "--inspect") as program:
        assert awaited(lambda: program.is_listening)
        assert "stays so" in program.ways()["heap"].check().why
        assert program.ways()["figures"].take(Kept())
        assert program.is_listening
        assert opened(program) == 1


def test_a_port_that_only_the_kernel_knows_is_found(tmp_path):
    with living(tmp_path, LEAK, "--inspect-port=0", port=0) as program:
        kept = Kept()
        program.ways()["figures"].take(kept)
        assert json.loads(kept.written)["pid"] == program.pid
        assert awaited(lambda: not program.reach.process().sockets)


def test_a_module_and_an_endless_loop_answer_too(tmp_path):
    module = tmp_path / "program.mjs"
    module.write_text(BUSY)
    with living(tmp_path, module) as program:
        kept = Kept()
        program.ways()["heap"].take(kept)
        assert is_whole(tmp_path, kept.written)
        assert not program.is_listening
        assert program.process.poll() is None


def test_of_worker_threads_the_largest_is_the_capture_and_the_others_lie_beside_it(tmp_path):
    with living(tmp_path, WORKERS) as program:
        main, kept = Kept(), Kept()
        said = program.ways()["heap"].take(main).warnings
        taken = program.ways()["heap-workers"].take(kept)
        assert program.answers()
        assert not program.is_listening
    assert len(said) == 1
    assert "2 worker threads" in said[0]
    assert taken.facts["thread"] == "worker-2 (quotes)"
    assert list(kept.files) == ["heap-worker-1.heapsnapshot"]
    assert is_whole(tmp_path, kept.files["heap-worker-1.heapsnapshot"])
    found = analysis_of(tmp_path, kept.written)
    assert "quotesOfWorker" in found
    assert "quotesOfWorker" not in analysis_of(tmp_path, main.written)


def analysis_of(tmp_path: Path, data: bytes) -> str:
    file = tmp_path / "one.heapsnapshot"
    file.write_bytes(data)
    return analysis(file)


def test_a_program_without_worker_threads_says_so(leak):
    with pytest.raises(CaptureFailed, match="no worker threads"):
        leak.ways()["heap-workers"].take(Kept())
    assert not leak.is_listening


def test_source_maps_come_with_the_heap_and_give_it_the_names_of_the_source(tmp_path):
    text, map = bundles.bundle(BUNDLE)
    inline = base64.b64encode(json.dumps(map).encode()).decode()
    (tmp_path / "inline.cjs").write_text(f"{text}\n//# sourceMappingURL=data:application/json;base64,{inline}\n")
    bundle = bundles.write(tmp_path / "dist", BUNDLE, end="\n//# sourceMappingURL=bundle.cjs.map")
    for folder in ("a", "b"):
        bundles.write(tmp_path / folder, BUNDLE, end="\n//# sourceMappingURL=index.cjs.map", name="index.cjs")
    required = "".join(
        f"require('{file}');" for file in ("./dist/bundle.cjs", "./inline.cjs", "./a/index.cjs", "./b/index.cjs")
    )
    # A debugger that is attached would stop the program there.
    ends = "setInterval(() => { debugger; }, 1); process.stdin.on('data', () => console.log('still here'));"
    with living(tmp_path, f"{required}{ends}console.log('ready');") as program:
        kept = Kept()
        taken = program.ways()["heap"].take(kept)
        assert program.answers()
    assert set(kept.files) == {"bundle.cjs", "bundle.cjs.map", "inline.cjs", "inline.cjs.map"}
    assert kept.files["bundle.cjs.map"] == bundle.with_name("bundle.cjs.map").read_bytes()
    assert kept.files["bundle.cjs"] == bundle.read_bytes()
    assert json.loads(kept.files["inline.cjs.map"]) == map
    assert taken.warnings == ("several scripts have the same name, and their source maps were not taken: index.cjs",)
    assert "quoteCache" in kept.analysis(tmp_path / "kept", "heap.heapsnapshot")


def test_a_profile_names_who_allocates(leak, tmp_path):
    kept = Kept()
    leak.ways(seconds=1.0)["profile"].take(kept)
    document = json.loads(kept.written)
    assert document["samplingInterval"] == 32768
    assert document["memory"]["heapUsed"] > 0
    assert "remember" in kept.analysis(tmp_path / "kept", "heap.heapprofile")
    assert not leak.is_listening


def test_a_program_that_caulk_run_samples_is_not_sampled_twice(tmp_path):
    with living(tmp_path, LEAK, "--heap-prof") as program:
        check = program.ways()["profile"].check()
    assert (check.standing, check.why) == ("impossible", "--heap-prof samples its heap already")


def test_the_memory_predicted_for_a_snapshot_is_enough_and_not_three_times_too_much(leak):
    way = leak.ways()["heap"]
    before, peak = leak.reach.reading().anonymous, [0]
    cost = way.cost()
    kept = Kept(on_progress=lambda _: peak.append(leak.reach.reading().anonymous))
    way.take(kept)
    measured = max(peak) - before
    assert measured <= cost.extra_bytes <= 3 * measured
    assert len(kept.written) <= cost.size_bytes


def test_who_gives_up_in_the_middle_leaves_no_inspector_open(leak):
    def stop(step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leak.ways()["heap"].take(Kept(on_progress=stop))
    assert not leak.is_listening
    assert leak.answers()
    kept = Kept()
    leak.ways()["heap"].take(kept)
    assert len(read_snapshot(bytes(kept.written))) > 20000


def test_the_inspector_of_another_process_is_told_from_its_own(tmp_path, leak):
    (tmp_path / "other").mkdir()
    with living(tmp_path / "other", LEAK, "--inspect", port=leak.port) as other:
        assert awaited(lambda: other.is_listening)
        check = leak.ways()["heap"].check()
        assert check.standing == "needs"
        assert f"is that of process {other.pid}" in check.why
        assert "--inspect-port=0" in check.fix
        with pytest.raises(CaptureFailed, match=f"not of {leak.pid}"):
            leak.ways()["heap"].take(Kept())
        assert opened(leak) == 0
        assert "address already in use" not in leak.said
        assert other.ways()["heap"].check().standing == "ready"


def test_a_port_that_something_else_has_is_no_inspector(tmp_path, leak, monkeypatch):
    monkeypatch.setattr(inspector, "_SETTLE_S", 0.0)
    listen = f"listen({leak.port}, '127.0.0.1', () => console.log('ready'))"
    server = f"require('node:http').createServer((asked, answer) => answer.end('hello')).{listen};"
    (tmp_path / "other").mkdir()
    with living(tmp_path / "other", server):
        check = leak.ways()["heap"].check()
    assert (check.standing, opened(leak)) == ("needs", 0)
    assert "something that is no inspector" in check.why


@pytest.mark.parametrize(
    ("said", "seen", "is_same"),
    [(1000.25, 1000.25, True), (1000.25, 1000.75, False), (1000.25, 1001.0, True), (0, 1000.25, True)],
)
def test_processes_of_one_number_are_told_apart_by_when_they_started(said, seen, is_same):
    assert inspector._is_same(said, seen) == is_same


def test_a_process_without_a_handler_is_never_sent_the_signal(tmp_path):
    with living(tmp_path, LEAK, "--experimental-permission", "--allow-fs-read=*") as program:
        assert not program.reach.process().catches(10)
        ways = program.ways()
        assert {ways[alias].check().standing for alias in ("heap", "heap-workers", "profile", "figures")} == {"needs"}
        with pytest.raises(CaptureFailed, match="no handler for SIGUSR1"):
            ways["heap"].take(Kept())
        assert program.answers()


def test_a_program_held_up_in_native_code_is_said_to_open_its_inspector_later(tmp_path, monkeypatch):
    monkeypatch.setattr(inspector, "_WAKE_S", 0.5)
    with living(tmp_path, BLOCKED) as program:
        with pytest.raises(CaptureFailed, match=r"did not open within .* and stays open") as failed:
            program.ways()["heap"].take(Kept())
        assert f"node inspect 127.0.0.1:{program.port}" in failed.value.hint
        assert awaited(lambda: program.is_listening)
        assert program.answers()


def test_what_node_is_called_is_what_tells_it():
    def process(**facts: object) -> Process:
        return Process(1, 0, 0, 0.0, **facts)

    assert all(
        node.serves(process(executable=f"/usr/bin/{name}")) for name in ("node", "nodejs", "node20", "node (deleted)")
    )
    assert node.serves(process(executable="/opt/app", libraries=frozenset({"/usr/lib/libnode.so.108"})))
    assert not node.serves(process(executable="/usr/bin/python3", command=("node",)))
    assert not node.serves(process(executable="/usr/bin/nodepad"))


def test_a_program_that_caulk_lost_closes_its_inspector_itself(leak, monkeypatch):
    monkeypatch.setattr(inspector, "_LEASE", inspector._LEASE.replace("1800000", "300"))
    # As if caulk were killed: the connection ends, and nothing is said.
    monkeypatch.setattr(inspector, "_left", lambda _, visit: visit.line.close())
    with inspector.opened(leak.reach):
        assert leak.is_listening
    assert awaited(lambda: not leak.is_listening)
    assert leak.answers()
