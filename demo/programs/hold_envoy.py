"""Envoy before whose filters requests wait for the rest of their bodies: what they have sent stays in its buffers.

python hold_envoy.py ENVOY ADMIN-PORT
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# It counts its work, not the time: on a busy machine it runs for longer, and leaks as much.
REQUESTS = int(40 * float(os.environ.get("DEMO_SECONDS", "10")))
EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
BODY = b"x" * 300_000


def address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def config(admin: int, port: int, upstream: int) -> dict:
    """One listener that passes everything on to one cluster."""
    to_service = {"match": {"prefix": "/"}, "route": {"cluster": "service", "timeout": "600s"}}
    # Passes a request on when all of it is there.
    buffer = {"@type": f"{EXTENSIONS}.http.buffer.v3.Buffer", "max_request_bytes": 1 << 20}
    router = {"@type": f"{EXTENSIONS}.http.router.v3.Router"}
    manager = {
        "@type": f"{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [to_service]}]},
        "http_filters": [
            {"name": "envoy.filters.http.buffer", "typed_config": buffer},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}
    cluster = {
        "name": "service",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "service", "endpoints": [endpoint]},
    }
    listener = {"address": address(port), "filter_chains": [{"filters": filters}]}
    return {"admin": {"address": address(admin)}, "static_resources": {"listeners": [listener], "clusters": [cluster]}}


def connect(port: int) -> socket.socket:
    """A connection, once somebody listens."""
    end = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def main(envoy: str, admin: int) -> None:
    held = []
    service = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def accept() -> None:
        while True:
            held.append(service.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "envoy.json")
        path.write_text(json.dumps(config(admin, port, service.getsockname()[1])))
        proxy = subprocess.Popen(
            [envoy, "-c", str(path), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "off"]
        )
        connect(port).close()
        for _ in range(REQUESTS):
            client = connect(port)
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + BODY)
            held.append(client)
            time.sleep(0.02)
        proxy.terminate()
        proxy.wait()
    print(f"hold_envoy.py: {len(held):,} ends of connections held open")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
