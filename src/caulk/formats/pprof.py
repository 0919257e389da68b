"""pprof profiles: what Go, tcmalloc, Envoy, pprof-nodejs and many others write (`.pb.gz`).

Schema: https://github.com/google/pprof/blob/main/proto/profile.proto. Values are taken as the producer wrote them:
they are unsampled already, and `period` only tells how coarse they are. One that is 0 although the profile was sampled
is told from the samples: see `interval`.
"""

from array import array
from collections.abc import Sequence

from caulk._core import protobuf
from caulk.formats.builder import moment
from caulk.formats.dropped import without_dropped
from caulk.formats.interval import ASSUMED, interval
from caulk.model.column import Ints, Strings
from caulk.model.errors import MalformedDump
from caulk.model.label import Label, LabelSet
from caulk.model.measure import Measure
from caulk.model.profile import Kind, Profile
from caulk.model.samples import Rows, Samples
from caulk.model.tree import Frames, Mapping

NAME = "pprof"

# A stack may not need more frames than this for each byte of the file: inlined lines multiply.
_FRAMES_PER_BYTE = 16
# Nor may all its values together, which a tree of the stacks has for each of its nodes.
_VALUES_PER_BYTE = 64

# So many fields have to be right for a file to be taken for a profile.
_FIELDS = 4
# Fields of profile.proto that are messages or strings.
_MESSAGES = (1, 2, 3, 4, 5, 6, 11)


def sniff(head: bytes) -> bool:
    """A protobuf of profile.proto: its first fields are those of the schema; a later one may be damaged.

    Protobuf has no magic number, and text can begin like a field, but text has no control characters.
    """
    if not head or head[0] >= 0x80 or not any(byte < 9 for byte in head):
        return False
    at = 0
    for _ in range(_FIELDS):
        key, at = _varint(head, at)
        if at >= len(head):
            break
        wire = key & 7
        if not _may_be(key >> 3, wire):
            return False
        size, at = _varint(head, at) if wire in (0, 2) else (8 if wire == 1 else 4, at)
        at += size if wire else 0
    return True


def _may_be(field: int, wire: int) -> bool:
    """Whether the schema has the field so; fields that it does not have (yet) may be anything."""
    if field in _MESSAGES:
        return wire == 2
    if field <= 15:
        return (field > 0 and wire == 0) or (field == 13 and wire == 2)
    return field < 1 << 29 and wire in (0, 1, 2, 5)


def _varint(head: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends; 0 where the head ends or no such number is."""
    value = shift = 0
    for byte in head[at : at + 10]:
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, at


def read(data: bytes) -> Profile:
    """The profile in uncompressed protobuf bytes."""
    try:
        columns = protobuf.decode(data)
    except ValueError as error:
        raise MalformedDump(
            f"not a whole pprof profile: {error}", hint="The file was cut short or damaged; take the profile again."
        ) from None
    return without_dropped(_Reader(data, columns).profile())


class _Reader:
    """The columns of one file, on their way to a profile."""

    def __init__(self, data: bytes, columns: dict[str, Ints]) -> None:
        self.data = data
        self.columns = columns
        self.warnings: list[str] = []
        self.decoded: dict[int, str] = {}
        self.strings = Strings(data, columns["string_start"], columns["string_length"])
        if not len(self.strings) or self.strings[0]:
            raise MalformedDump(
                "a pprof profile without its string table",
                hint="The file was cut short, or is not a profile; take it again.",
            )
        if list(columns["seen"]).count(9) > 1:
            raise MalformedDump(
                "two pprof profiles are concatenated in one file",
                hint="Split them, or give them as separate files: `caulk analyze a.pb.gz b.pb.gz`.",
            )

    def profile(self) -> Profile:
        measures = tuple(
            Measure(self.string(row[1]), self.string(row[2])) for row in _rows(self.columns["sample_type"], 3)
        )
        if not measures:
            raise MalformedDump("a pprof profile that does not say what its numbers count (no sample type)")
        scalar = self.columns["scalar"]
        frames, starts, stack_frames, fitted = self.stacks()
        rows = Rows(starts, stack_frames)
        if len(stack_frames) * len(measures) > _VALUES_PER_BYTE * len(self.data) + 4096:
            raise MalformedDump(
                f"a pprof profile that claims {len(measures):,} values for each of {len(stack_frames):,} frames"
            )
        values = self.values(measures, fitted)
        labels, label_sets = self.labels(fitted)
        of_period = self.columns.get("period_type")
        period_measure = Measure(self.string(of_period[1]), self.string(of_period[2])) if of_period else None
        kind, period = _kind(measures, period_measure), max(scalar[12], 0)
        if not period and kind == "heap" and period_measure and period_measure.unit == "bytes":
            period, is_told = interval(measures, values, labels, label_sets)
            self.warnings += [] if is_told else [ASSUMED]
        count = max(len(self.columns["sample_start"]) // 2 - 1, 1)
        return Profile(
            format=NAME,
            runtime=self.runtime(frames),
            kind=kind,
            measures=measures,
            frames=frames,
            samples=Samples(rows, labels, values),
            label_sets=label_sets,
            default_measure=self.default_measure(measures),
            period=period,
            period_measure=period_measure,
            taken_at=moment(scalar[9]),
            duration_s=max(scalar[10], 0) / 1e9,
            is_delta=any(min(column, default=0) < 0 for column in values),
            coverage=1.0 if fitted == count or not fitted else fitted / count,
            warnings=tuple(self.warnings),
            comments=tuple(self.string(i) for i in self.columns["comment"]),
            drop_frames=self.string(scalar[7]),
            keep_frames=self.string(scalar[8]),
        )

    def string(self, index: int) -> str:
        if not 0 <= index < len(self.strings):
            raise MalformedDump(f"a pprof profile names string {index:,} of {len(self.strings):,}")
        # A small file can name one long string a million times: it is decoded, and kept, once.
        text = self.decoded.get(index)
        if text is None:
            text = self.decoded[index] = self.strings[index]
        return text

    def stacks(self) -> tuple[Frames, Ints, Ints, int]:
        """Distinct frames, and the stacks of all samples in them."""
        location, line = self.columns["location"], self.columns["line"]
        mappings, mapping_of = self.mappings()
        function = self.columns["function"]
        function_at = protobuf.positions(function[1::6], line[1::3])
        names, files = self.checked(function[2::6]), self.checked(function[4::6])
        keys: dict[tuple[int, int, int, int, int], int] = {}
        first, line_frame = array("q"), array("i")
        for i in range(len(location) // 4):
            first.append(len(line_frame))
            at = 4 * i
            mapping, address = mapping_of[i], location[at + 3]
            for k in range(location[at], location[at + 4]):
                f = function_at[k]
                # One frame for a function's line, whichever instruction it was; without a name, one an address.
                key = (names[f], files[f], line[3 * k + 2], mapping, 0) if f >= 0 else (0, 0, 0, mapping, address)
                line_frame.append(keys.setdefault(key, len(keys)))
            if first[-1] == len(line_frame):
                line_frame.append(keys.setdefault((0, 0, 0, mapping, address), len(keys)))
        first.append(len(line_frame))
        locations = protobuf.positions(location[1::4], self.columns["sample_location"])
        if -1 in locations:
            self.warnings.append("some samples name locations that the file does not have; those frames are left out")
        sample_start = self.columns["sample_start"][0::2]
        limit = _FRAMES_PER_BYTE * len(self.data) + 4096
        starts, frames, fitted = protobuf.spread(sample_start, locations, first, line_frame, limit)
        if fitted < len(sample_start) - 1:
            self.warnings.append(
                f"stacks expand to more than {limit:,} frames; only the first {fitted:,} samples were read"
            )
        columns: Sequence[Sequence[int]] = list(zip(*keys, strict=True)) or [()] * 5
        return (
            Frames(
                strings=self.strings,
                function=array("i", columns[0]),
                file=array("i", columns[1]),
                line=array("q", columns[2]),
                mapping=array("i", columns[3]),
                address=array("q", columns[4]),
                mappings=mappings,
            ),
            starts,
            frames,
            fitted,
        )

    def checked(self, indexes: Ints) -> Ints:
        """String indexes that are all in the table."""
        if len(indexes) and not (min(indexes) >= 0 and max(indexes) < len(self.strings)):
            bad = min(indexes) if min(indexes) < 0 else max(indexes)
            raise MalformedDump(f"a pprof profile names string {bad:,} of {len(self.strings):,}")
        return indexes

    def mappings(self) -> tuple[tuple[Mapping, ...], Ints]:
        """The binaries, and the place of each location's own among them."""
        column = self.columns["mapping"]
        found = tuple(
            Mapping(row[2], row[3], row[4], self.string(row[5]), self.string(row[6])) for row in _rows(column, 11)
        )
        return found, protobuf.positions(column[1::11], self.columns["location"][2:-1:4])

    def values(self, measures: tuple[Measure, ...], fitted: int) -> tuple[Ints, ...]:
        """A column of values for each measure."""
        width, starts, value = len(measures), self.columns["sample_start"], self.columns["value"]
        count = len(starts) // 2 - 1
        if starts[1::2] == array("q", range(0, width * count + 1, width)):
            return tuple(value[m : width * fitted : width] for m in range(width))
        raise MalformedDump(
            f"a pprof profile whose samples do not have {width} values each, as its sample types say",
            hint="The file is damaged; take the profile again.",
        )

    def labels(self, fitted: int) -> tuple[Ints, tuple[LabelSet, ...]]:
        """The number of each sample's label set."""
        numbers: dict[LabelSet, int] = {(): 0}
        starts, label = self.columns["label_start"], self.columns["label"]
        of_row: dict[tuple[int, ...], int] = {}
        out = array("i", bytes(4 * fitted))
        for i in range(fitted):
            if starts[i] == starts[i + 1]:
                continue
            row = tuple(label[starts[i] : starts[i + 1]])
            known = of_row.get(row)
            if known is None:
                labels = tuple(
                    Label(self.string(key), self.string(text), number, self.string(unit))
                    for _, key, text, number, unit in _rows(row, 5)
                )
                known = of_row[row] = numbers.setdefault(labels, len(numbers))
            out[i] = known
        return out, tuple(numbers)

    def default_measure(self, measures: tuple[Measure, ...]) -> int:
        """`default_sample_type` is a string, not a position; without it the last measure is meant, as in pprof."""
        wanted = self.string(self.columns["scalar"][14])
        names = [measure.name for measure in measures]
        return names.index(wanted) if wanted in names else len(names) - 1

    def runtime(self, frames: Frames) -> str:
        """Which runtime wrote the profile, from where its sources lie; `native` where nothing tells."""
        files = {frames.file[i] for i in range(len(frames))}
        suffixes = [self.strings[i].rpartition(".")[2] for i in files]
        for suffix, runtime in (("go", "go"), ("py", "cpython"), ("js", "node"), ("java", "jvm")):
            if suffixes.count(suffix) * 2 > len([s for s in suffixes if s]):
                return runtime
        return "native"


def _kind(measures: tuple[Measure, ...], period: Measure | None) -> Kind:
    """What was profiled, by the names that producers give their measures."""
    names = {measure.name for measure in measures}
    if any(measure.role in ("live", "allocated") for measure in measures):
        return "goroutine" if "goroutine" in names else "heap"
    if "threadcreate" in names:
        return "threadcreate"
    if "contentions" in names or "delay" in names:
        return "contention"
    if "cpu" in names or (period and period.name == "cpu"):
        return "cpu"
    if "wall" in names or (period and period.name == "wall"):
        return "wall"
    return "unknown"


def _rows(column: Sequence[int], width: int) -> list[tuple[int, ...]]:
    return [tuple(column[i : i + width]) for i in range(0, len(column) - width + 1, width)]
