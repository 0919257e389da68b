"""Real native programs under real allocators' profilers, for the tests of their formats."""

import os
import subprocess
from pathlib import Path

import pytest

#: Keeps some records, frees others, and runs itself again where it is asked to: program COUNT [CHILD'S COUNT].
PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void **kept;

__attribute__((noinline)) void keep_record(size_t size) {
  void **record = malloc(size);  // the record
  record[0] = kept;
  kept = record;
  asm volatile("");
}

__attribute__((noinline)) void drop_record(size_t size) {
  char *record = malloc(size);
  memset(record, 1, size);
  asm volatile("" ::"r"(record));
  free(record);
  asm volatile("");
}

__attribute__((noinline)) void serve(int count) {
  for (int i = 0; i < count; i++) {
    keep_record(1000 + i % 7 * 100);
    drop_record(5000);
  }
  asm volatile("");
}

void *worker(void *count) {
  serve(*(int *)count);
  return 0;
}

int main(int argc, char **argv) {
  int count = atoi(argv[1]);
  pthread_t thread;
  pthread_create(&thread, 0, worker, &count);
  pthread_join(thread, 0);
  serve(count);
  if (argc > 2) {
    char command[4096];
    snprintf(command, sizeof command, "%s %s", argv[0], argv[2]);
    return system(command);
  }
  return 0;
}
"""
#: What PROGRAM keeps, for a COUNT that is a multiple of 7: both threads keep 1,300 bytes a record on average.
RECORD = 1300


def line_of(text: str) -> int:
    """The line of PROGRAM with `text`."""
    return next(i for i, line in enumerate(PROGRAM.splitlines(), 1) if text in line)


def build(gcc: str, folder: Path, name: str, *flags: str) -> Path:
    """Compile PROGRAM."""
    source = folder / f"{name}.c"
    source.write_text(PROGRAM)
    subprocess.run([gcc, "-g", "-O1", "-fno-optimize-sibling-calls", *flags, "-o", folder / name, source], check=True)
    return folder / name


def library(name: str) -> str:
    """The path of a shared library of Debian's, or a skip that names it."""
    found = sorted(Path("/usr/lib").glob(f"*/{name}"))
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return str(found[0])


def run(command: list[str | Path], **environment: str) -> None:
    """Run to the end with `environment` added."""
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)


def total(output: str) -> int:
    """What `google-pprof --text --show_bytes` and `jeprof` print as their total."""
    first = next(line for line in output.splitlines() if line.startswith("Total:"))
    return int(first.split()[1])


def flat(output: str) -> dict[str, int]:
    """Flat bytes by function (or line) of the same output."""
    rows = [line.split(None, 5) for line in output.splitlines() if "%" in line]
    return {row[5]: int(row[0]) for row in rows}
