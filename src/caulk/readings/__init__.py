"""Where readings of memory come from: one module a source."""
