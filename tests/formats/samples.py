"""A small dump of every format, for the tests that hold for all of them."""

import gc
import json
import tempfile
import tracemalloc
from pathlib import Path

from memray_captures import captured
from pprof_bytes import Pprof, message

GO_HEAP = b"""heap profile: 3: 3072 [5: 5120] @ heap/2048
2: 2048 [3: 3072] @ 0x47c3ec 0x4dca1b 0x4dce09
#\t0x4dca1a\tmain.(*Book).fill+0x15a\t\t/src/book.go:24
#\t0x4dce08\tmain.main+0x68\t\t\t/src/main.go:41

1: 1024 [2: 2048] @ 0x47c3ec 0x4dce10
#\t0x4dce0f\tmain.main+0x6f\t/src/main.go:42


# runtime.MemStats
# Alloc = 37799352
# Sys = 55740696
# HeapInuse = 43188224
# Stack = 425984 / 425999
# LastGC = 1795228046038654354
# PauseNs = [39461 27403 0]
# NumGC = 6
# GCCPUFraction = 0.012
# DebugGC = false
# MaxRSS = 16338944
"""

GOROUTINES = b"""goroutine profile: total 8
7 @ 0x47dc8e 0x4158ee 0x4dc898
#\t0x4dc897\tmain.(*Feed).poll+0x17\t/src/feed.go:88

1 @ 0x47dc8e 0x4dd1fc
# labels: {"request":"a\\"b\\x01", "tenant":"\xc3\xa9"}
#\t0x4dd1fb\tmain.main.func3.1+0x1b\t/src/main.go:46

"""

TRACEBACK = b"""goroutine 1 [running]:
main.main()
\t/src/main.go:55 +0x2f0

goroutine 20 [chan receive, 412 minutes]:
main.(*Feed).poll(0xc000012345, {0x1?, 0x2})
\t/src/feed.go:88 +0x18
created by main.openFeed in goroutine 1
\t/src/feed.go:70 +0x25

goroutine 21 [chan receive, 412 minutes]:
main.(*Feed).poll(0xc000099999, {0x1?, 0x2})
\t/src/feed.go:88 +0x18
created by main.openFeed in goroutine 1
\t/src/feed.go:70 +0x25

goroutine 22 [select (no cases), locked to thread]:
main.deep(...)
\t/src/main.go:37
...23 frames elided...
main.main.func1()
\t/src/main.go:44 +0xf
created by main.main in goroutine 1
\t/src/main.go:44 +0xc8
"""

HISTOGRAM = b"""4711:
 num     #instances         #bytes  class name (module)
-------------------------------------------------------
   1:         14936        1069432  [B (java.base@17.0.15)
   2:            10            800  com.example.Book$Ticket
   3:             2             64  [Lcom.example.Book$Ticket;
   4:             1             32  [[I (java.base@17.0.15)
Total         14949        1070328
"""

FOLDED = b"main;parse file;new 42\nmain;parse file 7\nmain;write -3\n"

MAPS = b"""MAPPED_LIBRARIES:
55cda8000000-55cda8001000 r--p 00000000 fe:00 1005193                    /app/server
55cda8001000-55cda8002000 r-xp 00001000 fe:00 1005193                    /app/server
7f55eb244000-7f55eb39a000 r-xp 00026000 fe:00 326269                     /usr/lib/libc.so.6
7f55eb39a000-7f55eb3ed000 r--p 0017c000 fe:00 326269                     /usr/lib/libc.so.6
7fff4e8a6000-7fff4e8c7000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""

GPERFTOOLS = (
    b"""heap profile:   5000:  6501000 [  9742: 30211000] @ heapprofile
  4999:  6499000 [  4999:  6499000] @ 0x55cda8001237 0x55cda80012c3 0x7f55eb24524a
     1:     2000 [  4743: 23712000] @ 0x55cda8001207 0x55cda80012cd 0x7f55eb24524a

"""
    + MAPS
)

GROWTH = b"""heap profile:     3:  3145728 [     3:  3145728] @ growthz
     2:  2097152 [     2:  2097152] @ 0x55cda8001237 0x7f55eb24524a
     1:  1048576 [     1:  1048576] @ 0x55cda8001207 0x7f55eb24524a

--- Memory map: ---
build=/srv
55cda8001000-55cda8002000: $build/server (@1000) 0123abcd
"""

JEMALLOC = (
    b"""heap_v2/65536
  t*: 474: 683618 [0: 0]
  t0: 472: 678697 [0: 0] main loop
  t7: 2: 4921 [0: 0]
@ 0x55cda8001237 0x55cda80012c3 0x7f55eb24524a
  t*: 473: 681158 [0: 0]
  t0: 472: 678697 [0: 0]
  t7: 1: 2461 [0: 0]
@ 0x55cda8001207 0x55cda80012cd 0x7f55eb24524a
  t*: 1: 2460 [0: 0]
  t7: 1: 2460 [0: 0]

"""
    + MAPS
)

SYMBOLS = b"""--- symbol
binary=/app/server
0x000055cda8001236 keep(unsigned long)<0000000000001229>--std::vector<void*>::push_back(void* const&)
0x000055cda80012c2 serve(int)
---
--- heap
"""

SPEEDSCOPE_SAMPLED = json.dumps(
    {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": [{"name": "main", "file": "/src/main.cc", "line": 7}, {"name": "keep"}, {"name": "drop"}]},
        "profiles": [
            {
                "type": "sampled",
                "name": "held",
                "unit": "bytes",
                "startValue": 0,
                "endValue": 4196,
                "samples": [[0, 1], [0, 1, 1], [0]],
                "weights": [4096, 96, 4],
            }
        ],
    }
).encode()

SPEEDSCOPE_EVENTED = json.dumps(
    {
        "exporter": "py-spy@0.4.0",
        "activeProfileIndex": 1,
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "profiles": [
            {"type": "sampled", "name": "idle", "unit": "none", "samples": [], "weights": []},
            {
                "type": "evented",
                "name": "thread 1",
                "unit": "milliseconds",
                "startValue": 0,
                "endValue": 4.5,
                "events": [
                    {"type": "O", "frame": 0, "at": 1},
                    {"type": "O", "frame": 1, "at": 1.5},
                    {"type": "C", "frame": 1, "at": 3.5},
                    {"type": "C", "frame": 0, "at": 4.5},
                ],
            },
        ],
        "shared": {"frames": [{"name": "main"}, {"name": "wait"}]},
    }
).encode()

V8 = json.dumps(
    {
        "head": {
            "callFrame": {"functionName": "(root)", "scriptId": "0", "url": "", "lineNumber": -1, "columnNumber": -1},
            "selfSize": 0,
            "id": 1,
            "children": [
                {
                    "callFrame": {
                        "functionName": "keep",
                        "scriptId": "7",
                        "url": "file:///app/leak.js",
                        "lineNumber": 4,
                        "columnNumber": 2,
                    },
                    "selfSize": 4096,
                    "id": 2,
                    "children": [],
                }
            ],
        },
        "samples": [{"size": 512, "count": 8, "nodeId": 2, "ordinal": 1}],
    }
).encode()


def pprof() -> bytes:
    profile = Pprof("inuse_objects/count", "inuse_space/bytes")
    binary = profile.mapping("/app/server", 0x400000, 0x500000)
    inlined = profile.location("make", "grow", mapping=binary, address=0x400010)
    bare = profile.location(mapping=binary, address=0x400020)
    main = profile.location("main", mapping=binary, address=0x400030)
    profile.sample([inlined, main], 3, 3000, labels=profile.label("bytes", value=1000))
    profile.sample([bare, main], -1, -500, labels=profile.label("tenant", "acme"))
    profile.set(9, 1_700_000_000 * 10**9).set(12, 524288).set(7, "malloc.*").set(14, "inuse_space")
    return profile.bytes(message(11, *profile.pair("space/bytes")))


def tracemalloc_snapshot() -> bytes:
    """A real snapshot of a few allocations of this very process."""
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start(3)
    kept = [bytes(100 + i) for i in range(20)]
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])
    if not was_tracing:
        tracemalloc.stop()
    assert kept
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "snapshot")
        snapshot.dump(str(path))
        return path.read_bytes()


#: By the name of the format's module; a format may have several samples, so names may end in `/something`.
SAMPLES = {
    "go_heap": GO_HEAP,
    "go_goroutine/counted": GOROUTINES,
    "go_goroutine/traceback": TRACEBACK,
    "go_goroutine/panic": b"panic: bye\n\n" + TRACEBACK + b"exit status 2\n",
    "gperftools": GPERFTOOLS,
    "gperftools/growth": GROWTH,
    "gperftools/symbols": SYMBOLS + GPERFTOOLS,
    "jemalloc": JEMALLOC,
    "jemalloc/symbols": SYMBOLS + JEMALLOC,
    "speedscope/sampled": SPEEDSCOPE_SAMPLED,
    "speedscope/evented": SPEEDSCOPE_EVENTED,
    "jvm_histogram": HISTOGRAM,
    "folded": FOLDED,
    "v8_sampling": V8,
    "tracemalloc": tracemalloc_snapshot(),
    "memray": captured("kept = [bytearray(3000 + i) for i in range(9)]"),
    "pprof": pprof(),
}
