"""The probe's settings out of Django's, else out of the environment."""

from __future__ import annotations

from caulk_probe.settings import Invalid, Settings


def found(name):
    """What Django's settings have under a name of the probe."""
    from django.conf import settings

    return getattr(settings, name, None)


def django_settings():
    """The settings. Raises ImproperlyConfigured."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        return Settings(found)
    except Invalid as error:
        raise ImproperlyConfigured(str(error)) from None
