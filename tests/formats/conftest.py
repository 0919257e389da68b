"""Dumps of a real Go program, made once for all tests of formats."""

import subprocess
from pathlib import Path

import pytest

PROGRAM = """
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
)

type feed struct{ wake, ready chan int }

var kept [][]byte
var book = map[string][]string{}

//go:noinline
func (f *feed) poll() { f.ready <- 1; <-f.wake }

func hold(n int) []byte { return make([]byte, n) }

func fill() {
	for i := 0; i < 2000; i++ {
		kept = append(kept, hold(1024+i%7*3000))
		key := strings.Repeat("k", i)
		book[key] = append(book[key], strings.Repeat("x", 50))
	}
}

func openFeeds(f *feed, n int) {
	for i := 0; i < n; i++ {
		go f.poll()
	}
}

func deep(n int, f *feed) {
	if n == 0 {
		f.poll()
	} else {
		deep(n-1, f)
	}
}

func write(name string, debug int) {
	file, err := os.Create(os.Args[1] + "/" + name + []string{".pb.gz", ".txt", ".2.txt"}[debug])
	if err != nil {
		panic(err)
	}
	pprof.Lookup(name).WriteTo(file, debug)
	file.Close()
}

func main() {
	runtime.MemProfileRate = 4096
	f := &feed{make(chan int), make(chan int)}
	fill()
	openFeeds(f, 7)
	go deep(150, f)
	go func() { runtime.LockOSThread(); f.poll() }()
	labels := pprof.Labels("request", "a\\"b\\n\\x01", "tenant", "\\u00e9")
	pprof.Do(context.Background(), labels, func(context.Context) { go func() { f.poll() }() })
	for i := 0; i < 10; i++ {
		<-f.ready
	}
	runtime.GC()
	runtime.GC()
	for _, name := range []string{"heap", "goroutine", "threadcreate"} {
		write(name, 0)
		write(name, 1)
	}
	write("goroutine", 2)
	panic("the end")
}
"""


@pytest.fixture(scope="session")
def go_dumps(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `heap`, `goroutine` and `threadcreate` as `.pb.gz` and `.txt`, `goroutine.2.txt`, `panic.txt`."""
    folder = tmp_path_factory.mktemp("go")
    (folder / "go.mod").write_text("module leak\n\ngo 1.21\n")
    (folder / "main.go").write_text(PROGRAM)
    subprocess.run([go, "build", "-o", "leak", "."], cwd=folder, check=True)
    died = subprocess.run([folder / "leak", folder], stderr=subprocess.PIPE, check=False)
    assert b"the end" in died.stderr
    (folder / "panic.txt").write_bytes(died.stderr)
    return folder
