"""What Django says of the probe's settings when it checks a project."""

from django.core.checks import Error, Warning

from caulk_probe.django.lookup import found
from caulk_probe.settings import Invalid, Settings

MIDDLEWARE = "caulk_probe.django.MemoryLeakDetectionMiddleware"


def check(app_configs=None, **_):
    """Messages, in Django's own form."""
    try:
        settings = Settings(found)
    except Invalid as error:
        return [Error(str(error), id="caulk_probe.E001")]
    said = [Warning(fault, id="caulk_probe.W001") for fault in settings.faults()]
    installed = list(found("MIDDLEWARE") or ())
    if not any(each.startswith("caulk_probe.") for each in installed):
        hint = "Add {!r} to MIDDLEWARE.".format(MIDDLEWARE)
        text = "The probe measures no requests: its middleware is not in use."
        said.append(Warning(text, hint=hint, id="caulk_probe.W002"))
    others = [each for each in installed if each.endswith(".MemoryLeakDetectionMiddleware") and each != MIDDLEWARE]
    for each in others:
        hint = "Remove it: both answer for /metrics, and its metrics have the same names."
        said.append(Warning("{} is in MIDDLEWARE beside the probe's.".format(each), hint=hint, id="caulk_probe.W003"))
    return said
