"""What every metric that is a mean over rows must keep to, and how rows become one score."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.options import Options
from kullback.scoring.score import (
    ROWS_NAMED,
    Context,
    Losses,
    Score,
    explained,
    in_unit,
    reduce_rows,
    score_rows,
)
from tests import oracles
from tests import strategies as draw
from tests.scoring.answers import floats, has_negative_zero
from tests.scoring.metrics import ROW_METRICS, RowMetric
from tests.strategies import Columns

every_metric = pytest.mark.parametrize("metric", ROW_METRICS, ids=lambda metric: metric.name)
plain_mean = pytest.mark.parametrize(
    "metric",
    [metric for metric in ROW_METRICS if metric.per_row_weight],
    ids=lambda metric: metric.name,
)
ALL_OPTIONS = Options(per_row=True, gradient=True)
IGNORED = {"positives", "valid", "reasons"}  # counts of rows, whatever they weigh


def size(batch: Columns) -> int:
    return int(batch[0].shape[0])


def joined(one: Columns, other: Columns) -> Columns:
    return tuple(np.concatenate(pair) for pair in zip(one, other, strict=True))


def taken(batch: Columns, order: list[int]) -> Columns:
    return tuple(column[np.array(order)] for column in batch)


def same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    if math.isnan(expected):
        return math.isnan(found)
    return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-300)


def same_score(found: Score, expected: Score) -> bool:
    """Value and standard error; the latter is 0 up to the rounding of the mean."""
    error, wanted = found.standard_error, expected.standard_error
    if error is None or wanted is None:
        return error is wanted and same(found.value, expected.value)
    close = math.isclose(error, wanted, rel_tol=1e-9, abs_tol=1e-12 * abs(expected.value))
    return close and same(found.value, expected.value)


def same_details(found: Score, expected: Score) -> bool:
    """Of what both could say: rows without weight count for what the labels are."""
    names = {
        name
        for name, value in found.details.items()
        if value is not None and expected.details.get(name) is not None
    }
    one, other = (
        [value for name in sorted(names - IGNORED) for value in floats(score.details[name])]
        for score in (found, expected)
    )
    pairs = zip(one, other, strict=True)
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in pairs)


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_the_order_of_rows_changes_nothing(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    order = data.draw(st.permutations(range(size(batch))))
    shuffled, straight = (
        metric.score(columns, ALL_OPTIONS) for columns in (taken(batch, order), batch)
    )
    assert same_score(shuffled, straight)
    assert same_details(shuffled, straight)
    assert straight.per_row is not None
    assert shuffled.per_row is not None
    assert shuffled.per_row.tolist() == straight.per_row[order].tolist()


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_weights_of_one_are_no_weights(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    ones = Options(sample_weight=np.ones(size(batch)))
    weighted, plain = metric.score(batch, ones), metric.score(batch, Options())
    assert same_score(weighted, plain)
    assert same_details(weighted, plain)
    assert weighted.weight == plain.weight


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_a_row_without_weight_is_no_row(metric: RowMetric, data: st.DataObject) -> None:
    batch, junk = data.draw(metric.batch()), data.draw(metric.batch())
    weight = data.draw(draw.weights(size(batch)))
    padded = np.concatenate((weight, np.zeros(size(junk))))
    order = data.draw(st.permutations(range(padded.size)))
    found = metric.score(taken(joined(batch, junk), order), Options(sample_weight=padded[order]))
    expected = metric.score(batch, Options(sample_weight=weight))
    assert same_score(found, expected)
    assert same_details(found, expected)
    assert same(found.weight, expected.weight)


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_repeating_rows_is_doubling_weights(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    weight = data.draw(draw.weights(size(batch)))
    twice = Options(sample_weight=np.concatenate((weight, weight)))
    found = metric.score(joined(batch, batch), twice)
    expected = metric.score(batch, Options(sample_weight=2 * weight))
    assert same(found.value, expected.value)
    assert same_details(found, expected)


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_sums_of_batches_add_up(metric: RowMetric, data: st.DataObject) -> None:
    one, other = data.draw(metric.batch()), data.draw(metric.batch())
    weights = [data.draw(draw.weights(size(batch))) for batch in (one, other)]
    total = Options(reduction="sum")
    parts = [
        metric.score(batch, replace(total, sample_weight=weight)).value
        for batch, weight in zip((one, other), weights, strict=True)
    ]
    whole = metric.score(joined(one, other), replace(total, sample_weight=np.concatenate(weights)))
    known = [part for part in parts if not math.isnan(part)]
    assert same(whole.value, math.fsum(known) if known else math.nan)


@plain_mean
@settings(max_examples=12)
@given(st.data())
def test_means_of_batches_recombine_by_weight(metric: RowMetric, data: st.DataObject) -> None:
    one, other = data.draw(metric.batch()), data.draw(metric.batch())
    parts = [metric.score(batch, Options()) for batch in (one, other)]
    whole = metric.score(joined(one, other), Options())
    mean = sum(part.value * part.weight for part in parts) / sum(part.weight for part in parts)
    assert same(whole.value, mean)


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_a_base_is_one_division(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    nats = metric.score(batch, ALL_OPTIONS)
    for base, unit in (("2", math.log(2)), ("10", math.log(10))):
        found = metric.score(batch, replace(ALL_OPTIONS, base="2" if base == "2" else "10"))
        assert found.value == nats.value / unit or math.isnan(nats.value)
        assert found.per_row is not None
        assert nats.per_row is not None
        assert found.per_row.tolist() == (nats.per_row / unit).tolist()


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_the_sum_is_the_mean_times_what_it_divides_by(
    metric: RowMetric, data: st.DataObject
) -> None:
    batch = data.draw(metric.batch())
    weight = data.draw(draw.weights(size(batch)))
    mean = metric.score(batch, Options(sample_weight=weight))
    total = metric.score(batch, Options(sample_weight=weight, reduction="sum"))
    if mean.status == "finite" and mean.value > 1e-290:
        factor = total.value / mean.value
        if metric.per_row_weight:
            assert math.isclose(factor, mean.weight, rel_tol=1e-12)
        if mean.standard_error and total.standard_error and mean.standard_error > 1e-290:
            assert math.isclose(total.standard_error / mean.standard_error, factor, rel_tol=1e-12)
    assert mean.status == total.status


@plain_mean
@settings(max_examples=12)
@given(st.data())
def test_the_mean_is_that_of_the_rows(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    weight = data.draw(draw.weights(size(batch)))
    score = metric.score(batch, replace(ALL_OPTIONS, sample_weight=weight))
    assert score.per_row is not None
    if 1e-270 < score.value < math.inf:
        mean = oracles.weighted_mean(score.per_row.tolist(), weight.tolist())
        assert oracles.relative_error(score.value, mean) < 1e-14


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_no_number_is_negative_zero_and_no_loss_below_zero(
    metric: RowMetric, data: st.DataObject
) -> None:
    batch = data.draw(metric.batch())
    weight = data.draw(draw.weights(size(batch)))
    score = metric.score(batch, replace(ALL_OPTIONS, sample_weight=weight))
    assert not has_negative_zero(score)
    assert score.per_row is not None
    assert not (score.per_row < 0).any()
    assert not np.isnan(score.per_row).any()
    assert not score.value < 0


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_the_answer_names_each_number_that_is_missing(
    metric: RowMetric, data: st.DataObject
) -> None:
    score = metric.score(data.draw(metric.batch()), Options())
    missing = {name for name, value in score.details.items() if value is None}
    reasons = score.details.get("reasons", {})
    assert isinstance(reasons, Mapping)
    assert missing <= reasons.keys()
    assert all(math.isfinite(value) for value in floats(score.details))
    assert score.status == "finite" or score.reason is not None


@every_metric
@settings(max_examples=12)
@given(st.data())
def test_without_weight_there_is_no_score(metric: RowMetric, data: st.DataObject) -> None:
    batch = data.draw(metric.batch())
    options = replace(ALL_OPTIONS, sample_weight=np.zeros(size(batch)))
    score = metric.score(batch, options)
    assert score.status == "undefined"
    assert score.reason in {"zero_weight", "empty"}
    assert score.gradient is None
    assert score.standard_error is None


def test_a_mean_and_its_error_by_hand() -> None:
    reduced = reduce_rows(Losses(np.array([1.0, 2.0, 6.0])), None)
    assert reduced.mean == 3.0
    assert reduced.standard_error == pytest.approx(math.sqrt(7.0 / 3.0), rel=1e-15)


def test_a_weighted_mean_and_its_error_by_hand() -> None:
    # mean (1·1 + 3·5)/4 = 4; √(1²·3² + 3²·1²)/4 · √(2/1) = 1.5
    reduced = reduce_rows(Losses(np.array([1.0, 5.0])), np.array([1.0, 3.0]))
    assert reduced.mean == 4.0
    assert reduced.standard_error == pytest.approx(1.5, rel=1e-15)


@given(draw.columns_of(7, st.floats(0.0, 40.0)))
def test_the_error_of_an_unweighted_mean_is_that_of_the_textbook(losses: Array) -> None:
    reduced = reduce_rows(Losses(losses), None)
    textbook = float(np.std(losses, ddof=1)) / math.sqrt(7)
    assert reduced.standard_error == pytest.approx(textbook, rel=1e-9, abs=1e-14)


def test_one_row_has_no_standard_error() -> None:
    assert reduce_rows(Losses(np.array([2.0])), None).standard_error is None


def test_the_error_of_tiny_losses_does_not_underflow() -> None:
    reduced = reduce_rows(Losses(np.array([1e-200, 3e-200])), None)
    assert reduced.standard_error == pytest.approx(1e-200, rel=1e-12)


def test_an_infinite_loss_makes_an_infinite_mean_without_error() -> None:
    reduced = reduce_rows(Losses(np.array([1.0, np.inf])), None)
    assert reduced.mean == math.inf
    assert reduced.reason == "positive_infinity"
    assert reduced.standard_error is None


def test_only_the_first_infinite_rows_are_named_and_all_are_counted() -> None:
    losses = np.concatenate((np.zeros(3), np.full(50, np.inf)))
    found = score_rows(Losses(losses), {}, Context("log_loss", Options())).diagnostics
    assert found.infinite == 50
    assert found.infinite_rows == tuple(range(3, 3 + ROWS_NAMED))


def test_what_is_missing_in_details_is_explained_where_it_stands() -> None:
    details = {
        "none": None,
        "ratio": Undefined(Reason.ONE_CLASS),
        "low": -math.inf,
        "odd": math.nan,
        "parts": {"high": math.inf, "zero": -0.0},
        "rows": [{"mean": Undefined(Reason.EMPTY_BIN), "name": "a"}],
    }
    found = explained(details)
    assert found["reasons"] == {
        "ratio": "one_class",
        "low": "negative_infinity",
        "odd": "undefined",
        "parts.high": "positive_infinity",
        "rows.mean": "empty_bin",
    }
    assert found["parts"] == {"high": None, "zero": 0.0}
    assert found["rows"] == [{"mean": None, "name": "a"}]


def test_nats_become_bits_and_what_is_undefined_stays() -> None:
    assert in_unit(math.log(2), Options(base="2")) == 1.0
    assert in_unit(Undefined(Reason.EMPTY), Options(base="2")) == Undefined(Reason.EMPTY)


def test_the_gradient_of_a_mean_is_divided_by_its_weight() -> None:
    options = Options(gradient=True, sample_weight=np.array([1.0, 0.0, 3.0]))
    losses = Losses(np.ones(3), gradient=np.array([2.0, np.inf, 4.0]))
    found = score_rows(losses, {}, Context("log_loss", options))
    assert found.gradient is not None
    assert found.gradient.tolist() == [0.5, 0.0, 3.0]


def test_a_steep_gradient_of_a_heavy_row_is_not_lost_on_the_way_to_its_mean() -> None:
    options = Options(gradient=True, sample_weight=np.array([2.0, 1e6]))
    losses = Losses(np.ones(2), gradient=np.array([0.0, -1e307]))
    found = score_rows(losses, {}, Context("log_loss", options))
    assert found.gradient is not None
    assert found.gradient.tolist() == pytest.approx([0.0, -1e307], rel=1e-5)
