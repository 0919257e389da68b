"""Asks PORT over HTTP all the time, once somebody listens there; says then how long the slowest answer took."""

import http.client
import socket
import sys
import threading
import time


class Asking(threading.Thread):
    """One request after another."""

    longest = 0.0

    def run(self) -> None:
        """Goes on for ever."""
        link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
        while True:
            began = time.monotonic()
            link.request("GET", "/")
            link.getresponse().read()
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)


end = time.monotonic() + 300
while time.monotonic() < end:
    with socket.socket() as link:
        if link.connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0:
            break
    time.sleep(0.05)
asking = Asking(daemon=True)
asking.start()
print("ready", flush=True)
for _ in sys.stdin:
    print(asking.longest, flush=True)
    asking.longest = 0.0
