"""The settings: their names, what may stand in them, and what is wrong with those that are there.

They are looked up in the environment, or first in what a framework has (Django's settings), under the same names.
"""

from __future__ import annotations

import os

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
#: Growth that counts whatever the threshold is, in MB of 1024 * 1024.
_ALSO_MB = (50, 100)


class Invalid(ValueError):
    """A setting that cannot be meant; the message names it and says what to write."""


class Settings:
    """What the probe does. Raises `Invalid` where a value cannot be understood."""

    def __init__(self, lookup=None):
        self._lookup = lookup or (lambda name: None)
        self.is_profiling = self._switch("ENABLE_MEMORY_PROFILING", True)
        self.sample_rate = self._number("MEMORY_PROFILING_SAMPLE_RATE", 1.0, 0.0, 1.0)
        self.threshold_mb = self._number("MEMORY_GROWTH_THRESHOLD_MB", 10.0, 0.1, 1e6)
        self.container = self._text("CONTAINER_NAME") or "unknown"
        self.username = self._text("METRICS_AUTH_USERNAME")
        self.password = self._text("METRICS_AUTH_PASSWORD")
        self.directory = self._text("CAULK_PROBE_DIR")
        self.is_tracing = self._switch("CAULK_PROBE_TRACE", True)
        self.walk_interval_s = self._number("CAULK_PROBE_WALK_SECONDS", 300.0, 0.0, 1e6)

    @property
    def thresholds(self):
        """Names and bytes of the growth that counts, each once."""
        every = {self.threshold_mb, *_ALSO_MB}
        return [("{:g}mb".format(each), int(each * (1 << 20))) for each in sorted(every)]

    def faults(self):
        """What keeps `/metrics` from being served: sentences, none where all is well."""
        if not self.username and not self.password:
            return [
                "METRICS_AUTH_USERNAME and METRICS_AUTH_PASSWORD are not set: /metrics answers 500 to everybody. "
                "Set both, and give them to Prometheus as basic_auth."
            ]
        for name, value in (("USERNAME", self.username), ("PASSWORD", self.password)):
            if not value:
                return ["METRICS_AUTH_{} is not set, and the other half is: /metrics answers 500.".format(name)]
        if ":" in self.username:
            return ["METRICS_AUTH_USERNAME contains a colon, which Basic authentication cannot send: remove it."]
        return []

    def _raw(self, name):
        found = self._lookup(name)
        return os.environ.get(name) if found is None else found

    def _text(self, name):
        found = self._raw(name)
        return "" if found is None else str(found)

    def _switch(self, name, default):
        found = self._raw(name)
        if found is None or isinstance(found, bool):
            return default if found is None else found
        word = str(found).strip().lower()
        if word == "":
            return default
        if word not in _TRUE + _FALSE:
            raise Invalid("{} is {!r}: write true or false.".format(name, found))
        return word in _TRUE

    def _number(self, name, default, least, most):
        found = self._raw(name)
        if found is None or found == "":
            return default
        try:
            number = float(found)
        except (TypeError, ValueError):
            number = least - 1
        if not least <= number <= most:
            raise Invalid("{} is {!r}: write a number from {:g} to {:g}.".format(name, found, least, most))
        return number
