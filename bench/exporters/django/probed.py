"""A small Django project under caulk-probe, for recording: `gunicorn --workers 3 probed:application`.

`leak` keeps 20 kB of each request, `tickets` nothing.
"""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for recording",
    INSTALLED_APPS=["caulk_probe.django"],
    MIDDLEWARE=["caulk_probe.django.MemoryLeakDetectionMiddleware"],
)
HELD = []


def leak(_):
    """Keeps what it made."""
    HELD.append([bytearray(20_000)])
    return HttpResponse("kept")


def tickets(_):
    """Keeps nothing."""
    return HttpResponse("tickets")


urlpatterns = [path("leak", leak, name="leak"), path("tickets", tickets, name="tickets")]
application = get_wsgi_application()
