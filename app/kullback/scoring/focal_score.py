"""The focal loss of rows as a score: its mean over rows, or over what is positive."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from kullback.numerics.types import Array
from kullback.scoring.score import Context, Losses, Reduced, Score, reduce_rows, score_rows

FocalNormalizer = Literal["rows", "positives"]


@dataclass(frozen=True, slots=True)
class Positives:
    """What is not of class 0.

    Attributes:
        mass: of each row, (n,); where a row is the mean of its entries, so is this.
        total: how many entries, soft ones in parts.
        least: what one entry is of its row.
        weight: of all rows, where it is that of their entries.
    """

    mass: Array
    total: float
    least: float = 1.0
    weight: float | None = None

    @classmethod
    def of(cls, mass: Array) -> Self:
        """Of rows that are one entry each."""
        return cls(mass, float(mass.sum()))


def focal_score(
    rows: Losses, positives: Positives, normalizer: FocalNormalizer, context: Context
) -> Score:
    """The score of these rows, whose mean is over rows or over what is positive."""
    weight = context.options.sample_weight
    reduced = reduce_rows(rows, weight)
    if positives.weight is not None:
        reduced = replace(reduced, weight=positives.weight)
    divisor = reduced.normalizer
    if normalizer == "positives" and divisor > 0:
        reduced = _by_positives(rows, positives, reduced, weight)
        divisor = reduced.normalizer / positives.least
    total = positives.total
    details: dict[str, object] = {
        "positives": int(total) if total.is_integer() else total,
        "normalizer": divisor,
    }
    return score_rows(rows, details, context, reduced)


def _by_positives(
    rows: Losses, positives: Positives, reduced: Reduced, weight: Array | None
) -> Reduced:
    """The sum over what is positive, but over one entry if that is less."""
    mass, least = positives.mass, positives.least
    if float((mass if weight is None else mass * weight).sum()) >= least:
        by_mass = reduce_rows(replace(rows, share=mass), weight)
        return replace(by_mass, n=reduced.n, weight=reduced.weight)
    scale = reduced.normalizer / least
    error = reduced.standard_error
    return replace(
        reduced,
        mean=reduced.mean * scale,
        normalizer=least,
        standard_error=None if error is None else error * scale,
    )
