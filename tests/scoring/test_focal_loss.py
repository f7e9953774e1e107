"""Focal loss: by hand, by law, and against 60 digits."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.logspace import log_softmax, sigmoid
from kullback.numerics.types import Array, Indices
from kullback.scoring.focal_loss import FocalOptions, focal_loss
from kullback.scoring.labels import Labels
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from kullback.scoring.softmax_cross_entropy import SoftmaxOptions, softmax_cross_entropy
from kullback.scoring.task import Task
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, per_row, refused, slope

ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)

gammas = st.sampled_from((0.0, 0.5, 1.0, 2.0, 5.0))
clicks = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.probability))
)
logit_clicks = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.finite_logit))
)
mild_clicks = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.mild_logit))
)
classes = draw.shapes(2).flatmap(lambda s: st.tuples(draw.indices(*s), draw.logit_rows(*s)))
mild_classes = draw.shapes(2).flatmap(
    lambda s: st.tuples(draw.indices(*s), draw.tables_of(*s, draw.mild_logit))
)


def asked(gamma: float = 2.0, alpha: float | list[float] | None = None) -> FocalOptions:
    return FocalOptions(gamma=gamma, alpha=None if alpha is None else np.array(alpha))


def of_p(y: Labels, p: Array, options: FocalOptions, common: Options = ROWS) -> Score:
    return focal_loss(y, p, None, options, common)


def of_x(y: Labels, x: Array, options: FocalOptions, common: Options = ROWS) -> Score:
    return focal_loss(y, None, x, options, common)


def test_by_hand() -> None:
    found = of_p(np.array([1.0, 0.0]), np.array([0.5, 0.5]), asked(2.0, 0.25))
    quarter = math.log(2) / 4
    assert per_row(found) == pytest.approx([quarter / 4, quarter * 3 / 4], rel=1e-15)
    assert found.value == pytest.approx(math.log(2) / 8, rel=1e-15)
    assert found.details["positives"] == 1


def test_multiclass_by_hand() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    found = of_p(np.array([1, 2]), p, asked(1.0, [1.0, 2.0, 3.0]))
    expected = [2 * 0.75 * math.log(4), 3 * 0.4 * -math.log(0.6)]
    assert per_row(found) == pytest.approx(expected, rel=1e-15)
    assert found.details["positives"] == 2


def test_multilabel_is_the_mean_of_its_labels() -> None:
    y, p = np.array([[1.0, 0.0]]), np.array([[0.5, 0.75]])
    both = FocalOptions(task="multilabel", gamma=2.0, alpha=np.array(0.25))
    expected = (0.25 * math.log(2) / 4 + 0.75 * 0.5625 * math.log(4)) / 2
    assert of_p(y, p, both).value == pytest.approx(expected, rel=1e-15)
    logits = np.array([[0.0, math.log(3)]])
    assert of_x(y, logits, both).value == pytest.approx(expected, rel=1e-14)


def test_a_sure_prediction_does_not_round_to_zero() -> None:
    found = of_x(np.array([1.0]), np.array([40.0]), asked(2.0, 0.25))
    assert found.value == pytest.approx(1.9168e-53, rel=1e-4)
    assert relative_error(found.value, oracles.focal_logit(40.0, 2.0, 0.25)) < 1e-14


def test_certainty_costs_nothing_or_infinity() -> None:
    sure = np.array([1.0, 0.0])
    for gamma in (0.0, 0.5, 2.0):
        assert per_row(of_p(sure, sure, asked(gamma))) == [0.0, 0.0]
        assert per_row(of_p(sure, 1 - sure, asked(gamma))) == [math.inf, math.inf]
        assert of_x(np.array([1.0]), np.array([-np.inf]), asked(gamma)).status == "infinite"
        assert of_x(np.array([0.0]), np.array([-np.inf]), asked(gamma)).value == 0.0


def test_a_class_that_weighs_nothing_costs_nothing() -> None:
    found = of_p(np.array([1.0, 0.0]), np.array([0.0, 0.5]), asked(2.0, 0.0), GRADIENT)
    assert found.value == pytest.approx(math.log(2) / 8, rel=1e-15)
    assert slope(found)[0] == 0.0


def test_one_column_is_a_binary_task_and_refused_as_one_class() -> None:
    x, y = np.array([5.0, -1.0]), np.array([1.0, 0.0])
    found = of_x(y[:, None], x[:, None], FocalOptions(), GRADIENT)
    expected = of_x(y, x, FocalOptions(), GRADIENT)
    assert found.value == expected.value
    assert np.array_equal(np.asarray(found.gradient), np.asarray(expected.gradient)[:, None])
    with refused("/logits", "always right"):
        of_x(y, x[:, None], FocalOptions(task="multiclass"))


def test_labels_of_a_row_may_all_be_ruled_out() -> None:
    multilabel = FocalOptions(task="multilabel")
    assert of_x(np.zeros((1, 2)), np.full((1, 2), -np.inf), multilabel).value == 0.0


@given(clicks, gammas)
def test_binary_rows_agree_with_sixty_digits(rows: tuple[Array, Array], gamma: float) -> None:
    y, p = rows
    found = per_row(of_p(y, p, asked(gamma, 0.3)))
    for value, label, stated in zip(found, y.tolist(), p.tolist(), strict=True):
        if label == 1:
            truth = oracles.focal(stated, gamma, 0.3)
        else:
            truth = 0.7 * oracles.focal_complement(stated, gamma)
        assert truth < 1e-290 or relative_error(value, truth) < 1e-12


@given(logit_clicks, gammas)
def test_binary_logits_agree_with_sixty_digits(rows: tuple[Array, Array], gamma: float) -> None:
    y, x = rows
    found = per_row(of_x(y, x, asked(gamma)))
    for value, label, logit in zip(found, y.tolist(), x.tolist(), strict=True):
        truth = oracles.focal_logit(logit if label else -logit, gamma)
        assert truth < 1e-290 or relative_error(value, truth) < 1e-12


@given(classes, gammas)
def test_class_logits_agree_with_sixty_digits(rows: tuple[Indices, Array], gamma: float) -> None:
    index, z = rows
    found = per_row(of_x(index, z, asked(gamma)))
    for value, row, y in zip(found, z.tolist(), index.tolist(), strict=True):
        truth = oracles.focal_softmax(row, y, gamma)
        assert truth < 1e-290 or relative_error(value, truth) < 1e-11


@given(clicks)
def test_without_focus_it_is_log_loss(rows: tuple[Array, Array]) -> None:
    y, p = rows
    expected = per_row(log_loss(y, p, LogLossOptions(), ROWS))
    assert per_row(of_p(y, p, asked(0.0))) == expected
    weighted = LogLossOptions(class_weight=np.array([0.75, 0.25]))
    expected = per_row(log_loss(y, p, weighted, ROWS))
    assert per_row(of_p(y, p, asked(0.0, 0.25))) == pytest.approx(expected, rel=1e-15)


@given(classes)
def test_without_focus_logits_are_softmax_cross_entropy(rows: tuple[Indices, Array]) -> None:
    index, z = rows
    alpha = np.arange(1.0, z.shape[1] + 1)
    expected = softmax_cross_entropy(z, index, SoftmaxOptions(class_weight=alpha), ROWS)
    found = focal_loss(index, None, z, FocalOptions(None, 0.0, alpha), ROWS)
    assert per_row(found) == pytest.approx(per_row(expected), rel=1e-15)


@given(mild_clicks, gammas)
def test_probabilities_score_as_their_logits(rows: tuple[Array, Array], gamma: float) -> None:
    y, x = rows
    found = per_row(of_p(y, sigmoid(x), asked(gamma)))
    assert found == pytest.approx(per_row(of_x(y, x, asked(gamma))), rel=1e-11)


@given(mild_classes, gammas)
def test_class_probabilities_score_as_their_logits(
    rows: tuple[Indices, Array], gamma: float
) -> None:
    index, z = rows
    found = per_row(of_p(index, np.exp(log_softmax(z)), asked(gamma)))
    assert found == pytest.approx(per_row(of_x(index, z, asked(gamma))), rel=1e-9)


@given(mild_clicks, gammas)
def test_two_classes_are_one_logit(rows: tuple[Array, Array], gamma: float) -> None:
    y, x = rows
    both = np.stack((np.zeros_like(x), x), axis=1)
    found = per_row(of_x(y.astype(np.int64), both, asked(gamma)))
    assert found == pytest.approx(per_row(of_x(y, x, asked(gamma))), rel=1e-12)


@given(mild_clicks, gammas)
def test_binary_gradients_are_slopes(rows: tuple[Array, Array], gamma: float) -> None:
    y, x = rows
    options = asked(gamma, 0.25)
    expected = central_differences(lambda v: of_x(y, v, options), x)
    assert slope(of_x(y, x, options, GRADIENT)) == pytest.approx(expected, rel=1e-6, abs=1e-8)
    p = np.clip(sigmoid(x), 0.05, 0.95)
    expected = central_differences(lambda v: of_p(y, v, options), p)
    assert slope(of_p(y, p, options, GRADIENT)) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@given(mild_classes, gammas)
def test_class_gradients_are_slopes(rows: tuple[Indices, Array], gamma: float) -> None:
    index, z = rows
    options = asked(gamma)
    found = of_x(index, z, options, GRADIENT)
    expected = central_differences(lambda v: of_x(index, v, options), z)
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert found.gradient is not None
    assert found.gradient.sum(axis=1) == pytest.approx(np.zeros(index.size), abs=1e-14)
    p = np.exp(log_softmax(np.clip(z, -1.0, 1.0)))
    expected = central_differences(lambda v: of_p(index, v, options, GRADIENT), p)
    assert slope(of_p(index, p, options, GRADIENT)) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_multilabel_gradients_are_slopes() -> None:
    y, x = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.5, -1.0], [2.0, 0.0]])
    options = FocalOptions(task="multilabel", gamma=1.5)
    expected = central_differences(lambda v: of_x(y, v, options), x)
    assert slope(of_x(y, x, options, GRADIENT)) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_where_nothing_is_missed_is_zero() -> None:
    found = of_p(np.array([1.0]), np.array([1.0]), asked(0.5), GRADIENT)
    assert slope(found) == [0.0]
    found = of_x(np.array([0]), np.array([[2000.0, 0.0]]), asked(0.5), GRADIENT)
    assert slope(found) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("task", "shape"), [("binary", (2, 2)), ("multiclass", (2,)), ("multilabel", (2,))]
)
def test_a_shape_that_is_not_of_the_task_is_refused(task: Task, shape: tuple[int, ...]) -> None:
    with refused("/y_proba"):
        of_p(np.array([0.0, 1.0]), np.full(shape, 0.5), FocalOptions(task=task))


def test_impossible_input_is_refused_where_it_stands() -> None:
    one = np.array([1.0])
    with refused("/y_proba"):
        focal_loss(one, one, one, asked(), ROWS)
    with refused("/y_proba"):
        focal_loss(one, None, None, asked(), ROWS)
    with refused("/y_true"):
        of_p(one, np.array([0.5, 0.5]), asked())
    with refused("/y_true/0"):
        of_p(np.array([1.5]), np.array([0.5]), asked())
    with refused("/y_true"):
        of_p(["a"], np.array([[0.5, 0.5]]), FocalOptions(task="multilabel"))
    with refused("/alpha"):
        of_p(np.array([0]), np.array([[0.2, 0.3, 0.5]]), asked(2.0, 0.25))
    with refused("/alpha"):
        of_p(one, np.array([0.5]), asked(2.0, 1.5))
    with refused("/alpha/0"):
        of_p(one, np.array([0.5]), asked(2.0, [-1.0, 1.0]))
    with refused("/logits/0"):
        of_x(one, np.array([np.nan]), asked())
    with refused("/logits/0"):
        of_x(np.array([0]), np.full((1, 2), -np.inf), asked())
    with refused("/alpha", "leave alpha out"):
        of_p(one, np.array([0.5]), asked(2.0, -1.0))
    with refused("/normalizer"):
        of_p(
            one,
            np.array([0.5]),
            FocalOptions(normalizer="positives"),
            Options(reduction="sum"),
        )


SOFT_ROWS = np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])
SOFT_LOGITS = np.array([[0.3, -1.0, 2.0], [1.5, 0.2, -0.7]])


def test_soft_rows_are_keras_categorical_focal_crossentropy() -> None:
    """Keras 3: Σ_c −α (1 − p_c)^γ t_c ln p_c, with t smoothed to (1 − ε) y + ε/k."""
    p = np.exp(SOFT_LOGITS) / np.exp(SOFT_LOGITS).sum(axis=1, keepdims=True)
    alpha = [0.25, 0.5, 2.0]
    for smoothing in (0.0, 0.3):
        t = (1 - smoothing) * SOFT_ROWS + smoothing / 3
        expected = (-np.array(alpha) * (1 - p) ** 1.5 * t * np.log(p)).sum(axis=1)
        settings = FocalOptions(gamma=1.5, alpha=np.array(alpha), label_smoothing=smoothing)
        assert per_row(of_x(SOFT_ROWS, SOFT_LOGITS, settings)) == pytest.approx(
            expected.tolist(), rel=1e-14
        )
        assert per_row(of_p(SOFT_ROWS, p, settings)) == pytest.approx(expected.tolist(), rel=1e-13)


def test_soft_shares_are_keras_binary_focal_crossentropy() -> None:
    """Keras 3: α_t (1 − p_t)^γ BCE(y, p), with p_t = y p + (1 − y)(1 − p)."""
    y, p = np.array([0.2, 0.9, 1.0, 0.0]), np.array([0.4, 0.7, 0.3, 0.1])
    for smoothing in (0.0, 0.2):
        t = (1 - smoothing) * y + smoothing / 2
        bce = -t * np.log(p) - (1 - t) * np.log1p(-p)
        p_t, weight = t * p + (1 - t) * (1 - p), t * 0.25 + (1 - t) * 0.75
        expected = (weight * (1 - p_t) ** 2 * bce).tolist()
        settings = FocalOptions(alpha=np.array(0.25), label_smoothing=smoothing)
        assert per_row(of_p(y, p, settings)) == pytest.approx(expected, rel=1e-13)
        assert per_row(of_x(y, np.log(p / (1 - p)), settings)) == pytest.approx(expected, rel=1e-12)
        many = replace(settings, task="multilabel")
        assert of_p(y[None], p[None], many).value == pytest.approx(np.mean(expected), rel=1e-13)


def test_rounding_of_soft_rows_is_told() -> None:
    y = np.array([[0.75, 0.25 + 1e-7, 0.0], [0.5, 0.5 + 2e-9, -1e-9]])
    found = of_p(y, np.array([[0.5, 0.25, 0.25]] * 2), asked())
    assert found.diagnostics.max_sum_error == pytest.approx(1e-7, rel=1e-6)
    assert found.diagnostics.clipped == 1


@given(data=classes, gamma=gammas)
def test_one_hot_rows_and_labels_by_name_are_the_same_classes(
    data: tuple[Indices, Array], gamma: float
) -> None:
    index, logits = data
    k = logits.shape[1]
    names = [f"class {at}" for at in range(k)]
    settings = FocalOptions(gamma=gamma)
    found = of_x(index, logits, settings)

    one_hot = of_x(np.eye(k)[index], logits, settings)
    named = of_x([names[at] for at in index], logits, replace(settings, labels=names))
    for score in (one_hot, named):
        assert (score.value, score.details) == (found.value, found.details)
        assert per_row(score) == per_row(found)


@given(data=mild_classes, gamma=gammas)
def test_hard_rows_as_soft_ones_cost_the_same(data: tuple[Indices, Array], gamma: float) -> None:
    index, logits = data
    k = logits.shape[1]
    nearly = np.eye(k)[index] * (1 - 1e-13) + 1e-13 / k
    found = of_x(nearly, logits, FocalOptions(gamma=gamma), Options(per_row=True))

    assert per_row(found) == pytest.approx(
        per_row(of_x(index, logits, FocalOptions(gamma=gamma))), rel=1e-9, abs=1e-11
    )


@given(data=mild_classes, gamma=gammas, amount=st.sampled_from((0.1, 0.5, 1.0)))
def test_no_modulation_is_softmax_cross_entropy_of_soft_targets(
    data: tuple[Indices, Array], gamma: float, amount: float
) -> None:
    index, logits = data
    plain = softmax_cross_entropy(
        logits, index, SoftmaxOptions(label_smoothing=amount), Options(gradient=True)
    )
    found = of_x(index, logits, FocalOptions(gamma=0.0, label_smoothing=amount), GRADIENT)

    assert found.value == pytest.approx(plain.value, rel=1e-12)
    assert slope(found) == pytest.approx(slope(plain), rel=1e-9, abs=1e-12)
    modulated = of_x(index, logits, FocalOptions(gamma=gamma, label_smoothing=amount))
    assert modulated.value <= plain.value * (1 + 1e-12)


@given(data=mild_classes, gamma=gammas)
def test_the_gradient_of_soft_rows_is_a_slope(data: tuple[Indices, Array], gamma: float) -> None:
    index, logits = data
    k = logits.shape[1]
    settings = FocalOptions(
        gamma=gamma, alpha=np.linspace(0.5, 2.0, k), label_smoothing=0.2, normalizer="positives"
    )
    found = of_x(index, logits, settings, GRADIENT)

    expected = central_differences(lambda z: of_x(index, z, settings, Options()), logits)
    assert slope(found) == pytest.approx(expected, rel=1e-5, abs=1e-8)
    p = np.exp(log_softmax(logits))
    of_shares = of_p(index, p, settings, GRADIENT)
    chained = of_shares.gradient
    assert chained is not None
    by_logits = p * (chained - (chained * p).sum(axis=1, keepdims=True))
    assert by_logits.reshape(-1).tolist() == pytest.approx(slope(found), rel=1e-6, abs=1e-9)


@given(x=st.lists(draw.mild_logit, min_size=1, max_size=4), gamma=gammas)
def test_the_gradient_of_soft_shares_is_a_slope(x: list[float], gamma: float) -> None:
    logits, y = np.array(x), np.linspace(0.1, 1.0, len(x))
    settings = FocalOptions(gamma=gamma, alpha=np.array(0.3))
    found = of_x(y, logits, settings, GRADIENT)

    expected = central_differences(lambda z: of_x(y, z, settings, Options()), logits)
    assert slope(found) == pytest.approx(expected, rel=1e-5, abs=1e-8)
    p = sigmoid(logits)
    by_p = np.array(slope(of_p(y, p, settings, GRADIENT))) * p * (1 - p)
    assert by_p.tolist() == pytest.approx(slope(found), rel=1e-7, abs=1e-10)


def test_a_mean_over_positives_is_that_of_retinanet() -> None:
    """The sum over anchors, divided by how many are positive, at least 1."""
    y, p = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.5, 0.5, 0.25, 0.8])
    rows = of_p(y, p, asked())
    found = of_p(y, p, FocalOptions(normalizer="positives"), GRADIENT)
    assert found.value == pytest.approx(sum(per_row(rows)) / 2, rel=1e-15)
    assert (found.details["normalizer"], found.details["positives"]) == (2.0, 2)
    assert rows.details["normalizer"] == 4.0
    none = of_p(np.zeros(4), p, FocalOptions(normalizer="positives"), GRADIENT)
    assert none.value == pytest.approx(sum(per_row(of_p(np.zeros(4), p, asked()))), rel=1e-15)
    assert none.details["normalizer"] == 1.0
    mean = FocalOptions(normalizer="positives")
    expected = central_differences(lambda q: of_p(y, q, mean, Options()), p)
    assert slope(found) == pytest.approx(expected, rel=1e-6)
    expected = central_differences(lambda q: of_p(np.zeros(4), q, mean, Options()), p)
    assert slope(none) == pytest.approx(expected, rel=1e-6)
    boxes = FocalOptions(task="multilabel", normalizer="positives")
    for positive, divisor in ((1.0, 1.0), (0.0, 1.0)):
        truth = np.array([[positive, 0.0], [0.0, 0.0]])
        table = of_p(truth, p.reshape(2, 2), boxes)
        each = of_p(truth.reshape(-1), p, asked())
        assert table.value == pytest.approx(sum(per_row(each)) / divisor, rel=1e-15)
        assert table.details["normalizer"] == pytest.approx(divisor, rel=1e-15)


def test_a_mean_over_positives_weighs_them() -> None:
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.5, 0.25])
    weight = np.array([2.0, 1.0, 3.0])
    found = of_p(y, p, FocalOptions(normalizer="positives"), Options(sample_weight=weight))
    losses = np.array(per_row(of_p(y, p, asked())))
    assert found.value == pytest.approx(float(weight @ losses) / 5, rel=1e-15)
    nothing = Options(sample_weight=np.zeros(3))
    assert of_p(y, p, FocalOptions(normalizer="positives"), nothing).status == "undefined"
