import base64
import json
import time
from urllib.parse import urlsplit

import yaml
from monitoring import MB, monitoring, serving, until

from caulk.alerting import documents
from caulk.alerting.rules.build import build
from caulk.alerting.rules.scrape import Credentials, jobs
from caulk.alerting.rules.thresholds import Thresholds

#: A leak of 2 MB a second, seen over six seconds instead of an hour.
FAST = Thresholds(
    growth_warning=1000 * MB,
    growth_critical=5000 * MB,
    critical_over=6,
    warning_over=12,
    memory=60,
    interval=1,
    missing=2,
)
USER, PASSWORD = "metrics", "swordfish"


def test_a_leak_is_scraped_alerted_on_and_posted_to_the_webhook(require, tmp_path):
    began, posted = time.time(), []

    def exporter(method, path, body, headers):
        given = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("authorization") != f"Basic {given}":
            return 401, b"Unauthorized"
        leaks = 100 * MB + 2 * MB * (time.time() - began)
        told = {"leaking": leaks, "steady": 100 * MB + (time.time_ns() % 1000)}[path.strip("/")]
        return 200, f"process_resident_memory_bytes {told:.0f}\nprocess_start_time_seconds {began:.0f}\n".encode()

    def hook(method, path, body, headers):
        posted.extend(json.loads(body)["alerts"])
        return 200, b""

    password = tmp_path / "password"
    password.write_text(PASSWORD)
    with serving(exporter) as metrics, serving(hook) as webhook:
        address = urlsplit(metrics).netloc
        scraped = jobs(
            [f"{name}=http://{address}/{name}" for name in ("leaking", "steady")],
            Credentials(USER, str(password)),
            interval_s=1,
        )
        # As it is written, so that what is read is what users give to Prometheus.
        scraped = yaml.safe_load(documents.write(scraped))["scrape_configs"]
        refused = {"job_name": "refused", "metrics_path": "/steady", "static_configs": [{"targets": [address]}]}
        rules = build(["process"], FAST, matchers='job!=""', runbook="https://example.org/runbook")
        with monitoring(
            tmp_path,
            prometheus=require("prometheus"),
            alertmanager=require("prometheus-alertmanager"),
            jobs=[*scraped, refused],
            rules=documents.write(documents.plain(rules)),
            webhook=webhook,
        ) as running:
            wanted = {("CriticalMemoryGrowthRate", "leaking"), ("MetricsAuthenticationFailure", "refused")}
            seen = until(lambda: wanted <= {_who(each) for each in posted} and list(posted))
            growth = running.query('caulk:memory_bytes:steady_growth_per_hour{job="leaking",over="6s"}')
    alert = next(each for each in seen if _who(each) == ("CriticalMemoryGrowthRate", "leaking"))
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["runbook_url"] == "https://example.org/runbook#criticalmemorygrowthrate"
    assert alert["annotations"]["summary"].startswith(f"Memory of {address} grows by ")
    assert 5400 < float(growth[0]["value"][1]) / MB < 9000
    assert not {name for name, job in map(_who, posted) if job == "steady" and "Growth" in name}


def _who(alert):
    return alert["labels"]["alertname"], alert["labels"].get("job", "")
