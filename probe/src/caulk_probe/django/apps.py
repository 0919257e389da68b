"""Registers the checks."""

from django.apps import AppConfig


class ProbeConfig(AppConfig):
    """`caulk_probe.django` in INSTALLED_APPS."""

    name = "caulk_probe.django"
    label = "caulk_probe"
    verbose_name = "caulk-probe"
    default = True

    def ready(self):
        """Has `manage.py check`, and every start of a server, look at the settings."""
        from django.core.checks import register

        from caulk_probe.django.checks import check

        register(check)
