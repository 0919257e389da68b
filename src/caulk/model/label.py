"""Labels: what a producer says about a sample beside its stack (an object's size class, a request, a thread)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A key with a text or, if `unit` is given or `text` is empty, a number."""

    key: str
    text: str = ""
    number: int = 0
    unit: str = ""


LabelSet = tuple[Label, ...]
