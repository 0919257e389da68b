"""caulk finds memory leaks in running programs, and names the code."""

__version__ = "0.1.0"
