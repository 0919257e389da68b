"""The middleware: measures requests by the name of their view, and answers `/metrics`; sync and async."""

from __future__ import annotations

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from caulk_probe import access, process
from caulk_probe.django.lookup import django_settings


class MemoryLeakDetectionMiddleware:
    """What stands in MIDDLEWARE. Raises ImproperlyConfigured where a setting cannot be meant."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.settings = django_settings()
        process.load(self.settings)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        """One request."""
        if self.is_async:
            return self.acall(request)
        if is_scrape(request):
            return self.metrics(request)
        if not self.settings.is_profiling:
            return self.get_response(request)
        own = process.current()
        token = own.begin()
        try:
            return self.get_response(request)
        finally:
            own.end(token, view_of(request))

    async def acall(self, request):
        """One request of an asynchronous server."""
        if is_scrape(request):
            return self.metrics(request)
        if not self.settings.is_profiling:
            return await self.get_response(request)
        own = process.current()
        token = own.begin()
        try:
            return await self.get_response(request)
        finally:
            own.end(token, view_of(request))

    def metrics(self, request):
        """One scrape."""
        from django.http import HttpResponse

        status, headers, body = access.answer(self.settings, request.META.get("HTTP_AUTHORIZATION", ""))
        return HttpResponse(body, status=status, headers=dict(headers))


def is_scrape(request):
    """Whether the metrics are asked for, under whatever prefix the application is served."""
    return request.path_info in access.PATHS or request.path in access.PATHS


def view_of(request):
    """The name of the view that answered."""
    match = request.resolver_match
    return (match.view_name if match is not None else None) or "unknown"
