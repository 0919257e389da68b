"""What the page cannot give, besides the errors that every layer has."""

from caulk.model.errors import CaulkError


class NotFound(CaulkError):
    """Nothing of that name is known here."""


class NoRoom(CaulkError):
    """The disk cannot take it."""
