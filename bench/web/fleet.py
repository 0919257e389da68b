"""Serves a fleet of many workloads with a day of readings, and nothing that watches it: fleet.py HOME COUNT PORT."""

import asyncio
import math
import socket
import sys
import time
from pathlib import Path

from caulk.config import Config
from caulk.config.schema import Serve
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.store.history import History
from caulk.watch.fleet import Fleet
from caulk.watch.loop import Loop
from caulk.web.server import application, serve
from caulk.web.site import site

MB = 1 << 20
_RUNTIMES = ("go", "jvm", "node", "cpython", "envoy")


def filled(fleet: Fleet, history: History, count: int, hours: int = 24) -> None:
    """Workloads of which each tenth grows, with a reading each half hour."""
    now = time.time()
    for number in range(count):
        runtime = _RUNTIMES[number % len(_RUNTIMES)]
        workload = Workload(f"k8s:team-{number % 40}/deploy/service-{number}", f"service-{number}", runtime)
        for step in range(hours * 2 + 1):
            at = now - hours * 3600 + step * 1800
            grown = step * MB if number % 10 == 0 else 8 * MB * math.sin(step + number)
            size = int((120 + number % 200) * MB + grown)
            reading = Reading(at, size, anonymous=size, heap=size // 2)
            target = Target("kubernetes", f"k8s:team-{number % 40}/pod/service-{number}-0", f"service-{number}")
            seen = Observation(workload, "0", reading, target=target, limit=512 * MB)
            history.note(seen)
            fleet.add(seen)
    history.commit()


async def main(home: Path, count: int, port: int) -> None:
    """Fills the fleet, then serves it until it is killed."""
    history, fleet = History(home / "history"), Fleet()
    filled(fleet, history, count)
    one = site(home, loop=Loop([], fleet), history=history, config=Config(serve=Serve(address=f"127.0.0.1:{port}")))
    await serve(application(one), one, socket.create_server(("127.0.0.1", port)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
