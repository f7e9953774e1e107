"""Null and NaN in columns of rows: the same score in Arrow, Parquet and JSON; refused elsewhere."""

import json
from typing import Any

import pyarrow as pa
import pytest

from kullback.errors import BodyTooLarge, InvalidInput
from kullback.payload.arrow import parse_arrow, parse_parquet
from kullback.payload.json_object import parse
from kullback.requests import REQUESTS
from kullback.requests.batches import ObservationBatch
from kullback.requests.validation import array_fields, validated
from kullback.scoring.score import Score
from tests.payload.bodies import as_arrow, as_json, as_parquet
from tests.payload.child import CAP

LARGE = 2**53 + 1
TABLES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "numbers": ("log-loss", {"y_true": [1, None, 0], "y_proba": [0.5, 0.5, None]}, {}),
    "whole numbers": ("log-loss", {"y_true": [1, 0, 1], "y_proba": [1, None, 1]}, {}),
    "large labels": (
        "log-loss",
        {"y_true": [LARGE, None, LARGE - 1], "y_proba": [[0.25, 0.75], [0.5, 0.5], [0.125, 0.875]]},
        {"labels": [LARGE, LARGE - 1]},
    ),
    "words": (
        "log-loss",
        {"y_true": ["cat", None, "dog"], "y_proba": [[0.25, 0.75], [0.5, 0.5], [0.125, 0.875]]},
        {"labels": ["cat", "dog"]},
    ),
    "booleans": ("log-loss", {"y_true": [True, None, False], "y_proba": [0.5, 0.25, 0.125]}, {}),
    "cells of rows": ("entropy", {"p": [[0.5, 0.5], [None, 1.0], [0.25, 0.75]]}, {}),
    "rows": ("entropy", {"p": [None, [0.5, 0.5], None, [0.25, 0.75]]}, {}),
    "rows of labels": (
        "log-loss",
        {"y_true": [[1, 0], None, [0, None]], "y_proba": [[0.5, 0.25]] * 3},
        {"task": "multilabel"},
    ),
    "sequences": ("perplexity", {"token_logprobs": [[-1.0, None], [-0.5], [-1.0, -2.0]]}, {}),
    "groups and weights": (
        "recommender",
        {
            "y_true": [1, 0, 1, 0],
            "y_proba": [0.5, 0.25, 0.75, 0.5],
            "group": [7, None, 7, 8],
            "sample_weight": [1.0, 2.0, 0.5, None],
        },
        {},
    ),
}


def scored(metric: str, fields: dict[str, object]) -> Score:
    return validated(REQUESTS[metric], fields).score()


@pytest.mark.parametrize("name", TABLES)
def test_nulls_are_dropped_alike_in_every_form(name: str) -> None:
    metric, columns, options = TABLES[name]
    asked = {**options, "missing": "drop", "per_row": True}
    known = array_fields(REQUESTS[metric])
    expected = scored(metric, parse(bytearray(as_json({**columns, **asked})), known))
    assert expected.diagnostics.dropped > 0
    table = pa.table(columns)
    for read, write in ((parse_arrow, as_arrow), (parse_parquet, as_parquet)):
        for rows_at_once in (2, 100):
            body = write(pa.Table.from_batches(table.to_batches(max_chunksize=rows_at_once)))
            found = scored(metric, read(bytearray(body), known, CAP) | asked)
            assert str(found) == str(expected)


def test_nulls_of_dictionaries_and_of_no_type_are_missing() -> None:
    known = array_fields(REQUESTS["log-loss"])
    asked = {"labels": ["a", "b"], "missing": "drop"}
    y_proba = [[0.25, 0.75]] * 4
    codes = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 2]), ["a", None, "b"])
    for y_true in (codes, pa.array(["a", None, None, "b"]).dictionary_encode()):
        body = as_arrow(pa.table({"y_true": y_true, "y_proba": y_proba}))
        found = scored("log-loss", parse_arrow(bytearray(body), known, CAP) | asked)
        assert found.diagnostics.dropped_rows == (1, 2)
    for gone in (pa.nulls(4), pa.array([None] * 4, pa.list_(pa.float64(), 2))):
        sent = pa.table({"y_true": ["a"] * 4, "y_proba": gone})
        found = scored("log-loss", parse_arrow(bytearray(as_arrow(sent)), known, CAP) | asked)
        assert (found.reason, found.diagnostics.dropped) == ("empty", 4)


@pytest.mark.parametrize(
    "text",
    [
        '{"p": [null, [0.5, "NaN"], [0.5, 0.5]]}',
        '{"p": [' + "null, " * 30_000 + "[0.5, 0.5]]}",
        '{"logits": [["-Infinity", 1], ["NaN", 1]]}',
        '{"logits": [[1, null], null, ["-Infinity", 1]]}',
    ],
)
def test_lists_of_json_may_hold_null_and_nan_anywhere(text: str) -> None:
    fields = parse(bytearray(text.encode()), array_fields(REQUESTS["entropy"]))
    found = scored("entropy", fields | {"missing": "drop"})
    (rows,) = json.loads(text).values()
    gone = [row for row in rows if row is None or None in row or "NaN" in row]
    assert (found.n, found.diagnostics.dropped) == (len(rows) - len(gone), len(gone))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "1e999"])
def test_a_number_that_json_does_not_have_is_told_of_null(word: str) -> None:
    columns = array_fields(REQUESTS["log-loss"])
    with pytest.raises(InvalidInput, match="not a finite number; a missing value is null"):
        parse(bytearray(f'{{"y_proba": [0.5, {word}]}}'.encode()), columns)
    with pytest.raises(InvalidInput, match=r"not a finite number$"):
        parse(bytearray(f'{{"class_weight": [0.5, {word}]}}'.encode()), columns)


def test_null_rows_take_the_room_that_their_entries_need() -> None:
    known = array_fields(REQUESTS["entropy"])
    text = '{"p": [' + json.dumps([1e-3] * 1000) + ", null" * 10_000 + "]}"
    with pytest.raises(BodyTooLarge):
        parse(bytearray(text.encode()), known, 1 << 20)
    rows = pa.array([[1e-3] * 1000] + [None] * 10_000)
    with pytest.raises(BodyTooLarge):
        parse_arrow(bytearray(as_arrow(pa.table({"p": rows}))), known, 1 << 20)


def test_batches_that_are_kept_refuse_null_as_ever() -> None:
    known = array_fields(ObservationBatch)
    for columns in ({"y_true": [1, None]}, {"y_proba": [0.5, None]}, {"y_proba": [[0.5], None]}):
        with pytest.raises(InvalidInput):
            parse(bytearray(as_json(columns)), known)
        with pytest.raises(InvalidInput):
            parse_arrow(bytearray(as_arrow(pa.table(columns))), known, CAP)
