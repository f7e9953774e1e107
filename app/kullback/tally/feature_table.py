"""Feature tables: the counts of each feature of some rows, as the bytes that a store keeps."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from kullback.errors import DamagedTally, TallyMismatch
from kullback.numerics.types import Indices
from kullback.tally.feature_counts import FeatureCounts, FeatureKind

_VERSION = b"\x69"  # no bit that flips makes one of a Tally's or of a UnitSet's first byte
_CHECKSUM = 4
_SIZE = 4
_BIN = np.dtype("<i2")
_WIDTHS: Mapping[int, str] = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}
_KINDS: tuple[FeatureKind, ...] = ("numeric", "categorical")


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Counts by the name of the feature: a commutative monoid under `total`, FeatureTable() its 0.

    Rows that came without a feature are not counted by it. Equal tables have equal bytes.
    """

    counts: Mapping[str, FeatureCounts] = field(default_factory=dict)

    @classmethod
    def total(cls, tables: Iterable["FeatureTable"]) -> "FeatureTable":
        """The counts of all rows.

        Raises:
            TallyMismatch: a feature is of numbers in one, and of categories in another.
        """
        some: dict[str, list[FeatureCounts]] = defaultdict(list)
        for table in tables:
            for name, counts in table.counts.items():
                some[name].append(counts)
        for name, each in some.items():
            if len({counts.kind for counts in each}) > 1:
                raise TallyMismatch(f"the feature {name} is of numbers and of categories")
        return cls({name: FeatureCounts.merged(each) for name, each in some.items()})

    def of(self, kinds: Mapping[str, FeatureKind]) -> "FeatureTable":
        """Those features alone that are named, and of that kind."""
        return FeatureTable(
            {name: each for name, each in self.counts.items() if kinds.get(name) == each.kind}
        )

    def without(self, names: Collection[str]) -> "FeatureTable":
        """All but some features."""
        return FeatureTable({name: n for name, n in self.counts.items() if name not in names})

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from: a checksum, a head, the bins, the rows of each.

        Numbers are of as many bytes as the largest needs.
        """
        ordered = sorted(self.counts.items())
        rows = np.concatenate([np.zeros(0, np.int64), *(each.counts for _, each in ordered)])
        largest = int(rows.max(initial=0))
        width = next(width for width in _WIDTHS if largest < 1 << 8 * width - (width == 8))
        head = [
            [name, _KINDS.index(each.kind), each.missing, _head_of(each)] for name, each in ordered
        ]
        text = json.dumps([width, head], ensure_ascii=False, separators=(",", ":")).encode()
        bins = [each.bins.astype(_BIN).tobytes() for _, each in ordered if each.kind == "numeric"]
        counted = rows.astype(_WIDTHS[width]).tobytes()
        body = b"".join([len(text).to_bytes(_SIZE, "little"), text, *bins, counted])
        return _VERSION + crc32(body).to_bytes(_CHECKSUM, "little") + body

    @staticmethod
    def is_of(content: bytes) -> bool:
        """Whether bytes are those of a table."""
        return content.startswith(_VERSION)

    @classmethod
    def decoded(cls, content: bytes) -> "FeatureTable":
        """See encoded.

        Raises:
            TallyMismatch: the bytes are of a version that is not known here.
            DamagedTally: they are not what they were.
        """
        if not cls.is_of(content):
            raise TallyMismatch(f"features of version {content[:1].hex()} are not known here")
        body = content[1 + _CHECKSUM :]
        if content[1 : 1 + _CHECKSUM] != crc32(body).to_bytes(_CHECKSUM, "little"):
            raise DamagedTally("stored counts of features are damaged: they fail their checksum")
        at = _SIZE + int.from_bytes(body[:_SIZE], "little")
        width, head = json.loads(body[_SIZE:at])
        bins_of = sum(held for _, kind, _, held in head if _KINDS[kind] == "numeric")
        bins = np.frombuffer(body, _BIN, bins_of, at)
        rows = np.frombuffer(body, _WIDTHS[width], offset=at + bins.nbytes)
        return cls(dict(_read(head, bins.astype(np.int64), rows.astype(np.int64))))


def _head_of(counts: FeatureCounts) -> int | list[str]:
    """The categories; of numbers how many bins there are."""
    return len(counts.values) if counts.kind == "numeric" else [v for v, _ in counts.pairs()]


def _read(
    head: Sequence[tuple[str, int, int, int | list[str]]], bins: Indices, rows: Indices
) -> Iterator[tuple[str, FeatureCounts]]:
    first = at = 0
    for name, kind, missing, held in head:
        values: Indices | list[str]
        if isinstance(held, int):
            values = bins[first : first + held]
            first += held
        else:
            values = held
        yield name, FeatureCounts(_KINDS[kind], missing, values, rows[at : at + len(values)])
        at += len(values)
