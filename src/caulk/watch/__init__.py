"""The loop: read, judge, plan, capture, keep, forget."""
