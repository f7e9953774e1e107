"""References: what the scores, labels and slices of a monitor are compared with."""

import json
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from zlib import crc32

import numpy as np

from kullback.errors import DamagedTally, InvalidInput
from kullback.moments import DAY
from kullback.monitoring.crossed_slices import slice_values
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.rows import ReferenceDistributions
from kullback.monitoring.window_tallies import WindowTallies
from kullback.monitoring.windows import Span
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.bins import SIXTIETHS, uniform
from kullback.tally.drift import NO_REFERENCE, Drift, Shares, drift, tenths
from kullback.tally.feature_drift import FeatureDrift, feature_drifts
from kullback.tally.feature_table import FeatureTable
from kullback.tally.tally import Tally

Number = TypeVar("Number", int, float)
_FEATURES = "features"
_SIZE = struct.Struct("<I")
_CHECKED = b"\xff\xff\xff\xff"  # no size: a checksum follows, which old references have not


@dataclass(frozen=True, slots=True)
class Reference:
    """Tallies by slice ("" of all rows), or distributions that were given outright.

    `labelled` are of the rows whose labels are known, `scored` of all. `source` says where it is
    from: `batch`, `period`, `explicit` or `moving`. A moving one is of the time `offset` seconds
    before what is compared with it: `period`, once that is known.
    """

    source: str
    created: float
    period: tuple[int, ...] | None = None
    labelled: Mapping[str, Tally] = field(default_factory=dict)
    scored: Mapping[str, Tally] = field(default_factory=dict)
    score_histogram: tuple[float, ...] | None = None
    label_distribution: tuple[float, ...] | None = None
    offset: int | None = None
    positive_first: bool = False  # how `label_distribution` was given; sums have it last
    features: FeatureTable = field(default_factory=FeatureTable)

    @classmethod
    def of_period(
        cls,
        span: Span,
        slices: Mapping[str, WindowTallies],
        features: FeatureTable,
        now: float,
    ) -> "Reference":
        """What came in some time.

        Raises:
            InvalidInput: nothing did.
        """
        if not slices:
            raise InvalidInput.at("nothing came between from and to", "from")
        labelled = {name: s.labelled for name, s in slices.items() if s.labelled is not None}
        scored = {name: s.scored for name, s in slices.items() if s.scored is not None}
        return cls("period", now, tuple(span), labelled, scored, features=features)

    def moved(
        self, span: Span, slices: Mapping[str, WindowTallies], features: FeatureTable
    ) -> "Reference":
        """A moving reference at one moment: what came in that time, which may be nothing."""
        labelled = {name: s.labelled for name, s in slices.items() if s.labelled is not None}
        scored = {name: s.scored for name, s in slices.items() if s.scored is not None}
        return replace(
            self, period=tuple(span), labelled=labelled, scored=scored, features=features
        )

    @property
    def missing(self) -> Undefined:
        """Why there is nothing to compare with, where there is nothing."""
        return NO_REFERENCE if self.offset is None else Undefined(Reason.EMPTY_REFERENCE)

    def drifts(self, current: WindowTallies, name: str) -> dict[str, Drift]:
        """Drift of the scores and of the labels of a slice."""
        return {"score": self.score_drift(current, name), "label": self.label_drift(current, name)}

    def score_drift(self, current: WindowTallies, name: str) -> Drift:
        """Drift of the scores of a slice: in tenths of the reference, or in the bins given."""
        mass, rows = current.scores()
        if self.score_histogram is not None:
            given = np.array(self.score_histogram)
            return drift(Shares(uniform(mass, given.size), rows), Shares(given, None))
        past, past_rows = WindowTallies(scored=self.scored.get(name)).scores()
        if past.sum() <= 0:
            return drift(Shares(mass, rows), None, self.missing)
        cells = tenths(past)
        return drift(Shares(mass, rows).merged(cells), Shares(past, past_rows).merged(cells))

    def label_drift(self, current: WindowTallies, name: str) -> Drift:
        """Drift of the labels of a slice."""
        now = current.labels()
        if self.label_distribution is not None:
            given = np.array(self.label_distribution)
            return _label_drift(now, Shares(given[::-1] if self.positive_first else given, None))
        past = self.labelled.get(name)
        if past is None:
            return drift(now, None, self.missing)
        return _label_drift(now, WindowTallies(past).labels())

    def slice_drift(self, current: Mapping[str, WindowTallies], name: str, of: str = "") -> Drift:
        """Drift of how the rows fall into the values of one slice; of those `of` one value."""
        within = slice_values(of).items()
        past = {
            key
            for key in self.scored
            if key.startswith(f"{name}=") and within <= slice_values(key).items()
        }
        values = sorted(past | set(current))
        nothing = WindowTallies()
        now = _shares([current.get(key, nothing) for key in values])
        then = _shares([WindowTallies(scored=self.scored.get(key)) for key in values])
        return drift(now, then, self.missing)

    def feature_drifts(self, current: FeatureTable) -> dict[str, FeatureDrift]:
        """Drift of each feature of all rows, those that changed most first."""
        kinds = {name: counts.kind for name, counts in current.counts.items()}
        return feature_drifts(current.counts, self.features.of(kinds).counts, self.missing)

    def without_features(self, names: Collection[str]) -> "Reference":
        """The same without some features."""
        return replace(self, features=self.features.without(names))

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        blobs = [
            (kind, name, tally.encoded())
            for kind, kept in (("labelled", self.labelled), ("scored", self.scored))
            for name, tally in kept.items()
        ]
        if self.features.counts:
            blobs.append((_FEATURES, "", self.features.encoded()))
        head = json.dumps(
            {
                "source": self.source,
                "created": self.created,
                "period": self.period,
                "offset": self.offset,
                "score_histogram": self.score_histogram,
                "label_distribution": self.label_distribution,
                "positive_first": self.positive_first,
                "tallies": [(kind, name, len(blob)) for kind, name, blob in blobs],
            }
        ).encode()
        body = b"".join([_SIZE.pack(len(head)), head, *(blob for _, _, blob in blobs)])
        return _CHECKED + _SIZE.pack(crc32(body)) + body

    @classmethod
    def decoded(cls, content: bytes) -> "Reference":
        """See encoded.

        Raises:
            DamagedTally: the bytes are not what they were.
        """
        if content.startswith(_CHECKED):
            body = content[2 * _SIZE.size :]
            if content[_SIZE.size : 2 * _SIZE.size] != _SIZE.pack(crc32(body)):
                raise DamagedTally("the stored reference is damaged: set it again")
            content = body
        at = _SIZE.size + _SIZE.unpack_from(content)[0]
        head = json.loads(content[_SIZE.size : at])
        kept: dict[str, dict[str, bytes]] = {"labelled": {}, "scored": {}, _FEATURES: {}}
        for kind, name, size in head["tallies"]:
            kept[kind][name] = content[at : at + size]
            at += size
        return cls(
            head["source"],
            head["created"],
            _tuple(head["period"]),
            EncodedTallies(kept["labelled"]),
            EncodedTallies(kept["scored"]),
            _tuple(head["score_histogram"]),
            _tuple(head["label_distribution"]),
            head.get("offset"),
            head["positive_first"],
            FeatureTable.total(map(FeatureTable.decoded, kept[_FEATURES].values())),
        )


class EncodedTallies(Mapping[str, Tally]):
    """Tallies that are decoded when they are asked for: a report needs those of one slice."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents

    def __getitem__(self, name: str) -> Tally:
        return Tally.decoded(self._contents[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents)

    def __len__(self) -> int:
        return len(self._contents)


def _shares(values: list[WindowTallies]) -> Shares:
    scores = [value.scores() for value in values]
    return Shares(np.array([mass.sum() for mass, _ in scores]), sum(rows for _, rows in scores))


def _label_drift(now: Shares, then: Shares) -> Drift:
    """Drift of labels, of which one side may know more: those of the other have no mass there."""
    classes = max(now.mass.size, then.mass.size)
    return drift(now.widened(classes), then.widened(classes))


def _tuple(values: Sequence[Number] | None) -> tuple[Number, ...] | None:
    return None if values is None else tuple(values)


def reference_of_offset(monitor: Monitor, offset: int, now: float) -> Reference:
    """A reference that moves: the time `offset` seconds before what is compared with it.

    Raises:
        InvalidInput: it is not of whole windows, or longer than windows are kept.
    """
    if offset % monitor.window_seconds:
        detail = f"not a multiple of the window's {monitor.window_seconds} seconds"
        raise InvalidInput.at(detail, "offset")
    if offset > monitor.retention_days * DAY:
        detail = f"longer ago than retention_days, {monitor.retention_days} days: nothing is kept"
        raise InvalidInput.at(detail, "offset")
    return Reference("moving", now, offset=offset)


def reference_of_distributions(
    monitor: Monitor, sent: ReferenceDistributions, now: float
) -> Reference:
    """A reference of distributions that were given outright.

    Raises:
        InvalidInput: the bins are not equal parts that the histogram has, or there is not one
            share for each label.
    """
    scores, labels = sent.scores, sent.labels
    if scores is not None and SIXTIETHS % scores.size:
        detail = f"{scores.size} bins; their number must divide {SIXTIETHS}, such as 10, 12 or 20"
        raise InvalidInput.at(detail, "score_histogram")
    classes = monitor.layout.classes
    if labels is not None and labels.size != classes:
        detail = f"{labels.size} shares, where the monitor has {classes} labels"
        raise InvalidInput.at(detail, "label_distribution")
    return Reference(
        "explicit",
        now,
        score_histogram=None if scores is None else tuple(scores.tolist()),
        label_distribution=None if labels is None else tuple(labels.tolist()),
        positive_first=monitor.positive_first,
    )
