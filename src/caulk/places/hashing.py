"""A file that is hashed where it lies while it is fetched from there: read twice, but waited for once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from caulk.model.errors import Lacks
from caulk.ports import Hashed


@contextmanager
def alongside(digest: Callable[[], str], hashed: Hashed | None) -> Iterator[None]:
    """Runs `digest` while the body runs, and tells `hashed` at the end of it; nothing where nobody wants to hear."""
    if hashed is None:
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(digest)
        yield
        with suppress(Lacks):
            hashed(found.result())
