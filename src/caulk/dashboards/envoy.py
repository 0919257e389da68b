"""Envoy: memory, connections and requests from `/stats/prometheus` of its admin interface."""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, growth, quantile, rate, scraped

_POD = "{{<pod>}} {{<container>}}"


def _of(metric: str, what: str = "") -> Query:
    return Query(f"{metric}{{<where>}}", f"{_POD} {what}".strip())


def _listeners(metric: str) -> Query:
    return Query(
        f"sum by (<pod>, envoy_http_conn_manager_prefix) ({metric}{{<where>}})",
        "{{<pod>}} {{envoy_http_conn_manager_prefix}}",
    )


def _clusters(metric: str) -> Query:
    return Query(f"sum by (<pod>, envoy_cluster_name) ({metric}{{<where>}})", "{{<pod>}} {{envoy_cluster_name}}")


MEMORY = Section(
    "Memory",
    (
        Panel(
            "Growth of what is allocated",
            "Bytes an hour by which the lowest of each ten minutes rises. Above 10 MB/h look, above 50 MB/h "
            "take a heap profile.",
            (Query(growth("envoy_server_memory_allocated{<where>}"), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Memory",
            "`allocated` is in use, `heap` what tcmalloc reserved, `physical` what the kernel backs. "
            "Allocated that rises is a leak or more configuration; physical far above allocated was not given"
            " back.",
            (
                _of("envoy_server_memory_allocated", "allocated"),
                _of("envoy_server_memory_heap_size", "heap"),
                _of("envoy_server_memory_physical_size", "physical"),
            ),
            "bytes",
        ),
        Panel(
            "Buffered",
            "Bytes read and not sent on, towards clients and towards clusters: a slow reader on either side "
            "shows here.",
            (
                _listeners("envoy_http_downstream_cx_rx_bytes_buffered"),
                _listeners("envoy_http_downstream_cx_tx_bytes_buffered"),
                _clusters("envoy_cluster_upstream_cx_rx_bytes_buffered"),
                _clusters("envoy_cluster_upstream_cx_tx_bytes_buffered"),
            ),
            "bytes",
        ),
        Panel(
            "Configuration",
            "Clusters and listeners. Each takes memory, mostly for its statistics: growth with them is no "
            "leak of Envoy's.",
            (
                _of("envoy_cluster_manager_active_clusters", "clusters"),
                _of("envoy_listener_manager_total_listeners_active", "listeners"),
            ),
        ),
        Panel(
            "Listeners on their way out",
            "Old listeners that still drain keep their connections and filters; a number that stays is memory"
            " that stays.",
            (_of("envoy_listener_manager_total_listeners_draining", "draining"),),
        ),
        Panel(
            "Age of the process",
            "Falls to nothing at a restart.",
            (_of("envoy_server_uptime"),),
            "s",
        ),
    ),
)

CLIENTS = Section(
    "From clients",
    (
        Panel(
            "Connections",
            "Open now, by listener. A line that only rises is clients that never hang up; an idle timeout ends that.",
            (_listeners("envoy_http_downstream_cx_active"),),
        ),
        Panel(
            "Requests in flight",
            "Begun and not answered; streams that never end count here.",
            (_listeners("envoy_http_downstream_rq_active"),),
        ),
        Panel(
            "Requests by status",
            "Classes of status a second.",
            (
                Query(
                    rate("envoy_http_downstream_rq_xx", "envoy_response_code_class"),
                    "{{envoy_response_code_class}}xx",
                ),
            ),
            "reqps",
            "stacked",
        ),
        Panel(
            "Latency (p99)",
            "99 of 100 requests were answered sooner.",
            (
                Query(
                    quantile(0.99, "envoy_http_downstream_rq_time", "envoy_http_conn_manager_prefix"),
                    "{{envoy_http_conn_manager_prefix}}",
                ),
            ),
            "ms",
        ),
    ),
)

CLUSTERS = Section(
    "To clusters",
    (
        Panel("Connections to clusters", "Open now, by cluster.", (_clusters("envoy_cluster_upstream_cx_active"),)),
        Panel(
            "Requests waiting",
            "Requests that wait for a connection, with their bodies.",
            (_clusters("envoy_cluster_upstream_rq_pending_active"),),
        ),
        Panel(
            "Latency of clusters (p99)",
            "Who is slow: what waits for him is buffered here.",
            (Query(quantile(0.99, "envoy_cluster_upstream_rq_time", "envoy_cluster_name"), "{{envoy_cluster_name}}"),),
            "ms",
        ),
        Panel(
            "Healthy members",
            "Members that take requests, of all.",
            (
                Query(
                    "sum by (envoy_cluster_name) (envoy_cluster_membership_healthy{<where>}) / "
                    "sum by (envoy_cluster_name) (envoy_cluster_membership_total{<where>})",
                    "{{envoy_cluster_name}}",
                ),
            ),
            "percentunit",
            warn=0.9,
            bad=0.5,
        ),
    ),
)

DASHBOARD = Dashboard(
    "envoy",
    "Envoy",
    "Memory, connections and requests of Envoy and of what is built on it.",
    "Envoy's admin interface",
    "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/statistics",
    (*scraped("envoy_server_memory_allocated"), WINDOW),
    (MEMORY, CLIENTS, CLUSTERS),
)
