"""The recommender report: by hand, by law, and beside other libraries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import d2_log_loss_score, roc_auc_score

from kullback.numerics.types import Array, Indices
from kullback.scoring import group_scores
from kullback.scoring.calibration import CalibrationOptions, calibration
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, number, per_row, reason, refused, rows, slope

PLAIN = Options()
PLAIN_REPORT = RecommenderOptions()
clicks = draw.sizes.flatmap(
    lambda n: st.tuples(
        draw.columns_of(2 * n, draw.share),
        draw.columns_of(2 * n, draw.inner_probability),
        draw.weights(2 * n),
    )
)
rates = st.sampled_from((1e-3, 0.1, 0.5, 1.0))


def report(
    y: Array, p: Array, asked: RecommenderOptions = PLAIN_REPORT, options: Options = PLAIN
) -> Score:
    return recommender(y, p, None, asked, options)


def has_both(y: Array, w: Array) -> bool:
    return bool((w * y).sum() > 1e-9 and (w * (1 - y)).sum() > 1e-9)


def test_by_hand() -> None:
    y, p = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.25, 0.25])
    found = report(y, p)
    loss = (2 * math.log(2) + 2 * math.log(4 / 3)) / 4
    entropy = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert found.value == pytest.approx(loss, rel=1e-15)
    assert number(found, "normalized_entropy") == pytest.approx(loss / entropy, rel=1e-15)
    assert number(found, "calibration_ratio") == 1.5
    assert number(found, "base_rate") == 0.25
    assert number(found, "mean_prediction") == 0.375
    assert number(found, "brier") == pytest.approx((0.5 + 0.125) / 4, rel=1e-15)
    assert number(found, "auc") == pytest.approx(2.5 / 3, rel=1e-15)


def test_groups_by_hand() -> None:
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    p = np.array([0.75, 0.25, 0.5, 0.5, 0.5, 0.5])
    asked = RecommenderOptions(group=["bob", "bob", "ann", "ann", "cy", "cy"], per_group=True)
    found = report(y, p, asked)
    table = rows(found, "groups")
    assert [row["group"] for row in table] == ["bob", "ann", "cy"]
    assert [row["n"] for row in table] == [2, 2, 2]
    assert [row["auc"] for row in table] == [1.0, None, 0.5]
    losses = [math.log(4 / 3), math.log(2), math.log(2)]
    assert [row["log_loss"] for row in table] == pytest.approx(losses, rel=1e-15)
    assert table[1]["normalized_entropy"] is None
    assert number(found, "grouped_auc") == 0.75
    assert found.details["grouped_auc_weight"] == "impressions"
    assert number(found, "macro_log_loss") == pytest.approx(sum(losses) / 3, rel=1e-15)


def test_a_group_without_weight_has_no_scores_and_the_mean_leaves_it_out() -> None:
    asked = RecommenderOptions(group=np.array([7, 3, 7]), per_group=True)
    options = Options(sample_weight=np.array([1.0, 0.0, 3.0]))
    found = report(np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.0, 0.5]), asked, options)
    table = rows(found, "groups")
    assert [row["group"] for row in table] == [7, 3]
    assert table[1]["log_loss"] is None
    assert number(found, "macro_log_loss") == pytest.approx(math.log(2), rel=1e-15)
    nothing = Options(sample_weight=np.zeros(3))
    found = report(np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.0, 0.5]), asked, nothing)
    assert reason(found, "macro_log_loss") == "zero_weight"
    assert reason(found, "auc") == "zero_weight"


def test_groups_are_summed_up_and_not_listed_unless_asked_for() -> None:
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    p = np.array([0.75, 0.25, 0.5, 0.5, 0.5, 0.5])
    found = report(y, p, RecommenderOptions(group=["bob", "bob", "ann", "ann", "cy", "cy"]))
    assert rows(found, "groups") == []
    assert found.details["group_summary"] == {
        "groups": 3,
        "with_both_classes": 2,
        "auc_quantiles": [0.5, 0.625, 0.75, 0.875, 1.0],
    }


def test_the_heaviest_groups_are_listed_and_the_rest_is_summed_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_scores, "MOST_ROWS", 2)
    y = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    p = np.array([0.5, 0.25, 0.75, 0.5, 0.5, 0.5, 0.25, 0.5])
    group = np.array([4, 4, 9, 9, 1, 1, 9, 8])
    w = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 1.0])
    asked = RecommenderOptions(group=group, per_group=True)
    found = report(y, p, asked, Options(sample_weight=w))
    assert [row["group"] for row in rows(found, "groups")] == [9, 1]
    rest = found.details["groups_rest"]
    assert isinstance(rest, dict)
    loss = (math.log(2) + math.log(4 / 3) + math.log(2)) / 3
    assert (rest["groups"], rest["n"], rest["weight"], rest["auc"]) == (2, 3, 3.0, 1.0)
    assert rest["log_loss"] == pytest.approx(loss, rel=1e-15)
    entropy = (2 * math.log(1.5) + math.log(3)) / 3
    assert rest["normalized_entropy"] == pytest.approx(loss / entropy, rel=1e-14)


def test_of_groups_of_one_weight_the_first_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_scores, "MOST_ROWS", 2)
    asked = RecommenderOptions(group=["d", "b", "c", "a"], per_group=True)
    found = report(np.zeros(4), np.full(4, 0.5), asked)
    assert [row["group"] for row in rows(found, "groups")] == ["d", "b"]


def test_rows_of_groups_need_groups() -> None:
    with refused("/per_group"):
        report(np.zeros(1), np.full(1, 0.5), RecommenderOptions(per_group=True))


def test_an_infinite_group_makes_the_mean_over_groups_infinite() -> None:
    asked = RecommenderOptions(group=["a", "b"])
    found = report(np.array([1.0, 0.0]), np.array([0.0, 0.5]), asked)
    assert reason(found, "macro_log_loss") == "positive_infinity"


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_is_undefined_and_not_a_huge_number(label: float) -> None:
    # torchrec answers 1.6e11
    found = report(np.full(2, label), np.array([0.9, 0.8]))
    for name in ("normalized_entropy", "relative_information_gain", "auc"):
        assert reason(found, name) == "one_class"
    assert reason(found, "grouped_auc") == "no_group"


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(draw.weights(n), st.just(n))))
def test_one_class_stays_undefined_under_any_weights(drawn: tuple[Array, int]) -> None:
    weight, n = drawn
    options = Options(sample_weight=weight)
    found = report(np.ones(n), np.full(n, 0.5), options=options)
    assert number(found, "base_rate") == 1.0
    assert reason(found, "normalized_entropy") == "one_class"


def test_no_clicks_have_no_calibration_ratio() -> None:
    assert reason(report(np.zeros(2), np.array([0.9, 0.8])), "calibration_ratio") == "no_positives"


def test_groups_of_one_class_have_no_grouped_auc() -> None:
    asked = RecommenderOptions(group=["a", "b"])
    found = report(np.array([1.0, 0.0]), np.array([0.5, 0.5]), asked)
    assert reason(found, "grouped_auc") == "one_class"


@given(clicks)
def test_normalized_entropy_agrees_with_sixty_digits(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    found = report(y, p, options=Options(sample_weight=w))
    columns = [column.tolist() for column in forecast]
    assert relative_error(found.value, oracles.log_loss(*columns)) < 1e-14
    if has_both(y, w):
        truth = oracles.normalized_entropy(*columns)
        assert number(found, "normalized_entropy") == pytest.approx(truth, rel=1e-9)
        gain = number(found, "relative_information_gain")
        assert number(found, "normalized_entropy") + gain == pytest.approx(1.0, rel=1e-14)


@given(clicks)
def test_scikit_learn_agrees(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    y = np.round(y)
    if has_both(y, w):
        found = report(y, p, options=Options(sample_weight=w))
        gain = d2_log_loss_score(y, p, sample_weight=w, labels=[0, 1])
        assert number(found, "relative_information_gain") == pytest.approx(gain, rel=1e-8, abs=1e-8)
        area = roc_auc_score(y, p, sample_weight=w)
        assert number(found, "auc") == pytest.approx(area, abs=1e-12)


@given(clicks)
def test_it_is_log_loss_and_calibration(forecast: tuple[Array, Array, Array]) -> None:
    y, p, w = forecast
    options = Options(sample_weight=w, per_row=True)
    found = report(y, p, options=options)
    loss = log_loss(y, p, LogLossOptions(), options)
    assert found.value == loss.value
    assert per_row(found) == per_row(loss)
    assert number(found, "ece") == calibration(y, p, None, CalibrationOptions(), options).value


@given(clicks, st.data())
def test_groups_are_reports_of_their_own(
    forecast: tuple[Array, Array, Array], data: st.DataObject
) -> None:
    y, p, w = forecast
    group: Indices = data.draw(draw.indices(y.size, 3))
    found = report(y, p, RecommenderOptions(group=group, per_group=True), Options(sample_weight=w))
    for row in rows(found, "groups"):
        inside = group == row["group"]
        if w[inside].sum() > 0:
            alone = report(y[inside], p[inside], options=Options(sample_weight=w[inside]))
            assert row["log_loss"] == pytest.approx(alone.value, rel=1e-12)
        else:
            assert row["log_loss"] is None


def test_names_of_groups_do_not_matter() -> None:
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.75, 0.25, 0.5])
    texts = report(y, p, RecommenderOptions(group=["b", "a", "b"], per_group=True))
    whole = report(y, p, RecommenderOptions(group=np.array([5, 2, 5]), per_group=True))
    for one, other in zip(rows(texts, "groups"), rows(whole, "groups"), strict=True):
        assert {**one, "group": None} == {**other, "group": None}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5), st.data())
def test_aggregated_rows_are_their_raw_rows(
    counts: list[tuple[int, int]], data: st.DataObject
) -> None:
    kept = [pair for pair in counts if sum(pair)] or [(1, 1)]
    p = data.draw(draw.columns_of(len(kept), draw.inner_probability))
    sizes = np.array([sum(pair) for pair in kept], np.float64)
    y = np.array([pair[0] for pair in kept]) / sizes
    raw_y = np.array([label for yes, no in kept for label in [1.0] * yes + [0.0] * no])
    raw = report(raw_y, np.repeat(p, sizes.astype(np.int64)))
    found = report(y, p, options=Options(sample_weight=sizes))
    assert found.value == pytest.approx(raw.value, rel=1e-13)
    assert found.weight == raw.weight
    for name in ("base_rate", "mean_prediction", "ece"):
        assert number(found, name) == pytest.approx(number(raw, name), rel=1e-12, abs=1e-15)
    if has_both(raw_y, np.ones_like(raw_y)):
        assert number(found, "auc") == pytest.approx(number(raw, "auc"), abs=1e-14)


@given(clicks)
def test_keeping_all_negatives_corrects_nothing(forecast: tuple[Array, Array, Array]) -> None:
    y, p, _ = forecast
    whole = report(y, p, RecommenderOptions(negative_sampling_rate=1.0))
    assert whole.details == report(y, p).details


@given(clicks, rates)
def test_sampled_negatives_are_corrected(forecast: tuple[Array, Array, Array], rate: float) -> None:
    y, p, _ = forecast
    corrected = np.array([oracles.sampling_corrected(value, rate) for value in p.tolist()])
    found = report(y, p, RecommenderOptions(negative_sampling_rate=rate))
    assert found.value == pytest.approx(report(y, corrected).value, rel=1e-9)
    predicted = number(found, "mean_prediction")
    assert predicted == pytest.approx(float(corrected.mean()), rel=1e-14)


@given(clicks, rates)
def test_gradients_are_slopes(forecast: tuple[Array, Array, Array], rate: float) -> None:
    y, p, w = forecast
    p = np.clip(p, 0.05, 0.95)
    asked = RecommenderOptions(negative_sampling_rate=rate)
    options = Options(gradient=True, sample_weight=w)
    expected = central_differences(lambda x: report(y, x, asked, options), p)
    assert slope(report(y, p, asked, options)) == pytest.approx(expected, rel=1e-6, abs=5e-8)


def test_the_gradient_of_a_sure_prediction_does_not_overflow() -> None:
    asked = RecommenderOptions(negative_sampling_rate=1e-300)
    found = report(np.array([1.0]), np.array([1.0]), asked, Options(gradient=True))
    assert slope(found) == pytest.approx([-1e300], rel=1e-12)


def test_impossible_input_is_refused_where_it_stands() -> None:
    y, p = np.array([0.0, 1.0]), np.array([0.5, 0.5])
    with refused("/y_proba"):
        report(y, np.full((2, 2), 0.5))
    with refused("/y_proba/1"):
        report(y, np.array([0.5, -0.5]))
    with refused("/y_true"):
        report(np.ones(3), p)
    with refused("/y_true/0"):
        report(np.array([3.0, 0.0]), p)
    with refused("/group"):
        report(y, p, RecommenderOptions(group=["a"]))
    with refused("/sample_weight/0"):
        report(y, p, options=Options(sample_weight=np.array([-1.0, 1.0])))
