"""log_proba: log loss and clicks scored from logarithms, of which no digit is lost."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.numerics.logspace import neg_log_complement_of_exp
from kullback.numerics.types import Array
from kullback.scoring.calibration import CalibrationOptions, calibration
from kullback.scoring.conventions import CONVENTIONS, ConventionName
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, number, per_row, refused, slope
from tests.scoring.sent import kl_divergence

PLAIN = Options()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)
TINY = 1e-290

log_p = st.one_of(
    st.floats(-1e4, -1e-18), st.sampled_from((-800.0, -1e-17, -math.log(2), -1.0, -0.5))
)
binary_rows = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.outcome), draw.columns_of(n, log_p))
)
class_rows = draw.shapes(2).flatmap(
    lambda shape: st.tuples(draw.indices(*shape), draw.inner_rows(*shape))
)
gentle_p = st.floats(0.05, 0.95)
gentle_rows = draw.sizes.flatmap(
    lambda n: st.tuples(
        st.one_of(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.share)),
        draw.columns_of(n, gentle_p),
    )
)


def of_logs(y: Array, logs: Array, options: Options, asked: LogLossOptions | None = None) -> Score:
    asked = asked or LogLossOptions()
    settings = LogLossOptions(
        task=asked.task,
        class_weight=asked.class_weight,
        convention=asked.convention,
        epsilon=asked.epsilon,
        is_log=True,
    )
    return log_loss(y, logs, settings, options)


def clicks(y: Array, logs: Array, options: Options, rate: float | None = None) -> Score:
    asked = RecommenderOptions(is_log=True, negative_sampling_rate=rate)
    return recommender(y, logs, None, asked, options)


def _of_logs(y: Array, asked: LogLossOptions | None, logs: Array) -> Score:
    return of_logs(y, logs, GRADIENT, asked)


def _clicks(y: Array, rate: float | None, logs: Array) -> Score:
    return clicks(y, logs, GRADIENT, rate)


@given(st.lists(log_p, min_size=1, max_size=5).map(np.array))
def test_the_logarithm_of_the_complement_agrees_with_sixty_digits(logs: Array) -> None:
    for found, row in zip(neg_log_complement_of_exp(logs).tolist(), logs.tolist(), strict=True):
        exact = oracles.log_complement(row)
        assert exact < TINY or relative_error(found, exact) < 4e-16


def test_a_probability_that_no_double_holds_costs_what_it_does() -> None:
    y, logs = np.array([1.0, 0.0, 1.0]), np.array([-800.0, -1e-20, 0.0])
    found = of_logs(y, logs, ROWS)
    assert per_row(found)[0] == 800.0
    assert per_row(found)[1] == pytest.approx(20 * math.log(10), rel=1e-15)
    assert per_row(found)[2] == 0.0
    assert per_row(clicks(y, logs, ROWS)) == pytest.approx(per_row(found), rel=1e-14)
    rows = of_logs(np.array([1]), np.array([[0.0, -800.0]]), PLAIN)
    assert rows.value == 800.0


@given(binary_rows)
def test_binary_rows_agree_with_sixty_digits(rows: tuple[Array, Array]) -> None:
    y, logs = rows
    exact = [
        -a if label else oracles.log_complement(a)
        for label, a in zip(y.tolist(), logs.tolist(), strict=True)
    ]
    for found in (per_row(of_logs(y, logs, ROWS)), per_row(clicks(y, logs, ROWS))):
        for value, truth in zip(found, exact, strict=True):
            assert truth < TINY or relative_error(value, truth) < 1e-12


@given(class_rows)
def test_class_rows_cost_minus_their_logarithm(rows: tuple[Array, Array]) -> None:
    index, p = rows
    logs = np.log(p)
    found = of_logs(index, logs, ROWS)
    assert per_row(found) == (0.0 - logs[np.arange(index.size), index]).tolist()
    plain = log_loss(index, p, LogLossOptions(), ROWS)
    for name in ("accuracy", "brier", "macro"):
        assert number(found, name) == pytest.approx(number(plain, name), rel=1e-12)
    soft = of_logs(np.eye(p.shape[1])[index] * 0.9 + 0.1 / p.shape[1], logs, ROWS)
    target = np.eye(p.shape[1])[index] * 0.9 + 0.1 / p.shape[1]
    assert per_row(soft) == pytest.approx((-target * logs).sum(axis=1), rel=1e-14)


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(gentle_rows)
def test_a_convention_prints_the_same_of_logarithms(
    convention: ConventionName, rows: tuple[Array, Array]
) -> None:
    y, p = rows
    asked = LogLossOptions(convention=convention)
    found = of_logs(y, np.log(p), ROWS, asked)
    assert per_row(found) == pytest.approx(per_row(log_loss(y, p, asked, ROWS)), rel=3e-7)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_convention_bounds_what_underflows(convention: ConventionName) -> None:
    asked = LogLossOptions(convention=convention)
    found = of_logs(np.array([1.0]), np.array([-800.0]), PLAIN, asked)
    none = log_loss(np.array([1.0]), np.array([0.0]), asked, PLAIN)
    assert found.value == (none.value if none.status == "finite" else 800.0)
    own = of_logs(np.array([1.0]), np.array([-800.0]), PLAIN, LogLossOptions(epsilon=0.25))
    assert own.value == pytest.approx(math.log(4), rel=1e-15)


@given(gentle_rows)
def test_binary_gradients_are_slopes(rows: tuple[Array, Array]) -> None:
    y, logs = rows[0], np.log(rows[1])
    for asked in (None, LogLossOptions(class_weight=np.array([2.0, 0.5]))):
        expected = central_differences(partial(_of_logs, y, asked), logs)
        assert slope(of_logs(y, logs, GRADIENT, asked)) == pytest.approx(
            expected, rel=1e-6, abs=2e-9
        )
    for rate in (None, 0.1):
        expected = central_differences(partial(_clicks, y, rate), logs)
        assert slope(clicks(y, logs, GRADIENT, rate)) == pytest.approx(expected, rel=1e-6, abs=2e-9)


@given(class_rows)
def test_class_gradients_are_minus_the_target(rows: tuple[Array, Array]) -> None:
    index, p = rows
    found = of_logs(index, np.log(p), Options(gradient=True, reduction="sum"))
    assert found.gradient is not None
    assert (found.gradient == 0.0 - np.eye(p.shape[1])[index]).all()


def test_the_gradient_of_what_underflows() -> None:
    y, logs = np.array([1.0, 0.0, 1.0]), np.array([-800.0, -800.0, 0.0])
    asked = Options(gradient=True, reduction="sum")
    assert slope(of_logs(y, logs, asked)) == [-1.0, 0.0, -1.0]
    assert slope(clicks(y, logs, asked)) == [-1.0, 0.0, -1.0]


def test_multilabel_logarithms_cost_the_mean_over_labels() -> None:
    y, logs = np.array([[1.0, 0.0]]), np.array([[-800.0, math.log(0.5)]])
    asked = LogLossOptions(task="multilabel")
    found = of_logs(y, logs, Options(gradient=True), asked)
    assert found.value == pytest.approx((800 + math.log(2)) / 2, rel=1e-15)
    assert slope(found) == pytest.approx([-0.5, 0.5], rel=1e-15)


def test_a_sampled_click_rate_is_corrected_in_its_odds() -> None:
    y, logs = np.array([1.0, 0.0]), np.array([-800.0, -1e-20])
    found = per_row(clicks(y, logs, ROWS, 0.1))
    assert found[0] == pytest.approx(800 + math.log(10), rel=1e-14)
    assert found[1] == pytest.approx(20 * math.log(10) - math.log(10), rel=1e-14)


def test_what_is_no_log_probability_is_refused() -> None:
    y = np.array([1.0, 0.0])
    for bad in (np.nan, 0.1, np.inf):
        with refused("/log_proba/1"):
            of_logs(y, np.array([-1.0, bad]), PLAIN)
        with refused("/log_proba/1"):
            clicks(y, np.array([-1.0, bad]), PLAIN)
    with refused("/log_proba/1"):
        of_logs(np.array([1, 0]), np.log([[0.5, 0.5], [0.5, 0.4]]), PLAIN)
    with refused("/log_proba"):
        of_logs(y, np.empty(0), PLAIN)
    divided = of_logs(
        np.array([1, 0]), np.log([[0.5, 0.5], [0.5, 0.4]]), Options(on_unnormalized="renormalize")
    )
    assert divided.value == pytest.approx((math.log(2) + math.log(1.8)) / 2, rel=1e-14)
    assert divided.diagnostics.renormalized == 1


def calibrated(y: Array, sent: Array, *, is_log: bool, options: Options = PLAIN) -> Score:
    asked = CalibrationOptions(bins=4, is_log=is_log)
    return calibration(y, sent, None, asked, options)


@given(class_rows)
def test_calibration_of_logarithms_is_that_of_the_probabilities(
    rows: tuple[Array, Array],
) -> None:
    index, p = rows
    for y, sent in ((index, p), (np.minimum(index, 1).astype(np.float64), p[:, 0])):
        found, plain = (
            calibrated(y, np.log(sent), is_log=True),
            calibrated(y, sent, is_log=False),
        )
        assert found.value == pytest.approx(plain.value, rel=1e-9, abs=1e-12)
        for name in ("brier", "mce", "smooth_ece"):
            assert number(found, name) == pytest.approx(number(plain, name), rel=1e-6, abs=1e-9)


def test_calibration_loses_no_digit_of_a_surprise() -> None:
    y, logs = np.array([1.0, 0.0, 1.0]), np.array([-800.0, -800.0, 0.0])
    found = calibrated(y, logs, is_log=True)
    parts = found.details["decomposition"]
    assert isinstance(parts, dict)
    loss = parts["miscalibration"] - parts["discrimination"] + parts["uncertainty"]
    assert loss == pytest.approx(800 / 3, rel=1e-12)


def test_calibration_of_logarithms_has_a_temperature() -> None:
    z = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.3], [1.0, 0.0, 2.0]])
    y = np.array([0, 2, 1, 1])
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    expected = calibration(y, None, z, CalibrationOptions(bins=4), PLAIN)
    found = number(calibrated(y, logs, is_log=True), "temperature")
    assert found == pytest.approx(number(expected, "temperature"), rel=1e-9)
    x, clicks_ = np.array([2.0, -1.0, 0.5, 3.0]), np.array([1.0, 0.0, 0.0, 1.0])
    expected = calibration(clicks_, None, x, CalibrationOptions(bins=4), PLAIN)
    found = number(calibrated(clicks_, -np.log1p(np.exp(-x)), is_log=True), "temperature")
    assert found == pytest.approx(number(expected, "temperature"), rel=1e-9)


def test_logarithms_in_place_of_probabilities_are_told_where_they_go() -> None:
    y = np.array([1.0, 0.0])
    with pytest.raises(InvalidInput, match=r"y_proba: .* are log_proba"):
        log_loss(y, np.array([-1.60944, -0.1]), LogLossOptions(), PLAIN)
    with pytest.raises(InvalidInput, match=r"y_proba: .* are log_proba"):
        calibrated(np.array([0, 1]), np.log([[0.5, 0.5], [0.25, 0.75]]), is_log=False)
    with pytest.raises(InvalidInput, match="p_log, and scores p_logits"):
        kl_divergence((np.log([0.2, 0.8]), None), (np.array([0.5, 0.5]), None), PLAIN)
    for rounded in (0.0, -1e-9):
        p = np.array([rounded])
        assert log_loss(np.zeros(1), p, LogLossOptions(), PLAIN).value == 0.0
