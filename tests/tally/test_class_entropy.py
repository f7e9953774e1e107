"""Normalized entropy of classes: scikit-learn's log loss is its oracle, a jackknife its error's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from kullback.numerics.types import Array, Indices
from kullback.tally.metrics import TallyMetrics
from kullback.tally.sum_names import VECTORS
from kullback.tally.tally import Layout, Tally
from kullback.tally.units import BUCKETS
from tests.tally.strategies import Batch

SEED = 8


def batch(n: int, k: int, seed: int, *, weighted: bool = False, units: int = 0) -> Batch:
    random = np.random.default_rng(seed)
    proba = random.dirichlet(np.ones(k), n)
    classes = np.array([random.choice(k, p=row) for row in proba])
    w = random.choice([0.5, 1.0, 2.5], n) if weighted else None
    buckets = random.integers(0, units, n) if units else None
    return Batch(Layout("multiclass", k, "exact"), proba, classes=classes, w=w, units=buckets)


def expected(proba: Array, classes: Indices, w: Array) -> float:
    """The ratio by scikit-learn and SciPy's definition of entropy."""
    k = proba.shape[1]
    shares = np.bincount(classes, w, k) / w.sum()
    entropy = -sum(share * math.log(share) for share in shares if share)
    return float(log_loss(classes, proba, sample_weight=w, labels=range(k)) / entropy)


def jackknife(rows: Batch, groups: Indices) -> float:
    """The error of leaving out each group in turn."""
    assert rows.classes is not None
    w = np.ones(len(rows.p)) if rows.w is None else rows.w
    left = [
        expected(rows.p[groups != group], rows.classes[groups != group], w[groups != group])
        for group in np.unique(groups)
    ]
    m = len(left)
    return float(np.sqrt((m - 1) / m * np.square(np.array(left) - np.mean(left)).sum()))


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_log_loss_over_the_entropy_of_the_class_shares(k: int, *, weighted: bool) -> None:
    rows = batch(300, k, SEED + k, weighted=weighted)
    w = np.ones(300) if rows.w is None else rows.w
    assert rows.classes is not None
    found = TallyMetrics(rows.tally()).metrics()
    entropy = found["normalized_entropy"]
    assert entropy.value == pytest.approx(expected(rows.p, rows.classes, w), rel=1e-12)
    gain = found["relative_information_gain"]
    assert gain.value == 1.0 - entropy.value  # type: ignore[operator]
    assert gain.standard_error == entropy.standard_error


@pytest.mark.parametrize("weighted", [False, True])
def test_of_two_classes_it_is_that_of_a_binary_task_with_its_error(*, weighted: bool) -> None:
    rows = batch(300, 2, SEED, weighted=weighted, units=0)
    assert rows.classes is not None
    y = rows.classes.astype(np.float64)
    for units in (None, np.arange(300) % 90):
        binary = Batch(Layout("binary", 2, "exact"), rows.p[:, 1], y, w=rows.w, units=units)
        several = Batch(rows.layout, rows.p, classes=rows.classes, w=rows.w, units=units)
        of_two = TallyMetrics(binary.tally()).metric("normalized_entropy")
        found = TallyMetrics(several.tally()).metric("normalized_entropy")
        assert found.value == pytest.approx(of_two.value, rel=1e-12)
        assert found.standard_error == pytest.approx(of_two.standard_error, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_its_error_is_that_of_a_jackknife_of_rows_and_of_units(*, weighted: bool) -> None:
    rows = batch(600, 4, SEED, weighted=weighted)
    found = TallyMetrics(rows.tally()).metric("normalized_entropy")
    assert found.standard_error == pytest.approx(jackknife(rows, np.arange(600)), rel=0.02)
    rows = batch(1200, 4, SEED, weighted=weighted, units=150)
    assert rows.units is not None
    found = TallyMetrics(rows.tally()).metric("normalized_entropy")
    assert found.standard_error == pytest.approx(jackknife(rows, rows.units), rel=0.03)


@given(n=st.integers(0, 40), m=st.integers(0, 40), weighted=st.booleans(), has_units=st.booleans())
def test_it_is_the_same_however_rows_are_cut(
    n: int, m: int, *, weighted: bool, has_units: bool
) -> None:
    units = 9 if has_units else 0
    first, second = (
        batch(rows, 3, rows, weighted=weighted, units=units) for rows in (n + 1, m + 1)
    )
    whole, parts = (first + second).tally(), second.tally() + first.tally()
    assert whole == parts
    assert Tally.decoded(whole.encoded()) == whole
    entropy = TallyMetrics(whole).metric("normalized_entropy")
    assert entropy == TallyMetrics(parts).metric("normalized_entropy")


def test_it_is_undefined_for_one_class_and_for_nothing() -> None:
    layout = Layout("multiclass", 3, "exact")
    one = Batch(layout, np.full((4, 3), 1 / 3), classes=np.array([1, 1, 1, 1]))
    for tally, reason in ((one.tally(), "one_class"), (Tally(layout), "empty")):
        found = TallyMetrics(tally).metric("normalized_entropy")
        assert found.value.reason == found.standard_error.reason == reason  # type: ignore[union-attr]


def test_it_is_infinite_where_a_loss_is() -> None:
    layout = Layout("multiclass", 2, "exact")
    rows = Batch(layout, np.array([[1.0, 0.0], [1.0, 0.0]]), classes=np.array([0, 1]))
    assert TallyMetrics(rows.tally()).metric("normalized_entropy").value == math.inf


def test_equal_rows_of_each_class_have_the_error_of_the_shares_alone() -> None:
    """Predicting the shares themselves has the value 1, and no row moves it to first order."""
    shares = np.array([0.5, 0.3, 0.2])
    rows = Batch(
        Layout("multiclass", 3, "exact"),
        np.tile(shares, (100, 1)),
        classes=np.repeat(range(3), [50, 30, 20]),
    )
    found = TallyMetrics(rows.tally()).metric("normalized_entropy")
    assert found.value == pytest.approx(1.0, rel=1e-14)
    assert found.standard_error == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("missing", ["class_ww", "unit_class"])
def test_sums_of_older_releases_have_the_value_alone(missing: str) -> None:
    rows = batch(50, 3, SEED, units=20 if missing == "unit_class" else 0)
    tally = rows.tally()
    vectors = list(tally.vectors)
    vectors[VECTORS.index(missing)] = Tally(tally.layout).vector(missing)
    old = Tally(tally.layout, tally.scalars, tuple(vectors))
    for some in (old, old + tally):
        found = TallyMetrics(some).metric("normalized_entropy")
        assert isinstance(found.value, float)
        assert found.standard_error.reason == "beyond_doubles"  # type: ignore[union-attr]


def test_of_many_classes_the_units_are_not_kept() -> None:
    rows = batch(200, 64, SEED, units=20)
    tally = rows.tally()
    assert not tally.vector("unit_class").planes
    assert isinstance(TallyMetrics(tally).metric("normalized_entropy").value, float)
    few = batch(200, 63, SEED, units=BUCKETS).tally()
    assert Tally.decoded(few.encoded()) == few
