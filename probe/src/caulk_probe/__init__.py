"""What caulk runs inside other people's programs: the standard library only, and no import of caulk."""

__version__ = "0.1.0"
