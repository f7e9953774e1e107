"""What each library prints where the truth was given no chance, and next to it."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss

from kullback.numerics.types import Array
from kullback.scoring.conventions import CONVENTIONS, ConventionName
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score
from tests import strategies as draw
from tests.scoring.answers import per_row, slope

Rule = Callable[[float, float], float]

CLIPPED_AT = [
    float(np.nextafter(np.array(edge), towards))
    for bound in (2.0**-52, 1e-12, 1e-15, float(np.float32(1e-15)), 1e-16, 1e-7, math.exp(-100))
    for edge in (bound, 1 - bound, float(np.float32(bound)), float(np.float32(1 - bound)))
    for towards in (0.0, edge, 1.0)
]

binary_rows = draw.sizes.flatmap(
    lambda n: st.tuples(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.probability))
)
class_rows = draw.shapes(2).flatmap(
    lambda shape: st.tuples(draw.indices(*shape), draw.rows(*shape))
)


def binary(
    y: Sequence[float] | Array, p: Sequence[float] | Array, convention: ConventionName
) -> Score:
    asked = LogLossOptions(convention=convention)
    return log_loss(np.array(y, np.float64), np.array(p), asked, Options(per_row=True))


def _sklearn(y: float, p: float) -> float:
    eps = 2.0**-52
    p = min(max(p, eps), 1 - eps)
    return -math.log(p if y == 1 else 1 - p)


def _torchrec(y: float, p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return -math.log(p if y == 1 else 1 - p)


def _lightgbm(y: float, p: float) -> float:
    eps = float(np.float32(1e-15))
    p = p if y == 1 else 1 - p
    return -math.log(p) if p > eps else -float(np.log(np.float32(1e-15)))


def _xgboost(y: float, p: float) -> float:
    one, single = np.float32(1), np.float32(p)
    p_true = single if y == 1 else one - single
    return float(-np.log(max(p_true, np.float32(1e-16))))


def _keras(y: float, p: float) -> float:
    one, eps = np.float32(1), np.float32(1e-7)
    single = min(max(np.float32(p), eps), one - eps)
    return float(-np.log(single if y == 1 else one - single))


def _torch(y: float, p: float) -> float:
    p = p if y == 1 else 1 - p
    return min(-math.log(p), 100.0) if p > 0 else 100.0


def _lightgbm_cross_entropy(y: float, p: float) -> float:
    p = p if y == 1 else 1 - p
    return -math.log(max(p, 1e-12))


def _catboost(y: float, p: float) -> float:
    p = p if y == 1 else 1 - p
    return -math.log(p) if p > 0 else math.inf


def _river(y: float, p: float) -> float:
    p = min(max(p, 1e-15), 1 - 1e-15)
    return -math.log(p if y == 1 else 1 - p)


def _spark(y: float, p: float) -> float:
    p = p if y == 1 else 1 - p
    if p < 1e-15:
        return -math.log(1e-15)
    return -math.log1p(-1e-15) if p > 1 - 1e-15 else -math.log(p)


RULES: dict[ConventionName, Rule] = {
    "sklearn": _sklearn,
    "torchrec": _torchrec,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "keras": _keras,
    "torch": _torch,
    "lightgbm_cross_entropy": _lightgbm_cross_entropy,
    "catboost": _catboost,
    "river": _river,
    "spark": _spark,
}
UNBOUNDED = {"exact", "catboost"}
IN_DOUBLES = RULES.keys() - {"xgboost", "keras", "catboost"}


@pytest.mark.parametrize(
    ("convention", "printed"),
    [
        ("exact", math.inf),
        ("sklearn", 36.04365338911715),
        ("lightgbm", 34.538776),
        ("torchrec", 27.631021),
        ("xgboost", 36.841362),
        ("keras", 16.118096),
        ("torch", 100.0),
        ("lightgbm_cross_entropy", 27.631021),
        ("catboost", math.inf),
        ("river", 34.538776),
        ("spark", 34.538776),
    ],
)
def test_no_chance_for_the_truth_costs_what_is_published(
    convention: ConventionName, printed: float
) -> None:
    found = binary([1], [0.0], convention).value
    assert found == pytest.approx(printed, rel=5e-8)


def test_scikit_learns_number_is_met_to_the_last_bit() -> None:
    assert binary([1], [0.0], "sklearn").value == 36.04365338911715


def test_keras_has_another_number_for_a_sure_no() -> None:
    assert binary([0], [1.0], "keras").value == pytest.approx(15.942385, rel=1e-7)


def test_torchrec_prints_bits() -> None:
    options = Options(base="2")
    asked = LogLossOptions(convention="torchrec")
    found = log_loss(np.array([1.0]), np.array([0.0]), asked, options)
    assert found.value == pytest.approx(39.8631, rel=1e-6)
    assert CONVENTIONS["torchrec"].prints_bits


def test_lightgbm_has_another_floor_for_soft_labels() -> None:
    found = per_row(binary([1.0, 0.5], [0.0, 0.5], "lightgbm"))
    assert found == pytest.approx([27.631021, math.log(2)], rel=1e-7)


@pytest.mark.parametrize("convention", RULES)
@given(binary_rows)
def test_binary_rows_cost_what_the_rule_says(
    convention: ConventionName, rows: tuple[Array, Array]
) -> None:
    y, p = rows
    expected = [RULES[convention](*row) for row in zip(y.tolist(), p.tolist(), strict=True)]
    tolerance = 0 if convention in {"xgboost", "keras"} else 1e-15
    # libraries form 1 − p where we take log1p: that differs only by what 1 − p rounds away
    rounding = 2.0**-52 if convention in IN_DOUBLES else 0.0
    found = per_row(binary(y, p, convention))
    assert found == pytest.approx(expected, rel=tolerance, abs=rounding)


@pytest.mark.parametrize("convention", RULES)
@given(class_rows)
def test_class_rows_cost_what_the_rule_says_of_the_truth(
    convention: ConventionName, rows: tuple[Array, Array]
) -> None:
    index, p = rows
    asked = LogLossOptions(convention=convention)
    found = per_row(log_loss(index, p, asked, Options(per_row=True)))
    truths = p[np.arange(index.size), index].tolist()
    rule = _catboost if convention == "torch" else RULES[convention]  # torch caps no class
    expected = [rule(1.0, min(truth, 1.0)) for truth in truths]
    single = convention == "keras"  # divides by a row sum that is 1 up to rounding
    assert found == pytest.approx(expected, rel=3e-7 if single else 1e-15, abs=2e-7 * single)


@given(class_rows)
def test_soft_one_hot_rows_cost_the_same_as_classes(rows: tuple[Array, Array]) -> None:
    index, p = rows
    soft = np.eye(p.shape[1])[index]
    for convention in CONVENTIONS:
        asked = LogLossOptions(convention=convention)
        hard = log_loss(index, p, asked, Options(per_row=True))
        assert per_row(log_loss(soft, p, asked, Options(per_row=True))) == per_row(hard)


@given(st.lists(draw.share, min_size=2, max_size=5), st.data())
def test_soft_labels_cost_what_xgboost_says(y: list[float], data: st.DataObject) -> None:
    p = data.draw(draw.columns_of(len(y), draw.probability))
    one, eps = np.float32(1), np.float32(1e-16)
    expected = []
    for label, stated in zip(y, p.tolist(), strict=True):
        share, single = np.float32(label), np.float32(stated)
        positive = share * -np.log(max(single, eps))
        negative = (one - share) * -np.log(max(one - single, eps))
        expected.append(float(positive + negative))
    assert per_row(binary(y, p, "xgboost")) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@given(binary_rows)
def test_scikit_learn_agrees(rows: tuple[Array, Array]) -> None:
    y, p = rows
    expected = sklearn_log_loss(y, p, labels=[0, 1])
    assert binary(y, p, "sklearn").value == pytest.approx(expected, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("is_soft", [False, True])
@given(data=st.data())
def test_costs_are_both_halves_added_to_the_last_bit(
    convention: ConventionName, data: st.DataObject, *, is_soft: bool
) -> None:
    n = data.draw(st.integers(0, 12))
    y = data.draw(draw.columns_of(n, draw.share if is_soft else draw.outcome))
    p = data.draw(draw.columns_of(n, st.one_of(draw.probability, st.sampled_from(CLIPPED_AT))))
    asked = CONVENTIONS[convention]
    positive, negative, clipped = asked.bernoulli(y, p, soft=is_soft)
    costs, bounded = asked.costs(y, p, soft=is_soft)
    assert costs.dtype == np.float64
    assert costs.tobytes() == (positive + negative).tobytes()
    assert bounded.tolist() == clipped.tolist()


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("is_soft", [False, True])
def test_costs_do_not_depend_on_where_a_row_stands(
    convention: ConventionName, *, is_soft: bool
) -> None:
    rng = np.random.default_rng(8)
    p = np.concatenate((rng.random(1000), CLIPPED_AT))
    y = rng.random(p.size)
    y = y if is_soft else np.round(y)
    asked = CONVENTIONS[convention]
    costs, clipped = asked.costs(y, p, soft=is_soft)
    wide = np.stack((y, p), axis=1)
    for rows in (slice(None, None, -1), slice(3, None, 2), slice(5, 18)):
        found, bounded = asked.costs(wide[rows, 0], wide[rows, 1], soft=is_soft)
        assert found.tobytes() == costs[rows].tobytes()
        assert bounded.tolist() == clipped[rows].tolist()
        assert asked.outcomes(wide[rows, 1])[0].tobytes() == asked.outcomes(p)[0][rows].tobytes()


def test_a_perfect_prediction_still_costs_what_is_clipped() -> None:
    assert binary([1, 0], [1.0, 0.0], "sklearn").value == pytest.approx(2.0**-52, rel=1e-9)
    assert binary([1, 0], [1.0, 0.0], "exact").value == 0.0
    assert binary([1, 0], [1.0, 0.0], "torch").value == 0.0


@pytest.mark.parametrize("convention", sorted(RULES.keys() - UNBOUNDED))
def test_what_was_clipped_is_counted_and_has_no_slope(convention: ConventionName) -> None:
    asked = LogLossOptions(convention=convention)
    y, p = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.5, 0.5])
    score = log_loss(y, p, asked, Options(gradient=True))
    assert score.diagnostics.clipped == 1
    assert score.diagnostics.infinite == 0
    assert slope(score) == pytest.approx([0.0, -2 / 3, 2 / 3], rel=1e-15)
    rows = np.stack((1 - p, p), axis=1)
    score = log_loss(y, rows, asked, Options(gradient=True))
    bounded = 0 if convention == "torch" else 1
    assert score.diagnostics.clipped == bounded
    assert slope(score)[:2] == ([0.0, 0.0] if bounded else [0.0, -np.inf])


def test_nothing_is_clipped_exactly() -> None:
    score = binary([1, 0], [0.0, 0.5], "exact")
    assert score.diagnostics.clipped == 0
    assert score.diagnostics.infinite_rows == (0,)


def test_keras_divides_rows_by_their_sum_and_its_slope_knows() -> None:
    p = np.array([[0.3, 0.7000004]])
    asked = LogLossOptions(convention="keras")
    score = log_loss(np.array([0]), p, asked, Options(gradient=True))
    assert score.value == pytest.approx(-math.log(0.3 / 1.0000004), rel=1e-6)
    assert slope(score) == pytest.approx([-1 / 0.3 + 1 / 1.0000004, 1 / 1.0000004], rel=1e-12)


def test_torch_caps_no_class() -> None:
    asked = LogLossOptions(convention="torch")
    assert log_loss(np.array([0]), np.array([[0.0, 1.0, 0.0]]), asked, Options()).status == (
        "infinite"
    )


@pytest.mark.parametrize("sent", [np.float16, np.float32, np.float64])
def test_scikit_learn_clips_by_the_type_of_the_column(sent: type[np.floating]) -> None:
    p = np.array([0.0, 0.7, 1.0], sent)
    y = np.array([1.0, 1.0, 0.0])
    asked = LogLossOptions(convention="sklearn")
    found = log_loss(y, p, asked, Options(per_row=True))
    expected = [sklearn_log_loss(y[i : i + 1], p[i : i + 1], labels=[0, 1]) for i in range(p.size)]
    assert per_row(found) == pytest.approx(expected, rel=1e-15)
    clicks = recommender(
        y, p, None, RecommenderOptions(convention="sklearn"), Options(per_row=True)
    )
    assert per_row(clicks) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("sent", [np.float16, np.float32, np.float64])
def test_scikit_learn_clips_rows_by_their_type(sent: type[np.floating]) -> None:
    p = np.array([[0, 0.5, 0.5], [1, 0, 0], [0.25, 0.5, 0.25]], sent)
    y = np.array([0, 0, 2])
    asked = LogLossOptions(convention="sklearn")
    expected = sklearn_log_loss(y, p, labels=[0, 1, 2])
    assert log_loss(y, p, asked, Options()).value == pytest.approx(
        expected, rel=4 * float(np.finfo(sent).eps)
    )


def test_only_scikit_learn_asks_for_the_type() -> None:
    for name in CONVENTIONS.keys() - {"sklearn"}:
        asked = CONVENTIONS[name]
        assert asked.of_type(np.dtype(np.float32)) is asked


@given(binary_rows, st.floats(1e-300, 0.49))
def test_an_epsilon_clips_from_both_sides(rows: tuple[Array, Array], epsilon: float) -> None:
    y, p = rows
    inside = np.clip(p, epsilon, 1 - epsilon)
    asked = LogLossOptions(epsilon=epsilon)
    score = log_loss(y, p, asked, Options(per_row=True))
    plain = log_loss(y, inside, LogLossOptions(), Options(per_row=True))
    assert per_row(score) == pytest.approx(per_row(plain), rel=1e-12, abs=2.0**-52)
    assert score.diagnostics.clipped == np.count_nonzero(inside != p)
    assert score.conventions["convention"] == "epsilon"
    assert score.conventions["epsilon"] == epsilon


def test_an_epsilon_by_hand() -> None:
    asked = LogLossOptions(epsilon=0.25)
    score = log_loss(np.array([1, 0]), np.array([[1.0, 0.0], [0.5, 0.5]]), asked, Options(base="2"))
    assert score.value == 1.5
    clicks = recommender(
        np.array([1.0]), np.array([0.0]), None, RecommenderOptions(epsilon=0.25), Options(base="2")
    )
    assert clicks.value == 2.0
    assert clicks.conventions["epsilon"] == 0.25
