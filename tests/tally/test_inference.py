"""Standard errors beside the sums of influences they stand for, row by row."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.losses import binary_losses
from kullback.scoring.ranking import auc
from kullback.tally.inference import by_unit, kish, occupied_buckets, standard_error
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout, Tally
from kullback.tally.units import BUCKETS
from tests import strategies as draw
from tests.tally.strategies import Batch

BINARY = Layout("binary", 2, "sklearn")
SKLEARN = CONVENTIONS["sklearn"]


def clicks(n: int = 3000, *, is_weighted: bool = True, has_units: bool = False) -> Batch:
    rng = np.random.default_rng(21)
    logit = rng.normal(-1.0, 1.3, n)
    p = 1 / (1 + np.exp(-1.2 * logit))
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), 1.0, 0.0)
    return Batch(
        BINARY,
        p,
        y,
        w=rng.gamma(2.0, 1.0, n) if is_weighted else None,
        units=rng.integers(0, 200, n) if has_units else None,
    )


def columns(batch: Batch) -> tuple[Array, Array, Array, Array]:
    """Weight, loss, outcome and prediction of each row."""
    assert batch.y is not None
    w = np.ones_like(batch.p) if batch.w is None else batch.w
    return w, binary_losses(batch.y, batch.p, SKLEARN)[0], batch.y, batch.p


def influences(batch: Batch) -> Mapping[str, Array]:
    """What each row adds to each metric, at first order."""
    w, loss, y, p = columns(batch)
    total, rate = w.sum(), float((w * y).sum() / w.sum())
    entropy = -rate * np.log(rate) - (1 - rate) * np.log1p(-rate)
    mean = float((w * loss).sum() / total)
    slope = np.log1p(-rate) - np.log(rate)
    ratio = float((w * p).sum() / (w * y).sum())
    of_entropy = (loss - mean) / entropy - mean / entropy**2 * slope * (y - rate)
    error = np.square(y - p)
    return {
        "log_loss": w * (loss - mean) / total,
        "normalized_entropy": w * of_entropy / total,
        "relative_information_gain": w * of_entropy / total,
        "calibration_ratio": w * (p - ratio * y) / (w * y).sum(),
        "brier": w * (error - (w * error).sum() / total) / total,
        "base_rate": w * (y - rate) / total,
        "mean_prediction": w * (p - (w * p).sum() / total) / total,
    }


def error_of(influence: Array) -> float:
    """√(m/(m − 1) Σ u²), of rows or of units."""
    m = influence.size
    return float(np.sqrt(m / (m - 1) * np.square(influence).sum()))


def errors(batch: Batch) -> dict[str, object]:
    metrics = TallyMetrics(batch.tally()).metrics()
    return {name: estimate.standard_error for name, estimate in metrics.items()}


@pytest.mark.parametrize("is_weighted", [False, True])
def test_standard_errors_are_those_of_the_rows(*, is_weighted: bool) -> None:
    batch = clicks(is_weighted=is_weighted)
    found = errors(batch)
    for name, influence in influences(batch).items():
        assert found[name] == pytest.approx(error_of(influence), rel=1e-9), name


@pytest.mark.parametrize("is_weighted", [False, True])
def test_standard_errors_are_those_of_units_where_units_came(*, is_weighted: bool) -> None:
    batch = clicks(is_weighted=is_weighted, has_units=True)
    found = errors(batch)
    assert batch.units is not None
    for name, influence in influences(batch).items():
        sums = np.bincount(batch.units, influence, 200).astype(np.float64)
        assert found[name] == pytest.approx(error_of(sums), rel=1e-9), name


@given(st.integers(2, 12).flatmap(lambda n: st.tuples(draw.weights(n), st.just(n))), st.data())
def test_the_standard_error_of_log_loss_is_that_of_a_weighted_mean(
    found: tuple[Array, int], data: st.DataObject
) -> None:
    w, n = found
    y = data.draw(draw.columns_of(n, draw.outcome))
    batch = Batch(BINARY, data.draw(draw.columns_of(n, draw.probability)), y, w=w)
    _, loss, _, _ = columns(batch)
    alive = [row for row in zip(w.tolist(), loss.tolist(), strict=True) if row[0] > 0]
    error = TallyMetrics(batch.tally()).metric("log_loss").standard_error
    if len(alive) < 2:
        assert error == Undefined(Reason.TOO_FEW_ROWS)
        return
    rows = [(Fraction(a), Fraction(a) * Fraction(b)) for a, b in alive]
    total = sum((a for a, _ in rows), Fraction())
    mean = sum((lost for _, lost in rows), Fraction()) / total
    squares = sum(((lost - mean * a) ** 2 for a, lost in rows), Fraction())
    variance = squares / total**2 * len(rows) / (len(rows) - 1)
    assert error == pytest.approx(float(variance) ** 0.5, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_where_losses_hardly_differ_their_spread_is_not_lost(spread: float) -> None:
    rng = np.random.default_rng(6)
    batch = Batch(BINARY, 0.3 * (1 + spread * rng.random(500)), np.ones(500))
    _, loss, _, p = columns(batch)
    found = TallyMetrics(batch.tally())
    for values, estimate in (
        (loss, found.metric("log_loss")),
        (p, found.metrics()["mean_prediction"]),
    ):
        numbers = [Fraction(value) for value in values.tolist()]
        mean = sum(numbers, Fraction()) / 500
        variance = sum(((v - mean) ** 2 for v in numbers), Fraction()) / 500 / 499
        assert estimate.standard_error == pytest.approx(float(variance) ** 0.5, rel=1e-9, abs=0.0)


def test_where_losses_do_not_differ_there_is_no_error() -> None:
    found = TallyMetrics(Batch(BINARY, np.full(100, 0.3), np.ones(100)).tally())
    assert found.metric("log_loss").standard_error == pytest.approx(0.0, abs=1e-16)


def jackknife(batch: Batch, name: str) -> float:
    """The standard error from leaving out one row at a time."""
    n = batch.p.size
    whole = batch.terms()
    without = [whole.taken(np.delete(np.arange(n), row)).tally() for row in range(n)]
    found = [TallyMetrics(tally).metrics()[name].value for tally in without]
    values = np.array([value for value in found if isinstance(value, float)])
    assert values.size == n
    return float(np.sqrt((n - 1) / n * np.square(values - values.mean()).sum()))


@pytest.mark.parametrize(
    "name",
    ["log_loss", "normalized_entropy", "calibration_ratio", "brier", "ece", "auc"],
)
def test_the_jackknife_agrees(name: str) -> None:
    batch = clicks(300, is_weighted=False)
    assert errors(batch)[name] == pytest.approx(jackknife(batch, name), rel=0.03)


def test_rows_that_come_twice_within_units_tell_nothing_new() -> None:
    once = clicks(is_weighted=False, has_units=True)
    twice = once + once
    for name, error in errors(once).items():
        if name in influences(once):
            assert errors(twice)[name] == pytest.approx(error, rel=1e-12), name


def test_rows_that_come_twice_alone_count_as_twice_as_many() -> None:
    once = clicks(is_weighted=False)
    twice = once + once
    n = once.p.size
    expected = 2**-0.5 * ((1 - 1 / n) / (1 - 1 / (2 * n))) ** 0.5
    for name in influences(once):
        error = errors(once)[name]
        assert isinstance(error, float)
        assert errors(twice)[name] == pytest.approx(error * expected, rel=1e-12), name


def delong(batch: Batch) -> float:
    """The standard error of AUC from the placements of all pairs of rows."""
    assert batch.y is not None
    ones, zeros = batch.p[batch.y == 1], batch.p[batch.y == 0]
    above = (ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)
    of_ones, of_zeros = above.mean(axis=1), above.mean(axis=0)
    variance = of_ones.var(ddof=1) / ones.size + of_zeros.var(ddof=1) / zeros.size
    return float(np.sqrt(variance))


def test_the_standard_error_of_auc_is_that_of_delong() -> None:
    batch = clicks(2000, is_weighted=False)
    assert TallyMetrics(batch.tally()).auc().standard_error == pytest.approx(
        delong(batch), rel=1e-3
    )


def test_where_no_bin_holds_two_scores_it_is_that_of_delong_exactly() -> None:
    batch = clicks(2000, is_weighted=False)
    batch = replace(batch, p=np.round(batch.p, 2))
    found = TallyMetrics(batch.tally()).auc()
    assert batch.y is not None
    assert found.value == pytest.approx(auc(batch.p, batch.y, None), rel=1e-13)
    assert found.standard_error == pytest.approx(delong(batch), rel=1e-12)


def test_one_row_of_a_class_says_nothing_of_the_error_of_auc() -> None:
    batch = Batch(BINARY, np.array([0.1, 0.4, 0.8]), np.array([0.0, 0.0, 1.0]))
    assert TallyMetrics(batch.tally()).auc().standard_error == Undefined(Reason.TOO_FEW_ROWS)


def test_below_two_rows_or_units_there_is_no_standard_error() -> None:
    one = Batch(BINARY, np.array([0.2]), np.array([0.0]))
    assert TallyMetrics(one.tally()).metric("log_loss").standard_error == Undefined(
        Reason.TOO_FEW_ROWS
    )
    weightless = replace(one + one, w=np.array([1.0, 0.0]))
    assert TallyMetrics(weightless.tally()).metric("log_loss").standard_error == Undefined(
        Reason.TOO_FEW_ROWS
    )
    together = replace(one + one, units=np.zeros(2, np.int64))
    assert TallyMetrics(together.tally()).metric("log_loss").standard_error == Undefined(
        Reason.TOO_FEW_UNITS
    )


def test_a_standard_error_beyond_doubles_is_said_to_be() -> None:
    batch = Batch(BINARY, np.array([0.2, 0.7]), np.array([5e-324, 0.0]))
    found = TallyMetrics(batch.tally()).metric("calibration_ratio")
    assert found.standard_error == Undefined(Reason.BEYOND_DOUBLES)
    steep = {"w": 1e200, "l": 1e200}
    assert standard_error(weighty(None), steep) == Undefined(Reason.BEYOND_DOUBLES)
    assert standard_error(weighty(np.arange(2)), steep) == Undefined(Reason.BEYOND_DOUBLES)


def weighty(buckets: Indices | None) -> Tally:
    w = np.full(2, 1e120)
    return Batch(BINARY, np.array([0.2, 0.7]), np.array([1.0, 0.0]), w=w, units=buckets).tally()


def test_rows_without_units_make_units_unknown() -> None:
    with_units, without = clicks(20, has_units=True), clicks(20)
    assert by_unit(with_units.tally())
    assert not by_unit(with_units.tally() + without.tally())
    assert not by_unit(Tally(BINARY))
    weightless = replace(without, w=np.zeros(20)).tally()
    assert by_unit(with_units.tally() + weightless)


def test_units_are_the_buckets_that_have_weight() -> None:
    batch = Batch(BINARY, np.full(3, 0.5), np.ones(3), w=np.array([1.0, 2.0, 0.0]))
    assert occupied_buckets(replace(batch, units=np.array([3, 3, BUCKETS - 1])).tally()) == 1


@pytest.mark.parametrize("scale", [1.0, 1e-160, 1e100])
def test_the_effective_number_of_rows(scale: float) -> None:
    w = np.array([3.0, 1.0, 0.0]) * scale
    tally = Batch(BINARY, np.full(3, 0.5), np.ones(3), w=w).tally()
    assert kish(tally) == pytest.approx(16 / 10, rel=1e-12)
    assert kish(Tally(BINARY)) == 0.0
