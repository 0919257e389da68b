"""A scrape: the metrics of all workers of the server, in Prometheus' text format 0.0.4.

What `prometheus_client` has registered in this process follows, where the program uses it: these are figures of the one
worker that answers, unless PROMETHEUS_MULTIPROC_DIR is set.
"""

from __future__ import annotations

import os
import sys
import time

import caulk_probe
from caulk_probe import attribution, cells, families, slots

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: The regression is not done anew within so long.
_SOLVED_S = 10.0
_solved: tuple = (0.0, "", {})


def text(worker, settings):
    """The whole answer, as bytes; `worker` is None in a process that measures nothing."""
    container = settings.container
    lines = _family("caulk_probe_info", "gauge", "The probe, and the Python that it runs in")
    version = {
        "container": container,
        "version": caulk_probe.__version__,
        "python": "{}.{}.{}".format(*sys.version_info),
    }
    lines.append("caulk_probe_info{} 1".format(_labels(version)))
    if worker is not None:
        with_own = [(0, True, bytes(worker.cells.buffer))] if worker.slot is None else slots.every(worker.directory)
        found = list(with_own)
        lines.extend(samples(found, container))
        lines.extend(_growth(found, worker.directory, container))
    return ("\n".join(lines) + "\n").encode("utf-8") + _others()


def samples(found, container):
    """Lines of the families in the slots' files: number of the slot, whether its worker lives, bytes."""
    every = [[] for _ in families.FAMILIES]
    for number, lives, data in found:
        for family, key, _, numbers in cells.records(data):
            if family < len(every) and (lives or families.FAMILIES[family].is_kept):
                every[family].append((number, key, numbers))
    for family, some in zip(families.FAMILIES, every):
        if not family.name or not some:
            continue
        yield from _family(family.name, family.kind, family.help)
        for number, key, numbers in some:
            labels = {"container": container}
            if family.label:
                labels[family.label] = key
            labels["worker"] = number
            if family.kind == families.HISTOGRAM:
                yield from _histogram(family.name, labels, numbers)
            elif numbers[0] == numbers[0]:
                yield "{}{} {}".format(family.name, _labels(labels), _number(numbers[0]))


def growth(found):
    """Bytes per request by view, over all workers, by `attribution`."""
    parts = []
    for _, _, data in found:
        columns, sums = [], None
        for family, key, _, numbers in cells.records(data):
            if family == families.COLUMN.number:
                columns.append((key, numbers))
            elif family == families.PRODUCTS.number:
                sums = numbers
        if sums is not None:
            parts.append((columns, sums))
    return attribution.solve(parts)


def _growth(found, directory, container):
    """As `growth`, in lines; what was found a moment ago is said again."""
    global _solved  # one answer for all who ask
    now = time.monotonic()
    at, whose, known = _solved
    if not at or now - at > _SOLVED_S or whose != directory:
        known = growth(found)
        _solved = now, directory, known
    if not known:
        return
    yield from _family(families.VIEW_GROWTH_NAME, "gauge", families.VIEW_GROWTH_HELP)
    for view, size in known.items():
        labels = _labels({"container": container, "view_name": view})
        yield "{}{} {}".format(families.VIEW_GROWTH_NAME, labels, _number(round(size)))


def _family(name, kind, help_):
    return ["# HELP {} {}".format(name, help_), "# TYPE {} {}".format(name, kind)]


def _histogram(name, labels, numbers):
    """Buckets, each with all that is less, and the sum."""
    count = 0.0
    bounds = [*map(str, map(float, families.BUCKETS)), "+Inf"]
    for bound, each in zip(bounds, numbers):
        count += each
        yield "{}_bucket{} {}".format(name, _labels({**labels, "le": bound}), _number(count))
    yield "{}_sum{} {}".format(name, _labels(labels), _number(numbers[-1]))
    yield "{}_count{} {}".format(name, _labels(labels), _number(count))


def _labels(labels):
    return "{" + ",".join('{}="{}"'.format(name, _escaped(value)) for name, value in labels.items()) + "}"


def _escaped(value):
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value):
    return str(int(value)) if value == int(value) else repr(float(value))


def _others():
    """What `prometheus_client` knows, but for families that stand above already."""
    client = sys.modules.get("prometheus_client")
    if client is None:
        return b""
    registry = client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        registry = client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return client.generate_latest(_Without(registry))


class _Without:
    """A registry without the families that the probe has."""

    def __init__(self, registry):
        self.registry = registry

    def collect(self):
        """As a registry's."""
        own = {name for each in families.FAMILIES for name in (each.name, each.name.replace("_total", ""))}
        return (each for each in self.registry.collect() if each.name not in own)
