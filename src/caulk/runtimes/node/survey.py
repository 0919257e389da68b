"""What is known of one Node.js, each thing looked at once: many ways ask the same, and each look may be far away."""

from collections.abc import Mapping
from functools import cached_property

from caulk.model.target import Access, Process
from caulk.ports import Reach
from caulk.runtimes.node.door import Door, door
from caulk.runtimes.node.figures import Heap, heap
from caulk.runtimes.node.switches import stated


class Survey:
    """One Node.js behind a reach, as it is when it is first asked about; nothing is changed there."""

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self.access = reach, access

    @cached_property
    def process(self) -> Process:
        """The process."""
        return self.reach.process()

    @cached_property
    def switches(self) -> Mapping[str, str]:
        """How it was started."""
        return stated(self.process)

    @cached_property
    def heap(self) -> Heap:
        """Its heap now."""
        return heap(self.reach, self.process)

    @cached_property
    def door(self) -> Door:
        """Whether its inspector answers, or would."""
        return door(self.reach, self.process, self.access.port)
