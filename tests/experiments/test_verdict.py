"""Verdicts: each word by its interval, each refusal by what is wrong with the data."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from kullback.experiments.margins import absolute_margin
from kullback.experiments.measured import MetricName, Objective
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.verdict import (
    Verdict,
    invalid_assignment,
    too_early,
    too_thin,
    verdict_of,
    without_minimum,
)
from kullback.numerics.types import Array
from kullback.tally.confidence_sequence import ConfidenceSequence
from kullback.tally.contrast import Contrast
from kullback.tally.sample_ratio import sample_ratio
from kullback.tally.tally import Tally
from tests.experiments.arms import PAIRED
from tests.tally.strategies import Batch

MARGIN = 0.02


def absolute_verdict(plan: Plan, effect: Contrast, sequence: ConfidenceSequence) -> Verdict:
    """The verdict of a plan whose margin is a number."""
    assert isinstance(plan.minimum_effect, float)
    return verdict_of(plan, effect, sequence, absolute_margin(plan.minimum_effect, sequence))


def between(
    low: float, high: float, metric: MetricName = "log_loss", share: float = 0.01
) -> Verdict:
    """The verdict of a confidence sequence."""
    effect = (low + high) / 2
    plan = replace(PAIRED, metric=metric, minimum_effect=MARGIN)
    found = Contrast(effect, 0.01, 300.0, 400, share)
    return absolute_verdict(plan, found, ConfidenceSequence(1.0, low, high, 4.0))


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.05, -0.001, "better"),
        (-0.05, 0.0, "not_worse"),
        (-0.015, -0.001, "better"),
        (0.001, 0.05, "worse"),
        (0.0, 0.05, "undecided"),
        (0.001, 0.015, "worse"),
        (-0.019, 0.019, "equivalent"),
        (-0.02, 0.019, "not_worse"),
        (-0.02, 0.02, "undecided"),
        (-0.019, 0.02, "undecided"),
        (-0.5, 0.019, "not_worse"),
        (-0.5, 0.5, "undecided"),
        (0.0, 0.0, "equivalent"),
        (-np.inf, np.inf, "undecided"),
    ],
)
def test_the_word_is_by_where_the_sequence_lies(low: float, high: float, word: str) -> None:
    found = absolute_verdict(
        PAIRED, Contrast(0.0, 0.01, 300.0, 400, 0.01), ConfidenceSequence(1.0, low, high, 4.0)
    )
    assert (found.word, found.code) == (word, word)
    assert (found.needed is None) == (word != "undecided")


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.05, -0.001, "worse"),
        (0.001, 0.05, "better"),
        (-0.019, 0.019, "equivalent"),
        (-0.019, 0.05, "not_worse"),
        (-0.05, 0.019, "undecided"),
    ],
)
def test_where_more_is_better_it_is_the_other_way_round(low: float, high: float, word: str) -> None:
    assert between(low, high, "base_rate").word == word


@pytest.mark.parametrize("metric", ["log_loss", "normalized_entropy", "brier"])
def test_where_less_is_better_less_is_better(metric: MetricName) -> None:
    assert between(-0.05, -0.001, metric).word == "better"
    assert between(0.001, 0.05, metric).word == "worse"


def test_sentences_name_the_metric_and_how_far_it_is() -> None:
    assert between(-0.05, -0.012).reason == (
        "Its log loss is better by at least 0.012 nats (95% sure at every look)."
    )
    assert between(0.012, 0.05, "base_rate").reason.startswith("Its base rate is better by at")
    assert between(0.012, 0.05).reason.startswith("Its log loss is worse by at least 0.012 nats ")
    assert between(-0.01, 0.01).reason.startswith("Its log loss differs by less than 0.02 nats ")
    assert between(-0.5, 0.01).reason.startswith("Its log loss is not worse by 0.02 nats or more ")


def test_what_is_undecided_says_what_would_do() -> None:
    found = between(-0.03, 0.03)
    assert found.needed is not None
    assert found.reason == (
        f"If the effect stays as it is, about {found.needed:.2g} times the present information "
        "decides."
    )
    never = absolute_verdict(
        replace(PAIRED, minimum_effect=1e-9),
        Contrast(0.0, 0.5, 300.0, 400, 0.01),
        ConfidenceSequence(0.0, -9.0, 9.0, 1e-18),
    )
    assert never.needed is None
    assert "more than 10,000 times" in never.reason


@pytest.mark.parametrize("share", [0.11, 0.1])
def test_where_one_bucket_makes_the_variance_evidence_counts_less(share: float) -> None:
    undecided = between(-0.03, 0.03, share=share)
    assert (undecided.code == "dominated") == (share > 0.1)
    assert undecided.word == "undecided"
    if share > 0.1:
        assert undecided.reason.startswith(
            "The units of one bucket make 11% of the variance (at most 10%): so long evidence "
            "counts a 500th."
        )
    assert between(-0.05, -0.01, share=share).word == "better", "the sequence has it in already"


@pytest.mark.parametrize(
    ("low", "high", "superiority", "margin"),
    [
        (-0.05, -0.03, "better", "better"),
        (-0.05, -0.01, "better", "not_worse"),
        (-0.015, -0.001, "better", "equivalent"),
        (-0.05, 0.01, "undecided", "not_worse"),
        (-0.01, 0.01, "undecided", "equivalent"),
        (0.001, 0.015, "worse", "equivalent"),
        (0.001, 0.05, "worse", "undecided"),
        (0.021, 0.05, "worse", "worse"),
        (-0.05, 0.05, "undecided", "undecided"),
    ],
)
def test_two_questions_have_an_answer_each_and_the_objective_says_which_counts(
    low: float, high: float, superiority: str, margin: str
) -> None:
    sequence = ConfidenceSequence(1.0, low, high, 4.0)
    verdicts = {
        objective: absolute_verdict(
            replace(PAIRED, minimum_effect=MARGIN, objective=objective),
            Contrast((low + high) / 2, 0.01, 300.0, 400, 0.01),
            sequence,
        )
        for objective in get_args(Objective)
    }
    assert {(each.superiority, each.margin) for each in verdicts.values()} == {
        (superiority, margin)
    }
    assert verdicts["superiority"].word == (margin if superiority == "undecided" else superiority)
    is_enough = margin in {"better", "equivalent", "not_worse"}
    assert verdicts["non_inferiority"].word == ("not_worse" if is_enough else margin)
    assert verdicts["equivalence"].word == ("undecided" if margin == "not_worse" else margin)
    assert all(each.needed is None for each in verdicts.values() if each.word != "undecided")


def test_what_is_worse_within_the_margin_says_so() -> None:
    assert between(0.001, 0.015).reason == (
        "Its log loss is worse by at least 0.001 nats, but within the margin of 0.02 nats "
        "(95% sure at every look)."
    )
    assert "within" not in between(0.001, 0.05).reason
    assert "within" not in between(0.03, 0.05).reason


def test_without_a_minimum_effect_nothing_is_decided() -> None:
    assert (without_minimum().word, without_minimum().code) == ("undecided", "no_minimum_effect")


SKEWED = sample_ratio([3000, 1800], [0.5, 0.5])
STRAIGHT = sample_ratio([1000, 990], [0.5, 0.5])


def test_units_that_did_not_go_as_planned_break_everything() -> None:
    found = invalid_assignment(SKEWED, 0.5)
    assert found is not None
    assert (found.word, found.code) == ("invalid", "sample_ratio_mismatch")
    assert "3,000 : 1,800 where 2,400 : 2,400 is expected" in found.reason
    assert "(e-value 4.3 × 10⁶², chi-square p-value of one look 3.3 × 10⁻⁶⁷)" in found.reason


def test_evidence_beyond_doubles_is_told_by_its_logarithm() -> None:
    found = invalid_assignment(sample_ratio([10**6, 0], [0.5, 0.5]), 0.0)
    assert found is not None
    assert "(e-value 1.5 × 10³⁰⁰⁸²², chi-square p-value of one look < 10⁻³⁰⁸)" in found.reason


@pytest.mark.parametrize("crossed", [0.1, 0.15, 1.0])
def test_units_that_met_more_arms_break_everything(crossed: float) -> None:
    for ratio in (STRAIGHT, None):
        found = invalid_assignment(ratio, crossed)
        assert found is not None
        assert (found.word, found.code) == ("invalid", "crossover")
        assert found.reason.startswith(f"{crossed:.1%} of all units met more than one arm")


def test_units_that_went_as_planned_break_nothing() -> None:
    assert invalid_assignment(STRAIGHT, 0.099) is None
    assert invalid_assignment(None, 0.0) is None


def arm(w: Array | None, y: Array) -> Tally:
    units = np.arange(y.size) % 1024
    return Batch(PAIRED.layout, np.full(y.size, 0.5), y, w=w, units=units).tally()


def test_weights_that_leave_little_break_an_arm() -> None:
    n, y = 500, np.zeros(500)
    even = np.ones(n)
    # of n equal weights and one of x: (n − 1 + x)² / (n − 1 + x²)
    heavy, light = even.copy(), even.copy()
    heavy[0], light[0] = 40.0, 30.0
    assert too_thin(arm(even, y)) is None
    assert too_thin(arm(None, y)) is None
    assert too_thin(arm(light, y)) is None
    assert (499 + 30) ** 2 / (499 + 900) > 100 > (499 + 60) ** 2 / (499 + 3600)
    heavy[0] = 60.0
    found = too_thin(arm(heavy, y))
    assert found is not None
    assert (found.word, found.code) == ("invalid", "effective_sample_size")
    assert found.reason.startswith("The weights leave 76.2 effective rows of 500 (at least 100)")


def test_few_rows_are_not_said_to_have_thin_weights() -> None:
    w = np.ones(99)
    w[0] = 1e6
    assert too_thin(arm(w, np.zeros(99))) is None
    assert too_thin(arm(np.zeros(200), np.zeros(200))) is None
    assert too_thin(Tally(PAIRED.layout)) is None


def labels(positives: int, n: int = 200) -> Array:
    return np.where(np.arange(n) < positives, 1.0, 0.0)


@pytest.mark.parametrize("positives", [25, 100, 175])
def test_so_many_units_and_labels_of_each_are_enough(positives: int) -> None:
    tally = arm(None, labels(positives))
    assert too_early(PAIRED, [tally, tally], 100.0) is None


def test_too_few_units_are_too_early() -> None:
    tally = arm(None, labels(100))
    found = too_early(PAIRED, [tally, tally], 99.0)
    assert found is not None
    assert (found.word, found.code) == ("invalid", "too_few_units")
    assert found.reason == "99 units of at least 100 in each arm."
    assert too_early(replace(PAIRED, minimum_units=20), [tally, tally], 99.0) is None


@pytest.mark.parametrize("positives", [0, 24, 176, 200])
def test_too_few_labels_of_either_kind_are_too_early(positives: int) -> None:
    enough, few = arm(None, labels(100)), arm(None, labels(positives))
    for arms in ([enough, few], [few, enough]):
        found = too_early(PAIRED, arms, 1000.0)
        assert found is not None
        assert (found.word, found.code) == ("invalid", "too_few_positives")


def test_labels_count_by_what_their_weights_leave_of_them() -> None:
    w = np.ones(200)
    w[0] = 1000.0
    found = too_early(PAIRED, [arm(w, labels(100))] * 2, 1000.0)
    assert found is not None
    assert found.reason.startswith("1 row of the rarer label")
    even = arm(np.full(200, 1e90), labels(25))
    assert too_early(PAIRED, [even, even], 1000.0) is None


def test_units_come_before_labels() -> None:
    found = too_early(PAIRED, [arm(None, labels(0))] * 2, 5.0)
    assert found is not None
    assert found.code == "too_few_units"


def test_a_plan_may_ask_for_more_units() -> None:
    plan = Plan((Arm("a", 0.5), Arm("b", 0.5)), "a", minimum_units=5000)
    found = too_early(plan, [arm(None, labels(100))] * 2, 4999.4)
    assert found is not None
    assert found.reason == "4,999 units of at least 5,000 in each arm."
