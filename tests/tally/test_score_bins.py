"""Bins of scores are put together as they are drawn: by their weight, or by their logits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout, Tally
from tests import strategies as draw
from tests.tally.strategies import Batch, probability

BINARY = Layout("binary", 2, "sklearn")


@st.composite
def scored(draws: st.DrawFn) -> Batch:
    """Rows, hard or soft, weighted or not, not all of weight 0."""
    n = draws(st.integers(1, 12))
    w = draws(st.one_of(st.none(), draw.weights(n)))
    y = draws(draw.columns_of(n, draw.share))
    return Batch(BINARY, draws(draw.columns_of(n, probability)), y, w=w)


def hundred() -> Batch:
    """A hundred rows of as many scores, whose last half came true."""
    p = (np.arange(100) + 0.5) / 100
    return Batch(BINARY, p, np.where(p > 0.5, 1.0, 0.0))


def test_quantiles_hold_as_much_weight_each() -> None:
    found = TallyMetrics(hundred().tally()).quantiles(4)
    assert [one.weight for one in found] == [25.0] * 4
    assert [one.observed for one in found] == [0.0, 0.0, 1.0, 1.0]
    assert [one.mean_predicted for one in found] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert [one.low for one in found] == pytest.approx([0.005, 0.255, 0.505, 0.755])
    assert [one.high for one in found] == pytest.approx([0.245, 0.495, 0.745, 0.995])


def test_quantiles_follow_the_weight_not_the_rows() -> None:
    w = np.where(np.arange(100) < 50, 1.0, 49.0)
    found = TallyMetrics(replace(hundred(), w=w).tally()).quantiles(10)
    assert len(found) == 10
    assert found[0].weight == pytest.approx(250.0, abs=49)
    assert found[0].high > 0.5 > found[0].low


def test_one_score_is_one_quantile() -> None:
    batch = Batch(BINARY, np.full(7, 0.3), np.array([1.0] * 2 + [0.0] * 5))
    for found in (
        TallyMetrics(batch.tally()).quantiles(10),
        TallyMetrics(batch.tally()).scores(64),
    ):
        assert len(found) == 1
        assert (found[0].weight, found[0].observed) == (7.0, 2 / 7)
        assert found[0].low == found[0].high == pytest.approx(0.3, abs=1e-12)


def test_bins_of_scores_are_about_as_wide_in_logits() -> None:
    logit = np.linspace(-12.0, 12.0, 4801)
    batch = Batch(BINARY, 1 / (1 + np.exp(-logit)), np.ones(4801))
    found = TallyMetrics(batch.tally()).scores(64)
    low, high = np.array([(one.low, one.high) for one in found]).T
    widths = np.log(high) - np.log1p(-high) - np.log(low) + np.log1p(-low)
    assert 50 < len(found) <= 64
    assert 0.2 < widths[1:-1].min() <= widths.max() < 0.6


@pytest.mark.parametrize("bins", [1, 10, 64])
@given(batch=scored())
def test_bins_put_together_hold_everything_in_order(batch: Batch, bins: int) -> None:
    reading = TallyMetrics(batch.tally())
    assert batch.y is not None
    w = np.ones_like(batch.p) if batch.w is None else batch.w
    for found in (reading.quantiles(bins), reading.scores(bins)):
        assert 1 <= len(found) <= bins
        assert sum(one.weight for one in found) == pytest.approx(w.sum(), rel=1e-12)
        masses = [one.weight * one.observed for one in found if isinstance(one.observed, float)]
        assert sum(masses) == pytest.approx(float((w * batch.y).sum()), rel=1e-9, abs=1e-30)
        edges = [edge for one in found for edge in (one.low, one.high)]
        assert edges == pytest.approx(sorted(edges), abs=1e-11)
        for one in found:
            assert isinstance(one.mean_predicted, float)
            assert one.low - 1e-12 <= one.mean_predicted <= one.high + 1e-12


def test_of_nothing_no_bins_are_put_together() -> None:
    for tally in (Tally(BINARY), replace(hundred(), w=np.zeros(100)).tally()):
        assert TallyMetrics(tally).quantiles(10) == TallyMetrics(tally).scores(64) == []
