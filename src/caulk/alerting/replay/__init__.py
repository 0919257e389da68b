"""What rules do on series whose truth is known: leaks, and what looks like one; evaluated by promtool itself."""
