"""Truncated distributions: the likeliest outcomes of p and of q, and one cell for the rest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import InvalidInput, Step
from kullback.numerics.types import Array
from kullback.scoring.arrays import FLOAT64, CheckedDistributions
from kullback.scoring.options import Options
from kullback.scoring.top_log_probs import remainder, too_much

Kept = Mapping[str, float]
KeptOutcomes = Sequence[Kept | None]  # of each row; None where that is missing

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class _Side:
    """The outcomes that were kept of each row, ln p by outcome, in [0, 1] and divided if asked."""

    name: str
    rows: Sequence[Kept]
    renormalized: int
    max_sum_error: float

    def row(self, at: int) -> Kept:
        """The one beside many, or that of this row."""
        return self.rows[at if len(self.rows) > 1 else 0]


def truncated_distributions(
    p: tuple[str, KeptOutcomes], q: tuple[str, KeptOutcomes], options: Options
) -> tuple[CheckedDistributions, CheckedDistributions]:
    """Distributions over the outcomes that both sides kept, and the rest as one last cell.

    Whatever merges outcomes makes divergences and cross-entropy smaller or leaves them: those of
    the merged distributions are lower bounds of those of the whole ones.

    Args:
        p: the name of the side and ln p by outcome, of one row or of n.
        q: likewise; one row of either goes beside many.
        options: `sum_tolerance`, by how much kept probabilities may sum to more than 1, and
            `on_unnormalized`, which divides them by their sum where they do.

    Returns:
        Both with their logarithms, (n, k + 1), k the most outcomes that a pair of rows shares;
        outcomes that are not there have probability 0 on both sides.

    Raises:
        InvalidInput: a log-probability is above 0, those of a row sum to more than 1, or there
            are neither as many rows of p as of q nor one of either.

    Source: Cover & Thomas, Elements of Information Theory (2006), §2.8, for the inequality.
    """
    target, predicted = (_checked(name, kept, options) for name, kept in (p, q))
    counts = {len(target.rows), len(predicted.rows)}
    if len(counts) > 1 and min(counts) > 1:
        detail = f"{predicted.name} has {len(predicted.rows)} rows but {target.name}"
        detail = f"{detail} has {len(target.rows)}: as many are expected, or one beside many"
        raise InvalidInput.at(detail, predicted.name)
    n = max(counts)
    shared = [_shared(target.row(at), predicted.row(at)) for at in range(n)]
    width = max(map(len, shared))
    logs = _logs(target, shared, width), _logs(predicted, shared, width)
    tolerance = math.log(options.tolerance(FLOAT64) or 5e-324)
    for rows, beside in (logs, logs[::-1]):  # a rest within the tolerance is rounding beside none
        rows[(beside[:, -1] == -np.inf) & (rows[:, -1] <= tolerance), -1] = -np.inf
    first, second = (
        CheckedDistributions(
            np.exp(rows),
            renormalized=side.renormalized,
            max_sum_error=side.max_sum_error,
            logs=rows,
        )
        for side, rows in zip((target, predicted), logs, strict=True)
    )
    return first, second


def _checked(name: str, kept: KeptOutcomes, options: Options) -> _Side:
    if not kept:
        raise InvalidInput.at(f"{name} is empty", name)
    tolerance = options.tolerance(FLOAT64)
    scaled, renormalized, worst = [], 0, 0.0
    for at, row in enumerate(kept):
        place: tuple[Step, ...] = (name, at) if len(kept) > 1 else (name,)
        if row is None:
            raise InvalidInput.at("null, where outcomes are expected", *place)
        rest = remainder(row)
        if math.isnan(rest):
            raise InvalidInput.at("not the logarithm of a probability", *place)
        surplus = max(0.0, -rest)
        worst = max(worst, surplus)
        if options.on_unnormalized == "renormalize" and surplus > len(row) * _EPS:
            shift, renormalized = math.log1p(surplus), renormalized + 1
            scaled.append({outcome: value - shift for outcome, value in row.items()})
            continue
        if surplus > tolerance:
            raise InvalidInput.at(too_much(surplus, tolerance), *place)
        scaled.append(dict(row))
    return _Side(name, scaled, renormalized, worst)


def _shared(p: Kept, q: Kept) -> list[str]:
    return [outcome for outcome in p if outcome in q]


def _logs(side: _Side, shared: Sequence[Sequence[str]], width: int) -> Array:
    """Ln p of the shared outcomes, −∞ where there are fewer, and of the rest in the last column."""
    logs = np.full((len(shared), width + 1), -np.inf)
    for at, outcomes in enumerate(shared):
        row = side.row(at)
        kept = {outcome: row[outcome] for outcome in outcomes}
        logs[at, : len(outcomes)] = list(kept.values())
        rest = remainder(kept)
        if rest > 0:
            logs[at, -1] = math.log(rest)
    return logs
