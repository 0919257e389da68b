"""What the page asks: a module a subject, each with a table of endpoints."""

from caulk.web.routes import (
    captures,
    described,
    downloads,
    dumps,
    find,
    fleet,
    incidents,
    jobs,
    rules,
    session,
    targets,
    uploads,
)

ENDPOINTS = (
    *session.ENDPOINTS,
    *dumps.ENDPOINTS,
    *downloads.ENDPOINTS,
    *uploads.ENDPOINTS,
    *jobs.ENDPOINTS,
    *fleet.ENDPOINTS,
    *targets.ENDPOINTS,
    *incidents.ENDPOINTS,
    *rules.ENDPOINTS,
    *captures.ENDPOINTS,
    *find.ENDPOINTS,
    *described.ENDPOINTS,
)
