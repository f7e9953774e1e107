"""Entries (n, l) that count one by one, in the metrics that have entries."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.focal_loss import FocalOptions, focal_loss
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.sigmoid_cross_entropy import sigmoid_cross_entropy
from tests.scoring.answers import central_differences, per_row, refused

Scorer = Callable[[Array, Array, Array | None, Options], Score]
SHAPE = (3, 2)
Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
P = np.array([[0.5, 0.25], [0.1, 0.9], [0.3, 0.6]])
MASK = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])


def _log_loss(y: Array, p: Array, mask: Array | None, options: Options) -> Score:
    return log_loss(y, p, LogLossOptions(task="multilabel", mask=mask), options)


def _focal(y: Array, p: Array, mask: Array | None, options: Options) -> Score:
    return focal_loss(y, p, None, FocalOptions(task="multilabel", mask=mask), options)


def _sigmoid(y: Array, p: Array, mask: Array | None, options: Options) -> Score:
    with np.errstate(divide="ignore"):
        logits = np.log(p / (1.0 - p))
    return sigmoid_cross_entropy(logits, y, None, mask, options)


METRICS: dict[str, Scorer] = {"log-loss": _log_loss, "focal": _focal, "sigmoid": _sigmoid}
every = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
weights = st.lists(st.sampled_from((0.0, 0.5, 1.0, 2.0)), min_size=6, max_size=6).map(
    lambda entries: np.array(entries).reshape(SHAPE)
)


def _costs(metric: Scorer) -> Array:
    """The loss of each entry, one a row."""
    found = metric(Y.reshape(-1, 1), P.reshape(-1, 1), None, Options(per_row=True))
    return np.array(per_row(found)).reshape(SHAPE)


@every
@given(weight=weights, flags=weights)
def test_the_mean_is_over_entries_by_their_weights(
    metric: Scorer, weight: Array, flags: Array
) -> None:
    mask = np.where(flags > 0, 1.0, 0.0)
    found = metric(Y, P, mask, Options(sample_weight=weight, per_row=True))

    entry = weight * mask
    if not entry.any():
        assert found.status == "undefined"
        return
    costs = _costs(metric)
    assert found.value == pytest.approx(float((entry * costs).sum() / entry.sum()), rel=1e-12)
    rows, counts = (entry * costs).sum(axis=1), entry.sum(axis=1)
    expected = np.divide(rows, counts, out=np.zeros(3), where=counts > 0)
    assert per_row(found) == pytest.approx(expected.tolist(), rel=1e-12)
    assert found.weight == pytest.approx(entry.sum() / 2, rel=1e-15)


@every
def test_weights_of_entries_that_are_alike_are_those_of_rows(metric: Scorer) -> None:
    weight = np.array([1.0, 3.0, 0.5])
    options = Options(per_row=True, gradient=True)
    rows = metric(Y, P, None, replace(options, sample_weight=weight))
    each = np.repeat(weight, 2).reshape(SHAPE)
    entries = metric(Y, P, None, replace(options, sample_weight=each))

    assert entries.value == pytest.approx(rows.value, rel=1e-14)
    assert entries.standard_error == pytest.approx(rows.standard_error, rel=1e-12)
    assert entries.weight == rows.weight
    assert per_row(entries) == pytest.approx(per_row(rows), rel=1e-14)
    assert rows.gradient is not None
    assert entries.gradient is not None
    assert entries.gradient == pytest.approx(rows.gradient, rel=1e-13)
    for name, value in rows.details.items():
        if name not in ("valid", "normalizer"):
            assert entries.details[name] == pytest.approx(value, rel=1e-13)


@every
@pytest.mark.parametrize("bad", [np.nan, -1.0, -100.0, 2.0, np.inf])
def test_what_a_mask_leaves_out_is_not_validated(metric: Scorer, bad: float) -> None:
    truth, weight = np.where(MASK > 0, Y, bad), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for options in (Options(per_row=True, gradient=True), Options(sample_weight=weight)):
        assert _parts(metric(truth, P, MASK, options)) == _parts(metric(Y, P, MASK, options))
    masked = np.where(MASK > 0, P, bad)
    if metric is not _sigmoid:
        assert _parts(metric(Y, masked, MASK, Options())) == _parts(metric(Y, P, MASK, Options()))


def _parts(score: Score) -> tuple[object, ...]:
    listed = [None if part is None else part.tolist() for part in (score.per_row, score.gradient)]
    return score.value, score.n, score.details, listed


@every
@given(weight=weights)
def test_the_gradient_of_weighed_entries_is_a_slope(metric: Scorer, weight: Array) -> None:
    if metric is _sigmoid:
        logits = np.log(P / (1 - P))

        def score(x: Array) -> Score:
            options = Options(sample_weight=weight, gradient=True)
            return sigmoid_cross_entropy(x, Y, None, MASK, options)

    else:
        logits = P

        def score(x: Array) -> Score:
            return metric(Y, x, MASK, Options(sample_weight=weight, gradient=True))

    found = score(logits)
    if found.status == "undefined":
        assert found.gradient is None
        return
    assert found.gradient is not None
    expected = central_differences(score, logits)
    assert found.gradient.reshape(-1).tolist() == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_targets_to_ignore_are_masked_entries() -> None:
    truth = np.where(MASK > 0, Y, -1.0)
    options = Options(per_row=True)
    settings = LogLossOptions(task="multilabel", ignore_index=-1)
    assert _parts(log_loss(truth, P, settings, options)) == _parts(_log_loss(Y, P, MASK, options))
    focal = FocalOptions(task="multilabel", ignore_index=-1)
    assert _parts(focal_loss(truth, P, None, focal, options)) == _parts(_focal(Y, P, MASK, options))


def test_details_are_of_the_entries_that_count() -> None:
    """Masked: the 0 at ¼ and the last row; left are 1 at 0.5, 0 at 0.1 and 1 at 0.9."""
    found = _log_loss(Y, P, MASK, Options())

    cost = -np.log([0.5, 0.9, 0.9])
    assert found.value == pytest.approx(cost.mean(), rel=1e-15)
    assert found.details["per_label"] == pytest.approx(
        [(cost[0] + cost[1]) / 2, cost[2]], rel=1e-15
    )
    assert found.details["accuracy"] == pytest.approx((0 + 2) / 3)
    assert found.details["brier"] == pytest.approx((0.25 + 0.01 + 0.01) / 3, rel=1e-15)
    assert found.n == 2


def test_a_masked_mistake_is_none() -> None:
    """Both rows are right where they count."""
    p, mask = np.array([[0.9, 0.9], [0.2, 0.8]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    found = _log_loss(np.array([[1.0, 0.0], [1.0, 1.0]]), p, mask, Options())

    assert found.details["accuracy"] == 1.0


def test_a_column_without_entries_has_no_mean() -> None:
    mask = np.array([[1.0, 0.0]] * 3)
    found = _log_loss(Y, P, mask, Options())

    assert found.details["macro"] == pytest.approx(found.value)
    assert found.details["reasons"] == {"per_label": "empty"}


@every
def test_a_mask_or_weight_of_another_shape_is_refused(metric: Scorer) -> None:
    with refused("/mask", "[2][2]"):
        metric(Y, P, np.ones((2, 2)), Options())
    with refused("/mask/0/1", "0 or 1"):
        metric(Y, P, np.array([[1.0, 0.5], [1.0, 1.0], [1.0, 1.0]]), Options())
    with refused("/sample_weight", "[3][2] is expected"):
        metric(Y, P, None, Options(sample_weight=np.ones((2, 2))))
    with refused("/sample_weight/1/0", "no weight"):
        metric(Y, P, None, Options(sample_weight=np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]])))
    with refused("/sample_weight", "[3] is expected"):
        metric(Y, P, None, Options(sample_weight=np.ones(2)))


def test_a_rule_for_classes_is_none_for_labels() -> None:
    with refused("/class_weight", "sample_weight [n][k]"):
        log_loss(Y, P, LogLossOptions(task="multilabel", class_weight="balanced"), Options())
