"""An HTTP address at which a program shows its memory: fetched with bounds, and named where it answers otherwise."""

from urllib.parse import urlsplit

from caulk.model.errors import CaptureFailed, Unreachable, UsageError

_TIMEOUT_S = 30.0
_MOST_BYTES = 128 << 20
_HINT = "The program must serve net/http/pprof (/debug/pprof/) or Envoy's admin interface (/heap_dump) there."


class NotServed(CaptureFailed):
    """The server is there and has no such page."""


class Endpoint:
    """Where a program serves its profiles: `root` is the address that all paths begin with. Raises `UsageError`."""

    def __init__(self, url: str) -> None:
        import httpx2  # noqa: PLC0415 - 0.3 s, which only a run with --pprof pays, and before its program starts

        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"{url!r} is not an http address", hint="For example: --pprof http://127.0.0.1:6060")
        path = parts.path.partition("/debug/pprof")[0].partition("/heap_dump")[0].rstrip("/")
        self.root = f"{parts.scheme}://{parts.netloc}{path}"
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self._failure = httpx2.HTTPError
        # A proxy from the environment has no business between a program and its watcher on one machine.
        self._client = httpx2.Client(trust_env=False, timeout=_TIMEOUT_S)

    def fetch(self, path: str) -> bytes:
        """What is at `path`, at most 128 MiB; raises `Unreachable`, or `CaptureFailed` that says what came instead."""
        url = self.root + path
        body = bytearray()
        try:
            with self._client.stream("GET", url) as answer:
                if answer.status_code == 404:
                    raise NotServed(f"{url} answered 404", hint=_HINT)
                if answer.status_code != 200:
                    raise CaptureFailed(f"{url} answered {answer.status_code}", hint=_HINT)
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise CaptureFailed(f"{url} sent more than {_MOST_BYTES >> 20} MiB")
        except self._failure as error:
            raise Unreachable(f"{url} did not answer: {error}", hint=_HINT) from error
        if not body or body.lstrip()[:1] == b"<":
            raise CaptureFailed(f"{url} answered a page, not a profile", hint=_HINT)
        return bytes(body)
