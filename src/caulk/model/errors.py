"""The errors that a person can act on. Each says what happened, where, and what to do; all else is a bug.

They are caught once, at the edge (`caulk.cli`), which prints the message and the hint and exits with the class's code.
"""


class CaulkError(Exception):
    """Base of every error that is the situation's fault, not caulk's."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CaulkError):
    """The question cannot be answered as asked: a bad filter, files that do not go together."""


class Unreachable(CaulkError):
    """The target, or the endpoint beside it, did not answer."""

    exit_code = 3


class CaptureFailed(CaulkError):
    """The target is there, but its heap could not be taken."""

    exit_code = 4


class Lacks(CaptureFailed):
    """The place, or the user's rights there, cannot do this to the target; other ways may still be open."""


class MalformedDump(CaulkError):
    """The input is not a dump that caulk can read, or it is damaged beyond an answer."""

    exit_code = 5
