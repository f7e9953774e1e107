"""The recommender report of logits, of labels of any name, of several tasks, and at cutoffs."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.labels import Label, Labels
from kullback.scoring.options import Options
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import (
    central_differences,
    has_negative_zero,
    number,
    per_row,
    reason,
    refused,
    rows,
    slope,
)

PLAIN = RecommenderOptions()
NATS = Options()
Y = np.array([1.0, 0.0, 0.0, 1.0])
P = np.array([0.5, 0.25, 0.75, 0.9])
rates = st.sampled_from((1e-3, 0.1, 1.0))
logit_clicks = draw.sizes.flatmap(
    lambda n: st.tuples(
        draw.columns_of(n, draw.share),
        draw.columns_of(n, st.integers(-40, 40).map(lambda eighths: eighths / 8)),
        draw.columns_of(n, st.floats(0.1, 10.0)),
    )
)


def of_logits(
    y: Labels, x: Array, asked: RecommenderOptions = PLAIN, options: Options = NATS
) -> Score:
    return recommender(y, None, x, asked, options)


def of_probabilities(
    y: Labels, p: Array, asked: RecommenderOptions = PLAIN, options: Options = NATS
) -> Score:
    return recommender(y, p, None, asked, options)


@given(draw.sizes.flatmap(lambda n: draw.columns_of(2 * n, draw.finite_logit)), st.data())
def test_logits_cost_what_sixty_digits_say(x: Array, data: st.DataObject) -> None:
    y = data.draw(draw.columns_of(x.size, draw.share))
    found = of_logits(y, x, options=Options(per_row=True))
    for ours, label, logit in zip(per_row(found), y.tolist(), x.tolist(), strict=True):
        assert relative_error(ours, oracles.sigmoid_cross_entropy(label, logit)) < 1e-14


@given(logit_clicks, rates)
def test_logits_are_the_probabilities_of_their_sigmoid(
    drawn: tuple[Array, Array, Array], rate: float
) -> None:
    y, x, w = drawn
    asked, options = RecommenderOptions(negative_sampling_rate=rate), Options(sample_weight=w)
    one, other = (
        of_logits(y, x, asked, options),
        of_probabilities(y, 1 / (1 + np.exp(-x)), asked, options),
    )
    assert one.value == pytest.approx(other.value, rel=1e-12)
    for name, value in other.details.items():
        if isinstance(value, float):
            assert number(one, name) == pytest.approx(value, rel=1e-10, abs=1e-13)


@given(logit_clicks, rates)
def test_gradients_along_logits_are_slopes(drawn: tuple[Array, Array, Array], rate: float) -> None:
    y, x, w = drawn
    asked = RecommenderOptions(negative_sampling_rate=rate)
    options = Options(gradient=True, sample_weight=w)
    expected = central_differences(lambda z: of_logits(y, z, asked, options), x)
    assert slope(of_logits(y, x, asked, options)) == pytest.approx(expected, rel=1e-6, abs=5e-8)


def test_logits_that_round_to_one_probability_are_still_ranked() -> None:
    y, x = np.array([1.0, 0.0]), np.array([41.0, 40.0])
    found = of_logits(y, x)
    assert number(found, "auc") == 1.0
    assert number(of_probabilities(y, 1 / (1 + np.exp(-x))), "auc") == 0.5
    assert (
        number(of_logits(y, x - 1e3, RecommenderOptions(negative_sampling_rate=1e-3)), "auc") == 1
    )


def test_a_logit_of_minus_infinity_is_a_probability_of_0() -> None:
    found = of_logits(np.array([0.0, 1.0]), np.array([-np.inf, 0.0]))
    assert found.value == pytest.approx(np.log(2) / 2, rel=1e-15)
    assert number(found, "mean_prediction") == 0.25
    assert of_logits(np.array([1.0, 1.0]), np.array([-np.inf, 0.0])).value == np.inf


@pytest.mark.parametrize(
    ("labels", "pos_label", "y_true"),
    [
        (["no", "yes"], None, ["yes", "no", "no", "yes"]),
        (["yes", "no"], "yes", ["yes", "no", "no", "yes"]),
        (None, "yes", ["yes", "no", "no", "yes"]),
        (None, 0, np.array([0, 1, 1, 0])),
        ([-1, 1], None, np.array([1, -1, -1, 1])),
        (None, None, np.array([[1], [0], [0], [1]])),
    ],
)
def test_labels_of_any_name_are_clicks(
    labels: Sequence[Label] | None, pos_label: Label | None, y_true: Labels
) -> None:
    asked = RecommenderOptions(labels=labels, pos_label=pos_label)
    options = Options(per_row=True, gradient=True)
    found, plain = (
        of_probabilities(y_true, P, asked, options),
        of_probabilities(Y, P, options=options),
    )
    assert found.value == plain.value
    assert per_row(found) == per_row(plain)
    assert slope(found) == slope(plain)
    assert found.details == plain.details


@given(
    st.tuples(st.integers(2, 6), st.integers(1, 3)).flatmap(
        lambda shape: st.tuples(
            draw.tables_of(*shape, draw.share),
            draw.tables_of(*shape, draw.inner_probability),
            draw.columns_of(shape[0], st.floats(0.1, 10.0)),
        )
    )
)
def test_tasks_are_reports_of_their_own_and_the_value_is_their_mean(
    drawn: tuple[Array, Array, Array],
) -> None:
    y, p, w = drawn
    names = ["click", "like", "buy"][: y.shape[1]]
    group = np.arange(y.shape[0]) % 2
    asked, options = RecommenderOptions(group=group, at=[1]), Options(sample_weight=w)
    found = of_probabilities(y, p, RecommenderOptions(group=group, at=[1], tasks=names), options)
    alone = [of_probabilities(a, b, asked, options) for a, b in zip(y.T, p.T, strict=True)]
    assert found.value == pytest.approx(np.mean([score.value for score in alone]), rel=1e-13)
    for name, task, score in zip(names, rows(found, "tasks"), alone, strict=True):
        expected = {key: value for key, value in score.details.items() if key in task}
        assert task == {"task": name} | expected
        assert {
            "log_loss",
            "normalized_entropy",
            "auc",
            "grouped_auc",
            "ranking",
        } <= expected.keys()
    for name in ("normalized_entropy", "auc", "calibration_ratio", "grouped_auc"):
        if any(score.details[name] is None for score in alone):
            assert found.details[name] is None
        else:
            mean = np.mean([number(score, name) for score in alone])
            assert number(found, name) == pytest.approx(mean, rel=1e-13)


def test_the_mean_over_tasks_is_undefined_for_the_reason_of_a_task() -> None:
    y, p = np.array([[1.0, 1.0], [0.0, 1.0]]), np.full((2, 2), 0.5)
    found = of_probabilities(y, p)
    assert [row["task"] for row in rows(found, "tasks")] == [0, 1]
    assert [row["normalized_entropy"] for row in rows(found, "tasks")] == [1.0, None]
    assert reason(found, "normalized_entropy") == "one_class"
    assert number(found, "log_loss") == found.value == pytest.approx(np.log(2))


def test_torcheval_documents_these_entropies() -> None:
    # BinaryNormalizedEntropy, whose tasks are rows; from_logits in the last
    y, p = np.array([1.0, 0.0]), np.array([0.2, 0.3])
    weighted = Options(sample_weight=np.array([5.0, 1.0]))
    x = np.array([-1.3863, -0.8473])
    for found, printed in (
        (of_probabilities(y, p), 1.4183),
        (of_probabilities(y, p, options=weighted), 3.1087),
        (of_logits(y, x), 1.4183),
    ):
        assert number(found, "normalized_entropy") == pytest.approx(printed, abs=5e-5)
    found = of_probabilities(np.stack((y, y), axis=1), np.stack((p, p), axis=1))
    table = [row["normalized_entropy"] for row in rows(found, "tasks")]
    assert table == pytest.approx([1.4183, 1.4183], abs=5e-5)


def test_gradients_of_tasks_have_the_shape_of_the_predictions() -> None:
    random = np.random.default_rng(3)
    y, x = random.integers(0, 2, (3, 2)).astype(float), random.normal(size=(3, 2))
    options = Options(gradient=True, per_row=True, sample_weight=np.array([1.0, 2.0, 0.5]))
    found = of_logits(y, x, options=options)
    assert found.gradient is not None
    assert found.gradient.shape == (3, 2)
    expected = central_differences(lambda z: of_logits(y, z, options=options), x)
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert len(per_row(found)) == 3
    assert not has_negative_zero(found)


def test_a_column_of_one_task_is_its_rows() -> None:
    options = Options(gradient=True)
    column = of_probabilities(Y.reshape(-1, 1), P.reshape(-1, 1), options=options)
    plain = of_probabilities(Y, P, options=options)
    assert (column.value, column.details) == (plain.value, plain.details)
    assert column.gradient is not None
    assert column.gradient.shape == (4, 1)
    assert slope(column) == slope(plain)


def test_cutoffs_of_groups_stand_beside_their_auc() -> None:
    group = ["ann", "ann", "bob", "bob"]
    found = of_probabilities(Y, P, RecommenderOptions(group=group, at=[1, 2]))
    assert found.details["ranking"] == {
        "lists": 2,
        "without_positives": 0,
        "of_one_row": 0,
        "mrr": 1.0,
        "at": [
            {"k": 1, "ndcg": 1.0, "hit_rate": 1.0, "mrr": 1.0},
            {"k": 2, "ndcg": 1.0, "hit_rate": 1.0, "mrr": 1.0},
        ],
    }


TWO = np.full((4, 2), 0.5)


@pytest.mark.parametrize(
    ("place", "y", "p", "x", "asked"),
    [
        ("/y_proba", Y, None, None, PLAIN),
        ("/y_proba", Y, P, P, PLAIN),
        ("/logits/0", Y, None, np.array([np.inf, 0.0, 0.0, 0.0]), PLAIN),
        ("/y_proba", Y, TWO, None, PLAIN),
        ("/logits", Y, None, TWO, PLAIN),
        ("/y_true", np.zeros((4, 3)), TWO, None, PLAIN),
        ("/y_true/0/0", np.full((4, 2), 2.0), TWO, None, PLAIN),
        ("/pos_label", ["a"] * 4, P, None, PLAIN),
        ("/y_true/1", ["a", "c", "b", "a"], P, None, RecommenderOptions(labels=["a", "b"])),
        ("/pos_label", Y, P, None, RecommenderOptions(pos_label=7)),
        ("/pos_label", TWO, TWO, None, RecommenderOptions(pos_label=1)),
        ("/labels", TWO, TWO, None, RecommenderOptions(labels=[0, 1])),
        ("/tasks", TWO, TWO, None, RecommenderOptions(tasks=["a"])),
        ("/tasks", TWO, TWO, None, RecommenderOptions(tasks=["a", "b", "c", "d"])),
        ("/tasks", TWO, TWO, None, RecommenderOptions(tasks=["a", "a"])),
        ("/per_group", TWO, TWO, None, RecommenderOptions(group=["a"] * 4, per_group=True)),
        ("/at", Y, P, None, RecommenderOptions(at=[5])),
        ("/convention", Y, None, P, RecommenderOptions(convention="sklearn")),
        ("/epsilon", Y, None, P, RecommenderOptions(epsilon=1e-3)),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(
    place: str, y: Labels, p: Array | None, x: Array | None, asked: RecommenderOptions
) -> None:
    with refused(place):
        recommender(y, p, x, asked, NATS)
