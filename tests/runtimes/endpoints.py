"""Real programs that serve their memory over HTTP, each reached as caulk reaches it here."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from caulk.model.target import Target
from caulk.places.local import LocalReach

GO = """
package main

import ("crypto/tls"; "fmt"; "net"; "net/http"; "net/http/pprof"; "os"; "runtime"; "strconv"; "sync")

var kept [][]byte

//go:noinline
func openSession() { kept = append(kept, make([]byte, 1<<16)) }

func rest(depth int, ready *sync.WaitGroup, over chan int) {
	if depth > 0 { rest(depth-1, ready, over); return }
	ready.Done()
	<-over
}

func guarded(inner http.Handler, said string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != said { w.WriteHeader(401); fmt.Fprintln(w, "who asks?"); return }
		inner.ServeHTTP(w, r)
	})
}

func main() {
	runtime.SetBlockProfileRate(1)
	for i := 0; i < 400; i++ { openSession() }
	count, _ := strconv.Atoi(os.Args[2])
	var ready sync.WaitGroup
	ready.Add(count)
	for i := 0; i < count; i++ { go rest(i%8, &ready, make(chan int)) }
	ready.Wait()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	var served http.Handler = mux
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	switch os.Args[1] {
	case "index":
		mux = http.NewServeMux()
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		served = mux
	case "heap":
		mux = http.NewServeMux()
		mux.Handle("/pprof/heap", pprof.Handler("heap"))
		served = mux
	case "prefix":
		served = http.StripPrefix("/internal", mux)
	case "none":
		served = http.NotFoundHandler()
	case "guarded":
		served = guarded(mux, os.Args[3])
	case "tls":
		pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[3])
		if err != nil { panic(err) }
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, served)
}
"""


@dataclass
class Kept:
    """A sink that keeps what it gets."""

    written: bytearray = field(default_factory=bytearray)
    left: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    on_progress: Callable[[str], object] = lambda step: None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def leaving(self, path: str) -> None:
        self.left.append(path)

    def beside(self, name: str, data: bytes | memoryview) -> None:
        self.files[name] = bytes(data)

    def progress(self, done: float, total: float, step: str) -> None:
        assert 0 <= done <= total
        self.on_progress(step)

    def file(self, folder: Path) -> str:
        """The capture as a file."""
        path = folder / "capture"
        path.write_bytes(self.written)
        return str(path)


class Refused(Exception):
    """What a sink raises that nobody waits for any more."""


@contextmanager
def running(*command: object, **popen: object) -> Iterator[tuple[LocalReach, str]]:
    """A program, from when it has said its first line to the end; with that line."""
    with subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        text=True,
        **popen,  # type: ignore[call-overload]
    ) as process:
        try:
            said = process.stdout.readline().strip()
            assert said, "the program ended"
            reach = LocalReach(Target("local", f"pid:{process.pid}", Path(str(command[0])).name, {}), process.pid)
            yield reach, said
            reach.close()
        finally:
            process.kill()


def built(compiler: str, source: Path, program: Path, *words: object) -> Path:
    """A program of C++ with all that its profiles need."""
    subprocess.run([compiler, "-g", "-O1", "-pthread", source, *words, "-o", program], check=True)
    return program


def in_background(task: Callable[[], object]) -> threading.Thread:
    """A thread that does it now."""
    thread = threading.Thread(target=task, daemon=True)
    thread.start()
    return thread


def without(*names: str) -> dict[str, str]:
    """This environment but for some variables."""
    return {name: value for name, value in os.environ.items() if name not in names}
