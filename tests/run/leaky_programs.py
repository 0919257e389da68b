"""Programs whose leaks lie below every managed heap: they run so many rounds, and until there is a file `enough`."""

import subprocess
import sysconfig
from pathlib import Path

#: `decode_frame` forgets to free; `decode` is what Python calls.
EXTENSION = """
#include <Python.h>
#include <stdlib.h>
#include <string.h>
__attribute__((noinline)) static char *decode_frame(size_t size) {
  char *pixels = malloc(size);  // the leak
  memset(pixels, 1, size);
  return pixels;
}
static PyObject *decode(PyObject *self, PyObject *size) {
  volatile char *pixels = decode_frame(PyLong_AsLong(size));
  return PyLong_FromLong(pixels[0]);
}
static PyMethodDef methods[] = {{"decode", decode, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "videoext", 0, -1, methods};
PyMODINIT_FUNC PyInit_videoext(void) { return PyModule_Create(&module); }
"""
PLAYER = """
import os, sys, time
import videoext

def show_frame():
    return videoext.decode(4000)  # the call

def main():
    rounds = 0
    while rounds < int(sys.argv[1]) or not os.path.exists("enough") and rounds < 20_000:
        for _ in range(50):
            show_frame()
        time.sleep(0.01)
        rounds += 1

main()
"""
SERVER = """
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>
struct Session { char body[4000]; };
static std::vector<Session*> sessions;
__attribute__((noinline)) void open_session() {
  sessions.push_back(new Session());  // the leak
}
__attribute__((noinline)) void answer() { std::string text(3000, 'x'); asm volatile("" ::"r"(text.data())); }
int main(int argc, char** argv) {
  for (int i = 0; i < std::atoi(argv[1]) || (i < 20000 && access("enough", F_OK)); i++) {
    for (int k = 0; k < 50; k++) { open_session(); answer(); }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}
"""
CYCLE = """
use std::sync::{Arc, Mutex};
struct Node { body: Vec<u8>, peer: Mutex<Option<Arc<Node>>> }
#[inline(never)]
fn make_pair(size: usize) -> usize {
    let first = Arc::new(Node { body: vec![1; size], peer: Mutex::new(None) });
    let second = Arc::new(Node { body: vec![2; size], peer: Mutex::new(Some(first.clone())) });
    *first.peer.lock().unwrap() = Some(second);
    first.body.len()
}
fn main() {
    let rounds: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut done = 0;
    while done < rounds || done < 20_000 && !std::path::Path::new("enough").exists() {
        done += 1;
        for _ in 0..25 { assert!(make_pair(4000) > 0); }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
"""


def line_of(source: str, text: str) -> int:
    return next(i for i, line in enumerate(source.splitlines(), 1) if text in line)


def extension(gcc: str, folder: Path) -> None:
    """`videoext` for the Python that runs the tests."""
    (folder / "videoext.c").write_text(EXTENSION)
    include = sysconfig.get_path("include")
    made([gcc, "-g", "-O1", "-shared", "-fPIC", f"-I{include}", folder / "videoext.c", "-o", folder / "videoext.so"])
    (folder / "player.py").write_text(PLAYER)


def server(gxx: str, folder: Path, *flags: str) -> str:
    (folder / "server.cc").write_text(SERVER)
    made([gxx, "-g", "-O1", "-pthread", *flags, folder / "server.cc", "-o", folder / "server"])
    return str(folder / "server")


def cycle(rustc: str, folder: Path) -> str:
    (folder / "cycle.rs").write_text(CYCLE)
    made([rustc, "-g", "-O", folder / "cycle.rs", "-o", folder / "cycle"])
    return str(folder / "cycle")


def made(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)
