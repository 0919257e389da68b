"""What the page asks: a module a subject, each with a table of endpoints."""

from caulk.web.routes import dumps, jobs, session

ENDPOINTS = (*session.ENDPOINTS, *dumps.ENDPOINTS, *jobs.ENDPOINTS)
