"""What the page asks: a module a subject, each with a table of endpoints."""

from caulk.web.routes import dumps, fleet, jobs, session

ENDPOINTS = (*session.ENDPOINTS, *dumps.ENDPOINTS, *downloads.ENDPOINTS, *jobs.ENDPOINTS, *fleet.ENDPOINTS)
