"""How far a sampled profile can be trusted: the standard error of its numbers, from its period.

An allocation of s bytes is seen with probability p = 1 - exp(-s / period), and written down as 1/p of them. So n live
objects of s bytes have a variance of n s² (1 - p) / p: for small objects, bytes × period. Source: Poisson sampling as
in Go's runtime/pprof (`scaleHeapSample`) and tcmalloc's design notes.
"""

from collections.abc import Sequence
from math import exp

from caulk.model.profile import Profile


def variances(
    profile: Profile, group: Sequence[int], groups: int, *, size: int, count: int | None
) -> tuple[list[float], list[float]]:
    """The variances of the measures `size` (bytes²) and `count` in each of `groups`.

    `group` has one number a sample, -1 for none. Without a measure that counts, objects are taken to be small, which is
    the cautious side. Zero for a profile that saw every allocation.
    """
    of_size, of_count = [0.0] * groups, [0.0] * groups
    period = profile.period
    if period <= 1:
        return of_size, of_count
    samples = profile.samples
    sizes = samples.values[size]
    counts = samples.values[count] if count is not None else None
    for i, at in enumerate(group):
        value = abs(sizes[i])
        if at < 0 or not value:
            continue
        number = abs(counts[i]) if counts is not None else 0
        if not number:
            of_size[at] += value * period
            continue
        each = value / number
        # Beyond 40 periods an allocation is seen for certain, and exp would underflow.
        missed = exp(-each / period) if each < 40 * period else 0.0
        odds = number * missed / (1.0 - missed)
        of_size[at] += odds * each * each
        of_count[at] += odds
    return of_size, of_count
