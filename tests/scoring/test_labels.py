"""Which class a row is of, and what a class weighs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import CheckedDistributions
from kullback.scoring.class_weights import ClassWeightName, class_counts, class_weights
from kullback.scoring.labels import (
    Label,
    Labels,
    binary_target,
    class_indices,
    class_labels,
    hard_labels,
    positive_shares,
    row_count,
)
from kullback.scoring.options import Options
from tests import strategies as draw
from tests.scoring.answers import refused

PLAIN = Options()

int64 = st.integers(-(2**63), 2**63 - 1)


def indices(y: Labels, labels: list[Label] | None, k: int) -> list[int]:
    return [int(i) for i in class_indices("y_true", y, labels, k)]


def target(y: Labels, labels: list[Label] | None, pos_label: Label | None) -> list[float]:
    return [float(t) for t in binary_target("y_true", y, labels, pos_label).values]


def test_indices_are_the_labels_where_none_are_named() -> None:
    assert indices(np.array([2, 0]), None, 3) == [2, 0]
    assert indices(np.array([2.0, 0.0]), None, 3) == [2, 0]


def test_labels_name_the_columns_in_their_order() -> None:
    assert indices(["cat", "dog"], ["dog", "cat"], 2) == [1, 0]
    assert indices(np.array([7, -5, 7]), [7, 3, -5], 3) == [0, 2, 0]


@given(st.lists(int64, min_size=1, max_size=8, unique=True), st.data())
def test_any_integers_may_be_labels(labels: list[int], data: st.DataObject) -> None:
    picks = data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))
    y = np.array([labels[i] for i in picks], np.int64)
    assert indices(y, list(labels), len(labels)) == picks


@given(st.lists(st.text(max_size=3), min_size=1, max_size=8, unique=True), st.data())
def test_any_texts_may_be_labels(labels: list[str], data: st.DataObject) -> None:
    picks = data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))
    assert indices([labels[i] for i in picks], list(labels), len(labels)) == picks


@pytest.mark.parametrize("bad", [-1.0, 3.0, 0.5, np.nan, np.inf, 2.0**53])
def test_a_label_that_is_no_class_is_refused_where_it_stands(bad: float) -> None:
    with refused("/y_true/1"):
        indices(np.array([0.0, bad]), None, 3)


def test_labels_that_do_not_name_the_columns_are_refused() -> None:
    with refused("/labels"):
        indices(np.array([0]), [0, 1, 2], 2)
    for twice in ([1, 1], ["a", "a"]):
        with refused("/labels"):
            indices(np.array([0]), list(twice), 2)
    with refused("/labels"):
        indices(np.array([0]), [2**63, 1], 2)
    with refused("/labels"):
        indices(np.array([0]), [-(2**63) - 1, 1], 2)
    with refused("/y_true"):
        indices(["a"], None, 2)
    with refused("/y_true"):
        indices(np.array([[0]]), None, 2)


FORMS: dict[str, Callable[[Indices, int], npt.NDArray[Any]]] = {
    "floats": lambda index, _: index.astype(np.float64),
    "single floats": lambda index, _: index.astype(np.float32),
    "a column": lambda index, _: index.reshape(-1, 1),
    "integer rows": lambda index, k: np.eye(k, dtype=np.int64)[index],
    "rows": lambda index, k: np.eye(k)[index],
    "rows of booleans": lambda index, k: np.eye(k, dtype=np.bool_)[index],
    "half rows": lambda index, k: np.eye(k, dtype=np.float16)[index],
    "rows but for rounding": lambda index, k: np.eye(k)[index] * (1 + 1e-9) - 1e-9 / k,
}


@pytest.mark.parametrize("form", FORMS)
@given(st.integers(2, 5).flatmap(lambda k: draw.indices(4, k).map(lambda index: (k, index))))
def test_hard_labels_are_the_same_in_every_form(form: str, case: tuple[int, Indices]) -> None:
    k, index = case
    found = class_labels("y_true", FORMS[form](index, k), None, k, PLAIN)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == index.tolist()


def test_rows_are_soft_only_if_an_entry_is_neither_0_nor_1() -> None:
    soft = np.array([[1.0, 0.0], [0.25, 0.75]])
    found = class_labels("y_true", soft, None, 2, Options(on_unnormalized="renormalize"))
    assert isinstance(found, CheckedDistributions)
    assert found.values.tolist() == soft.tolist()
    with refused("/y_true/1/0", "0.25 is neither 0 nor 1"):
        hard_labels("y_true", soft, None, 2, PLAIN)
    with refused("/y_true/0", "sums to 0.9", "never renormalized"):
        class_labels("y_true", soft * 0.9, None, 2, Options(on_unnormalized="renormalize"))


@pytest.mark.parametrize(("row", "says"), [([0, 0, 0], "no label"), ([1, 0, 1], "2 labels")])
def test_a_row_of_no_class_or_of_several_is_refused(row: list[int], says: str) -> None:
    with refused("/y_true/1", says, 'task "multilabel"'):
        class_labels("y_true", np.array([[0, 1, 0], row]), None, 3, PLAIN)


def test_rows_of_another_width_are_refused_with_both_shapes() -> None:
    with refused("/y_true", "[2][3]", "[2] or [2][4] is expected"):
        class_labels("y_true", np.eye(3)[:2], None, 4, PLAIN)
    with refused("/labels"):
        class_labels("y_true", np.eye(2), ["a"], 2, PLAIN)


@given(draw.columns_of(5, draw.outcome))
def test_binary_labels_are_the_same_in_every_form(y: Array) -> None:
    rows = np.stack((1 - y, y), axis=1)
    words = ["yes" if each else "no" for each in y.tolist()]
    expected = y.tolist()
    forms: list[npt.NDArray[Any]] = [*map(y.astype, (np.int64, np.bool_, np.float16)), rows]
    for form in (*forms, y[:, None]):
        assert target(form, None, None) == expected
    assert target(words, ["no", "yes"], None) == target(words, None, "yes") == expected
    assert target(rows, ["no", "yes"], "no") == (1 - y).tolist()
    assert target(rows, None, 0) == (1 - y).tolist()


def test_the_positive_label_is_one_or_the_last_or_as_named() -> None:
    assert target(np.array([0, 1]), None, None) == [0.0, 1.0]
    assert target(np.array([0.25, 1.0]), None, 1) == [0.25, 1.0]
    assert target(["no", "yes"], ["no", "yes"], None) == [0.0, 1.0]
    assert target(["no", "yes"], ["no", "yes"], "no") == [1.0, 0.0]
    assert target(np.array([0, 1]), None, 0) == [1.0, 0.0]
    assert target(np.array([5, 7]), [5, 7], None) == [0.0, 1.0]


def test_one_other_label_is_the_negative_one() -> None:
    assert target(["b", "a", "b"], None, "a") == [0.0, 1.0, 0.0]
    assert target(["a", "a"], None, "a") == [1.0, 1.0]
    assert target(np.array([4, 4]), None, 4) == [1.0, 1.0]
    with refused("/y_true"):
        target(["a", "b", "c"], None, "a")


def test_a_positive_label_that_never_occurs_among_two_others_is_refused() -> None:
    with refused("/pos_label"):
        target(["b", "c"], None, "a")


def test_shares_are_numbers_one_per_row() -> None:
    assert positive_shares("y_true", np.array([0, 1])).values.tolist() == [0.0, 1.0]
    for wrong in (["a"], np.ones((1, 2)), np.array([2.0])):
        with pytest.raises(InvalidInput):
            positive_shares("y_true", wrong)


def test_impossible_binary_labels_are_refused() -> None:
    with refused("/pos_label"):
        target(["a", "b"], None, None)
    with refused("/pos_label"):
        target(["a", "b"], ["a", "b"], "c")
    with refused("/y_true/0"):
        target(np.array([2, 0]), None, None)
    with refused("/y_true/1"):
        target(["a", "c"], ["a", "b"], None)
    with refused("/y_true/0", "a row of 2 labels", "multilabel"):
        target(np.ones((2, 2)), None, None)
    with refused("/labels"):
        target(np.array([0]), [0, 1, 2], None)


def rule(name: ClassWeightName, counts: list[float], beta: float | None = None) -> list[float]:
    found = class_weights(name, np.array(counts), beta)
    assert found is not None
    return [float(w) for w in found]


def test_rules_by_hand() -> None:
    assert rule("balanced", [3.0, 1.0]) == pytest.approx([4 / 6, 2.0], rel=1e-15)
    assert rule("inverse", [3.0, 1.0]) == pytest.approx([0.5, 1.5], rel=1e-15)
    # E = (1 − ½³)/½ = 7/4 and 1; weights 4/7 : 1, which sum to 2
    assert rule("effective_number", [3.0, 1.0], 0.5) == pytest.approx([8 / 11, 14 / 11], rel=1e-15)


def test_the_effective_number_runs_from_no_weights_to_inverse_ones() -> None:
    assert rule("effective_number", [3.0, 1.0], 0.0) == [1.0, 1.0]
    found = rule("effective_number", [3.0, 1.0], 1 - 1e-12)
    assert found == pytest.approx(rule("inverse", [3.0, 1.0]), rel=1e-9)


@pytest.mark.parametrize("name", ["balanced", "inverse", "effective_number"])
def test_a_class_without_rows_weighs_nothing(name: ClassWeightName) -> None:
    beta = 0.9 if name == "effective_number" else None
    assert rule(name, [2.0, 0.0], beta)[1] == 0.0
    assert rule(name, [0.0, 0.0], beta) == [0.0, 0.0]


def test_weights_may_be_given() -> None:
    given_weights = np.array([1.0, 2.0])
    assert class_weights(given_weights, np.ones(2), None) is given_weights
    assert class_weights(None, np.ones(2), None) is None
    with refused("/class_weight"):
        class_weights(given_weights, np.ones(3), None)
    with refused("/beta"):
        class_weights("effective_number", np.ones(2), None)
    for spec in ("balanced", None):
        with refused("/beta", "beta is of class_weight effective_number"):
            class_weights(spec, np.ones(2), 0.5)


def test_rows_are_counted() -> None:
    assert row_count(["a", "b"]) == row_count(np.array([1, 2])) == 2
    assert class_counts(np.array([0, 2, 2]), 4).tolist() == [1.0, 0.0, 2.0, 0.0]
