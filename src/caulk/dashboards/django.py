"""CPython and Django: the documented metrics as caulk-probe gives them, django-prometheus, client_python's collectors.

Queries of `container_…` take the labels that the kubelet gives, whatever Prometheus was told for other targets.
"""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, growth, quantile, rate, scraped

_POD = "{{<pod>}} {{<container>}}"
_WORKER = f"{_POD} {{{{worker}}}}"
_PODS = 'namespace=~"$namespace", pod=~"$pod", container!="", container!="POD"'

LEAK = Section(
    "Memory",
    (
        Panel(
            "Growth of the floor",
            "Bytes an hour by which each worker's floor rises: its lowest memory of late, which page cache "
            "and garbage are not in. Above 10 MB/h look, above 50 MB/h capture. Workers that are recycled "
            "begin anew: look at all of one pod.",
            (Query('3600 * deriv(caulk_probe_memory_bytes{kind="floor", <where>}[$window])', _WORKER),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Memory by worker",
            "Resident memory, and what of it the kernel cannot take back. The sum over the workers is what "
            "the limit sees.",
            (
                Query('caulk_probe_memory_bytes{kind="rss", <where>}', f"{_WORKER} resident"),
                Query('caulk_probe_memory_bytes{kind="anonymous", <where>}', f"{_WORKER} anonymous"),
            ),
            "bytes",
        ),
        Panel(
            "Application memory",
            "Resident memory of the worker after each view's last request. Views of one worker move together:"
            " the view that grows is not here but under *Growth by view*.",
            (
                Query(
                    "max by (<pod>, <container>, view_name) (django_memory_usage_bytes{<where>})",
                    f"{_POD} {{{{view_name}}}}",
                ),
            ),
            "bytes",
            warn=500 << 20,
            bad=1000 << 20,
        ),
        Panel(
            "Growth by view",
            "Bytes that one request of the view adds to the floor, reckoned over many requests of all "
            "workers. The highest is the view to read.",
            (
                Query(
                    "topk(10, caulk_probe_view_growth_bytes_per_request{<where>})",
                    f"{_POD} {{{{view_name}}}}",
                    rare="a pool must have answered enough requests to tell its views apart",
                ),
            ),
            "bytes",
            axis="per request",
            signed=True,
        ),
        Panel(
            "Growth events in an hour",
            "How often the floor rose by the threshold. More than five in an hour of one size: look at the requests "
            "of that time. Counters go on when a worker is recycled.",
            (
                Query(
                    "sum by (<pod>, <container>, threshold) (increase(django_memory_growth_events_total{<where>}[1h]))",
                    f"{_POD} {{{{threshold}}}}",
                ),
            ),
            kind="bars",
            warn=5,
        ),
        Panel(
            "What requests left behind (p99)",
            "Resident memory that a request did not give back, of requests that were alone. Large and rare is"
            " a cache or a buffer; small and always is a leak.",
            (Query(quantile(0.99, "django_allocation_bytes", "view_name"), "{{view_name}}"),),
            "bytes",
        ),
        Panel(
            "Container memory",
            "Working set by container, as the kubelet sees it: what is compared with the limit.",
            (Query(f"container_memory_working_set_bytes{{{_PODS}}}", "{{pod}} {{container}}"),),
            "bytes",
        ),
        Panel(
            "Where the growth is allocated",
            "The latest trace's sites, by bytes that were alive at its end. Filled after a growth was judged "
            "to be one.",
            (
                Query(
                    "topk(10, caulk_probe_growth_site_bytes{<where>})",
                    "{{site}}",
                    rare="allocations are traced only after memory grew",
                ),
            ),
            "bytes",
        ),
    ),
)

OBJECTS = Section(
    "Objects and collection",
    (
        Panel(
            "Python objects",
            "Reachable objects by type. Growth of dict and list with the memory: look who holds them (`caulk "
            "capture`).",
            (
                Query(
                    "sum by (<pod>, <container>, object_type) (django_python_objects_total{<where>})",
                    f"{_POD} {{{{object_type}}}}",
                ),
            ),
        ),
        Panel(
            "Growth of objects",
            "Objects an hour by which the floor of each type rises.",
            (
                Query(
                    "3600 * deriv(min_over_time((sum by (<pod>, <container>, object_type) "
                    '(django_python_objects_total{object_type=~"dict|list", <where>}))[10m:])[$window:])',
                    f"{_POD} {{{{object_type}}}}",
                ),
            ),
            axis="per hour",
            warn=1000,
            signed=True,
        ),
        Panel(
            "Collections",
            "Collections a second by generation, of all workers. More of generation 2 at the same load: more "
            "objects survive.",
            (
                Query(
                    rate("django_gc_collections_total", "<pod>, <container>, generation"),
                    f"{_POD} generation {{{{generation}}}}",
                ),
            ),
            "ops",
            warn=10,
        ),
        Panel(
            "Collections, as client_python counts them",
            "The same of programs without caulk-probe, and what collection found: `uncollectable` should be 0"
            " for ever.",
            (
                Query(
                    rate("python_gc_collections_total", "<pod>, <container>, generation"),
                    f"{_POD} generation {{{{generation}}}}",
                ),
                Query(
                    rate("python_gc_objects_uncollectable_total", "<pod>, <container>"),
                    f"{_POD} uncollectable",
                ),
            ),
            "ops",
        ),
        Panel(
            "Memory of the process, as client_python counts it",
            "One process a scrape: of a gunicorn pool without caulk-probe, whichever worker answered. Growth "
            "is then noise.",
            (Query(among("process_resident_memory_bytes{<where>}", "python_info"), _POD),),
            "bytes",
        ),
        Panel(
            "Growth of the process's floor",
            "Bytes an hour; of programs with one process.",
            (Query(among(growth("process_resident_memory_bytes{<where>}"), "python_info"), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
    ),
)

REQUESTS = Section(
    "Requests, database, load",
    (
        Panel(
            "Requests by view",
            "The view whose rate has the shape of the growth is where to look first.",
            (
                Query(
                    rate("django_http_requests_total_by_view_transport_method_total", "view, method"),
                    "{{method}} {{view}}",
                ),
            ),
            "reqps",
            "stacked",
        ),
        Panel(
            "Latency by view (p95)",
            "Nineteen of twenty requests are answered sooner.",
            (
                Query(
                    quantile(0.95, "django_http_requests_latency_seconds_by_view_method", "view, method"),
                    "{{method}} {{view}}",
                ),
            ),
            "s",
        ),
        Panel(
            "Answers by status",
            "Answers a second.",
            (
                Query(
                    rate("django_http_responses_total_by_status_total", "status"),
                    "{{status}}",
                ),
            ),
            "reqps",
            "stacked",
        ),
        Panel(
            "Database: queries",
            "Statements a second. Queries that grow faster than requests load more into memory each.",
            (
                Query(
                    rate("django_db_execute_total", "alias, vendor"),
                    "{{vendor}} {{alias}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Database: latency",
            "19 of 20 and 99 of 100 statements are answered sooner.",
            (
                Query(quantile(0.95, "django_db_query_duration_seconds", "alias"), "{{alias}} p95"),
                Query(quantile(0.99, "django_db_query_duration_seconds", "alias"), "{{alias}} p99"),
            ),
            "s",
        ),
        Panel(
            "CPU",
            "Seconds of CPU a second by container. A worker near its limit collects all the time.",
            (
                Query(
                    f"sum by (pod, container) (rate(container_cpu_usage_seconds_total{{{_PODS}}}[$__rate_interval]))",
                    "{{pod}} {{container}}",
                ),
            ),
        ),
        Panel(
            "Network",
            "Received, and sent (below 0).",
            (
                Query(
                    'sum by (pod) (rate(container_network_receive_bytes_total{namespace=~"$namespace", pod=~"$pod"}'
                    "[$__rate_interval]))",
                    "{{pod}} received",
                ),
                Query(
                    '-sum by (pod) (rate(container_network_transmit_bytes_total{namespace=~"$namespace", pod=~"$pod"}'
                    "[$__rate_interval]))",
                    "{{pod}} sent",
                ),
            ),
            "Bps",
            signed=True,
        ),
        Panel(
            "Workers started",
            "Workers that took a slot in an hour. With `--max-requests` this is the clock that hides a leak; "
            "without, it is workers that die.",
            (
                Query(
                    "sum by (<pod>, <container>) (increase(caulk_probe_worker_starts_total{<where>}[1h]))",
                    _POD,
                ),
            ),
            kind="bars",
        ),
    ),
)

DASHBOARD = Dashboard(
    "django",
    "CPython and Django",
    "Memory by worker and view, objects, collections, requests and queries of Python programs.",
    "caulk-probe, django-prometheus and client_python",
    "https://github.com/korfuri/django-prometheus",
    (*scraped("python_info", "caulk_probe_memory_bytes"), WINDOW),
    (LEAK, OBJECTS, REQUESTS),
)
