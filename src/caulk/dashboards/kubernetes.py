"""Workloads of Kubernetes: what the kubelet's cAdvisor and kube-state-metrics tell of containers, without any probe.

Both give `namespace`, `pod` and `container` themselves, so these names stand, whatever Prometheus was told for others.
"""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, Variable, growth

_POD = "{{pod}} {{container}}"
PODS = 'namespace=~"$namespace", pod=~"$pod"'
#: `container=""` is the sum of a pod, POD its pause container.
CONTAINERS = f'{PODS}, container=~"$container", container!="", container!="POD"'
_BY = "by (namespace, pod, container)"
LIMIT = f'max {_BY} (kube_pod_container_resource_limits{{resource="memory", {CONTAINERS}}})'
WORKING_SET = f"max {_BY} (container_memory_working_set_bytes{{{CONTAINERS}}})"
GROWTH = growth(f"container_memory_rss{{{CONTAINERS}}}")
TIME_TO_LIMIT = (
    f"({LIMIT} - {WORKING_SET}) / "
    f"(max {_BY} (deriv(min_over_time(container_memory_rss{{{CONTAINERS}}}[10m])[$window:])) > 0)"
)
_NOTHING_GROWS = "only containers that grow and have a limit have a time to it"


def _of(metric: str, what: str = "") -> Query:
    return Query(f"{metric}{{{CONTAINERS}}}", f"{_POD} {what}".strip())


MEMORY = Section(
    "Memory",
    (
        Panel(
            "Share of the limit",
            "Working set over limit. At 1 the kernel kills. A container without a limit is not here.",
            (Query(f"{WORKING_SET} / {LIMIT}", _POD),),
            "percentunit",
            warn=0.8,
            bad=0.95,
        ),
        Panel(
            "Growth of the floor",
            "Bytes an hour by which the lowest anonymous memory of each ten minutes rises; page cache is not "
            "in it. Above 10 MB/h look, above 50 MB/h capture.",
            (Query(GROWTH, _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Time to the limit",
            "If the growth of the chosen window goes on. Below an hour: capture now, then restart or give more.",
            (Query(TIME_TO_LIMIT, _POD, rare=_NOTHING_GROWS),),
            "s",
            warn=86400,
            bad=3600,
        ),
        Panel(
            "Working set, limit, request",
            "What is used of what was asked for. A level line near the limit is a limit that is too low, not a leak.",
            (
                Query(WORKING_SET, f"{_POD} working set"),
                Query(LIMIT, f"{_POD} limit"),
                Query(
                    f'max {_BY} (kube_pod_container_resource_requests{{resource="memory", {CONTAINERS}}})',
                    f"{_POD} request",
                ),
            ),
            "bytes",
        ),
        Panel(
            "What it is made of",
            "`anonymous` is heaps and stacks and can leak. `page cache` the kernel takes back when it needs "
            "to; files on tmpfs are in it and are not taken back. `mapped` is the part of it that programs "
            "map.",
            (
                _of("container_memory_rss", "anonymous"),
                _of("container_memory_cache", "page cache"),
                _of("container_memory_mapped_file", "mapped"),
                _of("container_memory_swap", "swap"),
            ),
            "bytes",
        ),
        Panel(
            "Limit met",
            "How often the kernel had to find memory for the container within its limit. Without growth of "
            "anonymous memory this is page cache being turned over.",
            (Query(f"rate(container_memory_failcnt{{{CONTAINERS}}}[$__rate_interval])", _POD),),
            "ops",
        ),
        Panel(
            "Major page faults",
            "Pages that had to be read from disk: code and data that were pushed out. The last stage before the kill.",
            (
                Query(
                    f"sum {_BY} (rate(container_memory_failures_total"
                    f'{{failure_type="pgmajfault", scope="container", {CONTAINERS}}}[$__rate_interval]))',
                    _POD,
                ),
            ),
            "ops",
        ),
        Panel(
            "Threads and files",
            "Growth of either without end is a leak that memory shows later.",
            (_of("container_threads", "threads"), _of("container_file_descriptors", "files")),
        ),
    ),
)

LIFE = Section(
    "Life",
    (
        Panel(
            "Restarts in an hour",
            "A container that restarts at equal distances with rising memory between is leaking, whatever the"
            " average says.",
            (
                Query(
                    f"sum {_BY} (increase(kube_pod_container_status_restarts_total{{{CONTAINERS}}}[1h]))",
                    _POD,
                ),
            ),
            kind="bars",
            warn=1,
            bad=3,
        ),
        Panel(
            "Killed for memory",
            "Containers whose last end was a kill by the kernel for want of memory.",
            (
                Query(
                    f'max {_BY} (kube_pod_container_status_last_terminated_reason{{reason="OOMKilled", {CONTAINERS}}})',
                    _POD,
                ),
            ),
            kind="bars",
            bad=1,
        ),
        Panel(
            "Age of containers",
            "Falls to nothing at a restart.",
            (Query(f"time() - max {_BY} (container_start_time_seconds{{{CONTAINERS}}})", _POD),),
            "s",
        ),
        Panel(
            "Replicas",
            "Wanted and available. An autoscaler on memory answers a leak with replicas, which hides it: then"
            " this line rises with the memory of all.",
            (
                Query('kube_deployment_spec_replicas{namespace=~"$namespace"}', "{{namespace}}/{{deployment}} wanted"),
                Query(
                    'kube_deployment_status_replicas_available{namespace=~"$namespace"}',
                    "{{namespace}}/{{deployment}} available",
                ),
            ),
        ),
    ),
)

LOAD = Section(
    "Load",
    (
        Panel(
            "CPU",
            "Seconds of CPU a second.",
            (Query(f"sum {_BY} (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval]))", _POD),),
        ),
        Panel(
            "Throttled",
            "Share of scheduling periods in which the container was stopped for its CPU limit. A collector "
            "that is throttled falls behind, and memory grows without a leak.",
            (
                Query(
                    f"sum {_BY} (rate(container_cpu_cfs_throttled_periods_total{{{CONTAINERS}}}[$__rate_interval])) / "
                    f"sum {_BY} (rate(container_cpu_cfs_periods_total{{{CONTAINERS}}}[$__rate_interval]))",
                    _POD,
                ),
            ),
            "percentunit",
            warn=0.1,
            bad=0.5,
        ),
        Panel(
            "Network",
            "Received, and sent (below 0), by pod.",
            (
                Query(
                    f"sum by (pod) (rate(container_network_receive_bytes_total{{{PODS}}}[$__rate_interval]))",
                    "{{pod}} received",
                ),
                Query(
                    f"-sum by (pod) (rate(container_network_transmit_bytes_total{{{PODS}}}[$__rate_interval]))",
                    "{{pod}} sent",
                ),
            ),
            "Bps",
            signed=True,
        ),
        Panel(
            "Pods by phase",
            "What runs, waits and failed.",
            (
                Query(
                    'sum by (namespace, phase) (kube_pod_status_phase{namespace=~"$namespace"})',
                    "{{namespace}} {{phase}}",
                ),
            ),
            kind="stacked",
        ),
    ),
)

CHOICES = (
    Variable("namespace", "Namespace", "label_values(container_memory_working_set_bytes, namespace)"),
    Variable("pod", "Pod", 'label_values(container_memory_working_set_bytes{namespace=~"$namespace"}, pod)'),
    Variable(
        "container",
        "Container",
        f'label_values(container_memory_working_set_bytes{{{PODS}, container!=""}}, container)',
    ),
    WINDOW,
)

DASHBOARD = Dashboard(
    "kubernetes",
    "Kubernetes workload",
    "Memory of containers against their limits, kills and restarts, load.",
    "cAdvisor in the kubelet, and kube-state-metrics",
    "https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md",
    CHOICES,
    (MEMORY, LIFE, LOAD),
)
