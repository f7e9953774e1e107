"""What is read from a tally of classes is what scoring says of the rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.scoring.calibration import CalibrationOptions, calibration
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout
from tests import strategies as draw
from tests.tally.strategies import Batch, conventions

LAYOUT = Layout("multiclass", 3, "sklearn")


@st.composite
def classified(draws: st.DrawFn) -> Batch:
    """Rows of a multiclass task, weighted or not, not all of weight 0."""
    n, k = draws(st.integers(1, 8)), draws(st.integers(2, 12))
    w = draws(st.one_of(st.none(), draw.weights(n)))
    layout = Layout("multiclass", k, draws(conventions))
    return Batch(layout, draws(draw.rows(n, k)), classes=draws(draw.indices(n, k)), w=w)


@given(classified())
def test_metrics_are_those_of_the_scores(batch: Batch) -> None:
    options = Options(sample_weight=batch.w, base="e")
    asked = LogLossOptions(convention=batch.layout.convention)
    assert batch.classes is not None
    loss = log_loss(batch.classes, batch.p, asked, options)
    ece = calibration(batch.classes, batch.p, None, CalibrationOptions(), options)
    found = TallyMetrics(batch.tally()).metrics()
    assert found["log_loss"].value == pytest.approx(loss.value, rel=1e-13, abs=1e-300)
    assert found["accuracy"].value == pytest.approx(loss.details["accuracy"], rel=1e-13)
    assert found["brier"].value == pytest.approx(loss.details["brier"], rel=1e-12, abs=1e-30)
    assert found["ece"].value == pytest.approx(ece.value, rel=1e-12, abs=1e-12)


@given(classified())
def test_the_weight_of_classes_and_predictions_is_kept(batch: Batch) -> None:
    k = batch.layout.classes
    w = np.ones(len(batch.p)) if batch.w is None else batch.w
    assert batch.classes is not None
    tally = batch.tally()
    expected = np.bincount(batch.classes, w, k)
    assert tally.vector("class_w").reals(k).tolist() == pytest.approx(expected.tolist(), rel=1e-15)
    predicted = (w[:, None] * batch.p).sum(axis=0).tolist()
    assert tally.vector("class_wp").reals(k).tolist() == pytest.approx(predicted, rel=1e-14)


def test_a_tie_goes_to_the_lowest_index() -> None:
    batch = Batch(LAYOUT, np.array([[0.4, 0.4, 0.2]] * 2), classes=np.array([0, 1]))
    found = TallyMetrics(batch.tally()).metrics()
    assert found["accuracy"].value == 0.5
    assert found["ece"].value == pytest.approx(0.1)
    assert found["brier"].value == pytest.approx(0.36 + 0.16 + 0.04)
    assert found["log_loss"].value == pytest.approx(-math.log(0.4))


def test_the_standard_error_of_accuracy_is_that_of_a_share() -> None:
    proba = np.tile([0.7, 0.2, 0.1], (100, 1))
    batch = Batch(LAYOUT, proba, classes=np.repeat([0, 1], [70, 30]))
    found = TallyMetrics(batch.tally()).metrics()["accuracy"]
    assert found.value == 0.7
    assert found.standard_error == pytest.approx(math.sqrt(0.7 * 0.3 / 99), rel=1e-12)


def test_rows_that_sum_to_a_little_more_than_one_are_sure() -> None:
    batch = Batch(LAYOUT, np.array([[1.0000004, 0.0, 0.0]]), classes=np.array([0]))
    assert TallyMetrics(batch.tally()).reliability(15)[14].mean_predicted == 1.0
