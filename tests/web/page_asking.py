"""Requests to an ASGI application without a network, as a page of its own sends them.

`client(app)` is Starlette's TestClient at `http://127.0.0.1:8082`; within `with` it runs the lifespan, and what one
request began goes on until the next. `get` and `send` are for one request. Answers have `.status_code`, `.headers`,
`.json()`, `.text`, `.content`; redirects are not followed.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.testclient import TestClient

#: Where the application believes that it listens.
ADDRESS = "127.0.0.1:8082"

T = TypeVar("T")


def client(app: Any, *, address: str = ADDRESS, peer: str = "127.0.0.1", scheme: str = "http") -> TestClient:
    """One who asks from the address `peer`, and keeps cookies."""
    return TestClient(app, base_url=f"{scheme}://{address}", client=(peer, 50000), follow_redirects=False)


def own(address: str = ADDRESS, scheme: str = "http") -> dict[str, str]:
    """The headers by which a request that changes something is known for the page's own."""
    return {"X-Caulk": "1", "Origin": f"{scheme}://{address}"}


def get(app: Any, path: str, headers: Mapping[str, str] | None = None, **of: Any) -> Any:
    """The answer to a GET; `of` as `client` takes it."""
    return client(app, **of).get(path, headers=dict(headers or {}))


def send(app: Any, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
    """The answer to a request of the page that changes something: `json=`, `content=` or `data=` is its body."""
    of = {key: request.pop(key) for key in ("address", "peer", "scheme") if key in request}
    its = own(of.get("address", ADDRESS), of.get("scheme", "http"))
    return client(app, **of).request(method, path, headers={**its, **(headers or {})}, **request)


def events(app: Any, path: str, most: int, headers: Mapping[str, str] | None = None, **of: Any) -> Iterator[str]:
    """The first `most` server-sent events, each the text of its block; then the connection ends."""
    with client(app, **of).stream("GET", path, headers=dict(headers or {})) as answer:
        block: list[str] = []
        for line in answer.iter_lines():
            if line:
                block.append(line)
            elif block:
                yield "\n".join(block)
                block, most = [], most - 1
                if not most:
                    return


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, run in a thread of its own: browser tests before may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


_listeners: list[list[str]] = []


@contextmanager
def files_asked() -> Iterator[list[str]]:
    """What this process asks the system for meanwhile: what it opens, lists, removes, imports, starts.

    With it a test shows that what stands in a request gets nowhere near a file.
    """
    if _watch not in _hooked:
        sys.addaudithook(_watch)
        _hooked.append(_watch)
    seen: list[str] = []
    _listeners.append(seen)
    try:
        yield seen
    finally:
        # By identity: two lists that are empty are equal.
        _listeners[:] = [one for one in _listeners if one is not seen]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _listeners and event.partition(".")[0] in ("open", "os", "shutil", "subprocess", "import"):
        for seen in _listeners:
            seen.extend(str(one) for one in arguments)


# A hook cannot be taken away again.
_hooked: list[Any] = []
