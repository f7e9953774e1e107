"""Checks of outcomes: what they say of outcomes all alike, rankings inverted, infinite losses."""

import math

import numpy as np
import pytest

from kullback.judgement.blocks import Block, block
from kullback.judgement.findings import Finding, State, ratio_bound, ratio_off
from kullback.judgement.judge import judge
from kullback.judgement.ratios import Ratio
from kullback.judgement.skill import normalized_entropy
from kullback.numerics.types import Array
from kullback.tally.binary import binary_terms
from kullback.tally.tally import Layout
from tests.judgement.worlds import block_of, drawn, looks

EXACT = Layout("binary", 2, "exact")
INVERTED = "The ranking is inverted: are labels or scores swapped?"


def judged(rows: Block, **slices: Block) -> dict[str, Finding]:
    """What checks find of one hour, and of values of countries in it."""
    values = {f"country={name}": each for name, each in slices.items()}
    *_, history = looks([{"": rows, **values}])
    return dict(judge(history).findings)


def alike(n: int, p: float, y: float) -> tuple[Array, Array]:
    """Rows of one prediction and one outcome."""
    return np.full(n, y), np.full(n, p)


@pytest.mark.parametrize(
    ("n", "p", "happened", "words"),
    [
        (600, 0.1, 0, "60 positives were expected, none happened"),
        (8, 0.25, 0, "2 positives were expected, none happened"),
        (600, 0.0, 3, "no positives were expected, 3 happened"),
        (1000, 1e-6, 1, "fewer than 0.1 positives were expected, 1 happened"),
        (600, 0.1, 60, "predictions are 1.00 times what happened"),
        (600, 0.1, 30, "predictions are 2.00 times what happened"),
    ],
)
def test_what_nothing_can_be_divided_by_is_told_in_counts(
    n: int, p: float, happened: int, words: str
) -> None:
    ratio = Ratio.of(block_of((np.arange(n) < happened).astype(float), np.full(n, p)))
    assert ratio.words == words
    assert math.isinf(ratio.value) == (happened == 0)


def test_of_no_positives_a_check_has_no_invented_ratio() -> None:
    found = judged(block_of(*alike(600, 0.1, 0.0)))["calibration"]
    assert found.state is State.CRITICAL
    assert found.statement.startswith("60 positives were expected, none happened. ")
    assert found.value == math.inf


@pytest.mark.parametrize("mean", [0.01, 0.4, 0.5, 0.9, 0.999])
def test_a_ratio_at_its_bound_is_as_far_off_as_is_tolerated(mean: float) -> None:
    bound = ratio_bound(0.1, mean)
    assert ratio_off(bound, mean) == pytest.approx(0.1)
    assert ratio_off(1 / bound, mean) == pytest.approx(0.1)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_labels_that_are_swapped_are_told_as_that(rate: float) -> None:
    y, p = drawn(np.random.default_rng(2), 4000, rate=rate)
    found = judged(block_of(1 - y, p))
    assert found["no_skill"].state is State.CRITICAL
    for finding in found.values():
        assert finding.is_alarm == (INVERTED in finding.statement), finding
    assert found["log_loss"].value is not None
    assert found["log_loss"].value <= 1, "a share of what predictions tell"


def test_few_labels_that_rank_low_are_no_inverted_ones() -> None:
    y, p = (np.arange(1000) == 0).astype(float), np.linspace(0.1, 0.3, 1000)
    found = judged(block_of(y, p))
    assert found["calibration"].state is State.CRITICAL
    assert not any(INVERTED in each.statement for each in found.values())


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_that_are_all_alike_are_not_called_few(label: float) -> None:
    found = judged(block_of(*alike(600, 0.5, label)))
    for name in ("no_skill", "log_loss"):
        assert found[name].state is State.UNKNOWN
        assert "All of 600 rows have the same label" in found[name].statement


def test_an_infinite_loss_is_told_as_reports_have_it() -> None:
    y, p = np.tile([0.0, 1.0], 500), np.tile([1.0, 0.0], 500)
    tally = binary_terms(EXACT, y, p, None, None).tally()
    rows = block((0, 3600, 3600), EXACT, tally, tally, 1000)
    assert rows.infinite == 1000
    assert normalized_entropy(rows) == math.inf
    found = judged(rows)
    assert "normalized entropy ∞, AUC 0.00" in found["no_skill"].statement
    assert found["no_skill"].value == -math.inf


def test_the_entropy_of_a_check_is_that_of_its_rows() -> None:
    y, p = (np.arange(1000) < 100).astype(float), np.full(1000, 1e-12)
    entropy = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    expected = 0.1 * -math.log(1e-12) / entropy
    assert normalized_entropy(block_of(y, p)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("worse", ["DE", "FR"])
def test_of_values_that_are_surely_off_the_furthest_is_named(worse: str) -> None:
    better = "FR" if worse == "DE" else "DE"
    parts = {worse: alike(500, 0.5, 0.0), better: alike(600, 0.5, 1.0)}
    us = np.tile([0.0, 1.0], 500), np.full(1000, 0.5)
    y, p = (np.concatenate(each) for each in zip(*parts.values(), us, strict=True))
    values = {name: block_of(*rows) for name, rows in {**parts, "US": us}.items()}
    found = judged(block_of(y, p), **dict(sorted(values.items())))["slice"]
    assert (found.slice, found.state) == (f"country={worse}", State.CRITICAL)


def test_a_value_without_skill_has_the_threshold_of_a_gain() -> None:
    rng = np.random.default_rng(4)
    y, p = drawn(rng, 4000, rate=0.3)
    wrong, right = (slice(0, 2000), slice(2000, 4000))
    y[wrong] = rng.permutation(y[wrong])
    values = {"DE": block_of(y[wrong], p[wrong]), "FR": block_of(y[right], p[right])}
    found = judged(block_of(y, p), **values)["slice"]
    assert (found.slice, found.threshold) == ("country=DE", 0.0)
    assert found.value is not None
    assert found.value < 0
