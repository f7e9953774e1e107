"""Arms are compared as their rows say: verdicts, guards and their order, families."""

import math
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kullback.experiments.arm_tallies import ArmTallies, tally_arms
from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import compare, effects
from kullback.experiments.measured import MetricName
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast, difference
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.multiplicity import benjamini_hochberg, e_bh, holm
from tests.experiments.arms import (
    NAMES,
    PAIRED,
    PARALLEL,
    SLICED,
    found,
    of_arms,
    one_after_another,
    only,
    paired,
    split,
)

CLICKS = Path(__file__).parents[3] / "shared" / "data" / "obd_paired.parquet"
MARGINS: dict[MetricName, float] = {
    "log_loss": 0.02,
    "normalized_entropy": 0.04,
    "brier": 0.008,
}


def effect(one: Comparison) -> Contrast:
    assert isinstance(one.effect, Contrast)
    return one.effect


@pytest.mark.parametrize("metric", MARGINS)
@pytest.mark.parametrize(("noise", "word"), [(0.1, "better"), (1.2, "worse"), (0.5, "equivalent")])
def test_paired_arms_are_told_apart(metric: MetricName, noise: float, word: str) -> None:
    plan = replace(PAIRED, metric=metric, minimum_effect=MARGINS[metric])
    assert only(plan, paired(noise, 20_000)).verdict.word == word


def test_an_arm_may_be_known_not_to_be_worse_before_it_is_known_to_be_better() -> None:
    verdict = only(replace(PAIRED, minimum_effect=0.01), paired(0.44, 6000)).verdict
    assert verdict.word == "not_worse"


def test_few_rows_leave_it_undecided_and_say_how_many_more_would_do() -> None:
    one = only(PAIRED, paired(0.4, 800))
    assert one.verdict.word == "undecided"
    assert one.verdict.needed is not None
    assert 1 < one.verdict.needed < 100


def test_without_a_minimum_effect_there_is_an_effect_but_no_verdict() -> None:
    one = only(replace(PAIRED, minimum_effect=None), paired(0.1))
    assert effect(one).p_value() < 1e-6
    assert (one.verdict.word, one.verdict.code) == ("undecided", "no_minimum_effect")
    assert one.confidence_sequence is None
    assert one.adjusted is not None
    assert one.adjusted.e_bh is None


def test_the_effect_is_the_difference_of_the_metric_and_relative_to_the_control() -> None:
    rows = paired()
    findings = found(PAIRED, rows)
    one, tallies = findings.comparisons[""][0], findings.tallies[""]
    log_loss = FUNCTIONALS["log_loss"]
    assert one.effect == difference(log_loss, tallies["b"], tallies["a"], is_paired=True)
    base = log_loss(tallies["a"]).value
    assert isinstance(base, float)
    assert one.relative == effect(one).effect / base
    assert one.confidence_sequence == confidence_sequence(effect(one), 0.02, 0.05)
    assert effects(PAIRED, tally_arms(PAIRED, rows)[""]) == [
        replace(one, explanation=None, other_metrics={}, adjusted=None, relative_sets=None)
    ]


def test_of_a_control_of_zero_nothing_is_relative() -> None:
    y = np.where(np.arange(400) < 200, 1.0, 0.0)
    rows = ArmRows(y, {"a": y, "b": np.full(400, 0.5)}, np.arange(400))
    one = only(replace(PAIRED, metric="brier"), rows)
    assert effect(one).effect == 0.25
    assert one.relative == Undefined(Reason.CONTROL_IS_ZERO)


@pytest.mark.parametrize("metric", MARGINS)
def test_arms_the_other_way_round_have_the_other_effect(metric: MetricName) -> None:
    plan, rows = replace(PAIRED, metric=metric), paired(0.1, 8000)
    one, other = only(plan, rows), only(replace(plan, control="b"), rows)
    assert (other.arm, other.control) == ("a", "b")
    assert other.effect == replace(
        effect(one), effect=-effect(one).effect, skewness=-effect(one).skewness
    )
    assert one.confidence_sequence is not None
    assert other.confidence_sequence == replace(
        one.confidence_sequence,
        low=-one.confidence_sequence.high,
        high=-one.confidence_sequence.low,
    )
    assert {one.verdict.word, other.verdict.word} == {"better", "worse"}


def test_paired_rows_say_as_much_as_the_same_rows_of_each_arm() -> None:
    rows = paired(0.1)
    one, other = only(PAIRED, rows), only(PARALLEL, one_after_another(rows))
    assert astuple(effect(other)) == pytest.approx(astuple(effect(one)), rel=1e-9)
    assert one.confidence_sequence is not None
    assert other.confidence_sequence is not None
    sequences = one.confidence_sequence, other.confidence_sequence
    assert astuple(sequences[1]) == pytest.approx(astuple(sequences[0]), rel=1e-9)
    assert one.verdict.word == "better"
    assert other.verdict.code == "crossover"


def test_split_traffic_knows_less_of_the_same_difference() -> None:
    rows = paired(0.1, 20_000)
    one, other = effect(only(PAIRED, rows)), effect(only(PARALLEL, split(rows)))
    assert abs(one.effect - other.effect) < 4 * other.standard_error
    assert other.standard_error > 2 * one.standard_error


@pytest.mark.parametrize("power", [-100, 40, 100])
@pytest.mark.parametrize("plan", [PAIRED, PARALLEL], ids=["paired", "parallel"])
def test_the_scale_of_weights_does_not_matter(plan: Plan, power: int) -> None:
    rows = paired(0.1)
    rows = rows if plan is PAIRED else split(rows)
    w = np.random.default_rng(1).gamma(2.0, 1.0, 4000)
    one = effect(only(plan, replace(rows, weight=w)))
    other = effect(only(plan, replace(rows, weight=w * 2.0**power)))
    assert other.effect == pytest.approx(one.effect, rel=1e-10)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-10)


def clicked(rate: float, n: int = 20_000) -> ArmRows:
    """Split traffic, where b has this rate of clicks and a has 0.2."""
    rng = np.random.default_rng(6)
    unit = rng.integers(0, n // 2, n)
    second = unit % 2 == 1
    y = np.where(rng.random(n) < np.where(second, rate, 0.2), 1.0, 0.0)
    arm = ["b" if is_second else "a" for is_second in second.tolist()]
    return ArmRows(y, np.full(n, 0.2), unit, arm)


@pytest.mark.parametrize(("rate", "word"), [(0.26, "better"), (0.15, "worse")])
def test_a_higher_base_rate_is_better(rate: float, word: str) -> None:
    one = only(replace(PARALLEL, metric="base_rate"), clicked(rate))
    assert one.verdict.word == word
    assert (effect(one).effect > 0) == (word == "better")


def test_parallel_arms_that_are_alike_are_equivalent() -> None:
    plan = replace(PARALLEL, metric="base_rate", minimum_effect=0.05)
    assert only(plan, clicked(0.2)).verdict.word == "equivalent"


def arms_of(count: int) -> tuple[Arm, ...]:
    return tuple(Arm(NAMES[at] if at < 3 else f"arm {at}", 1 / count) for at in range(count))


SEGMENTED = replace(PAIRED, slices=SLICED)


def segmented() -> ArmRows:
    """Rows of three countries, where b is better in one of them."""
    fair, good = paired(0.5, 12_000), paired(0.1, 12_000)
    country = np.arange(12_000) % 3
    better = np.where(country == 0, of_arms(good)["b"], of_arms(fair)["b"])
    names = [("DE", "FR", "IT")[at] for at in country.tolist()]
    scores = {"a": of_arms(fair)["a"], "b": better}
    return replace(fair, y_proba=scores, slices={"country": names})


def test_segments_are_compared_as_their_rows_alone() -> None:
    rows = segmented()
    findings = found(SEGMENTED, rows)
    assert set(findings.comparisons) == {"", "country=DE", "country=FR", "country=IT"}
    assert [findings.comparisons[f"country={name}"][0].verdict.word for name in ("DE", "FR")] == [
        "better",
        "equivalent",
    ]
    german = np.flatnonzero(np.array(rows.slices["country"]) == "DE")
    assert isinstance(rows.unit, np.ndarray)
    scores = {name: p[german] for name, p in of_arms(rows).items()}
    alone = only(PAIRED, ArmRows(np.asarray(rows.y_true)[german], scores, rows.unit[german]))
    one = findings.comparisons["country=DE"][0]
    assert (one.effect, one.confidence_sequence) == (alone.effect, alone.confidence_sequence)
    assert (one.explanation, one.other_metrics) == (None, {})


def test_claims_are_corrected_for_the_whole_family() -> None:
    findings = found(SEGMENTED, segmented())
    family = [one for several in findings.comparisons.values() for one in several]
    p_values = [effect(one).p_value() for one in family]
    adjusted = [one.adjusted for one in family if one.adjusted is not None]
    assert [one.holm for one in adjusted] == holm(p_values)
    assert [one.benjamini_hochberg for one in adjusted] == benjamini_hochberg(p_values)
    log_e = [
        one.confidence_sequence.log_e_value for one in family if one.confidence_sequence is not None
    ]
    claims = e_bh(log_e, 0.05)
    assert [one.e_bh for one in adjusted] == claims
    assert sum(claims) == 1
    for one, is_claimed in zip(family, claims, strict=True):
        assert one.adjusted is not None
        expected = confidence_sequence(effect(one), 0.02, 0.05 / 4) if is_claimed else None
        assert one.adjusted.confidence_sequence == expected


def test_what_has_no_effect_is_not_adjusted() -> None:
    rows = segmented()
    y = np.where(np.array(rows.slices["country"]) == "IT", 0.0, np.asarray(rows.y_true))
    plan = replace(SEGMENTED, metric="normalized_entropy", minimum_effect=0.05)
    findings = found(plan, replace(rows, y_true=y))
    assert findings.comparisons["country=IT"][0].adjusted is None
    assert findings.comparisons["country=IT"][0].verdict.code == "one_class"
    german = findings.comparisons["country=DE"][0].adjusted
    assert german is not None
    assert german.e_bh is True


@pytest.mark.parametrize("plan", [PAIRED, PARALLEL], ids=["paired", "parallel"])
def test_the_whole_is_compared_by_every_metric_and_explained(plan: Plan) -> None:
    one = only(plan, paired(0.1) if plan is PAIRED else split(paired(0.1)))
    expected = set(FUNCTIONALS) - ({"base_rate"} if plan is PAIRED else set())
    assert set(one.other_metrics) == expected
    assert one.other_metrics["log_loss"] == one.effect
    assert one.explanation is not None


def test_of_many_arms_each_is_compared_with_the_control() -> None:
    rows = paired(n=4000)
    plan = replace(PAIRED, arms=arms_of(20), control="b")
    rng = np.random.default_rng(0)
    scores = {name: rng.random(4000) for name in plan.names}
    findings = found(plan, replace(rows, y_proba=scores))
    compared = findings.comparisons[""]
    assert [one.arm for one in compared] == plan.treatments
    assert {one.control for one in compared} == {"b"}


def test_evidence_of_batches_is_compared_as_that_of_all_rows() -> None:
    rows = paired(0.1, 1000)
    assert isinstance(rows.unit, np.ndarray)
    parts = []
    for some in (np.arange(300), np.arange(300, 1000)):
        scores = {name: p[some] for name, p in of_arms(rows).items()}
        part = ArmRows(np.asarray(rows.y_true)[some], scores, rows.unit[some])
        parts.append(tally_arms(PAIRED, part)[""])
    assert compare(PAIRED, {"": ArmTallies.total(parts)}) == found(PAIRED, rows)


@pytest.mark.parametrize("minimum", [None, 0.0002, 0.0005, 0.001, 0.005])
def test_real_clicks_that_neither_model_knows_tell_no_difference(minimum: float | None) -> None:
    if not CLICKS.is_file():
        pytest.skip("the Open Bandit sample is not part of the repository")
    table = pq.read_table(CLICKS, columns=["click", "p_a", "p_b", "unit_id"])
    scores = {"a": table["p_a"].to_numpy(), "b": table["p_b"].to_numpy()}
    rows = ArmRows(table["click"].to_numpy(), scores, table["unit_id"].to_pylist())
    one = only(replace(PAIRED, minimum_effect=minimum), rows)
    assert one.verdict.word == ("equivalent" if minimum == 0.005 else "undecided")
    assert effect(one).effect == pytest.approx(-0.000744, abs=1e-6)
    assert effect(one).p_value() == pytest.approx(0.023, abs=1e-3)
    if one.confidence_sequence is not None:
        assert one.confidence_sequence.e_value < 4
        assert one.confidence_sequence.low < 0 < one.confidence_sequence.high
        assert math.isfinite(one.confidence_sequence.information)
