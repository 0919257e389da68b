"""Jobs: what is being done, how far it is, and how to end it."""

from typing import Any

from caulk.web.endpoint import Asking, Endpoint
from caulk.web.errors import NotFound
from caulk.web.jobs import Job
from caulk.web.records import JobRecord


async def jobs(asking: Asking) -> dict[str, Any]:
    """All jobs, the newest first."""
    return {"schema": "caulk.jobs/1", "jobs": [job.record() for job in asking.site.jobs.all()]}


async def job(asking: Asking) -> dict[str, Any]:
    """One job."""
    return _job(asking).record()


async def cancel(asking: Asking) -> dict[str, Any]:
    """Ask a job to end."""
    found = _job(asking)
    asking.site.jobs.cancel(found)
    return found.record()


def _job(asking: Asking) -> Job:
    found = asking.site.jobs.get(asking.path["id"])
    if found is None:
        raise NotFound(f"there is no job {asking.path['id'][:100]!r}", hint="Old ones are forgotten.")
    return found


ENDPOINTS = (
    Endpoint("GET", "/api/jobs", jobs),
    Endpoint("GET", "/api/jobs/{id}", job, answer=JobRecord),
    Endpoint("POST", "/api/jobs/{id}/cancel", cancel, answer=JobRecord, role="capture"),
)
