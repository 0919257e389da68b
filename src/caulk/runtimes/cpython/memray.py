"""memray's attaching, which caulk does not do: said, so that nobody looks for it."""

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed
from caulk.ports import Reach, Sink


class Memray:
    """`memray attach`: gdb or lldb loads memray into the program, which then sees what is allocated from there on."""

    name, alias = "memray:attach", "memray"
    evidence: Evidence = "profile"
    format, suffix = "memray", ".bin"

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def check(self) -> Check:
        """Why not."""
        return Check(
            "impossible",
            "memray attach stops the program in a debugger until it allocates, may crash it, and sees nothing that was"
            " allocated before",
            "caulk run --native -- CMD   # memray from the start; `caulk analyze` reads what `memray attach -o` writes",
        )

    def cost(self) -> Cost:
        """Nothing."""
        return Cost()

    def take(self, sink: Sink) -> Taken:
        """Raises."""
        check = self.check()
        raise CaptureFailed(check.why, hint=check.fix)
