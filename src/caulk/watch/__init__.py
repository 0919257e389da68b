"""The loop: read, judge, capture at the moment that matters, keep."""
