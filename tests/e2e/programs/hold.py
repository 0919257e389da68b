"""Holds 20,000 tickets in one dictionary, and can be asked for its heap by the probe."""

import signal

from caulk_probe import control

control.start()


class Ticket:
    def __init__(self, number):
        self.number, self.text = number, f"ticket {number}" * 20


OPEN = {}


def file_ticket(number):
    OPEN[number] = Ticket(number)


for number in range(20000):
    file_ticket(number)
print("ready", flush=True)
while True:
    signal.pause()
