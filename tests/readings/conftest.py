"""A real Prometheus, which is a Go program with metrics of its own."""

from collections.abc import Callable, Iterator

import pytest
from servers import free_port, running

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: self
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture(scope="session")
def prometheus(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary, folder, port = require("prometheus"), tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(CONFIG.format(port=port))
    address = f"127.0.0.1:{port}"
    command = [binary, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with running(command, f"http://{address}/-/ready", cwd=folder):
        yield f"http://{address}"
