"""Time to a decision: how long a comparison goes on, by the power of its confidence sequence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments.margins import amount
from kullback.experiments.plan import Plan
from kullback.experiments.replies import SeriesStep
from kullback.experiments.report import ArmEffect
from kullback.experiments.sample_size import POWERS, Method, information
from kullback.moments import DAY
from kullback.tally.confidence_sequence import still_needed
from kullback.tally.contrast import Contrast

POWER = POWERS[0]
GRADES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_LATELY = 7 * DAY
_MOST_TIMES = 10_000.0  # the present rows


@dataclass(frozen=True, slots=True)
class TimeToDecision:
    """How many rows decide a comparison, and how many there are and come.

    Attributes:
        rows: so far.
        per_day: in the last seven days up to the last row; None where all came in one step.
        minimum: rows in all that find a difference as large as the minimum effect with the power
            POWER; None for more than 10,000 times the present ones.
        effect: the same for the effect as it stands, or that it is below the minimum effect.
    """

    rows: int
    per_day: float | None
    minimum: float | None
    effect: float | None

    def days(self, rows: float) -> float | None:
        """How many days it takes until there are so many rows; None where nobody knows."""
        return None if self.per_day is None else max(0.0, rows - self.rows) / self.per_day


def time_to_decision(
    plan: Plan,
    margin: float | None,
    comparison: ArmEffect,
    points: Sequence[SeriesStep],
    last: float,
) -> TimeToDecision | None:
    """The time from the information so far, which grows with the rows.

    A difference δ is found with the power POWER once δ²/SE² is `information`, as of a plan whose
    pilot are the rows so far: see `experiment_size`.

    Args:
        plan: what is compared.
        margin: the minimum effect in the metric's unit, as the control stands.
        comparison: of all rows so far.
        points: the steps up to now, with their rows.
        last: epoch seconds, the end of the last hour that has rows.

    Returns:
        None without a minimum effect, or an effect with an error.
    """
    contrast, delta = _contrast(comparison), margin
    if contrast is None or delta is None or not points:
        return None
    times = information(plan, "sequence", POWER) * (contrast.standard_error / delta) ** 2
    effect = comparison.information_needed or still_needed(contrast, delta, plan.alpha)
    rows = points[-1].n
    return TimeToDecision(
        rows,
        rows_per_day(points, last),
        times * rows if times <= _MOST_TIMES else None,
        None if effect is None else effect * rows,
    )


def rows_by_power(
    plan: Plan, margin: float | None, comparison: ArmEffect, rows: int, method: Method
) -> list[float | None]:
    """Rows in all that find the minimum effect, by GRADES of power; none where nobody knows.

    Those are None that no number of rows can be told of. See time_to_decision.
    """
    if margin is None or not comparison.standard_error:
        return []
    unit = rows * (comparison.standard_error / margin) ** 2
    needed = [information(plan, method, power) * unit for power in GRADES]
    return [each if math.isfinite(each) else None for each in needed]


def rows_per_day(points: Sequence[SeriesStep], last: float) -> float | None:
    """How many rows came a day in the last seven days up to `last`; None of a single step."""
    if len(points) < 2:
        return None
    stop = min(points[-1].to, last)
    before = [point for point in points[:-1] if point.to <= stop - _LATELY]
    start = before[-1] if before else points[0]
    days, rows = (stop - start.to) / DAY, points[-1].n - start.n
    return rows / days if days > 0 and rows > 0 else None


def sufficient_error(plan: Plan, control: float = 1.0) -> float | None:
    """The standard error at which the minimum effect is found with the power POWER.

    Of a minimum effect in percent it is that of a control of this value.
    """
    if plan.minimum_effect is None:
        return None
    needed = information(plan, "sequence", POWER)
    return amount(plan.minimum_effect, control) / math.sqrt(needed)


def rows_of_base_rates(plan: Plan, base_rate: float, arm: str) -> float | None:
    """How many independent rows find the minimum effect of base rates with the power POWER.

    n = p(1 − p) (1/s + 1/s₀)/SE², of which s go to the arm and s₀ to the control
    """
    error, shares = sufficient_error(plan, base_rate), {each.name: each.share for each in plan.arms}
    if error is None:
        return None
    split = 1 / shares[arm] + 1 / shares[plan.control]
    return base_rate * (1 - base_rate) * split / error**2


def _contrast(effect: ArmEffect) -> Contrast | None:
    """The contrast that a report tells; None without an effect that has an error."""
    if effect.effect is None or not effect.standard_error or effect.degrees_of_freedom is None:
        return None
    return Contrast(
        effect.effect,
        effect.standard_error,
        effect.degrees_of_freedom,
        effect.clusters or 0,
        effect.largest_share or 0.0,
        effect.skewness or 0.0,
    )
