"""Margins in percent of the control's value: how they are typed, and what they decide."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import effects
from kullback.experiments.margins import amount, check_minimum_effect, margin_of, worded
from kullback.experiments.plan import Plan
from kullback.experiments.reporting import arms_report
from kullback.experiments.verdict import VerdictWord
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import ConfidenceSequence, confidence_sequence
from kullback.tally.contrast import ArmInfluences
from tests.experiments.arms import PAIRED, PARALLEL, found, only, paired, split
from tests.tally.test_relative_effect import ALPHA, arms


@pytest.mark.parametrize(
    ("typed", "of_a_half"),
    [("2%", 0.01), (" 0.5 %", 0.0025), ("100%", 0.5), (0.02, 0.02), (1, 1.0)],
)
def test_what_is_typed_is_kept_and_means_so_much(typed: object, of_a_half: float) -> None:
    minimum = check_minimum_effect(typed)
    assert minimum == typed
    assert amount(minimum, 0.5) == amount(minimum, -0.5) == pytest.approx(of_a_half)


@pytest.mark.parametrize(
    "typed",
    [
        *("2", "", "%", "two%", "0%", "-1%", "101%", "nan%", "inf%", "1_0%", "2%%", True, None),
        *([0.1], 0, -1.0, float("nan"), float("inf"), 1e101, 1e-101),
    ],
)
def test_what_is_no_margin_is_refused_by_name(typed: object) -> None:
    with pytest.raises(InvalidInput, match="minimum_effect"):
        check_minimum_effect(typed)


def test_it_is_told_as_it_was_typed() -> None:
    assert worded("2%", " nats") == "2% of the control's"
    assert worded(0.02, " nats") == "0.02 nats"


@pytest.mark.parametrize("is_paired", [True, False])
@pytest.mark.parametrize("control", [0.4, -0.4])
def test_it_is_by_the_contrasts_with_the_control_and_its_margin(
    control: float, *, is_paired: bool
) -> None:
    pair = arms(control + 0.004, control, 0.004)
    below, above = (
        sequence_of(pair, ratio, is_paired=is_paired)
        for ratio in ((0.98, 1.02) if control > 0 else (1.02, 0.98))
    )
    now = margin_of(
        "2%", sequence_of(pair, 1.0, is_paired=is_paired), pair, ALPHA, is_paired=is_paired
    )
    assert now.amount == pytest.approx(0.008)
    assert (now.below.low, now.below.high) == pytest.approx((below.low, below.high))
    assert (now.above.low, now.above.high) == pytest.approx((above.low, above.high))
    assert now.below.low < 0.012 < now.below.high, "θ + δ"
    assert now.above.low < -0.004 < now.above.high, "θ − δ"


def sequence_of(pair: ArmInfluences, ratio: float, *, is_paired: bool) -> ConfidenceSequence:
    contrast = pair.of_ratio(ratio).contrast(is_paired=is_paired)
    assert not isinstance(contrast, Undefined)
    return confidence_sequence(contrast, 0.008, ALPHA)


def test_its_answer_is_that_of_the_relative_sequence() -> None:
    """Both are read off {ρ: θ₂ − ρθ₁ may be 0}, so they never contradict each other."""
    words = set()
    rows = paired(noise=0.9)
    for plan, percent in product((PAIRED, PARALLEL), ("0.1%", "1%", "3%", "6%", "9%", "30%")):
        ours = rows if plan is PAIRED else split(rows)
        one = only(replace(plan, minimum_effect=percent), ours)
        assert one.relative_sets is not None
        assert not isinstance(one.relative_sets, Undefined)
        ends, share = one.relative_sets.confidence_sequence, float(percent[:-1]) / 100
        low, high = ends if isinstance(ends, tuple) else (-np.inf, np.inf)
        expected = VerdictWord.WORSE if low > share else VerdictWord.UNDECIDED
        if high < share:
            expected = VerdictWord.EQUIVALENT if low > -share else VerdictWord.NOT_WORSE
        assert one.verdict.margin is expected
        words.add(expected)
    assert words >= {"worse", "equivalent", "undecided"}


def test_a_report_tells_it_as_typed_and_draws_it_in_the_metrics_unit() -> None:
    plan = replace(PAIRED, minimum_effect="30%")
    report = arms_report(found(plan, paired(noise=0.9)))
    assert report.minimum_effect == "30%"
    value = report.arms[0].metrics["log_loss"].value
    assert value is not None
    assert report.margin == pytest.approx(0.3 * value)
    assert arms_report(found(plan, paired(n=4, per_unit=1))).margin is not None
    assert arms_report(found(replace(plan, minimum_effect=None), paired(n=4))).margin is None
    (one,) = report.comparisons
    assert one.reason.endswith(
        "but within the margin of 30% of the control's (95% sure at every look)."
    )
    equal = only(replace(plan, objective="equivalence"), paired())
    assert "differs by less than 30% of the control's" in equal.verdict.reason


def test_a_plan_is_read_back_with_what_was_typed() -> None:
    for minimum in ("2%", 0.02, None):
        plan = replace(PAIRED, minimum_effect=minimum)
        assert Plan.decoded(plan.encoded()) == plan


def test_a_series_has_the_verdicts_of_reports() -> None:
    plan, rows = replace(PAIRED, minimum_effect="1%"), paired(noise=0.9)
    (point,), whole = effects(plan, tally_arms(plan, rows)[""]), only(plan, rows)
    assert point.verdict == whole.verdict
    assert point.relative_sets is None


def test_true_margins_are_claimed_in_few_of_many_looks() -> None:
    """A treatment worse by exactly 5 %: 20 looks at 400 experiments of growing arms."""
    rng, claimed = np.random.default_rng(3), 0
    runs, looks, units = 400, 20, 1000
    for _ in range(runs):
        control, treatment = (mean * rng.gamma(2.0, 0.5, units) for mean in (1.0, 1.05))
        for n in np.linspace(100, units, looks).astype(int).tolist():
            pair = influences(treatment[:n], control[:n])
            contrast = pair.contrast(is_paired=False)
            assert not isinstance(contrast, Undefined)
            delta = amount("5%", pair.control)
            sequence = confidence_sequence(contrast, delta, ALPHA)
            now = margin_of("5%", sequence, pair, ALPHA, is_paired=False)
            if now.above.high < 0 or now.above.low > 0 or now.below.high < 0:
                claimed += 1
                break
    assert 0 < claimed / runs <= 0.05


def influences(treatment: np.ndarray, control: np.ndarray) -> ArmInfluences:
    """Of means of units, each in a bucket of its own."""
    u, inside = np.zeros((2, 1024)), np.arange(1024) < treatment.size
    for row, values in zip(u, (treatment, control), strict=True):
        row[: values.size] = (values - values.mean()) / values.size
    effect = float(treatment.mean() - control.mean())
    return ArmInfluences(effect, float(control.mean()), (u[0], u[1]), (inside, inside))
