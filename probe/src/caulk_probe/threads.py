"""Locks and threads that nobody else knows of: as they were before gevent or the like replaced them."""

from __future__ import annotations

import _signal
import _thread
import sys
import time


def _genuine(module, name):
    """A function of `_thread` itself: one that switches greenlets instead would stop the whole program with us."""
    found = getattr(module, name)
    if type(found) is not type(len) and "gevent.monkey" in sys.modules:
        found = sys.modules["gevent.monkey"].get_original(module.__name__, name)
    return found


allocate_lock = _genuine(_thread, "allocate_lock")
sleep = _genuine(time, "sleep")
_start = _genuine(_thread, "start_new_thread")


def start_new_thread(work):
    """A thread that no signal comes to: it has the mask of its maker."""
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        _start(work, ())
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
