"""The probe for Django (4.2 to 5.2): a middleware, checks of the settings, and the command `memory_probe`.

`"caulk_probe.django.MemoryLeakDetectionMiddleware"` in MIDDLEWARE is all that measuring needs; `"caulk_probe.django"`
in INSTALLED_APPS adds the checks and the command.
"""

from caulk_probe.django.middleware import MemoryLeakDetectionMiddleware

__all__ = ["MemoryLeakDetectionMiddleware"]
