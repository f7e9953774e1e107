"""Calibration: by hand, by law, and beside scikit-learn."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from kullback.numerics.logspace import log_softmax, sigmoid
from kullback.numerics.types import Array, Indices
from kullback.scoring.binning import Strategy
from kullback.scoring.calibration import CalibrationOptions, calibration
from kullback.scoring.labels import Labels
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.reliability import CalibrationNoise, Reliability
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.scoring.answers import has_negative_zero, number, numbers, reason, refused, rows

PLAIN = Options()
strategies = pytest.mark.parametrize("strategy", ["uniform", "quantile"])
bin_counts = st.sampled_from((1, 2, 10, 15))
stated = st.one_of(draw.probability, st.integers(0, 10).map(lambda tenth: tenth / 10))
forecasts = draw.sizes.flatmap(
    lambda n: st.tuples(
        draw.columns_of(2 * n, draw.share), draw.columns_of(2 * n, stated), draw.weights(2 * n)
    )
)
classes = draw.shapes(2).flatmap(
    lambda s: st.tuples(draw.indices(*s), draw.rows(*s), draw.weights(s[0]))
)


def ten(strategy: Strategy = "uniform") -> CalibrationOptions:
    return CalibrationOptions(bins=10, strategy=strategy)


def of_p(
    y: Labels, p: Array, asked: CalibrationOptions | None = None, options: Options = PLAIN
) -> Score:
    return calibration(y, p, None, asked or CalibrationOptions(), options)


def of_z(y: Labels, z: Array, options: Options = PLAIN) -> Score:
    return calibration(y, None, z, CalibrationOptions(), options)


def test_by_hand() -> None:
    found = of_p(np.array([1.0, 0.0, 1.0]), np.array([0.95, 1.0, 0.25]), ten())
    gaps = [0.475, 0.75]
    assert found.value == pytest.approx((2 * gaps[0] + gaps[1]) / 3, rel=1e-15)
    assert number(found, "mce") == pytest.approx(0.75, rel=1e-15)
    rms = math.sqrt((2 * gaps[0] ** 2 + gaps[1] ** 2) / 3)
    assert number(found, "rmsce") == pytest.approx(rms, rel=1e-15)
    brier = (0.05**2 + 1 + 0.75**2) / 3
    assert number(found, "brier") == pytest.approx(brier, rel=1e-14)
    table = rows(found, "table")
    assert [row["count"] for row in table] == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
    assert table[9]["low"] == 0.9
    assert table[9]["high"] == 1.0
    assert table[9]["mean_predicted"] == pytest.approx(0.975, rel=1e-15)
    assert table[9]["observed"] == 0.5
    assert table[0]["observed"] is None


def test_certainty_falls_in_the_last_bin() -> None:
    # torchmetrics makes a bin of its own of it, and answers 0.525
    assert of_p(np.array([1, 0]), np.array([0.95, 1.0]), ten()).value == pytest.approx(0.475)


def test_zero_falls_in_the_first_bin_and_an_edge_in_the_bin_below() -> None:
    found = of_p(np.zeros(4), np.array([0.0, 0.1, 0.2, 0.3]), ten())
    assert [row["count"] for row in rows(found, "table")][:4] == [2, 1, 1, 0]


def test_top_labels_by_hand() -> None:
    p = np.array([[0.6, 0.3, 0.1], [0.4, 0.4, 0.2]])
    found = of_p(np.array([0, 1]), p, ten())
    assert found.value == pytest.approx((0.4 + 0.4) / 2, rel=1e-15)  # a tie goes to column 0
    assert number(found, "brier") == pytest.approx((0.26 + 0.56) / 2, rel=1e-14)
    per_class = [((1 - 0.6) + (0.4 - 0)) / 2, (0.3 + 0.6) / 2, (0.1 + 0.2) / 2]
    assert numbers(found, "per_class") == pytest.approx(per_class, rel=1e-14)
    assert number(found, "classwise") == pytest.approx(sum(per_class) / 3, rel=1e-14)


def test_labels_keep_their_order() -> None:
    asked = CalibrationOptions(labels=["dog", "cat"])
    found = of_p(["dog", "cat"], np.array([[0.9, 0.1], [0.2, 0.8]]), asked)
    assert found.value == pytest.approx(0.15, rel=1e-14)
    binary = of_p(["dog", "cat"], np.array([0.9, 0.2]), replace(asked, pos_label="dog"))
    assert binary.value == pytest.approx(0.15, rel=1e-14)


def test_quantile_bins_hold_equal_counts() -> None:
    p = np.array([0.1, 0.11, 0.12, 0.13, 0.9, 0.95])
    found = of_p(np.zeros(6), p, CalibrationOptions(bins=3, strategy="quantile"))
    assert [row["count"] for row in rows(found, "table")] == [2, 2, 2]


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_quantiles_of_one_value_are_one_bin(value: float) -> None:
    asked = CalibrationOptions(strategy="quantile")
    found = of_p(np.array([1.0, 0.0]), np.full(2, value), asked)
    assert [row["count"] for row in rows(found, "table")] == [2]
    assert found.value == pytest.approx(abs(0.5 - value), rel=1e-15)


@strategies
@given(forecasts, bin_counts)
def test_it_lies_between_zero_and_one(
    strategy: Strategy, forecast: tuple[Array, Array, Array], bins: int
) -> None:
    y, p, w = forecast
    found = of_p(y, p, CalibrationOptions(bins, strategy), Options(sample_weight=w))
    assert 0.0 <= found.value <= 1.0
    assert found.value <= number(found, "rmsce") * (1 + 1e-12) + 1e-150  # squares underflow
    assert number(found, "rmsce") <= number(found, "mce") * (1 + 1e-12)
    assert not has_negative_zero(found)


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=50))
def test_being_sure_and_wrong_is_exactly_one(weight: list[float]) -> None:
    n = len(weight)
    options = Options(sample_weight=np.array(weight))
    found = of_p(np.zeros(n), np.ones(n), options=options)
    assert found.value <= 1.0
    assert found.value == pytest.approx(1.0, rel=1e-15)


@given(forecasts, bin_counts)
def test_it_agrees_with_sixty_digits(forecast: tuple[Array, Array, Array], bins: int) -> None:
    y, p, w = forecast
    found = of_p(y, p, CalibrationOptions(bins), Options(sample_weight=w)).value
    truth = oracles.expected_calibration_error(y.tolist(), p.tolist(), w.tolist(), bins)
    assert found == pytest.approx(truth, rel=1e-12, abs=1e-15)


@strategies
@given(forecasts)
def test_rows_without_weight_are_no_rows(
    strategy: Strategy, forecast: tuple[Array, Array, Array]
) -> None:
    y, p, w = forecast
    kept = w > 0
    found = of_p(y, p, ten(strategy), Options(sample_weight=w))
    expected = of_p(y[kept], p[kept], ten(strategy), Options(sample_weight=w[kept]))
    assert found.value == pytest.approx(expected.value, rel=1e-13, abs=1e-16)
    assert rows(found, "table") == rows(expected, "table")


@strategies
@given(forecasts, st.data())
def test_the_order_of_rows_changes_nothing(
    strategy: Strategy, forecast: tuple[Array, Array, Array], data: st.DataObject
) -> None:
    y, p, _ = forecast
    order = np.array(data.draw(st.permutations(range(y.size))))
    found = of_p(y[order], p[order], ten(strategy))
    assert found.value == pytest.approx(of_p(y, p, ten(strategy)).value, rel=1e-12, abs=1e-15)


@given(forecasts)
def test_repeating_rows_is_doubling_weights(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    twice = Options(sample_weight=np.concatenate((w, w)))
    found = of_p(np.concatenate((y, y)), np.concatenate((p, p)), options=twice)
    expected = of_p(y, p, options=Options(sample_weight=2 * w))
    assert found.value == pytest.approx(expected.value, rel=1e-12, abs=1e-15)
    assert found.weight == pytest.approx(expected.weight, rel=1e-14)


@given(forecasts)
def test_the_parts_of_log_loss_make_the_whole(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    options = Options(sample_weight=w, base="2")
    whole = log_loss(y, p, LogLossOptions(), options).value
    found = of_p(y, p, options=options)
    if math.isfinite(whole):
        parts = [
            number(found, "decomposition", name)
            for name in ("miscalibration", "discrimination", "uncertainty")
        ]
        assert all(part >= 0.0 for part in parts)
        assert parts[0] - parts[1] + parts[2] == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_an_infinite_loss_is_infinitely_miscalibrated() -> None:
    found = of_p(np.array([1.0, 0.0]), np.array([0.0, 0.5]))
    reasons = found.details["reasons"]
    assert isinstance(reasons, dict)
    assert reasons["decomposition.miscalibration"] == "positive_infinity"


@given(forecasts)
def test_scikit_learn_agrees_on_the_curve(forecast: tuple[Array, Array, Array]) -> None:
    y, p, _ = forecast
    y = np.round(y)
    observed, predicted = calibration_curve(y, np.clip(p, 0.011, 0.989), n_bins=1, pos_label=1)
    found = of_p(y, np.clip(p, 0.011, 0.989), CalibrationOptions(bins=1))
    table = rows(found, "table")
    assert table[0]["observed"] == pytest.approx(observed[0], rel=1e-14)
    assert table[0]["mean_predicted"] == pytest.approx(predicted[0], rel=1e-14)


def test_scikit_learn_agrees_on_many_bins() -> None:
    rng = np.random.default_rng(5)
    p, y = rng.random(2000), rng.integers(0, 2, 2000)
    observed, predicted = calibration_curve(y, p, n_bins=10)
    table = rows(of_p(y, p, ten()), "table")
    assert [row["observed"] for row in table] == pytest.approx(observed, rel=1e-12)
    assert [row["mean_predicted"] for row in table] == pytest.approx(predicted, rel=1e-12)


@given(classes)
def test_top_labels_are_a_binary_forecast(rows: tuple[Indices, Array, Array]) -> None:
    index, p, w = rows
    options = Options(sample_weight=w)
    right = (p.argmax(axis=1) == index).astype(np.float64)
    expected = of_p(right, np.minimum(p.max(axis=1), 1.0), options=options)
    found = of_p(index, p, options=options)
    assert found.value == expected.value
    assert found.details["table"] == expected.details["table"]
    assert found.details["decomposition"] == expected.details["decomposition"]


@given(draw.shapes(2).flatmap(lambda s: st.tuples(draw.indices(*s), draw.logit_rows(*s))))
def test_logits_are_binned_as_their_softmax(rows: tuple[Indices, Array]) -> None:
    index, z = rows
    found = of_z(index, z)
    expected = of_p(index, np.exp(log_softmax(z)), options=Options(sum_tolerance=1e-3))
    assert found.value == pytest.approx(expected.value, rel=1e-12, abs=1e-15)
    assert reason(expected, "temperature") == "no_logits"


def test_logits_of_a_sigmoid_have_a_temperature() -> None:
    y, x = np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4)
    found = of_z(y, x)
    assert number(found, "temperature") == pytest.approx(1 / math.log(3), rel=1e-14)
    assert found.value == of_p(y, sigmoid(x)).value
    soft = of_z(np.array([0.5, 1.0]), np.ones(2))
    assert reason(soft, "temperature") == "soft_labels"


def test_logits_of_a_softmax_have_a_temperature() -> None:
    found = of_z(np.array([0, 0, 0, 1]), np.tile([1.0, 0.0, -np.inf], (4, 1)))
    assert number(found, "temperature") == pytest.approx(1 / math.log(3), rel=1e-14)


def test_what_chance_makes_of_a_bin_by_hand() -> None:
    # a gap of 1 where √(4 · ¼) = 1 is what chance makes
    found = of_p(np.array([1.0, 1.0, 1.0, 0.0]), np.full(4, 0.5))
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    debiased = (math.erf(math.sqrt(0.5)) - 2 * density) / 4
    assert number(found, "expected_if_calibrated") == pytest.approx(math.sqrt(2 / math.pi) / 4)
    assert number(found, "debiased") == pytest.approx(debiased, rel=1e-13)


@pytest.mark.parametrize("gap", [0.0, 0.3, -1.0, 2.5, 40.0])
def test_a_gap_without_chance_is_that_of_one_half_with_the_sign_of_the_other(gap: float) -> None:
    noise = np.random.default_rng(41).normal(0.0, 2.0, 400_000)
    halves = np.sign(gap + noise) * (gap - noise)
    found = CalibrationNoise.of(np.array([gap]), np.array([2.0]), 50.0).debiased
    assert found == pytest.approx(halves.mean() / 50.0, abs=5 * 2.0 / 50.0 / math.sqrt(noise.size))


def test_sure_predictions_leave_nothing_to_chance() -> None:
    found = of_p(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0]))
    assert number(found, "expected_if_calibrated") == 0
    assert number(found, "debiased") == found.value == pytest.approx(1 / 3)


def test_soft_labels_say_nothing_of_chance() -> None:
    found = of_p(np.array([0.5, 1.0]), np.array([0.5, 0.25]))
    for name in ("debiased", "expected_if_calibrated"):
        assert reason(found, name) == "soft_labels"


@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_the_scale_of_weights_makes_no_chance(scale: float) -> None:
    rng = np.random.default_rng(42)
    y, p, w = np.array([1.0, 0.0] * 50), rng.random(100), rng.gamma(2.0, 1.0, 100)
    found, scaled = (of_p(y, p, options=Options(sample_weight=w * by)) for by in (1.0, scale))
    for name in ("debiased", "expected_if_calibrated"):
        assert number(scaled, name) == pytest.approx(number(found, name), rel=1e-12)


def test_without_weight_there_is_no_error() -> None:
    options = Options(sample_weight=np.zeros(2))
    for p in (np.array([0.5, 0.5]), np.full((2, 2), 0.5)):
        found = of_p(np.array([0, 1]), p, options=options)
        assert found.status == "undefined"
        assert found.reason == "zero_weight"
        assert reason(found, "mce") == "zero_weight"
        assert reason(found, "debiased") == "zero_weight"
        assert found.details["table"] == []


def test_an_empty_batch_still_has_edges() -> None:
    nothing = np.empty(0)
    found = Reliability.of(nothing, nothing, None, 4, "quantile")
    assert found.high.tolist() == [0.25, 0.5, 0.75, 1.0]


def test_impossible_input_is_refused_where_it_stands() -> None:
    y, p = np.array([0, 1]), np.array([0.5, 0.5])
    with refused("/y_proba"):
        calibration(y, p, p, CalibrationOptions(), PLAIN)
    with refused("/y_proba"):
        calibration(y, None, None, CalibrationOptions(), PLAIN)
    with refused("/y_proba"):
        of_p(y, np.empty(0))
    with refused("/logits"):
        of_z(y, np.ones((2, 2, 2)))
    with refused("/y_true"):
        of_p(y, np.array([0.5]))
    with refused("/y_proba/1"):
        of_p(y, np.array([0.5, 1.5]))
    with refused("/y_proba/0"):
        of_p(y, np.full((2, 2), 0.6))
    with refused("/logits/1"):
        of_z(y, np.array([0.5, np.nan]))
    with refused("/y_true/1"):
        of_p(np.array([0, 2]), np.full((2, 2), 0.5))
    with refused("/sample_weight"):
        of_p(y, p, options=Options(sample_weight=np.ones(3)))
