"""Cox's line is that of logistic regression."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.genmod.generalized_linear_model import GLMResults

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.cox import CalibrationLine, calibration_line
from kullback.tally.tally import Layout, Tally
from tests.tally.strategies import Batch

BINARY = Layout("binary", 2, "sklearn")
CLUSTERED = replace(BINARY, clustered=True)


def drawn(intercept: float, slope: float, seed: int = 3, spread: float = 1.5) -> Batch:
    """Rows whose outcomes follow a line of the logits of their predictions."""
    n, rng = 3000, np.random.default_rng(seed)
    logit = rng.normal(-1.0, spread, n)
    truth = 1 / (1 + np.exp(-(intercept + slope * logit)))
    y = np.where(rng.random(n) < truth, 1.0, 0.0)
    return Batch(BINARY, 1 / (1 + np.exp(-logit)), y, w=rng.gamma(2.0, 1.0, n))


def fitted(batch: Batch, *, units: bool = False) -> GLMResults:
    """The logistic regression of the rows by statsmodels, its errors by unit if asked."""
    logit = np.log(batch.p) - np.log1p(-batch.p)
    model = sm.GLM(
        batch.y, sm.add_constant(logit), family=sm.families.Binomial(), freq_weights=batch.w
    )
    if not units:
        return model.fit()
    return model.fit(cov_type="cluster", cov_kwds={"groups": batch.units})


def regressed(batch: Batch) -> tuple[float, float]:
    """Intercept and slope as statsmodels has them."""
    intercept, slope = fitted(batch).params
    return float(intercept), float(slope)


def narrow(mean: float, spread: float, n: int = 30_000, seed: int = 5) -> Batch:
    """Calibrated predictions around one."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(mean, spread, n)))
    return Batch(BINARY, p, np.where(rng.random(n) < p, 1.0, 0.0))


SPREADS = [(-1.0, 1.5), (-5.0, 0.1), (-1.0, 0.1), (-1.0, 0.02), (-1.0, 0.005), (-10.0, 3.0)]


@pytest.mark.parametrize(("mean", "spread"), SPREADS)
def test_however_narrow_predictions_are_the_line_and_its_errors_are_those_of_the_rows(
    mean: float, spread: float
) -> None:
    batch = narrow(mean, spread)
    line, theirs = calibration_line(batch.tally()), fitted(batch)
    error = line.intercept_standard_error, line.slope_standard_error
    assert error == pytest.approx(theirs.bse, rel=0.005)
    within = 0.01 * theirs.bse.max()
    assert (line.intercept, line.slope) == pytest.approx(tuple(theirs.params), abs=within)


@pytest.mark.parametrize(("mean", "spread"), [each for each in SPREADS if each[1] > 0.005])
@pytest.mark.parametrize("is_clustered", [True, False])
def test_by_units_or_weights_the_line_is_near_that_of_the_rows(
    mean: float, spread: float, *, is_clustered: bool
) -> None:
    batch, rng = narrow(mean, spread), np.random.default_rng(6)
    if is_clustered:
        units = rng.integers(0, 1024, batch.p.size)
        batch = replace(batch, layout=CLUSTERED, units=units)
    else:
        batch = replace(batch, w=rng.gamma(2.0, 1.0, batch.p.size))
    line, theirs = calibration_line(batch.tally()), fitted(batch)
    assert line.slope == pytest.approx(theirs.params[1], abs=0.12 * theirs.bse[1])
    assert line.intercept == pytest.approx(theirs.params[0], abs=0.12 * theirs.bse[0])


def test_by_units_or_weights_a_line_of_predictions_in_one_bin_is_not_guessed() -> None:
    batch = narrow(-1.0, 0.005)
    weighted = replace(batch, w=np.random.default_rng(6).gamma(2.0, 1.0, batch.p.size))
    assert calibration_line(weighted.tally()) == nothing("one_prediction")


def test_by_units_errors_are_those_of_groups_of_units() -> None:
    rng, users = np.random.default_rng(7), 1024
    unit = rng.integers(0, users, 40_000)
    logit = rng.normal(-1.0, 1.0, unit.size)
    truth = 1 / (1 + np.exp(-(logit + rng.normal(0.0, 1.0, users)[unit])))
    y = np.where(rng.random(unit.size) < truth, 1.0, 0.0)
    batch = Batch(CLUSTERED, 1 / (1 + np.exp(-logit)), y, units=unit)
    line = calibration_line(batch.tally())
    by_unit, by_row = fitted(batch, units=True).bse, fitted(batch).bse
    assert by_unit[0] > 1.8 * by_row[0]
    # 64 groups leave 9% of an error to chance
    assert line.intercept_standard_error == pytest.approx(by_unit[0], rel=0.25)
    assert line.slope_standard_error == pytest.approx(by_unit[1], rel=0.25)


def test_weights_widen_the_errors() -> None:
    batch = drawn(0.0, 1.0)
    assert batch.w is not None
    line, even = calibration_line(batch.tally()), calibration_line(replace(batch, w=None).tally())
    assert line.slope_standard_error is not None
    assert even.slope_standard_error is not None
    wider = np.sqrt(np.square(batch.w).mean()) / batch.w.mean()
    assert line.slope_standard_error / even.slope_standard_error == pytest.approx(wider, rel=0.05)


def test_soft_labels_and_too_narrow_groups_have_no_errors() -> None:
    batch = narrow(-1.0, 0.02)
    units = np.arange(batch.p.size) % 1024
    soft = replace(batch, y=0.1 + 0.5 * batch.y) if batch.y is not None else batch
    for other in (soft, replace(batch, layout=CLUSTERED, units=units)):
        line = calibration_line(other.tally())
        assert isinstance(line.slope, float)
        assert line.slope_standard_error is None
        assert line.intercept_standard_error is None


@pytest.mark.parametrize("is_weighted", [True, False])
@pytest.mark.parametrize(
    ("intercept", "slope"), [(0.0, 1.0), (0.5, 0.4), (-1.0, 2.0), (0.0, 0.0), (0.3, -1.0)]
)
def test_it_is_that_of_logistic_regression_of_the_rows(
    intercept: float, slope: float, *, is_weighted: bool
) -> None:
    batch = drawn(intercept, slope)
    batch = batch if is_weighted else replace(batch, w=None)
    line = calibration_line(batch.tally())
    assert (line.intercept, line.slope) == pytest.approx(regressed(batch), abs=1e-3)


def bernoulli(p: Sequence[float], shares: Sequence[float]) -> Batch:
    return Batch(BINARY, np.array(p), np.array(shares))


def test_two_predictions_by_hand() -> None:
    # logits −ln 3 and ln 3 where −ln 9 and ln 9 are true
    line = calibration_line(bernoulli([0.25, 0.75], [0.1, 0.9]).tally())
    assert line.slope == pytest.approx(2.0, rel=1e-9)
    assert line.intercept == pytest.approx(0.0, abs=1e-9)


def test_what_is_right_has_slope_one_and_no_intercept() -> None:
    p = np.linspace(0.01, 0.99, 60)
    line = calibration_line(bernoulli(p.tolist(), p.tolist()).tally())
    assert line.slope == pytest.approx(1.0, abs=1e-9)
    assert line.intercept == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("p", "y"),
    [
        ([0.001, 0.001, 0.5, 0.5, 0.999, 0.999], [1, 0, 1, 0, 0, 1]),
        ([1e-6, 0.5, 0.5, 1 - 1e-6], [1, 1, 0, 1]),
        ([1e-3] * 8 + [0.5] * 2 + [0.999] * 8, [1] + [0] * 7 + [1, 0, 0] + [1] * 7),
    ],
)
def test_however_wrong_the_predictions_are_a_line_that_exists_is_found(
    p: list[float], y: list[int]
) -> None:
    check(bernoulli(p, [float(label) for label in y]))


@pytest.mark.parametrize("spread", [3.0, 5.0])
@pytest.mark.parametrize("seed", range(8))
def test_the_line_of_wide_logits_that_say_little_is_found(spread: float, seed: int) -> None:
    batch = drawn(-0.8, 0.05, seed, spread)
    inner = np.abs(np.log(batch.p) - np.log1p(-batch.p)) < 13
    check(replace(batch, w=None).mapped(lambda column: column[inner]))


def check(batch: Batch) -> None:
    """The score equations hold: Σ (y − p) = Σ (y − p)·logit = 0."""
    line = calibration_line(batch.tally())
    assert isinstance(line.slope, float)
    assert isinstance(line.intercept, float)
    assert batch.y is not None
    logit = np.log(batch.p) - np.log1p(-batch.p)
    gap: Array = batch.y - 1 / (1 + np.exp(-(line.intercept + line.slope * logit)))
    assert gap.mean() == pytest.approx(0.0, abs=2e-3)
    assert (gap * logit).mean() / np.abs(logit).max() == pytest.approx(0.0, abs=2e-3)


def nothing(reason: str) -> CalibrationLine:
    return CalibrationLine(Undefined(Reason(reason)), Undefined(Reason(reason)))


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (bernoulli([0.2, 0.3], [0, 0]), "one_class"),
        (bernoulli([0.2, 0.3], [1, 1]), "one_class"),
        (bernoulli([0.0, 1.0, 0.5], [0, 1, 1]), "one_class"),
        (bernoulli([0.2, 0.2], [0, 1]), "one_prediction"),
        (bernoulli([0.2, 0.3, 0.7], [0, 0, 1]), "separable"),
        (bernoulli([0.2, 0.3, 0.7], [1, 1, 0]), "separable"),
        (bernoulli([0.001, 0.5, 0.5, 0.999], [1, 1, 0, 0]), "separable"),
    ],
)
def test_where_there_is_no_line_it_says_why(batch: Batch, reason: str) -> None:
    assert calibration_line(batch.tally()) == nothing(reason)


def test_of_no_rows_there_is_no_line() -> None:
    assert calibration_line(Tally(BINARY)) == nothing("one_class")


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_the_scale_of_weights_does_not_matter(scale: float) -> None:
    batch = drawn(0.2, 0.7)
    assert batch.w is not None
    line = calibration_line(batch.tally())
    scaled = calibration_line(replace(batch, w=batch.w * scale).tally())
    assert scaled.slope == pytest.approx(line.slope, rel=1e-9)
    assert scaled.intercept == pytest.approx(line.intercept, rel=1e-9)


@pytest.mark.parametrize("is_weighted", [True, False])
def test_sure_predictions_have_no_logit_and_are_left_out(*, is_weighted: bool) -> None:
    batch = drawn(0.2, 0.7)
    sure = Batch(BINARY, np.array([0.0, 1.0]), np.array([1.0, 0.0]), w=np.full(2, 5.0))
    if not is_weighted:
        batch, sure = replace(batch, w=None), replace(sure, w=None)
    line, without = calibration_line((batch + sure).tally()), calibration_line(batch.tally())
    assert isinstance(line.slope, float)
    assert line.slope == pytest.approx(without.slope, abs=1e-5)
    assert line.intercept == pytest.approx(without.intercept, abs=1e-5)
    assert line.slope_standard_error == pytest.approx(without.slope_standard_error, rel=1e-3)
