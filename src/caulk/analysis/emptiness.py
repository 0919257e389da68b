"""Profiles that hold almost nothing: why, and what to do, before somebody reads a leak into three samples.

A sampled profile shows only what was allocated since sampling began, and of that one allocation in so many bytes. Of a
proxy at rest that is next to nothing, while its allocator holds megabytes from the start.
"""

from caulk.model.profile import Profile
from caulk.model.units import format_share, format_value

#: A profile with less than this share of what the allocator gave out does not show where memory is.
_SHARE = 0.25
#: So few sampled objects cannot be told from chance.
_FEW_SAMPLES = 8


def emptiness(profile: Profile) -> str:
    """A sentence where the profile is nearly empty, else nothing."""
    size = next((i for i, m in enumerate(profile.measures) if m.role == "live" and m.unit == "bytes"), None)
    if size is None or profile.kind != "heap":
        return ""
    shown, allocated = profile.total(size), profile.memory.get("allocated", 0)
    often = f"one allocation in {format_value(profile.period, 'bytes')} is sampled" if profile.period > 1 else ""
    if allocated and shown < _SHARE * allocated:
        part = f"{format_value(shown, 'bytes')} of the {format_value(allocated, 'bytes')}"
        why = f"{often}, and what" if often else "what"
        return (
            f"The profile shows {part} that the allocator has given out ({format_share(shown / allocated)}): {why} was"
            " allocated before sampling began, or by another allocator, is not in it. Take it under load, when memory"
            " has grown."
        )
    seen = sum(1 for value in profile.samples.values[size] if value)
    if profile.period > 1 and max(seen, shown / profile.period) < _FEW_SAMPLES:
        return (
            f"The profile is nearly empty: {seen} samples, {format_value(shown, 'bytes')} in all, since {often}."
            " Take it under load, when memory has grown."
        )
    return ""
