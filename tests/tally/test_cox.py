"""Cox's line is that of logistic regression."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.cox import CalibrationLine, calibration_line
from kullback.tally.tally import Layout, Tally
from tests.tally.strategies import Batch

BINARY = Layout("binary", 2, "sklearn")


def drawn(intercept: float, slope: float, seed: int = 3, spread: float = 1.5) -> Batch:
    """Rows whose outcomes follow a line of the logits of their predictions."""
    n, rng = 3000, np.random.default_rng(seed)
    logit = rng.normal(-1.0, spread, n)
    truth = 1 / (1 + np.exp(-(intercept + slope * logit)))
    y = np.where(rng.random(n) < truth, 1.0, 0.0)
    return Batch(BINARY, 1 / (1 + np.exp(-logit)), y, w=rng.gamma(2.0, 1.0, n))


def regressed(batch: Batch) -> tuple[float, float]:
    """What statsmodels makes of the rows."""
    logit = np.log(batch.p) - np.log1p(-batch.p)
    model = sm.GLM(
        batch.y, sm.add_constant(logit), family=sm.families.Binomial(), freq_weights=batch.w
    )
    intercept, slope = model.fit().params
    return float(intercept), float(slope)


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


def test_sure_predictions_have_no_logit_and_are_left_out() -> None:
    batch = drawn(0.2, 0.7)
    sure = Batch(BINARY, np.array([0.0, 1.0]), np.array([1.0, 0.0]), w=np.full(2, 5.0))
    assert calibration_line((batch + sure).tally()) == calibration_line(batch.tally())
    assert isinstance(calibration_line(batch.tally()).slope, float)
