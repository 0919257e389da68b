"""How coarsely a pprof heap profile was sampled, where its producer sampled but wrote a `period` of 0.

Google's tcmalloc does so in Envoy. Its samples tell: the weight of one is the interval *T* and what the allocation had
left of it, never less than *T* (`Sampler::RecordAllocationSlow`), and it is written as the number of objects of
`bytes`, each `request` + 1 of the weight (`StackTraceTable::AddTrace`); equal samples of one stack are added together.
So the lightest sample is *T* almost exactly where objects are small, and else too large, which only makes the error
that is told from it too large. One or two samples may be sums of many, and tell nothing.
Source: https://github.com/google/tcmalloc, tcmalloc/sampler.cc, stack_trace_table.cc and docs/sampling.md.
"""

from collections.abc import Sequence

from caulk.model.label import LabelSet
from caulk.model.measure import Measure

#: `kDefaultProfileSamplingInterval` of tcmalloc: what is assumed where the samples cannot tell.
_DEFAULT = 2 << 20
#: With so many objects in a sample, each is small beside the interval.
_MANY = 4
#: So many such samples are hardly all of them sums.
_ENOUGH = 3

ASSUMED = (
    "the profile says that it was sampled, but not how coarsely: its errors are reckoned from tcmalloc's default,"
    " one allocation in 2 MiB"
)


def interval(
    measures: Sequence[Measure],
    values: Sequence[Sequence[int]],
    labels: Sequence[int],
    label_sets: Sequence[LabelSet],
) -> tuple[int, bool]:
    """The mean number of bytes between two samples, or 0 without live bytes; and whether the samples told it.

    `values` has a column a measure, `labels` the number of each sample's label set.
    """
    size = next((i for i, m in enumerate(measures) if m.role == "live" and m.unit == "bytes"), None)
    count = next((i for i, m in enumerate(measures) if m.role == "live" and m.unit == "count"), None)
    if size is None or not any(values[size]):
        return 0, True
    ratio = [_ratio(labels) for labels in label_sets]
    weights = [(abs(value) * ratio[labels[i]], i) for i, value in enumerate(values[size]) if value]
    small = [weight for weight, i in weights if count is not None and abs(values[count][i]) >= _MANY]
    lightest = min(small or [weight for weight, _ in weights])
    is_told = len(small) >= _ENOUGH or lightest <= _DEFAULT
    # A file may claim samples heavier than any memory.
    return (min(max(round(lightest), 1), 1 << 62), True) if is_told else (_DEFAULT, False)


def _ratio(labels: LabelSet) -> float:
    """What the weight of a sample is for a byte that was written of it."""
    number = {label.key: label.number for label in labels if not label.text}
    request, allocated = number.get("request", 0), number.get("bytes", 0)
    return (request + 1) / allocated if request > 0 and allocated > 0 else 1.0
