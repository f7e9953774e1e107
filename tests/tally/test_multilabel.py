"""Tallies of multilabel rows: laws to the bit, and the numbers of scikit-learn."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.conventions import ConventionName
from kullback.scoring.log_loss import LogLossOptions
from kullback.scoring.log_loss import log_loss as scored
from kullback.scoring.options import Options
from kullback.tally.metrics import TallyMetrics
from kullback.tally.multilabel import label_means, label_normalized_entropy, multilabel_terms
from kullback.tally.tally import Layout, Tally
from tests import strategies as draw
from tests.tally.strategies import probability, weight

pytestmark = pytest.mark.untraced


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Rows of several labels."""

    y: Array
    p: Array
    w: Array | None = None
    convention: ConventionName = "sklearn"

    def taken(self, rows: Indices | slice) -> "LabelledRows":
        """Those of some rows."""
        w = None if self.w is None else self.w[rows]
        return LabelledRows(self.y[rows], self.p[rows], w, self.convention)

    def tally(self) -> Tally:
        """Their tally."""
        layout = Layout("multilabel", self.p.shape[1], self.convention)
        return multilabel_terms(layout, self.y, self.p, self.w, None).tally()


def drawn(n: int, labels: int = 5, *, weighted: bool = False) -> LabelledRows:
    rng = np.random.default_rng(7)
    p = rng.beta(0.6, 2.0, (n, labels))
    y = (rng.random((n, labels)) < p).astype(np.float64)
    return LabelledRows(y, p, rng.lognormal(0.0, 1.0, n) if weighted else None)


@st.composite
def any_rows(draws: st.DrawFn) -> LabelledRows:
    n, labels = draws(st.integers(1, 7)), draws(st.sampled_from([2, 3, 16, 17, 40]))
    share = draws(st.sampled_from([draw.outcome, draw.share]))
    y, p = (
        draws(draw.columns_of(n * labels, entry)).reshape(n, labels)
        for entry in (share, probability)
    )
    w = draws(st.none() | draw.columns_of(n, weight))
    return LabelledRows(y, p, w, draws(st.sampled_from(["sklearn", "exact"])))


@given(any_rows(), st.data())
def test_any_cut_in_any_order_adds_up_and_is_taken_back_to_the_bit(
    rows: LabelledRows, data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(len(rows.p)))))
    cut = data.draw(st.integers(1, len(order)))
    whole, first = rows.tally(), rows.taken(order[:cut]).tally()
    assert (whole - whole).encoded() == Tally(whole.layout).encoded()
    rest = whole - first
    if cut < len(order):
        second = rows.taken(order[cut:]).tally()
        assert rest.encoded() == second.encoded()
        assert (second + first).encoded() == (first + second).encoded() == whole.encoded()
    assert Tally.decoded(whole.encoded()) == whole


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [2, 5, 40])
def test_numbers_are_those_of_scikit_learn(labels: int, *, weighted: bool) -> None:
    rows = drawn(4000, labels, weighted=weighted)
    tally = rows.tally()
    metrics = {name: found.value for name, found in TallyMetrics(tally).metrics().items()}
    columns = range(labels)
    each = [
        log_loss(rows.y[:, k], rows.p[:, k], labels=[0, 1], sample_weight=rows.w) for k in columns
    ]
    means = label_means(tally)
    assert [mean.log_loss for mean in means] == pytest.approx(each, rel=1e-12)
    rates = np.average(rows.y, axis=0, weights=rows.w)
    assert [mean.base_rate for mean in means] == pytest.approx(rates.tolist(), rel=1e-12)
    predicted = np.average(rows.p, axis=0, weights=rows.w)
    assert [mean.mean_prediction for mean in means] == pytest.approx(predicted.tolist(), rel=1e-12)
    assert metrics["log_loss"] == pytest.approx(np.mean(each), rel=1e-12)
    missed = np.average(((rows.y - rows.p) ** 2).mean(axis=1), weights=rows.w)
    assert metrics["brier"] == pytest.approx(missed, rel=1e-12)
    assert metrics["base_rate"] == pytest.approx(rates.mean(), rel=1e-12)
    assert metrics["calibration_ratio"] == pytest.approx(predicted.sum() / rates.sum(), rel=1e-12)
    entropy = -np.mean(rates * np.log(rates) + (1 - rates) * np.log1p(-rates))
    assert metrics["normalized_entropy"] == pytest.approx(np.mean(each) / entropy, rel=1e-12)
    flat = rows.y.ravel(), rows.p.ravel()
    repeated = None if rows.w is None else np.repeat(rows.w, labels)
    auc = TallyMetrics(tally).auc()
    area = roc_auc_score(*flat, average="micro", sample_weight=repeated)
    assert auc.error_bound is not None
    assert auc.error_bound < 0.01
    assert isinstance(auc.value, float)
    assert abs(auc.value - area) <= auc.error_bound + 1e-12
    assert "accuracy" not in metrics


def test_ece_and_the_decomposition_are_of_entries() -> None:
    rows = drawn(4000, 6, weighted=True)
    assert rows.w is not None
    metrics = TallyMetrics(rows.tally())
    p, w = rows.p.ravel(), np.repeat(rows.w, 6)
    bins = np.clip(np.ceil(p * 15) - 1, 0, 14).astype(int)
    gaps = np.abs(np.bincount(bins, w * (rows.y.ravel() - p), 15)).sum() / w.sum()
    assert metrics.ece().value == pytest.approx(gaps, rel=1e-9)
    parts: Any = metrics.decomposition()
    rate = float(np.average(rows.y.ravel(), weights=w))
    entropy = -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)
    assert parts.uncertainty == pytest.approx(entropy, rel=1e-12)
    loss = metrics.metric("log_loss").value
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(loss, rel=1e-9)
    assert 0 < parts.miscalibration < 0.01


@pytest.mark.parametrize("convention", ["sklearn", "exact"])
@pytest.mark.parametrize("labels", [3, 40])
def test_log_loss_is_that_of_scores(labels: int, convention: ConventionName) -> None:
    found = drawn(1000, labels, weighted=True)
    rows = LabelledRows(found.y, found.p, found.w, convention)
    settings = LogLossOptions(task="multilabel", convention=convention)
    score = scored(rows.y, rows.p, settings, Options(sample_weight=rows.w))
    value = TallyMetrics(rows.tally()).metric("log_loss").value
    assert value == pytest.approx(score.value, rel=4e-16)


def test_a_label_that_was_ruled_out_has_an_infinite_loss_alone() -> None:
    p = np.array([[0.0, 0.5], [0.25, 0.5]])
    y = np.array([[1.0, 1.0], [0.0, 1.0]])
    tally = LabelledRows(y, p, convention="exact").tally()
    first, second = label_means(tally)
    assert first.log_loss == math.inf
    assert second.log_loss == pytest.approx(math.log(2))
    assert TallyMetrics(tally).metric("log_loss").value == math.inf
    assert tally.scalar("infinite") == 1
    without = LabelledRows(y, p, np.array([0.0, 1.0]), "exact").tally()
    assert label_means(without)[0].log_loss == pytest.approx(-math.log(0.75))


def test_where_no_label_has_both_outcomes_there_is_no_normalized_entropy() -> None:
    rows = LabelledRows(np.array([[1.0, 0.0]] * 2), np.array([[0.8, 0.1]] * 2))
    assert label_normalized_entropy(rows.tally()) == Undefined(Reason.ONE_CLASS)
    empty = Tally(Layout("multilabel", 2, "sklearn"))
    assert label_normalized_entropy(empty) == Undefined(Reason.EMPTY)
    assert label_means(empty)[0].base_rate == Undefined(Reason.EMPTY)
