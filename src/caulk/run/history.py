"""Readings of a process for as long as it runs, in bounded memory: the longer it runs, the wider they are apart."""

from caulk.model.series import Reading, Series

_MOST = 1024


class History:
    """The readings of one name, evenly thinned to at most 1,024 and the newest; `most` is the highest rss."""

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._newest: Reading | None = None
        self._stride = 1
        self.most = 0
        self._seen = 0

    def add(self, reading: Reading) -> None:
        """Notes one more reading."""
        self._newest = reading
        self.most = max(self.most, reading.rss)
        if self._seen % self._stride == 0:
            self._readings.append(reading)
        self._seen += 1
        if len(self._readings) >= _MOST:
            del self._readings[1::2]
            self._stride *= 2

    @property
    def newest(self) -> Reading | None:
        """The last reading."""
        return self._newest

    def series(self, name: str) -> Series:
        """All that was kept, oldest first."""
        readings = self._readings
        if self._newest and readings and readings[-1] is not self._newest:
            readings = [*readings, self._newest]
        return Series(name, tuple(readings))
