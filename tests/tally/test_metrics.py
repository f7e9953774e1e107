"""What is read from a tally is what scoring says of the rows."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.isotonic import decompose
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.scoring.conventions import ConventionName
from kullback.scoring.options import Options
from kullback.scoring.ranking import auc
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.reliability import Reliability
from kullback.scoring.score import Score
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout, Tally
from tests import strategies as draw
from tests.tally.strategies import KINDS, Batch, Kind, conventions, probability

BINARY = Layout("binary", 2, "sklearn")
AS_SCORED = (
    *("normalized_entropy", "relative_information_gain", "calibration_ratio", "base_rate"),
    *("mean_prediction", "brier", "ece"),
)


@st.composite
def scored(draws: st.DrawFn) -> Batch:
    """Rows of a binary task, hard or soft, weighted or not, not all of weight 0."""
    n, convention = draws(st.integers(1, 12)), draws(conventions)
    # lightgbm's floor depends on whether any label of a batch is soft, which no tally can know
    label = draw.outcome if convention == "lightgbm" else draw.share
    y = draws(draw.columns_of(n, label))
    w = draws(st.one_of(st.none(), draw.weights(n)))
    layout = Layout("binary", 2, convention)
    return Batch(layout, draws(draw.columns_of(n, probability)), y, w=w)


def report(batch: Batch) -> Score:
    asked = RecommenderOptions(convention=batch.layout.convention)
    assert batch.y is not None
    options = Options(base="e", sample_weight=batch.w)
    return recommender(batch.y, batch.p, None, asked, options)


def clicks(n: int = 20_000, convention: ConventionName = "sklearn") -> Batch:
    """Click predictions that are a little too sure, with weights."""
    rng = np.random.default_rng(12)
    logit = rng.normal(-2.0, 1.3, n)
    p = 1 / (1 + np.exp(-1.2 * logit))
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), 1.0, 0.0)
    return Batch(Layout("binary", 2, convention), p, y, w=rng.gamma(2.0, 1.0, n))


def close(found: object, expected: object, tolerance: float) -> bool:
    """Whether they are, or neither is a finite number: a score says null of those."""
    if isinstance(expected, Undefined) or expected is None:
        return isinstance(found, Undefined) or found in {math.inf, -math.inf}
    return found == pytest.approx(expected, rel=tolerance, abs=tolerance)


@given(scored())
def test_metrics_are_those_of_the_recommender_report(batch: Batch) -> None:
    found, expected = TallyMetrics(batch.tally()).metrics(), report(batch)
    assert close(found["log_loss"].value, expected.value, 1e-13)
    for name in AS_SCORED:
        assert close(found[name].value, expected.details[name], 1e-12), name


@given(scored())
def test_auc_is_within_its_bound_of_that_of_the_rows(batch: Batch) -> None:
    assert batch.y is not None
    found, expected = TallyMetrics(batch.tally()).auc(), auc(batch.p, batch.y, batch.w)
    if isinstance(found.value, Undefined) or isinstance(expected, Undefined):
        # what is left of a class beside 1 − y of the other may be rounding
        assert isinstance(found.value, Undefined) or batch.y.min() > 0 or batch.y.max() < 1
    else:
        assert found.error_bound is not None
        assert abs(found.value - expected) <= found.error_bound + 1e-12


def test_the_bound_of_auc_is_reached_where_a_bin_is_ranked_wrongly() -> None:
    batch = Batch(BINARY, np.array([0.41, 0.4100001]), np.array([1.0, 0.0]))
    found = TallyMetrics(batch.tally()).auc()
    assert (found.value, found.error_bound) == (0.5, 0.5)
    assert batch.y is not None
    assert auc(batch.p, batch.y, None) == 0.0


def test_the_bound_of_auc_is_small() -> None:
    batch = clicks()
    assert batch.y is not None
    found, expected = TallyMetrics(batch.tally()).auc(), auc(batch.p, batch.y, batch.w)
    assert isinstance(expected, float)
    assert found.error_bound is not None
    assert found.error_bound < 2e-3
    assert found.value == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_decomposition_is_that_of_isotonic_regression(*, is_weighted: bool) -> None:
    batch = clicks() if is_weighted else replace(clicks(), w=None)
    reading = TallyMetrics(batch.tally())
    loss = reading.metric("log_loss").value
    assert batch.y is not None
    assert isinstance(loss, float)
    found, expected = reading.decomposition(), decompose(batch.p, batch.y, batch.w, loss)
    assert found.uncertainty == pytest.approx(expected.uncertainty, rel=1e-12)
    assert found.miscalibration == pytest.approx(expected.miscalibration, abs=1e-3)
    assert found.discrimination == pytest.approx(expected.discrimination, abs=1e-3)
    parts = (found.miscalibration, found.discrimination, found.uncertainty)
    assert not any(isinstance(part, Undefined) for part in parts)
    assert found.miscalibration != 0.0


@pytest.mark.parametrize("bins", [10, 15, 20])
@given(batch=scored())
def test_reliability_is_that_of_the_rows(batch: Batch, bins: int) -> None:
    assert batch.y is not None
    expected = Reliability.of(batch.p, batch.y, batch.w, bins, "uniform").table()
    for found, row in zip(TallyMetrics(batch.tally()).reliability(bins), expected, strict=True):
        assert (found.low, found.high) == (row["low"], row["high"])
        assert found.weight == pytest.approx(row["weight"], rel=1e-14)
        assert close(found.mean_predicted, row["mean_predicted"], 1e-12)
        assert close(found.observed, row["observed"], 1e-12)


def values(tally: Tally) -> dict[str, object]:
    return {name: estimate.value for name, estimate in TallyMetrics(tally).metrics().items()}


def reasons(tally: Tally) -> dict[str, str]:
    found = values(tally)
    return {name: value.reason for name, value in found.items() if isinstance(value, Undefined)}


def test_of_no_rows_everything_is_empty() -> None:
    assert set(reasons(Tally(BINARY)).values()) == {"empty"}
    assert len(reasons(Tally(BINARY))) == len(values(Tally(BINARY)))
    assert TallyMetrics(Tally(BINARY)).decomposition().uncertainty == Undefined(Reason.EMPTY)
    assert TallyMetrics(Tally(BINARY)).reliability(10)[3].observed == Undefined(Reason.EMPTY_BIN)


def test_of_rows_without_weight_everything_is_zero_weight() -> None:
    batch = Batch(BINARY, np.array([0.0, 0.5]), np.array([1.0, 0.0]), w=np.zeros(2))
    assert set(reasons(batch.tally()).values()) == {"zero_weight"}
    assert len(reasons(batch.tally())) == len(values(batch.tally()))
    assert TallyMetrics(batch.tally()).rows == 2


@pytest.mark.parametrize(
    ("label", "undefined"),
    [
        (0.0, {"calibration_ratio": "no_positives"}),
        (1.0, {}),
    ],
)
def test_of_one_class_some_are_undefined(label: float, undefined: dict[str, str]) -> None:
    found = reasons(Batch(BINARY, np.array([0.2, 0.7]), np.full(2, label)).tally())
    of_both = ("normalized_entropy", "relative_information_gain", "auc")
    assert found == dict.fromkeys(of_both, "one_class") | undefined


def test_a_multiclass_task_has_no_metrics_of_a_binary_one() -> None:
    layout = Layout("multiclass", 3, "sklearn")
    batch = Batch(layout, np.full((2, 3), 1 / 3), classes=np.array([0, 2]))
    of_binary = ("calibration_ratio", "auc")
    expected = dict.fromkeys((*of_binary, "base_rate", "mean_prediction"), "multiclass")
    assert reasons(batch.tally()) == expected
    for name in expected:
        assert values(Tally(layout))[name] == Undefined(Reason.MULTICLASS)
    assert TallyMetrics(batch.tally()).decomposition().uncertainty == Undefined(Reason.MULTICLASS)


def test_an_impossible_outcome_is_infinite_and_spoils_nothing_else() -> None:
    layout = Layout("binary", 2, "exact")
    p, y = np.array([0.0, 0.5, 0.25]), np.array([1.0, 0.0, 1.0])
    tally = Batch(layout, p, y).tally()
    reading = TallyMetrics(tally)
    assert (
        reading.metric("log_loss").value == reading.metric("normalized_entropy").value == math.inf
    )
    assert reading.metric("log_loss").standard_error == Undefined(Reason.POSITIVE_INFINITY)
    assert reading.metric("relative_information_gain").value == -math.inf
    assert reading.decomposition().miscalibration == math.inf
    assert reading.metrics()["brier"].value == pytest.approx((1 + 0.25 + 0.5625) / 3)
    assert (tally.scalar("infinite"), tally.scalar("clipped")) == (1, 0)
    unweighted = Batch(layout, p, y, w=np.array([0.0, 1.0, 1.0])).tally()
    assert TallyMetrics(unweighted).metric("log_loss").value == pytest.approx(math.log(8) / 2)


def test_the_floor_of_lightgbm_is_that_of_each_row_alone() -> None:
    layout = Layout("binary", 2, "lightgbm")
    rows = [Batch(layout, np.array([0.0]), np.array([label])) for label in (0.5, 1.0)]
    losses = [report(row).value for row in rows]
    found = TallyMetrics((rows[0] + rows[1]).tally()).metric("log_loss").value
    assert found == pytest.approx(sum(losses) / 2, rel=1e-15)


def test_clipped_rows_are_counted() -> None:
    tally = Batch(BINARY, np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 1.0])).tally()
    assert (tally.scalar("clipped"), tally.scalar("infinite")) == (2, 0)
    assert TallyMetrics(tally).metric("log_loss").value == pytest.approx(
        (36.04365338911715 + math.log(2)) / 3
    )


@given(scored())
def test_rows_without_weight_change_nothing_but_the_count(batch: Batch) -> None:
    w = np.ones_like(batch.p) if batch.w is None else batch.w
    more = replace(
        batch,
        p=np.append(batch.p, [0.0, 0.3]),
        y=np.append(batch.y if batch.y is not None else [], [1.0, 0.0]),
        w=np.append(w, [0.0, 0.0]),
    )
    found, expected = TallyMetrics(more.tally()), TallyMetrics(replace(batch, w=w).tally())
    assert found.metrics() == expected.metrics()
    assert (found.rows, found.weight) == (expected.rows + 2, expected.weight)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("has_units", [False, True])
def test_the_scale_of_weights_changes_nothing_but_the_weight(
    scale: float, *, has_units: bool
) -> None:
    batch = clicks(2000)
    assert batch.w is not None
    units = np.arange(2000) % 300 if has_units else None
    one = TallyMetrics(replace(batch, units=units).tally())
    other = TallyMetrics(replace(batch, units=units, w=batch.w * scale).tally())
    assert other.weight == pytest.approx(one.weight * scale, rel=1e-15)
    for name, estimate in one.metrics().items():
        assert other.metrics()[name].value == pytest.approx(estimate.value, rel=1e-12), name
        error = other.metrics()[name].standard_error
        assert error == pytest.approx(estimate.standard_error, rel=1e-11), name


@pytest.mark.parametrize("is_weighted", [True, False])
def test_what_chance_makes_of_the_calibration_error_is_that_of_the_rows(
    *, is_weighted: bool
) -> None:
    batch = clicks()
    batch = batch if is_weighted else replace(batch, w=None)
    assert batch.y is not None
    found = TallyMetrics(batch.tally()).ece().noise
    of_rows = Reliability.of(batch.p, batch.y, batch.w, 15, "uniform").noise()
    assert found is not None
    tolerance = 0.02 if is_weighted else 1e-5  # bins share the spread of weights
    chance = of_rows.expected_if_calibrated
    assert found.expected_if_calibrated == pytest.approx(chance, rel=tolerance)
    assert found.debiased == pytest.approx(of_rows.debiased, abs=tolerance * chance)


def test_chance_is_not_known_of_soft_labels_nor_of_units() -> None:
    batch = clicks(100)
    assert batch.y is not None
    units = np.arange(100)
    clustered = Batch(replace(BINARY, clustered=True), batch.p, batch.y, units=units)
    for other in (replace(batch, y=0.3 + 0.4 * batch.y), clustered):
        ece = TallyMetrics(other.tally()).ece()
        assert isinstance(ece.value, float)
        assert ece.noise is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(st.data())
def test_whatever_came_is_read_as_numbers_or_reasons(kind: Kind, data: st.DataObject) -> None:
    (batch,) = data.draw(kind.streams(1))
    reading = TallyMetrics(batch.tally())
    reading.decomposition()
    reading.reliability(15)
    for name, estimate in reading.metrics().items():
        value, error = estimate.value, estimate.standard_error
        least = -math.inf if name == "relative_information_gain" else 0.0
        assert isinstance(value, Undefined) or least <= value <= math.inf, name
        if name == "ece" and kind.is_clustered and not isinstance(value, Undefined):
            assert error is None
        else:
            assert error is not None
            assert isinstance(error, Undefined) or 0 <= error < math.inf, name
