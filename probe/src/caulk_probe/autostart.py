"""Starts the control where CAULK_PROBE is set: `caulk_probe.pth` has every Python import this before the program."""

from caulk_probe import control

try:
    control.start()
except Exception:  # the program comes first: without the control it runs as it always did
    pass
