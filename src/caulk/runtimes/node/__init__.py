"""Node.js: its heap by the inspector, snapshots that it writes itself, and its agent under `caulk run`."""

from caulk.runtimes.node.launching import AGENT, environment, recognises, why_silent

__all__ = ["AGENT", "environment", "recognises", "why_silent"]

NAME = "node"
SUFFIX = ".heapprofile"
