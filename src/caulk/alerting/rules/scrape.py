"""Scrape jobs for targets whose metrics ask for a user and password.

The password stays in a file of its own (`password_file`), so that the configuration can be shown and kept in a
repository: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from caulk.alerting.rules.thresholds import span
from caulk.model.errors import UsageError

_HINT = "Write NAME=HOST:PORT or NAME=https://HOST:PORT/PATH; several of one NAME are one job."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What `/metrics` is asked with; nothing where `user` is empty. `password_file` is read by Prometheus."""

    user: str = ""
    password_file: str = ""


def jobs(wanted: Sequence[str], credentials: Credentials, *, interval_s: int = 15) -> dict[str, Any]:
    """`scrape_configs` for targets given as `NAME=ADDRESS`. Raises UsageError for what is no address."""
    if bool(credentials.user) != bool(credentials.password_file):
        raise UsageError(
            "--user and --password-file go together", hint="--user metrics --password-file /etc/prometheus/metrics"
        )
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in wanted:
        name, scheme, path, address = _address(each)
        found.setdefault((name, scheme, path), []).append(address)
    names = [name for name, _, _ in found]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise UsageError(
            f"the job {twice} has targets of different schemes or paths", hint="Give each a job of its own."
        )
    return {"scrape_configs": [_job(key, found[key], credentials, interval_s) for key in found]}


def _address(text: str) -> tuple[str, str, str, str]:
    name, equals, rest = text.partition("=")
    try:
        url = urlsplit(rest if "://" in rest else f"http://{rest}")
        port = url.port
    except ValueError:
        port, url = None, urlsplit("")
    if not (name and equals and url.hostname and port and url.scheme in ("http", "https")) or url.username:
        raise UsageError(f"{text} is no job and address", hint=_HINT)
    return name, url.scheme, url.path or "/metrics", url.netloc


def _job(key: tuple[str, str, str], addresses: list[str], credentials: Credentials, interval_s: int) -> dict[str, Any]:
    name, scheme, path = key
    job: dict[str, Any] = {
        "job_name": name,
        "scheme": scheme,
        "metrics_path": path,
        "scrape_interval": span(interval_s),
        "scrape_timeout": span(min(interval_s, 10)),
    }
    if credentials.user:
        job["basic_auth"] = {"username": credentials.user, "password_file": credentials.password_file}
    return job | {"static_configs": [{"targets": addresses}]}
