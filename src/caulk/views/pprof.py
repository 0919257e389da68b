"""pprof profiles: the protobuf that `go tool pprof`, Pyroscope, Parca and speedscope read (`.pb.gz`).

Schema: https://github.com/google/pprof/blob/main/proto/profile.proto. One location a frame (which calls were
inlined is not kept), one function a name and file; values, labels, times, period and comments go along.
Deterministic: the gzip header has no time.
"""

import zlib
from collections.abc import Iterable

from caulk.model.measure import Measure
from caulk.model.profile import Profile, samples_of
from caulk.model.tree import Tree

NAME = "pprof"


def render(tree: Tree) -> bytes:
    """A bare tree as a profile: no labels, no time, no period."""
    return encode(
        Profile(
            format=NAME,
            runtime="native",
            kind="unknown",
            measures=tree.measures,
            frames=tree.frames,
            samples=samples_of(tree),
        )
    )


def encode(profile: Profile) -> bytes:
    """The gzip'd profile.proto of `profile`; what it has beside stacks (`memory`, `warnings`) is not in the schema."""
    return zlib.compress(_Writer(profile).message(), 6, wbits=31)


class _Writer:
    """The parts of one profile, as they are numbered."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.frames = profile.frames
        self.strings: dict[str, int] = {"": 0}
        self.functions: dict[tuple[int, int], int] = {}

    def message(self) -> bytes:
        profile = self.profile
        parts = [_bytes(1, self.measure(measure)) for measure in profile.measures]
        parts += self.samples()
        parts += self.mappings()
        parts += self.locations()
        parts += [
            _bytes(5, _int(1, number) + _int(2, name) + _int(3, name) + _int(4, file))
            for (name, file), number in self.functions.items()
        ]
        parts.append(_int(7, self.string(profile.drop_frames)) + _int(8, self.string(profile.keep_frames)))
        # pprof takes the time by whole nanoseconds; a float of seconds does not hold them.
        taken = profile.taken_at
        parts.append(_int(9, int(taken.timestamp()) * 10**9 + taken.microsecond * 1000) if taken else b"")
        parts.append(_int(10, round(profile.duration_s * 1e9)))
        if profile.period_measure:
            parts.append(_bytes(11, self.measure(profile.period_measure)))
        parts.append(_int(12, profile.period))
        parts.append(_packed(13, [self.string(comment) for comment in profile.comments]))
        parts.append(_int(14, self.string(profile.measures[profile.default_measure].name)))
        # Last, when every string has its number.
        parts += [_bytes(6, text.encode("utf-8", "replace")) for text in self.strings]
        return b"".join(parts)

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def measure(self, measure: Measure) -> bytes:
        return _int(1, self.string(measure.name)) + _int(2, self.string(measure.unit))

    def samples(self) -> Iterable[bytes]:
        """Rows as the producer had them: location numbers leaf first, values, labels."""
        samples, tree, nodes = self.profile.samples, self.profile.tree, self.profile.nodes
        labels = [
            b"".join(
                _bytes(
                    3,
                    _int(1, self.string(label.key))
                    + _int(2, self.string(label.text))
                    + (_int(3, label.number) + _int(4, self.string(label.unit)) if not label.text else b""),
                )
                for label in label_set
            )
            for label_set in self.profile.label_sets
        ]
        stacks: dict[int, bytes] = {}
        for row, node in enumerate(nodes):
            if node not in stacks:
                stacks[node] = _packed(1, [frame + 1 for frame in reversed(tree.stack(node))])
            values = _packed(2, [column[row] for column in samples.values])
            yield _bytes(2, stacks[node] + values + labels[samples.labels[row]])

    def mappings(self) -> Iterable[bytes]:
        """Binaries; one whose every frame has a name says so, or pprof would look for its symbols."""
        frames = self.frames
        named = {frames.mapping[i] for i in range(len(frames)) if frames.function[i]}
        unnamed = {frames.mapping[i] for i in range(len(frames)) if not frames.function[i]}
        for i, mapping in enumerate(frames.mappings):
            fields = _int(1, i + 1) + _int(2, mapping.start) + _int(3, mapping.limit) + _int(4, mapping.offset)
            fields += _int(5, self.string(mapping.file)) + _int(6, self.string(mapping.build_id))
            if i in named and i not in unnamed:
                fields += _int(7, 1) + _int(8, 1) + _int(9, 1) + _int(10, 1)
            yield _bytes(3, fields)

    def locations(self) -> Iterable[bytes]:
        frames = self.frames
        for i in range(len(frames)):
            fields = _int(1, i + 1) + _int(2, frames.mapping[i] + 1) + _int(3, frames.address[i])
            if frames.function[i] or frames.file[i] or frames.line[i]:
                key = self.string(frames.strings[frames.function[i]]), self.string(frames.file_name(i))
                function = self.functions.setdefault(key, len(self.functions) + 1)
                fields += _bytes(4, _int(1, function) + _int(2, frames.line[i]))
            yield _bytes(4, fields)


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _int(field: int, value: int) -> bytes:
    """A number; 0 is the default and is left out."""
    return _varint(field << 3) + _varint(value) if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _packed(field: int, values: list[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, values))) if values else b""
