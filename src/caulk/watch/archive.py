"""Where incidents are kept: SQLite in CAULK_HOME, or the database that caulk.toml names."""

import os
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from caulk.config.schema import Config
from caulk.config.secrets import revealed
from caulk.model.errors import UsageError
from caulk.store.incidents import Incidents


def opened(config: Config, home: Path, owner: str = "") -> Incidents:
    """The store of incidents; `owner` does steps. Raises `UsageError`."""
    url = revealed(config.store.url, config.store.url_file)
    try:
        if not url:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = home / "incidents.db"
            # Findings name what a program holds: nobody else reads them.
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            url = f"sqlite:///{file}"
        return Incidents(url, owner)
    except (SQLAlchemyError, ImportError, OSError) as error:
        # The address may hold a password: it is not repeated.
        raise UsageError(
            f"the store of incidents cannot be opened: {brief(error)}",
            hint="[store] url names a database; without it, incidents are kept in CAULK_HOME.",
        ) from None


def brief(error: Exception) -> str:
    """The first line of what a library says."""
    return str(error).partition("\n")[0]
