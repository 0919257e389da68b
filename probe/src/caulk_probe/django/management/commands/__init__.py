"""One command: `memory_probe`."""
