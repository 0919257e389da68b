"""Secrets at the moment that they are needed: from the environment, or from a file of their own."""

from pathlib import Path

from caulk.model.errors import UsageError


def revealed(value: str, file: str) -> str:
    """The secret itself, or what stands in its file; empty where neither is given. Raises `UsageError`."""
    if value or not file:
        return str(value)
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", hint="It is to hold a secret, and nothing else."
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text", hint="It is to hold a secret, and nothing else.") from None
