"""Serves a small Django project under django-prometheus for recording: `python main.py PORT`; asks itself first."""

import sys
import urllib.error
import urllib.request
from threading import Thread
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse, HttpResponseServerError
from django.urls import include, path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for recording",
    INSTALLED_APPS=["django_prometheus"],
    MIDDLEWARE=[
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django_prometheus.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django_prometheus.cache.backends.locmem.LocMemCache"}},
    PROMETHEUS_EXPORT_MIGRATIONS=False,
)
django.setup()
HELD = []


def tickets(request):
    """Keeps what it was asked, and asks the database and the cache."""
    HELD.append([request.path] * 100)
    cache.get_or_set("tickets", 1)
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("tickets")


def broken(_):
    """Answers 500."""
    return HttpResponseServerError("broken")


urlpatterns = [
    path("tickets", tickets, name="tickets"),
    path("broken", broken, name="broken"),
    path("", include("django_prometheus.urls")),
]


def ask(base: str) -> None:
    """Forty requests, some of them for what is broken or not there."""
    for name in ["tickets", "tickets", "broken", "missing"] * 10:
        try:
            urllib.request.urlopen(f"{base}/{name}").read()
        except urllib.error.HTTPError:
            continue


if __name__ == "__main__":
    from django.core.wsgi import get_wsgi_application

    port = int(sys.argv[1])
    server = make_server("127.0.0.1", port, get_wsgi_application())
    Thread(target=server.serve_forever).start()
    ask(f"http://127.0.0.1:{port}")
