"""Values of functions of sums are those of the formulas, and their slopes are true."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.functionals import FUNCTIONALS, Functional, accuracy, calibration_ratio, missing
from kullback.tally.inference import influence
from kullback.tally.tally import Layout, Tally
from tests import strategies as draw
from tests.tally.strategies import Batch

BINARY = Layout("binary", 2, "sklearn")
EXACT = Layout("binary", 2, "exact")
ALL = {**FUNCTIONALS, "calibration_ratio": calibration_ratio}
every_functional = pytest.mark.parametrize("name", ALL)
# a row of weight 1 with y = 1, p = 1/2, and one of weight 3 with y = 0, p = 1/4
FEW = Batch(BINARY, np.array([0.5, 0.25]), np.array([1.0, 0.0]), w=np.array([1.0, 3.0]))
LOSS = (math.log(2) + 3 * math.log(4 / 3)) / 4
ENTROPY = math.log(4) / 4 + 3 * math.log(4 / 3) / 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_loss", LOSS),
        ("normalized_entropy", LOSS / ENTROPY),
        ("brier", (0.25 + 3 * 0.0625) / 4),
        ("calibration_ratio", 1.25),
        ("log_calibration_ratio", math.log(1.25)),
        ("base_rate", 0.25),
        ("mean_prediction", 1.25 / 4),
    ],
)
def test_two_rows_by_hand(name: str, value: float) -> None:
    assert ALL[name](FEW.tally()).value == pytest.approx(value, rel=1e-14)


def test_accuracy_is_the_weight_of_what_was_right() -> None:
    proba = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    layout = Layout("multiclass", 3, "sklearn")
    batch = Batch(layout, proba, classes=np.array([0, 1, 0]), w=np.array([1.0, 2.0, 5.0]))
    assert accuracy(batch.tally()).value == 0.75
    assert accuracy(Tally(layout)).value == Undefined(Reason.EMPTY)


def clicks(n: int = 500) -> Batch:
    rng = np.random.default_rng(8)
    p = rng.beta(1.0, 4.0, n)
    y = np.where(rng.random(n) < 0.8 * p + 0.02, 1.0, 0.0)
    return Batch(BINARY, p, y, w=rng.gamma(2.0, 1.0, n), units=rng.integers(0, 60, n))


def number(found: Functional) -> float:
    assert not isinstance(found.value, Undefined)
    return found.value


@every_functional
def test_slopes_say_what_a_little_more_of_a_row_does(name: str) -> None:
    batch, little = clicks(), 1e-6
    for p, y in ((0.9, 0.0), (0.2, 1.0), (0.4, 0.5)):
        row = Batch(
            BINARY, np.array([p]), np.array([y]), w=np.array([little]), units=np.zeros(1, int)
        )
        found = ALL[name](batch.tally())
        after = number(ALL[name]((batch + row).tally()))
        expected = float(influence(row.tally(), found.slopes).sum())
        assert after - number(found) == pytest.approx(expected, rel=1e-4, abs=1e-14)


@st.composite
def informative(draws: st.DrawFn) -> Batch:
    """Rows of a few units with both labels, none impossible."""
    n = draws(st.integers(2, 12))
    y = draws(draw.columns_of(n, draw.outcome))
    y[:2] = 0.0, 1.0
    w = draws(draw.columns_of(n, st.floats(0.1, 10.0)))
    p = draws(draw.columns_of(n, draw.inner_probability))
    return Batch(BINARY, p, y, w=w, units=draws(draw.indices(n, 5)))


@every_functional
@settings(max_examples=25)
@given(batch=informative())
def test_influences_sum_to_nothing(name: str, batch: Batch) -> None:
    tally = batch.tally()
    slopes = ALL[name](tally).slopes
    sizes = sum(abs(slope) * tally.vector("unit_w").reals(1024).sum() for slope in slopes.values())
    assert abs(influence(tally, slopes).sum()) <= 1e-12 * max(1.0, sizes) * 40


@every_functional
@settings(max_examples=25)
@given(batch=informative(), power=st.integers(-60, 60))
def test_the_scale_of_weights_changes_nothing(name: str, batch: Batch, power: int) -> None:
    assert batch.w is not None
    found = ALL[name](batch.tally())
    scaled = ALL[name](replace(batch, w=batch.w * 2.0**power).tally())
    assert number(scaled) == pytest.approx(number(found), rel=1e-12, abs=1e-12)
    for sum_name, slope in found.slopes.items():
        assert scaled.slopes[sum_name] * 2.0**power == pytest.approx(slope, rel=1e-12, abs=1e-12)


def of(label: float, p: float = 0.5, layout: Layout = BINARY) -> Tally:
    return Batch(layout, np.array([p]), np.array([label])).tally()


WEIGHTLESS = replace(FEW, w=np.zeros(2)).tally()


@pytest.mark.parametrize(
    ("functional", "tally", "reason"),
    [
        *((found, Tally(BINARY), "empty") for found in ALL.values()),
        *((found, WEIGHTLESS, "zero_weight") for found in ALL.values()),
        (ALL["normalized_entropy"], of(0.0), "one_class"),
        (ALL["normalized_entropy"], of(1.0), "one_class"),
        (ALL["calibration_ratio"], of(0.0), "no_positives"),
        (ALL["log_calibration_ratio"], of(0.0), "no_positives"),
        (ALL["log_calibration_ratio"], of(1.0, 0.0), "no_predictions"),
        (ALL["base_rate"], Tally(Layout("multiclass", 3, "exact")), "multiclass"),
        (ALL["mean_prediction"], Tally(Layout("multiclass", 3, "exact")), "multiclass"),
        (ALL["normalized_entropy"], Tally(Layout("multiclass", 3, "exact")), "multiclass"),
        (ALL["calibration_ratio"], Tally(Layout("multiclass", 3, "exact")), "multiclass"),
    ],
)
def test_what_does_not_exist_says_why(
    functional: Callable[[Tally], Functional], tally: Tally, reason: str
) -> None:
    assert functional(tally) == Functional(Undefined(Reason(reason)))


def test_what_is_infinite_has_no_slopes() -> None:
    tally = of(1.0, 0.0, EXACT) + of(0.0, 0.5, EXACT)
    assert ALL["log_loss"](tally) == ALL["normalized_entropy"](tally) == Functional(math.inf)
    assert number(ALL["brier"](tally)) == 0.625


def test_nothing_is_missing_where_there_is_weight() -> None:
    assert missing(FEW.tally()) is None
    assert missing(WEIGHTLESS) == Undefined(Reason.ZERO_WEIGHT)
    assert missing(Tally(BINARY)) == Undefined(Reason.EMPTY)
