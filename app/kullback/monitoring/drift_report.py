"""Drift as it is reported: numbers, what they mean in words, and where a feature changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from kullback.documents import extended
from kullback.numerics.digits import p_value
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.drift import LARGE_PSI, MODERATE_PSI, NO_REFERENCE, SIGNIFICANT, Drift
from kullback.tally.feature_drift import FeatureBin, FeatureDrift
from kullback.tally.report_types import finite, stated


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How far shares are from those of the reference, in nats, and how surely they changed.

    `statement` says it in words. A number is null where `reason` says why there is none.
    """

    kl: float | None
    js: float | None
    psi: float | None
    g_statistic: float | None
    degrees_of_freedom: int | None
    p_value: float | None
    reason: Reason | None
    statement: str

    @classmethod
    def of(cls, drift: Drift) -> "DriftReport":
        """The drift as it is reported."""
        numbers = (drift.kl, drift.js, drift.psi, drift.g_statistic, drift.p_value)
        kl, js, psi, statistic, p_value = map(finite, numbers)
        degrees = drift.degrees_of_freedom
        whole = None if isinstance(degrees, Undefined) else degrees
        reason = next(filter(None, (stated(number)[2] for number in numbers)), None)
        return cls(kl, js, psi, statistic, whole, p_value, reason, statement(drift))


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingBin:
    """The share of rows that came without a value of a feature, and that of the reference.

    It is of all rows that came with the feature; null where there are none.
    """

    missing: Literal[True] = True
    share: float | None
    reference_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberBin:
    """The same of rows with a number `from` one, inclusive, `to` another; null: nothing bounds."""

    start: Annotated[float | None, Field(alias="from")]
    stop: Annotated[float | None, Field(alias="to")]
    share: float | None
    reference_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryBin:
    """The same of rows with one `value`; (other) is all that have no bin of their own."""

    value: str
    share: float | None
    reference_share: float | None


AnyBin = NumberBin | CategoryBin | MissingBin


@dataclass(frozen=True, slots=True)
class FeatureDriftReport(DriftReport):
    """How far a feature is from the reference, and where.

    The rows without a value are one of its parts: `missing_share` of `n` rows that came with it.
    """

    n: int
    missing_share: float | None
    reference_missing_share: float | None
    bins: tuple[AnyBin, ...]

    @classmethod
    def of_feature(cls, drift: FeatureDrift) -> "FeatureDriftReport":
        """The drift of a feature as it is reported."""
        return extended(
            cls,
            DriftReport.of(drift.drift),
            n=drift.rows,
            missing_share=drift.missing_share,
            reference_missing_share=drift.reference_missing_share,
            bins=tuple(_bin(each) for each in drift.bins),
        )


def _bin(part: FeatureBin) -> AnyBin:
    share, before = part.share, part.reference_share
    if part.is_missing:
        return MissingBin(share=share, reference_share=before)
    if part.value is not None:
        return CategoryBin(value=part.value, share=share, reference_share=before)
    return NumberBin(start=part.start, stop=part.stop, share=share, reference_share=before)


_WITHOUT: Mapping[float | Undefined, str] = {
    NO_REFERENCE: "No reference to compare with.",
    Undefined(Reason.EMPTY_REFERENCE): "No rows are kept of the time to compare with.",
}


def statement(drift: Drift) -> str:
    """What the numbers mean, in words: how sure a change is first, then how large."""
    if isinstance(drift.p_value, Undefined) or isinstance(drift.psi, Undefined):
        return _WITHOUT.get(drift.psi, "No rows to compare.")
    if drift.p_value >= SIGNIFICANT:
        return f"No significant change (p {p_value(drift.p_value)})."
    size = "small" if drift.psi < MODERATE_PSI else "moderate" if drift.psi < LARGE_PSI else "large"
    return (
        f"A significant change (p {p_value(drift.p_value)}), {size} in size (PSI {drift.psi:.3f})."
    )
