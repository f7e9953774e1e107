"""Columns of tables are matched by the labels that they name, in whatever order they come."""

import json
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kullback.errors import InvalidInput
from kullback.payload.body import Body
from kullback.payload.media import ARROW, CSV, JSON, PARQUET
from kullback.requests.several import read_several
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet

PETS = ["cat", "dog", "owl"]
ROWS = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]]
TRUTH = ["cat", "owl", "owl"]


def as_csv(table: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    return str(table.to_pandas().to_csv(index=False)).encode()


TABLES: list[tuple[str, Callable[[Any], bytes]]] = [
    (ARROW, as_arrow),
    (PARQUET, as_parquet),
    (CSV, as_csv),
]
every_table = pytest.mark.parametrize(("kind", "write"), TABLES)


def table(names: list[str], order: tuple[int, ...], truth: object = TRUTH) -> Any:  # noqa: ANN401
    """The rows with their columns in another order, each under the name of its own."""
    columns = {f"y_proba.{names[at]}": [row[at] for row in ROWS] for at in order}
    return pa.table({"y_true": truth, **columns})


def refusals(names: list[str], **query: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    columns = {f"y_proba.{name}": [1 / len(names)] for name in names}
    body = as_arrow(pa.table({"y_true": ["cat"], **columns}))
    with pytest.raises(InvalidInput) as refused:
        answer("log-loss", body, ARROW, query)
    return [(offence.pointer, offence.detail) for offence in refused.value.offences]


@every_table
@pytest.mark.parametrize("metric", ["log-loss", "brier", "focal-loss", "calibration"])
def test_columns_under_the_names_of_labels_may_come_in_any_order(
    kind: str, write: Callable[[Any], bytes], metric: str
) -> None:
    fields = {"y_true": TRUTH, "y_proba": ROWS, "labels": PETS}
    expected = answer(metric, as_json(fields), JSON, {})
    for order in permutations(range(3)):
        assert answer(metric, write(table(PETS, order)), kind, {"labels": PETS}) == expected


@every_table
@pytest.mark.parametrize(
    "names", [["0", "1", "2"], ["p_0", "p_1", "p_2"], ["class 1", "class 2", "class 3"]]
)
def test_columns_that_are_numbered_stand_in_the_order_of_their_numbers(
    kind: str, write: Callable[[Any], bytes], names: list[str]
) -> None:
    named = {"y_true": TRUTH, "y_proba": ROWS, "labels": PETS}
    plain = {"y_true": [0, 2, 2], "y_proba": ROWS}
    for order in permutations(range(3)):
        body = write(table(names, order))
        assert answer("log-loss", body, kind, {"labels": PETS}) == answer(
            "log-loss", as_json(named), JSON, {}
        )
        body = write(table(names, order, [0, 2, 2]))
        assert answer("log-loss", body, kind, {}) == answer("log-loss", as_json(plain), JSON, {})


def test_ten_columns_and_more_are_sorted_by_number_and_not_by_text() -> None:
    rows = {f"y_proba.p_{i}": [0.9 if i == 10 else 0.1 / 11] for i in range(12)}
    by_text = pa.table({"y_true": [10], **{name: rows[name] for name in sorted(rows)}})
    scored = json.loads(answer("log-loss", as_arrow(by_text), ARROW, {}))
    assert scored["value"] == pytest.approx(0.10536051565782628)


def test_a_number_that_is_a_label_is_that_label() -> None:
    names = ["1", "0", "2"]
    truth = [1, 2, 2]
    fields = {"y_true": truth, "y_proba": ROWS, "labels": [1, 0, 2]}
    expected = answer("log-loss", as_json(fields), JSON, {})
    for order in permutations(range(3)):
        body = as_arrow(table(names, order, truth))
        assert answer("log-loss", body, ARROW, {"labels": [1, 0, 2]}) == expected


def test_booleans_are_labels_in_either_spelling() -> None:
    rows = {"y_true": [True, False], "y_proba.True": [0.9, 0.2], "y_proba.False": [0.1, 0.8]}
    fields = {
        "y_true": [True, False],
        "y_proba": [[0.1, 0.9], [0.8, 0.2]],
        "labels": [False, True],
    }
    expected = answer("log-loss", as_json(fields), JSON, {})
    found = answer("log-loss", as_arrow(pa.table(rows)), ARROW, {"labels": [False, True]})
    assert found == expected


def test_names_are_the_labels_where_nobody_said_others() -> None:
    expected = answer(
        "log-loss", as_json({"y_true": TRUTH, "y_proba": ROWS, "labels": PETS}), JSON, {}
    )
    assert answer("log-loss", as_arrow(table(PETS, (0, 1, 2))), ARROW, {}) == expected
    from_one = as_arrow(table(["1", "2", "3"], (2, 0, 1), [1, 3, 3]))
    value = json.loads(answer("log-loss", from_one, ARROW, {}))["value"]
    assert value == json.loads(expected)["value"]
    with pytest.raises(InvalidInput, match="label"):
        answer("log-loss", as_arrow(table(["1", "2", "3"], (0, 1, 2), [0, 2, 2])), ARROW, {})


def test_labels_and_predictions_of_many_labels_are_each_matched_by_name() -> None:
    truth = {"y_true.dog": [1, 0], "y_true.cat": [1, 1]}
    proba = {"y_proba.cat": [0.5, 0.75], "y_proba.dog": [0.125, 0.25]}
    weight = {"sample_weight.dog": [1.0, 2.0], "sample_weight.cat": [3.0, 1.0]}
    fields = {
        "task": "multilabel",
        "labels": ["cat", "dog"],
        "y_true": [[1, 1], [1, 0]],
        "y_proba": [[0.5, 0.125], [0.75, 0.25]],
        "sample_weight": [[3.0, 1.0], [1.0, 2.0]],
    }
    query = {"task": "multilabel", "labels": ["cat", "dog"]}
    body = as_arrow(pa.table({**truth, **proba, **weight}))
    assert answer("log-loss", body, ARROW, query) == answer("log-loss", as_json(fields), JSON, {})


def test_tasks_of_a_recommender_are_matched_by_name() -> None:
    rows = {
        "y_true.buy": [0, 1, 0],
        "y_true.click": [1, 1, 0],
        "y_proba.click": [0.5, 0.75, 0.25],
        "y_proba.buy": [0.125, 0.25, 0.125],
    }
    fields = {
        "y_true": [[1, 0], [1, 1], [0, 0]],
        "y_proba": [[0.5, 0.125], [0.75, 0.25], [0.25, 0.125]],
        "tasks": ["click", "buy"],
    }
    found = answer("recommender", as_arrow(pa.table(rows)), ARROW, {"tasks": ["click", "buy"]})
    assert found == answer("recommender", as_json(fields), JSON, {})


def test_a_column_of_no_label_and_a_label_of_no_column_are_named() -> None:
    assert refusals(["cat", "dog", "elk"], labels=PETS) == [
        ("/y_proba.elk", "its name is not among the labels: cat, dog, owl"),
        ("/y_proba.owl", "the column of this label is missing"),
    ]
    assert refusals(["owl", "dog"], labels=PETS) == [
        ("/y_proba.cat", "the column of this label is missing")
    ]
    assert refusals(["p_cat", "p_dog", "p_owl"], labels=PETS)[0] == (
        "/y_proba.p_cat",
        "its name is not among the labels: cat, dog, owl",
    )
    assert refusals(["0", "2", "3"], labels=PETS)[0][0] == "/y_proba.0"
    assert refusals(["0", "1", "2"], labels=[1, 2, 3]) == [
        ("/y_proba.0", "its name is not among the labels: 1, 2, 3"),
        ("/y_proba.3", "the column of this label is missing"),
    ]
    assert refusals(["True", "true"], labels=[False, True]) == [
        ("/y_proba.true", "the column stands twice"),
        ("/y_proba.false", "the column of this label is missing"),
    ]


def test_the_one_column_of_two_outcomes_is_that_of_the_positive_label() -> None:
    def scored(name: str, **query: Any) -> bytes:  # noqa: ANN401
        rows = pa.table({"y_true": ["click", "no"], name: [0.75, 0.5]})
        return answer("log-loss", as_arrow(rows), ARROW, {"labels": ["no", "click"], **query})

    assert scored("y_proba.click") == scored("y_proba.p")
    for wrong, query in (("no", {}), ("click", {"pos_label": "no"})):
        with pytest.raises(InvalidInput, match="one column is that of the positive label"):
            scored(f"y_proba.{wrong}", **query)


def test_columns_of_two_fields_without_labels_are_the_same_in_the_same_order() -> None:
    rows = {"p.a": [0.5], "p.b": [0.5], "q.a": [0.25], "q.b": [0.75]}
    p = {"p.a": [0.5], "p.b": [0.5]}
    for q, message in (
        ({"q.b": [0.75], "q.a": [0.25]}, "q: the columns of p have another order"),
        ({"q.a": [0.25], "q.c": [0.75]}, "q.c: p has no column of this name"),
        ({"q.a": [0.25]}, "q.b: the column is missing, and p has it"),
    ):
        body = as_arrow(pa.table(p | q))
        with pytest.raises(InvalidInput) as refused:
            answer("kl-divergence", body, ARROW, {})
        assert refused.value.message == message
    other = {"p.a": [0.5], "p.b": [0.5], "q.q_1": [0.75], "q.q_0": [0.25]}
    assert answer("kl-divergence", as_arrow(pa.table(other)), ARROW, {}) == answer(
        "kl-divergence", as_arrow(pa.table(rows)), ARROW, {}
    )


def test_several_metrics_of_one_table_have_the_same_columns() -> None:
    frame = pd.DataFrame({"y_true": TRUTH, "y_proba.owl": [row[2] for row in ROWS]})
    frame["y_proba.cat"] = [row[0] for row in ROWS]
    frame["y_proba.dog"] = [row[1] for row in ROWS]
    assert list(frame) != ["y_true", *(f"y_proba.{name}" for name in PETS)]

    query = [("metrics", "log-loss,brier"), ("labels", json.dumps(PETS))]
    body = Body(bytearray(as_arrow(pa.Table.from_pandas(frame))), ARROW, "identity")
    scores = read_several(body, query, 1 << 20).scores()
    for metric, found in scores.items():
        fields = {"y_true": TRUTH, "y_proba": ROWS, "labels": PETS}
        expected = json.loads(answer(metric, as_json(fields), JSON, {}))["value"]
        assert found.value == expected  # type: ignore[union-attr] # none is a refusal
