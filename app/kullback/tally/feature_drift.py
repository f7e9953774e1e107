"""Drift of features: how far the values of each are from those of a reference, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kullback.numerics.types import Undefined
from kullback.tally.drift import NO_REFERENCE, SIGNIFICANT, Drift, Shares, drift
from kullback.tally.feature_counts import OTHER_VALUES, FeatureCells, FeatureCounts

MAX_CATEGORIES = 10  # bins of a feature that are shown


@dataclass(frozen=True, slots=True)
class FeatureBin:
    """The share of rows in one part of the values, and the reference's.

    Attributes:
        share: of all rows, those without a value too; None where there are none.
        reference_share: the same of the reference.
        start: where it begins, of numbers; None where nothing bounds it.
        stop: where it ends.
        value: the category.
        is_missing: whether it is of rows without a value.
    """

    share: float | None
    reference_share: float | None
    start: float | None = None
    stop: float | None = None
    value: str | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature is from its reference.

    Attributes:
        rows: how many came with it.
        drift: of its values in the cells of the reference, that of missing ones among them.
        missing_share: the share of rows without a value; None where there are no rows.
        reference_missing_share: the same of the reference.
        bins: where the values are.
    """

    rows: int
    drift: Drift
    missing_share: float | None
    reference_missing_share: float | None
    bins: tuple[FeatureBin, ...]

    @classmethod
    def of(
        cls,
        current: FeatureCounts,
        reference: FeatureCounts | None,
        missing: Undefined = NO_REFERENCE,
    ) -> "FeatureDrift":
        """The drift of some counts; where there is no reference, `missing` says why."""
        like = current if reference is None else reference
        cells = FeatureCells.of(like)
        now = cells.shares(current)
        then = None if reference is None else cells.shares(reference)
        return cls(
            current.rows,
            drift(now, then, missing),
            current.missing_share,
            None if reference is None else reference.missing_share,
            _categories(current, reference) if cells.starts is None else _parts(cells, now, then),
        )

    @property
    def rank(self) -> tuple[bool, float]:
        """Ascending: those that changed significantly first, of these the largest PSI."""
        psi, p_value = self.drift.psi, self.drift.p_value
        if isinstance(psi, Undefined) or isinstance(p_value, Undefined):
            return True, 1.0
        return p_value >= SIGNIFICANT, 0.0 - psi


def feature_drifts(
    current: Mapping[str, FeatureCounts],
    reference: Mapping[str, FeatureCounts],
    missing: Undefined = NO_REFERENCE,
) -> dict[str, FeatureDrift]:
    """The drift of each feature, those that changed most first."""
    drifts = {
        name: FeatureDrift.of(counts, reference.get(name), missing)
        for name, counts in current.items()
    }
    return dict(sorted(drifts.items(), key=lambda pair: (*pair[1].rank, pair[0])))


def _parts(cells: FeatureCells, now: Shares, then: Shares | None) -> tuple[FeatureBin, ...]:
    """The cells of numbers, then that of rows without one."""
    bounds = [*cells.edges(), (None, None)]
    past = [None] * len(bounds) if then is None else then.mass.tolist()
    rows = now.rows, None if then is None else then.rows
    *parts, last = (
        FeatureBin(_share(count, rows[0]), _share(before, rows[1]), start, stop)
        for (start, stop), count, before in zip(bounds, now.mass.tolist(), past, strict=True)
    )
    return (*parts, replace(last, is_missing=True))


def _categories(current: FeatureCounts, reference: FeatureCounts | None) -> tuple[FeatureBin, ...]:
    """The largest categories of either, all others, then rows without one."""
    now = dict(current.pairs())
    then = {} if reference is None else dict(reference.pairs())
    rows, past = current.rows, None if reference is None else reference.rows

    def part(value: str | None, counts: int, before: int) -> FeatureBin:
        share, reference_share = _share(counts, rows), _share(before, past)
        return FeatureBin(share, reference_share, value=value, is_missing=value is None)

    def size(value: str) -> float:
        return max(_share(now.get(value, 0), rows) or 0, _share(then.get(value, 0), past) or 0)

    values = sorted((now.keys() | then.keys()) - {OTHER_VALUES}, key=lambda v: (0 - size(v), v))
    apart = values[:MAX_CATEGORIES]
    parts = [part(value, now.pop(value, 0), then.pop(value, 0)) for value in apart]
    if now or then:
        parts.append(part(OTHER_VALUES, sum(now.values()), sum(then.values())))
    gone = 0 if reference is None else reference.missing
    return (*parts, part(None, current.missing, gone))


def _share(count: float | None, rows: float | None) -> float | None:
    return None if count is None or not rows else count / rows
