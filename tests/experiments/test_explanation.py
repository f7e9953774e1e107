"""Why an arm is better or worse: what is said fits what was done to it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.explanation import Diagnosis, LossMargin, explain, in_parts
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.contrast import Contrast
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Tally
from tests.experiments.arms import PAIRED, of_arms, paired, sigmoid
from tests.tally.strategies import Batch


def logit(p: Array) -> Array:
    found: Array = np.log(p) - np.log1p(-p)
    return found


def tallies(p: Array, q: Array, y: Array | None = None, convention: str = "sklearn") -> list[Tally]:
    """The tallies of the control, p, and of the arm, q."""
    rows = replace(paired(n=p.size), y_proba={"a": p, "b": q})
    rows = rows if y is None else replace(rows, y_true=y)
    plan = replace(PAIRED, convention="exact") if convention == "exact" else PAIRED
    return [tally_arms(plan, rows)[""].tallies[name] for name in "ab"]


def said(p: Array, q: Array) -> str:
    control, treatment = tallies(p, q)
    return explain(treatment, control, is_paired=True).statement


def scores() -> tuple[Array, Array]:
    found = of_arms(paired(0.2, n=8000))
    return found["a"], found["b"]


def test_parts_add_up_to_the_difference_of_log_loss() -> None:
    control, treatment = tallies(*scores())
    found = explain(treatment, control, is_paired=True)
    losses = [TallyMetrics(tally).metric("log_loss").value for tally in (treatment, control)]
    parts = (found.calibration, found.ranking, found.rows)
    assert not any(isinstance(part, Undefined) for part in parts)
    total = sum(part for part in parts if not isinstance(part, Undefined))
    ours, theirs = losses
    assert isinstance(ours, float)
    assert isinstance(theirs, float)
    assert total == pytest.approx(ours - theirs, abs=1e-12)
    assert found.rows == 0.0
    assert f"{total:+.3g} nats" in found.statement


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((0.01, 0.02, 0.0), "+0.0300 nats: +0.0100 of calibration, +0.0200 of ranking."),
        ((0.25, -0.25, 1.7e-18), "+0.000 nats: +0.250 of calibration, -0.250 of ranking."),
        ((1e-12, -2e-12, 0.0), "+0.000000 nats: +0.000000 of calibration, +0.000000 of ranking."),
        ((0.0, 0.0, 0.0), "0.000 nats: 0.000 of calibration, 0.000 of ranking."),
    ],
)
def test_parts_that_cancel_are_told_to_the_places_of_the_largest(
    parts: tuple[float, float, float], words: str
) -> None:
    assert in_parts(parts, Contrast(0.0, 0.1, 9.0, 10, 0.1)) == f"Log loss {words}"


def test_the_other_way_round_every_part_has_the_other_sign() -> None:
    control, treatment = tallies(*scores())
    there, back = (
        explain(treatment, control, is_paired=True),
        explain(control, treatment, is_paired=True),
    )
    for one, other in (
        (there.calibration, back.calibration),
        (there.ranking, back.ranking),
        (there.rows, back.rows),
    ):
        assert isinstance(one, float)
        assert isinstance(other, float)
        assert one == -other
    assert isinstance(there.auc, Contrast)
    assert back.auc == replace(there.auc, effect=-there.auc.effect, skewness=-there.auc.skewness)


def test_what_is_too_sure_is_to_be_recalibrated() -> None:
    p, _ = scores()
    told = said(p, sigmoid(2.5 * logit(p)))
    assert "Same ranking, badly calibrated (slope 0." in told
    assert "). With both recalibrated as well as can be it is 0.00024 nats better: " in told
    assert told.endswith(": recalibrate, do not roll back.")


def test_what_is_shifted_is_to_be_recalibrated() -> None:
    p, _ = scores()
    told = said(p, sigmoid(logit(p) + 1.0))
    assert "badly calibrated" in told
    assert "times what happens). With both recalibrated" in told
    assert told.endswith("nats worse: recalibrate, do not roll back."), "by no more than noise"


def test_what_still_is_worse_recalibrated_is_held_against_the_margin() -> None:
    p, _ = scores()
    noise = np.random.default_rng(7).normal(size=p.size)
    control, treatment = tallies(p, sigmoid(2.5 * (logit(p) + 0.5 * noise)))

    def statement(margin: LossMargin | None) -> str:
        return explain(treatment, control, is_paired=True, margin=margin).statement

    found = explain(treatment, control, is_paired=True)
    assert isinstance(found.ranking, float)
    left = f"it is {found.ranking:.2g} nats worse"
    small, large = (LossMargin(size * found.ranking, "a margin") for size in (0.9, 1.1))
    assert statement(large).endswith(
        f"{left}, within the margin of a margin: recalibrate, do not roll back."
    )
    assert statement(small).endswith(
        f"{left}, beyond the margin of a margin: recalibration does not mend it all."
    )
    assert statement(None).endswith(f"{left}: recalibrate, and compare again.")


def test_the_margin_is_the_plans_where_it_is_of_log_loss() -> None:
    assert LossMargin.of(replace(PAIRED, minimum_effect="2%"), 0.01) == LossMargin(
        0.01, "2% of the control's"
    )
    assert LossMargin.of(replace(PAIRED, metric="brier"), 0.02) is None
    assert LossMargin.of(PAIRED, None) is None


def test_left_over_is_the_log_loss_after_isotonic_recalibration() -> None:
    p, q = scores()
    control, treatment = tallies(p, q)
    y = np.asarray(paired(0.2, n=8000).y_true, np.float64)
    found = explain(treatment, control, is_paired=True).ranking

    def recalibrated_loss(scored: Array) -> float:
        fitted = np.clip(IsotonicRegression().fit(scored, y).predict(scored), 1e-12, 1 - 1e-12)
        return float(-(y * np.log(fitted) + (1 - y) * np.log1p(-fitted)).mean())

    assert found == pytest.approx(recalibrated_loss(q) - recalibrated_loss(p), abs=3e-4)


def test_where_the_control_is_too_sure_it_would_do_to_recalibrate_that() -> None:
    p, _ = scores()
    told = said(sigmoid(2.5 * logit(p)), p)
    left = "With both recalibrated as well as can be it is 0.00024 nats worse."
    assert told.endswith(f"It is better calibrated. {left}")


def recalibrated() -> tuple[Array, Array]:
    """Two arms without a fault but that one ranks better."""
    rng = np.random.default_rng(2)
    return np.full(8000, 0.3) + 0.001 * rng.random(8000), np.where(rng.random(8000) < 0.5, 0.1, 0.5)


def drawn(p: Array) -> Array:
    return np.where(np.random.default_rng(3).random(p.size) < p, 1.0, 0.0)


def test_what_ranks_better_or_worse_is_said_to() -> None:
    dull, keen = recalibrated()
    y = drawn(keen)
    control, treatment = tallies(dull, keen, y)
    assert explain(treatment, control, is_paired=True).statement.endswith("It ranks better.")
    told = explain(control, treatment, is_paired=True).statement
    assert told.endswith("It ranks worse, and recalibration does not mend that.")


def test_where_both_differ_both_are_said_to() -> None:
    dull, keen = recalibrated()
    control, treatment = tallies(sigmoid(logit(dull) + 0.6), keen, drawn(keen))
    better, worse = (
        explain(treatment, control, is_paired=True).statement,
        explain(control, treatment, is_paired=True).statement,
    )
    assert better.endswith("It is better calibrated and ranks better.")
    assert worse.endswith("It is worse calibrated and ranks worse.")
    mixed = explain(
        *tallies(sigmoid(logit(keen) + 0.6), dull, drawn(keen))[::-1], is_paired=True
    ).statement
    assert mixed.endswith("It is better calibrated but ranks worse.")


def test_where_nothing_differs_it_is_said_so() -> None:
    p, _ = scores()
    told = said(p, p)
    parts = "0.000 nats: 0.000 of calibration, 0.000 of ranking."
    assert told.startswith(f"Log loss {parts}")
    assert told.endswith("The two predict alike.")


def test_where_the_ranking_is_sure_to_differ_a_little_it_is_not_called_the_same() -> None:
    p, _ = scores()
    rng = np.random.default_rng(5)
    noisy = sigmoid(3.0 * (logit(p) + 0.3 * rng.normal(size=p.size)))
    control, treatment = tallies(p, noisy)
    found = explain(treatment, control, is_paired=True)
    assert isinstance(found.auc, Contrast)
    assert found.auc.p_value() < 0.05
    assert "Hardly worse ranking, badly calibrated" in found.statement


def test_without_a_slope_the_calibration_ratio_tells() -> None:
    y = np.where(np.arange(400) < 100, 1.0, 0.0)
    control, treatment = tallies(np.full(400, 0.25), np.full(400, 0.6), y)
    told = explain(treatment, control, is_paired=True).statement
    assert "badly calibrated (predicts 2.40 times what happens)" in told


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_of_one_class_there_is_too_little_to_say(label: float) -> None:
    control, treatment = tallies(np.full(50, 0.3), np.full(50, 0.4), np.full(50, label))
    assert (
        explain(treatment, control, is_paired=True).statement == "There is too little to say why."
    )


def test_of_no_rows_there_is_too_little_to_say() -> None:
    nothing = Tally(PAIRED.layout)
    some = tallies(*scores())[0]
    for ours, theirs in ((nothing, some), (some, nothing), (nothing, nothing)):
        found = explain(ours, theirs, is_paired=True)
        assert found.statement == "There is too little to say why."
        assert found.calibration == found.ranking == found.rows == Undefined(Reason.EMPTY)


def test_of_an_infinite_loss_there_is_too_little_to_say() -> None:
    p, q = scores()
    y = np.asarray(paired(n=8000).y_true, np.float64)
    lost, spoilt = p.copy(), q.copy()
    lost[np.flatnonzero(y)[0]] = spoilt[np.flatnonzero(y)[1]] = 0.0
    for scored in ((p, spoilt), (lost, q), (lost, spoilt)):
        control, treatment = tallies(*scored, convention="exact")
        found = explain(treatment, control, is_paired=True)
        assert isinstance(found.calibration, Undefined)
        assert isinstance(found.ranking, float)
        assert found.statement == "There is too little to say why."


def test_a_diagnosis_says_what_log_loss_is_made_of() -> None:
    tally = tallies(*scores())[0]
    found, reading = Diagnosis.of(tally), TallyMetrics(tally)
    loss = reading.metric("log_loss").value
    assert isinstance(found.miscalibration, float)
    assert isinstance(found.discrimination, float)
    assert isinstance(found.uncertainty, float)
    made = found.miscalibration - found.discrimination + found.uncertainty
    assert made == pytest.approx(loss, rel=1e-12)
    assert found.calibration_ratio == reading.metric("calibration_ratio").value
    assert found.auc == reading.auc()
    assert isinstance(found.slope, float)
    assert 0 < found.slope < 1
    assert isinstance(found.intercept, float)
    assert math.isfinite(found.intercept)


def test_a_diagnosis_of_nothing_says_why() -> None:
    found = Diagnosis.of(
        Batch(PAIRED.layout, np.ones(0), np.ones(0), units=np.ones(0, int)).tally()
    )
    assert found.miscalibration == found.calibration_ratio == Undefined(Reason.EMPTY)
    assert found.slope == found.intercept == Undefined(Reason.ONE_CLASS)
