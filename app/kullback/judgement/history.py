"""The history of a monitor as judgement sees it: blocks by the hour, in order of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kullback.judgement.blocks import Block
from kullback.judgement.evidence import OutcomeHistory, spreads_of
from kullback.judgement.folds import Memo
from kullback.judgement.groups import grouped
from kullback.judgement.judged import JudgedBlock
from kullback.judgement.recalibration import Tolerance
from kullback.judgement.settings import DEFAULTS, Thresholds
from kullback.tally.feature_counts import FeatureCounts
from kullback.tally.feature_table import FeatureTable


@dataclass(frozen=True, slots=True)
class DueRows:
    """Rows of a time, a little longer ago than labels take, of which most should have one.

    Attributes:
        start, stop: epoch seconds.
        scored: how many rows.
        labelled: how many of them have labels.
        only_positives: whether no negative label is among those.
    """

    start: int
    stop: int
    scored: int
    labelled: int
    only_positives: bool = False


@dataclass(frozen=True, slots=True)
class FeatureHour:
    """The features of the rows of an hour; `mark` tells different rows apart."""

    start: int
    table: FeatureTable
    mark: int


@dataclass(frozen=True, slots=True)
class History:
    """All that checks are a function of.

    Attributes:
        now: epoch seconds.
        blocks: of all rows, the last perhaps of a part of an hour.
        slices: of the rows of each value, by "slice=value".
        features: those of all rows, by the hour.
        reference: the block of all rows of the reference, where it has rows.
        reference_features: of the rows of the reference, by the name of the feature.
        reference_values: values of slices that the reference has.
        lag: after how many seconds labels are in.
        due: rows whose labels should be in by now; None where labels come with their rows.
        first_row: when the first rows of the history came from, epoch seconds.
        last_row: when the last rows came from, epoch seconds.
        last_arrival: when they came, of whatever time they were; None where nobody knows.
        longest_pause: the longest time, in seconds, between two arrivals.
        watched: for how many seconds arrivals were seen; None where nobody knows.
        thresholds: of each check.
        memo: what was computed of it before.
    """

    now: float
    blocks: Sequence[JudgedBlock]
    slices: Mapping[str, Sequence[JudgedBlock]] = field(default_factory=dict)
    features: Sequence[FeatureHour] = ()
    reference: Block | None = None
    reference_features: Mapping[str, FeatureCounts] = field(default_factory=dict)
    reference_values: frozenset[str] = frozenset()
    lag: float = 0.0
    due: DueRows | None = None
    first_row: int | None = None
    last_row: float | None = None
    last_arrival: float | None = None
    longest_pause: float = 0.0
    watched: float | None = None
    thresholds: Mapping[str, Thresholds] = field(default_factory=lambda: DEFAULTS)
    memo: Memo = field(default_factory=Memo)
    _outcomes: dict[str, OutcomeHistory] = field(default_factory=dict)

    def outcomes(self, value: str = "") -> OutcomeHistory:
        """The blocks of all rows, or of a value of a slice, whose labels are in."""
        if value not in self._outcomes:
            blocks = self.slices[value] if value else self.blocks
            mature = [each for each in blocks if each.rows]
            spreads = self.outcomes().spreads if value else spreads_of(self.memo, mature)
            wholes = {each.block.start: each for each in self.blocks} if value else None
            tolerance = Tolerance(self.thresholds["calibration"].tolerance)
            groups = grouped(self.memo, mature, tolerance, wholes)
            self._outcomes[value] = OutcomeHistory(self.memo, value, mature, groups, spreads)
        return self._outcomes[value]
