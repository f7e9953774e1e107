"""Explanation of an effect: calibration, ranking, or the rows that an arm was shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kullback.experiments.margins import worded
from kullback.experiments.plan import Plan
from kullback.numerics.digits import number
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.contrast import Contrast, auc_difference
from kullback.tally.cox import calibration_line
from kullback.tally.metrics import Estimate, TallyMetrics
from kullback.tally.tally import Tally

_MOST = 0.8  # of a difference: what explains so much of it explains it
_SURE = 0.05
_MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the log loss of an arm is made of, in nats, and how it is calibrated.

    log loss = miscalibration − discrimination + uncertainty
    """

    miscalibration: float | Undefined
    discrimination: float | Undefined
    uncertainty: float | Undefined
    slope: float | Undefined
    intercept: float | Undefined
    slope_standard_error: float | None
    intercept_standard_error: float | None
    calibration_ratio: float | Undefined
    auc: Estimate

    @classmethod
    def of(cls, tally: Tally) -> "Diagnosis":
        """The diagnosis of an arm."""
        reading, line = TallyMetrics(tally), calibration_line(tally)
        parts = reading.decomposition()
        return cls(
            parts.miscalibration,
            parts.discrimination,
            parts.uncertainty,
            line.slope,
            line.intercept,
            line.slope_standard_error,
            line.intercept_standard_error,
            reading.metric("calibration_ratio").value,
            reading.auc(),
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the difference of log loss between an arm and the control comes from, in nats.

    Attributes:
        statement: in words.
        calibration, ranking, rows: what each adds to the arm's log loss; undefined where an arm
            has one class, or an infinite loss.
        auc: the difference of the AUCs.
    """

    statement: str
    calibration: float | Undefined
    ranking: float | Undefined
    rows: float | Undefined
    auc: Contrast | Undefined


@dataclass(frozen=True, slots=True)
class LossMargin:
    """How much log loss does not matter, in nats and in words."""

    nats: float
    words: str

    @classmethod
    def of(cls, plan: Plan, nats: float | None) -> "LossMargin | None":
        """The minimum effect of a plan by log loss, which is so many nats by now."""
        if plan.metric != "log_loss" or plan.minimum_effect is None or nats is None:
            return None
        return cls(nats, worded(plan.minimum_effect, " nats"))


def explain(
    treatment: Tally,
    control: Tally,
    *,
    is_paired: bool,
    is_shown: bool = True,
    margin: LossMargin | None = None,
) -> Explanation:
    """Split the difference of log loss by the decompositions of the two.

    Advice is given only where the difference `is_shown` to be one: to recalibrate, where after the
    best monotone recalibration of both the arm is better, or worse within the margin.
    """
    ours, theirs = Diagnosis.of(treatment), Diagnosis.of(control)
    calibration = _difference(ours.miscalibration, theirs.miscalibration)
    ranking = _difference(theirs.discrimination, ours.discrimination)
    rows = _difference(ours.uncertainty, theirs.uncertainty)
    auc = auc_difference(treatment, control, is_paired=is_paired)
    statement = in_parts([calibration, ranking, rows], auc)
    if is_shown:
        statement += _advice(ours, [calibration, ranking], auc, margin)
    return Explanation(statement, calibration, ranking, rows, auc)


def in_parts(parts: Sequence[float | Undefined], auc: Contrast | Undefined) -> str:
    """The difference of log loss and what adds to it, in words: calibration, ranking, rows."""
    numbers = [part for part in parts if not isinstance(part, Undefined)]
    if len(numbers) < len(parts) or isinstance(auc, Undefined):
        return "There is too little to say why."
    total = sum(numbers)
    largest = max(map(abs, (total, *numbers)))  # of the total nearly nothing may be left
    places = min(max(0, 2 - math.floor(math.log10(largest))), _MOST_PLACES) if largest else 3
    names = ("calibration", "ranking", "the rows it was shown")
    shown = [
        f"{number(part, places, signed=True)} of {name}"
        for name, part in zip(names, numbers, strict=True)
        if round(part, places) or name != names[2]  # paired arms are shown the same
    ]
    return f"Log loss {number(total, places, signed=True)} nats: {', '.join(shown)}."


def _difference(ours: float | Undefined, theirs: float | Undefined) -> float | Undefined:
    if isinstance(ours, Undefined):
        return ours
    if isinstance(theirs, Undefined):
        return theirs
    both_finite = math.isfinite(ours) and math.isfinite(theirs)
    return ours - theirs if both_finite else Undefined(Reason.INFINITE)


def _advice(
    ours: Diagnosis,
    parts: list[float | Undefined],
    auc: Contrast | Undefined,
    margin: LossMargin | None,
) -> str:
    numbers = [part for part in parts if not isinstance(part, Undefined)]
    if len(numbers) < len(parts) or isinstance(auc, Undefined):
        return ""
    calibration, ranking = numbers
    most = _MOST * (abs(calibration) + abs(ranking))
    if most == 0:
        advice = "The two predict alike."
    elif calibration >= most:
        calibrated = f"badly calibrated ({_calibration(ours)})"
        advice = f"{_ranking(auc)} {calibrated}. {_left(ranking, auc, margin)}"
    elif ranking >= most:
        advice = "It ranks worse, and recalibration does not mend that."
    elif -calibration >= most:
        advice = f"It is better calibrated. {_once_recalibrated(ranking)}."
    elif -ranking >= most:
        advice = "It ranks better."
    else:
        advice = _both(calibration, ranking)
    return f" {advice}"


def _left(ranking: float, auc: Contrast, margin: LossMargin | None) -> str:
    """What is left of a bad calibration once both are recalibrated, and what that calls for."""
    what = _once_recalibrated(ranking)
    if ranking <= 0 or (margin is None and auc.p_value() >= _SURE):
        return f"{what}: recalibrate, do not roll back."
    if margin is None:
        return f"{what}: recalibrate, and compare again."
    if ranking < margin.nats:
        return f"{what}, within the margin of {margin.words}: recalibrate, do not roll back."
    return f"{what}, beyond the margin of {margin.words}: recalibration does not mend it all."


def _once_recalibrated(ranking: float) -> str:
    """How much worse an arm ranks in nats: all that is left by the best monotone recalibration."""
    words = "as good" if ranking == 0 else f"{abs(ranking):.2g} nats {_than(ranking)}"
    return f"With both recalibrated as well as can be it is {words}"


def _than(ranking: float) -> str:
    return "worse" if ranking > 0 else "better"


def _both(calibration: float, ranking: float) -> str:
    if calibration < 0:
        return (
            f"It is better calibrated {'and ranks better' if ranking < 0 else 'but ranks worse'}."
        )
    return f"It is worse calibrated {'but ranks better' if ranking < 0 else 'and ranks worse'}."


def _ranking(auc: Contrast) -> str:
    if auc.p_value() >= _SURE:
        return "Same ranking,"
    return "It ranks better, but is" if auc.effect > 0 else "Hardly worse ranking,"


def _calibration(ours: Diagnosis) -> str:
    sentences = []
    if not isinstance(ours.slope, Undefined):
        sentences.append(f"slope {ours.slope:.2f}")
    if not isinstance(ours.calibration_ratio, Undefined):
        sentences.append(f"predicts {ours.calibration_ratio:.2f} times what happens")
    return ", ".join(sentences) or "by its reliability diagram"
