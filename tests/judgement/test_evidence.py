"""E-values: their expectation is at most 1 where nothing is wrong, whatever the predictions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.judgement.comparisons import Baseline
from kullback.judgement.detector import CAP, advanced, log_mean, since, start
from kullback.judgement.recalibration import (
    RATE_WEIGHTS,
    Null,
    Tolerance,
    rate_evidence,
    slope_evidence,
)
from kullback.judgement.shares import mixture, share_evidence
from kullback.judgement.shares import rate_evidence as label_evidence
from kullback.numerics.types import Array
from kullback.tally.drift import Shares
from tests.judgement.worlds import block_of, drawn

probability = st.floats(0.02, 0.98)
TOLERANCE = Tolerance()


def expected(p: Array, truth: Array, read: str) -> Array:
    """The expectation of e-values over all outcomes of a few rows, each true with `truth`."""
    total: Array = np.zeros(1)
    for outcome in product((0.0, 1.0), repeat=p.size):
        y = np.array(outcome)
        chance = float(np.prod(np.where(y > 0, truth, 1 - truth)))
        block = block_of(y, p)
        null = Null.of(block, TOLERANCE)
        evidence = rate_evidence if read == "rate" else slope_evidence
        total = total + chance * np.exp(evidence(block, null))
    return total


@pytest.mark.parametrize("read", ["rate", "slope"])
@given(p=st.lists(probability, min_size=1, max_size=5))
def test_right_predictions_give_no_evidence_on_average(p: list[float], read: str) -> None:
    scores = np.array(p)
    assert (expected(scores, scores, read) <= 1 + 1e-6).all()


@given(
    p=st.lists(probability, min_size=1, max_size=5),
    shift=st.floats(-1, 1),
    slope=st.floats(-1, 1),
)
def test_nor_do_predictions_within_the_tolerance(
    p: list[float], shift: float, slope: float
) -> None:
    scores = np.array(p)
    mean = float(scores.mean())
    middle = np.log(mean / (1 - mean))
    wide = np.log1p(TOLERANCE.rate) / max(mean, 1 - mean)
    x = np.log(scores) - np.log1p(-scores) - middle
    z = middle + shift * wide + (1 + slope * TOLERANCE.slope) * x
    truth = 1 / (1 + np.exp(-z))
    assert (expected(scores, truth, "rate") <= 1 + 1e-3).all()


@pytest.mark.parametrize("read", ["rate", "slope"])
@pytest.mark.parametrize("enough", [1.05, 1.3, 2.0])
def test_nor_does_who_stops_in_the_middle_of_a_block(read: str, enough: float) -> None:
    """As soon as the rows so far speak against the predictions, or at the end."""
    p = np.array([0.1, 0.3, 0.6, 0.2, 0.8])
    evidence = rate_evidence if read == "rate" else slope_evidence
    total: Array = np.zeros(1)
    for outcome in product((0.0, 1.0), repeat=p.size):
        y = np.array(outcome)
        blocks = [block_of(y[:rows], p[:rows]) for rows in range(1, p.size + 1)]
        looks = np.exp([evidence(each, Null.of(each, TOLERANCE)) for each in blocks])
        stops = np.where((looks >= enough).any(axis=0), (looks >= enough).argmax(axis=0), -1)
        chance = float(np.prod(np.where(y > 0, p, 1 - p)))
        total = total + chance * np.take_along_axis(looks, stops[None, :], axis=0)[0]
    assert (total <= 1 + 1e-6).all()


@pytest.mark.parametrize("edge", [0.0, 1e-12, 0.5, 0.999, 1.0])
@given(
    st.lists(st.tuples(st.floats(1e-6, 1 - 1e-6), st.integers(0, 400)), min_size=1, max_size=40),
    st.integers(0, 2**32 - 1),
)
def test_no_reading_is_likelier_than_the_best_of_all(
    edge: float, rows: list[tuple[float, int]], seed: int
) -> None:
    p = np.repeat([*(p for p, _ in rows), edge], [*(n for _, n in rows), 300])
    y = (np.random.default_rng(seed).random(p.size) < 0.1 + 0.5 * p).astype(np.float64)
    every = Null((-4.0, 4.0), (-3.0, 5.0))
    block = block_of(y, p)
    assert (slope_evidence(block, every) <= 1e-3).all()
    assert (rate_evidence(block, every) <= 1e-3).all()


@given(st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
def test_counts_like_a_baseline_give_none(weights: list[float]) -> None:
    shares = np.array(weights) / sum(weights)
    rows = 4
    total = 0.0
    for outcome in product(range(shares.size), repeat=rows):
        counts = np.bincount(outcome, minlength=shares.size).astype(np.float64)
        baseline = Baseline(Shares(shares * 1e9, 1e9))
        total += np.prod(shares[list(outcome)]) * np.exp(share_evidence(counts, [baseline], 0.1))
    assert total <= 1 + 1e-6


def test_a_mixture_is_a_distribution() -> None:
    counts = [np.bincount(each, minlength=3) for each in product(range(3), repeat=5)]
    assert sum(np.exp(mixture(each.astype(np.float64))) for each in counts) == pytest.approx(1)


def test_a_rate_within_a_span_gives_none_and_one_beyond_it_does() -> None:
    assert label_evidence(100, 1000, [(0.09, 0.12)]) < 0
    assert label_evidence(40, 1000, [(0.09, 0.12)]) > 12


def processes(log_e: Array, log_weights: Array, threshold: float) -> Array:
    """What processes have come to after steps (t, a)."""
    logs = start(log_weights)
    for each in log_e:
        logs = advanced(logs, each, log_weights, threshold)
    return logs


def test_a_process_grows_by_one_at_most_on_average() -> None:
    rng = np.random.default_rng(3)
    steps = np.log(rng.choice([0.5, 1.5], size=(4000, 30, 2)))
    ends = [np.exp(log_mean(processes(each, np.log([0.5, 0.5]), 50.0))) for each in steps]
    assert np.mean(ends) == pytest.approx(30, rel=0.1)


def test_a_change_began_where_the_evidence_began_to_rise() -> None:
    log_e = np.full((40, 8), -1.0)
    log_e[25:, 3] = 2.0
    assert since(log_e, processes(log_e, RATE_WEIGHTS, 11.0), 11.0) == 25


def test_evidence_of_long_ago_is_soon_outweighed() -> None:
    log_e = np.full((500, 8), 5.0)
    logs = processes(log_e, RATE_WEIGHTS, 11.0)
    assert log_mean(logs) == pytest.approx(11.0 + CAP + np.log(8))
    assert log_mean(processes(np.full((8, 8), -1.0), RATE_WEIGHTS, 11.0)) < 0


def test_a_slice_that_is_off_like_all_others_is_no_news() -> None:
    rng = np.random.default_rng(7)
    y, p = drawn(rng, 6000)
    y *= rng.random(y.size) < 0.5
    part, others = block_of(y[:1000], p[:1000]), block_of(y[1000:], p[1000:])
    alone = rate_evidence(part, Null.of(part, TOLERANCE)).max()
    beside = rate_evidence(part, Null.of(part, TOLERANCE, others)).max()
    assert beside < 1.0
    assert alone > 5.0
