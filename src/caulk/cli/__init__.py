"""The command line: one module a verb that is not a report."""
