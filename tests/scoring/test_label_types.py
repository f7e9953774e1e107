"""Strings, integers and booleans that say the same are one label; others are told apart."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.scoring.label_types import in_one_type, occurring
from kullback.scoring.labels import Label, Labels, binary_target, class_indices
from tests.scoring.answers import refused

integers = st.integers(-(10**17), 10**17)


def indices(y: Labels, labels: list[Label] | None, k: int) -> list[int]:
    return [int(i) for i in class_indices("y_true", y, labels, k)]


def target(y: Labels, labels: list[Label] | None, pos_label: Label | None) -> list[float]:
    return [float(share) for share in binary_target("y_true", y, labels, pos_label).values]


@given(st.lists(integers, min_size=1, max_size=6, unique=True), st.data())
def test_the_text_of_an_integer_is_that_integer(labels: list[int], data: st.DataObject) -> None:
    picks = data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))
    texts: list[Label] = [str(label) for label in labels]
    y = np.array([labels[pick] for pick in picks])
    words = [str(label) for label in y.tolist()]
    k = len(labels)
    assert indices(words, list(labels), k) == indices(y, texts, k) == indices(words, texts, k)
    assert indices(words, texts, k) == picks


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5), st.lists(integers, max_size=3))
def test_only_texts_of_integers_become_integers(words: list[str], names: list[int]) -> None:
    y, same = in_one_type(words, names)
    assert same == names
    if isinstance(y, list):
        assert y == words
    elif {word.lower() for word in words} <= {"true", "false"}:
        assert y.tolist() == [word.lower() == "true" for word in words]
    else:
        assert [str(value) for value in y.tolist()] == words


def test_a_positive_label_is_of_the_type_of_the_column() -> None:
    for pos_label in (None, 1, "1", True):
        assert target(["0", "1", "1"], None, pos_label) == [0.0, 1.0, 1.0]
        assert target(np.array([0, 1, 1]), None, pos_label) == [0.0, 1.0, 1.0]
    for words in (["True", "False"], ["true", "false"], ["TRUE", "FALSE"]):
        assert target(words, None, pos_label=True) == target(words, None, None) == [1.0, 0.0]
    assert target(np.array([False, True]), None, "True") == [0.0, 1.0]
    assert target(["0", "0"], None, None) == [0.0, 0.0]
    assert target(["1", "2"], None, 2) == target(np.array([1, 2]), None, "2") == [0.0, 1.0]
    assert target(["1", "2"], [1, 2], None) == target(np.array([1, 2]), ["1", "2"], "2")


@pytest.mark.parametrize(
    ("y", "labels", "pos_label", "says"),
    [
        (
            ["1", "NA"],
            None,
            None,
            "pos_label must name the positive class: y_true holds strings",
        ),
        (["1", "NA"], None, 1, 'y_true holds strings ("1", "NA"), and pos_label is of integers'),
        (["01", "1"], None, 1, "pos_label is of integers"),
        (["True", "true"], None, True, "pos_label is of integers"),
        ([1, 2], None, "yes", "y_true holds numbers (1, 2), and pos_label is of strings"),
        ([1, 2], None, 3, "none of the labels that occur: y_true holds numbers (1, 2)"),
        (["a", "b"], None, "c", 'none of the labels that occur: y_true holds strings ("a", "b")'),
    ],
)
def test_what_leaves_doubt_is_refused_with_what_occurs(
    y: Any,  # noqa: ANN401 - of any type
    labels: list[Label] | None,
    pos_label: Label | None,
    says: str,
) -> None:
    with refused("/pos_label", says):
        target(y if isinstance(y[0], str) else np.array(y), labels, pos_label)


def test_strings_meet_integers_and_the_refusal_says_so() -> None:
    with refused("/y_true/0", "y_true holds strings, and labels integers"):
        indices(["a", "1"], [0, 1], 2)
    with refused("/y_true/0", "y_true holds numbers, and labels strings"):
        indices(np.array([0, 1]), ["a", "1"], 2)
    with refused("/y_true/1", "the label is not among labels"):
        indices(["a", "1"], ["a", 1], 2)
    with refused("/y_true", "y_true holds strings: labels must name the classes"):
        indices(["cat", "dog"], None, 2)


@pytest.mark.parametrize("y", [[1, 4, 2], [-1, 1, 1]])
def test_classes_that_nobody_named_are_no_shares(y: list[int]) -> None:
    wrong = next(i for i, label in enumerate(y) if label not in (0, 1))
    with refused(f"/y_true/{wrong}", "is neither 0 nor 1", "labels or pos_label", "a column each"):
        target(np.array(y), None, None)
    with refused("/y_true/0", "1.5 is not in [0, 1]"):
        target(np.array([1.5, 1.0]), None, None)


def test_some_of_what_occurs_is_shown_and_cut() -> None:
    assert occurring(np.arange(9.0)) == "numbers (0, 1, 2, 3, 4, …)"
    assert occurring(["x" * 99, "y"] * 9) == f'strings ("{"x" * 20}", "y")'


@pytest.mark.parametrize(("y", "shares"), [([-1, 1, 1], [0.0, 1.0, 1.0]), ([1, 2], [1.0, 0.0])])
def test_a_positive_label_of_1_stands_beside_any_other(y: list[int], shares: list[float]) -> None:
    for form in (np.array(y), np.array(y, float), [str(label) for label in y]):
        assert target(form, None, 1) == shares
        assert target(form, sorted({*y}), 1) == shares
    assert target(np.array([0, -1]), None, 0) == [1.0, 0.0]
    assert target(np.array([0.25, 1.0]), None, 1) == [0.25, 1.0]
    with pytest.raises(InvalidInput, match="3 different labels where two are expected"):
        target(np.array([1, 4, 2]), None, 1)


@pytest.mark.parametrize(("labels", "pos_label"), [(None, None), (None, 1), ([0, 1], None)])
def test_the_text_that_makes_strings_of_numbers_is_named(
    labels: list[Label] | None, pos_label: Label | None
) -> None:
    with pytest.raises(InvalidInput, match="no integer, as most labels are") as odd:
        target(["1", "0", "?", "1"], labels, pos_label)
    assert [each.pointer for each in odd.value.offences] == ["/y_true/2"]
