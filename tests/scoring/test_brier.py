"""The Brier score: beside scikit-learn, by its parts, by law, and by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, d2_brier_score

from kullback.numerics.types import Array, Indices
from kullback.scoring.binning import Strategy
from kullback.scoring.brier import BrierOptions, brier
from kullback.scoring.labels import Labels
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import strategies as draw
from tests.scoring.answers import has_negative_zero, number, numbers, reason, refused

PARTS = (
    "reliability",
    "resolution",
    "uncertainty",
    "within_bin_variance",
    "within_bin_covariance",
)
PLAIN = BrierOptions()
stated = st.one_of(draw.probability, st.integers(0, 10).map(lambda tenth: tenth / 10))
forecasts = draw.sizes.flatmap(
    lambda n: st.tuples(
        draw.columns_of(2 * n, draw.share), draw.columns_of(2 * n, stated), draw.weights(2 * n)
    )
)
classes = draw.shapes(2).flatmap(
    lambda s: st.tuples(draw.indices(*s), draw.rows(*s), draw.weights(s[0]))
)
tables = draw.shapes(2).flatmap(
    lambda s: st.tuples(
        draw.tables_of(*s, draw.outcome), draw.tables_of(*s, draw.probability), draw.weights(s[0])
    )
)
layouts = st.tuples(st.sampled_from((1, 2, 5, 15)), st.sampled_from(("uniform", "quantile")))


def of(y: Labels, p: Array, settings: BrierOptions = PLAIN, weight: Array | None = None) -> Score:
    return brier(y, p, settings, Options(sample_weight=weight))


def whole(score: Score) -> float:
    reliability, resolution, uncertainty, variance, covariance = (
        number(score, part) for part in PARTS
    )
    return reliability - resolution + uncertainty + variance - covariance


def test_by_hand() -> None:
    found = of(np.array([1, 0, 1, 0]), np.array([0.9, 0.7, 0.7, 0.1]), BrierOptions(bins=2))
    assert found.value == pytest.approx((0.01 + 0.49 + 0.09 + 0.01) / 4, rel=1e-14)
    # bins {0.1} and {0.9, 0.7, 0.7}: means 0.1 and 2.3/3, observed 0 and 2/3
    assert number(found, "reliability") == pytest.approx((0.01 + 3 * 0.1**2) / 4, rel=1e-13)
    assert number(found, "resolution") == pytest.approx((0.25 + 3 / 36) / 4, rel=1e-13)
    assert number(found, "uncertainty") == 0.25
    assert number(found, "within_bin_variance") == pytest.approx(0.08 / 3 / 4, rel=1e-13)
    covariance = 2 * ((0.4 / 3) / 3 + (0.2 / 3) * 2 / 3 - (0.2 / 3) / 3) / 4
    assert number(found, "within_bin_covariance") == pytest.approx(covariance, rel=1e-13)
    assert number(found, "skill_score") == pytest.approx(1 - 0.15 / 0.25, rel=1e-13)
    assert found.unit == "squared probability"


def test_ranked_classes_by_hand() -> None:
    p = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])
    found = of(np.array([2, 0]), p)
    assert found.value == pytest.approx((0.04 + 0.09 + 0.25 + 0.16 + 0.16) / 2, rel=1e-14)
    score = (0.2**2 + 0.5**2 + 0.4**2 + 0) / 2
    assert number(found, "ranked_probability_score") == pytest.approx(score, rel=1e-14)
    # the shares ½, 0, ½ cost ¼ + ¼ each
    assert number(found, "ranked_probability_skill_score") == pytest.approx(1 - score / 0.5)


def test_a_near_miss_costs_less_than_a_far_one_where_classes_are_ranked() -> None:
    near = of(np.array([0, 2]), np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
    far = of(np.array([0, 2]), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    assert near.value == far.value == 2.0
    ranked = "ranked_probability_score"
    assert (number(near, ranked), number(far, ranked)) == (1.0, 2.0)


@given(forecasts, layouts)
def test_the_parts_add_up(
    forecast: tuple[Array, Array, Array], layout: tuple[int, Strategy]
) -> None:
    y, p, w = forecast
    bins, strategy = layout
    found = of(y, p, BrierOptions(bins=bins, strategy=strategy), w)
    assert whole(found) == pytest.approx(found.value, rel=1e-11, abs=1e-14)
    assert all(number(found, part) >= 0 for part in PARTS[:4])
    assert not has_negative_zero(found)


@given(classes, layouts)
def test_the_parts_of_classes_add_up(
    forecast: tuple[Indices, Array, Array], layout: tuple[int, Strategy]
) -> None:
    index, p, w = forecast
    bins, strategy = layout
    found = of(index, p, BrierOptions(bins=bins, strategy=strategy), w)
    assert whole(found) == pytest.approx(found.value, rel=1e-11, abs=1e-14)
    each = [
        of(
            (index == k).astype(float),
            np.minimum(column, 1.0),
            BrierOptions(bins=bins, strategy=strategy),
            w,
        )
        for k, column in enumerate(p.T)
    ]
    for part in PARTS:
        expected = math.fsum(number(score, part) for score in each)
        assert number(found, part) == pytest.approx(expected, rel=1e-11, abs=1e-14)


def parts_one_by_one(y: Array, p: Array, w: Array, edges: Sequence[float]) -> list[float]:
    """As the paper writes them, a bin after the other."""
    total, rate = w.sum(), float(w @ y / w.sum())
    sums = [0.0, 0.0, float(w @ (y - rate) ** 2), 0.0, 0.0]
    for b, high in enumerate(edges[1:]):
        inside = (p <= high) & ((p > edges[b]) | (b == 0)) & (w > 0)
        if not inside.any():
            continue
        v, f, o = w[inside], p[inside], y[inside]
        said, seen = v @ f / v.sum(), v @ o / v.sum()
        sums[0] += v.sum() * (said - seen) ** 2
        sums[1] += v.sum() * (seen - rate) ** 2
        sums[3] += v @ (f - said) ** 2
        sums[4] += 2 * (v * (f - said)) @ (o - seen)
    return [float(part / total) for part in sums]


@given(forecasts)
def test_the_parts_are_those_of_the_paper(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    edges = [0.0, 0.1, 0.5, 0.55, 1.0]
    found = of(y, p, BrierOptions(bins=edges), w)
    expected = parts_one_by_one(y, p, w, edges)
    assert [number(found, part) for part in PARTS] == pytest.approx(expected, rel=1e-10, abs=1e-14)


@given(st.lists(st.sampled_from((0.0, 0.25, 0.5, 1.0)), min_size=2, max_size=30), st.data())
def test_one_prediction_a_bin_leaves_the_three_parts_of_murphy(
    p: list[float], data: st.DataObject
) -> None:
    y = data.draw(draw.columns_of(len(p), draw.outcome))
    found = of(y, np.array(p), BrierOptions(bins=[0.0, 0.2, 0.4, 0.6, 1.0]))
    assert number(found, "within_bin_variance") == 0.0
    assert number(found, "within_bin_covariance") == 0.0


@given(forecasts)
def test_scikit_learn_agrees_on_binary_ones(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    y, w = np.round(y), w + 0.1
    found = of(y, p, PLAIN, w)
    expected = brier_score_loss(y, p, sample_weight=w, pos_label=1)
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-16)  # 1 − p of tiny p is 1
    if 0 < y.sum() < y.size:
        skill = d2_brier_score(y, p, sample_weight=w, pos_label=1)
        assert number(found, "skill_score") == pytest.approx(skill, rel=1e-9, abs=1e-12)


@given(classes)
def test_scikit_learn_agrees_on_classes(forecast: tuple[Indices, Array, Array]) -> None:
    index, p, w = forecast
    w, k = w + 0.1, p.shape[1]
    p = p / p.sum(axis=1, keepdims=True)
    found = of(index, p, PLAIN, w)
    expected = brier_score_loss(index, p, sample_weight=w, labels=range(k), scale_by_half=False)
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-16)
    if np.unique(index).size > 1:
        skill = d2_brier_score(index, p, sample_weight=w, labels=range(k))
        assert number(found, "skill_score") == pytest.approx(skill, rel=1e-9, abs=1e-12)


@given(classes)
def test_log_loss_has_the_same_brier_score(forecast: tuple[Indices, Array, Array]) -> None:
    index, p, w = forecast
    beside = log_loss(index, p, LogLossOptions(), Options(sample_weight=w))
    assert of(index, p, PLAIN, w).value == pytest.approx(number(beside, "brier"), rel=1e-12)


@given(classes)
def test_ranked_classes_one_threshold_after_the_other(
    forecast: tuple[Indices, Array, Array],
) -> None:
    index, p, w = forecast
    w += 0.1
    total = reference = 0.0
    for j in range(p.shape[1] - 1):
        below, said = (index <= j).astype(float), p[:, : j + 1].sum(axis=1)
        rate = w @ below / w.sum()
        total += w @ (said - below) ** 2 / w.sum()
        reference += rate * (1 - rate)
    found = of(index, p, PLAIN, w)
    score = number(found, "ranked_probability_score")
    assert score == pytest.approx(total, rel=1e-10, abs=1e-14)
    if np.unique(index).size > 1:
        skill = number(found, "ranked_probability_skill_score")
        assert 1 - skill == pytest.approx(total / reference, rel=1e-9, abs=1e-12)
    else:
        assert reason(found, "ranked_probability_skill_score") == "one_class"


@given(classes)
def test_one_hot_rows_are_the_same_to_the_last_bit(forecast: tuple[Indices, Array, Array]) -> None:
    index, p, w = forecast
    hot = np.eye(p.shape[1])[index]
    found, expected = of(hot, p, PLAIN, w), of(index, p, PLAIN, w)
    assert found.value == expected.value
    assert found.details == expected.details


@given(draw.shapes(2).flatmap(lambda s: st.tuples(draw.rows(*s), draw.rows(*s))))
def test_soft_rows_have_parts_too(forecast: tuple[Array, Array]) -> None:
    y, p = forecast
    found = of(y, p)
    assert found.value == pytest.approx(((p - y) ** 2).sum(axis=1).mean(), rel=1e-12)
    assert whole(found) == pytest.approx(found.value, rel=1e-10, abs=1e-13)
    steps = np.cumsum(p - y, axis=1)[:, :-1]
    ranked = (steps**2).sum(axis=1).mean()
    assert number(found, "ranked_probability_score") == pytest.approx(ranked, rel=1e-12)


@given(tables)
def test_labels_are_binary_forecasts_side_by_side(
    forecast: tuple[Array, Array, Array],
) -> None:
    y, p, w = forecast
    found = of(y, p, BrierOptions(task="multilabel"), w)
    each = [of(y[:, k], p[:, k], PLAIN, w) for k in range(y.shape[1])]
    values = [score.value for score in each]
    assert numbers(found, "per_label") == pytest.approx(values, rel=1e-12)
    assert found.value == pytest.approx(sum(values) / len(each), rel=1e-12)
    assert whole(found) == pytest.approx(found.value, rel=1e-11, abs=1e-14)
    for part in PARTS:
        expected = math.fsum(number(score, part) for score in each) / len(each)
        assert number(found, part) == pytest.approx(expected, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("y", "p", "settings"),
    [
        (np.array([1.0, 0.0, 0.3]), np.array([0.2, 0.5, 0.9]), PLAIN),
        (np.array([1, 0]), np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]), PLAIN),
        (np.eye(2), np.array([[0.2, 0.5], [0.1, 0.8]]), BrierOptions(task="multilabel")),
    ],
)
def test_the_gradient_is_that_of_the_value(y: Labels, p: Array, settings: BrierOptions) -> None:
    weight = np.arange(1.0, p.shape[0] + 1)
    options = Options(gradient=True, sample_weight=weight, sum_tolerance=0.01)
    gradient = brier(y, p, settings, options).gradient
    assert gradient is not None
    for place in np.ndindex(p.shape):
        step = np.zeros_like(p)
        step[place] = 1e-3
        rise = (
            brier(y, p + step, settings, options).value
            - brier(y, p - step, settings, options).value
        )
        assert gradient[place] == pytest.approx(rise / 2e-3, rel=1e-9)  # of a parabola: exact


def test_predicting_the_base_rate_has_no_skill_and_no_resolution() -> None:
    found = of(np.array([1, 0, 0, 0]), np.full(4, 0.25))
    assert number(found, "skill_score") == 0.0
    assert number(found, "resolution") == 0.0
    assert number(found, "reliability") == 0.0


def test_one_class_leaves_no_skill() -> None:
    found = of(np.ones(2), np.array([0.5, 1.0]))
    assert reason(found, "skill_score") == "one_class"
    assert number(found, "uncertainty") == 0.0


def test_without_weight_there_is_no_score() -> None:
    for p in (np.array([0.5, 0.5]), np.full((2, 2), 0.5)):
        found = of(np.array([0, 1]), p, PLAIN, np.zeros(2))
        assert found.status == "undefined"
        assert [reason(found, part) for part in PARTS] == ["zero_weight"] * 5


@given(forecasts)
def test_rows_without_weight_are_no_rows(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    kept = w > 0
    found, expected = of(y, p, PLAIN, w), of(y[kept], p[kept], PLAIN, w[kept])
    assert found.value == pytest.approx(expected.value, rel=1e-13)
    assert found.details == expected.details


@given(forecasts, st.sampled_from((1, 2, 5, 15)))
def test_repeating_rows_is_doubling_weights(
    forecast: tuple[Array, Array, Array], bins: int
) -> None:
    y, p, w = forecast
    settings = BrierOptions(bins=bins)
    found = of(np.tile(y, 2), np.tile(p, 2), settings, np.tile(w + 0.1, 2))
    expected = of(y, p, settings, 2 * (w + 0.1))
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    for part in PARTS:
        assert number(found, part) == pytest.approx(number(expected, part), rel=1e-10, abs=1e-14)


def test_a_column_of_single_entries_is_a_column() -> None:
    y, p = np.array([1, 0]), np.array([0.9, 0.2])
    options = Options(gradient=True)
    found = brier(y[:, None], p[:, None], PLAIN, options)
    assert found.value == of(y, p).value
    assert found.gradient is not None
    assert found.gradient.shape == (2, 1)


def test_impossible_input_is_refused_where_it_stands() -> None:
    y, p = np.array([0, 1]), np.array([0.5, 0.5])
    with refused("/y_proba"):
        of(y, np.empty(0))
    with refused("/y_proba/1"):
        of(y, np.array([0.5, 1.5]))
    with refused("/y_proba/0"):
        of(y, np.full((2, 2), 0.6))
    with refused("/y_true"):
        of(y, np.array([0.5]))
    with refused("/y_true/1"):
        of(np.array([0, 2]), np.full((2, 2), 0.5))
    with refused("/y_true"):
        of(y, np.full((2, 2), 0.5), BrierOptions(task="multilabel"))
    with refused("/labels"):
        of(np.eye(2), np.eye(2), BrierOptions(task="multilabel", labels=["a"]))
    with refused("/bins/1"):
        of(y, p, BrierOptions(bins=[0.0, 0.0, 1.0]))
    with refused("/sample_weight"):
        of(y, p, PLAIN, np.ones(3))
