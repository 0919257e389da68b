"""HTTP servers measured by go-http-metrics: rate, errors, latency, requests in flight."""

from caulk.dashboards.panel import Dashboard, Panel, Query, Section, quantile, rate, scraped

_REQUESTS = "rate(http_request_duration_seconds_count{<where>}[$__rate_interval])"
_FAILED = 'rate(http_request_duration_seconds_count{code=~"5..", <where>}[$__rate_interval])'

TRAFFIC = Section(
    "Requests",
    (
        Panel(
            "Requests by status",
            "Compare with the memory of the same time: memory that follows the requests and stays is kept per request.",
            (Query(f"sum by (code) ({_REQUESTS})", "{{code}}"),),
            "reqps",
            "stacked",
        ),
        Panel(
            "Share of errors",
            "Answers of 500 and above. A program that collects without end times out before it dies.",
            (Query(f"sum by (service) ({_FAILED}) / sum by (service) ({_REQUESTS})", "{{service}}"),),
            "percentunit",
            warn=0.01,
            bad=0.05,
        ),
        Panel(
            "Requests by handler",
            "Who is called: the handler whose rate has the shape of the growth is where to look first.",
            (Query(f"sum by (handler, method) ({_REQUESTS})", "{{method}} {{handler}}"),),
            "reqps",
        ),
        Panel(
            "Requests in flight",
            "Requests that have begun and not ended. A line that only rises is handlers that hang, with all they hold.",
            (Query("sum by (service, handler) (http_requests_inflight{<where>})", "{{service}} {{handler}}"),),
        ),
    ),
)

LATENCY = Section(
    "Latency and size",
    (
        Panel(
            "Latency",
            "Half, nine tenths and 99 of 100 requests are faster than this.",
            (
                Query(quantile(0.5, "http_request_duration_seconds", "service"), "{{service}} p50"),
                Query(quantile(0.9, "http_request_duration_seconds", "service"), "{{service}} p90"),
                Query(quantile(0.99, "http_request_duration_seconds", "service"), "{{service}} p99"),
            ),
            "s",
        ),
        Panel(
            "Latency by handler (p99)",
            "Which handler is slow.",
            (Query(quantile(0.99, "http_request_duration_seconds", "handler"), "{{handler}}"),),
            "s",
        ),
        Panel(
            "Size of answers (p90)",
            "Large answers are built in memory: a few at once may be what fills it, without any leak.",
            (Query(quantile(0.9, "http_response_size_bytes", "handler"), "{{handler}}"),),
            "bytes",
        ),
        Panel(
            "Sent",
            "Bytes of answers a second.",
            (Query(rate("http_response_size_bytes_sum", "service"), "{{service}}"),),
            "Bps",
        ),
    ),
)

DASHBOARD = Dashboard(
    "http-api",
    "HTTP API",
    "Rate, errors, latency and requests in flight of servers measured by go-http-metrics.",
    "go-http-metrics",
    "https://github.com/slok/go-http-metrics#prometheus-query-examples",
    scraped("http_request_duration_seconds_count"),
    (TRAFFIC, LATENCY),
)
