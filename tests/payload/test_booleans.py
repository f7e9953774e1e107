"""Booleans are labels and flags in every form, the same as 0 and 1; probabilities they are not."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kullback.errors import InvalidInput
from kullback.payload import ndjson
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.requests.batches import ObservationBatch
from kullback.requests.validation import array_fields
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet

pytestmark = pytest.mark.untraced

CLICKS = [True, False, False, True]
PROBA = [0.75, 0.5, 0.25, 1.0]
ROWS = [[1 - p, p] for p in PROBA]
ONE_HOT = [[not click, click] for click in CLICKS]


def numbers(value: Any) -> Any:  # noqa: ANN401 - lists within lists
    return [numbers(item) for item in value] if isinstance(value, list) else int(value)


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("log-loss", {"y_true": CLICKS, "y_proba": PROBA}),
        ("log-loss", {"y_true": CLICKS, "y_proba": ROWS}),
        ("log-loss", {"y_true": ONE_HOT, "y_proba": ROWS}),
        ("calibration", {"y_true": CLICKS, "y_proba": PROBA}),
        ("recommender", {"y_true": CLICKS, "y_proba": PROBA}),
        ("focal-loss", {"y_true": CLICKS, "y_proba": PROBA}),
        ("softmax-cross-entropy", {"y_true": CLICKS, "logits": ROWS}),
        ("sigmoid-cross-entropy", {"y_true": CLICKS, "logits": PROBA}),
        ("sigmoid-cross-entropy", {"y_true": ONE_HOT, "logits": ROWS}),
    ],
)
def test_booleans_give_the_same_bytes_as_0_and_1(metric: str, fields: dict[str, Any]) -> None:
    table = pa.table(fields)
    expected = answer(metric, as_json(fields | {"y_true": numbers(fields["y_true"])}), JSON, {})
    assert answer(metric, as_json(fields), JSON, {}) == expected
    assert answer(metric, as_arrow(table), ARROW, {}) == expected
    assert answer(metric, as_parquet(table), PARQUET, {}) == expected


def test_many_booleans_are_read_piece_by_piece() -> None:
    clicks = (np.arange(50_000) % 3 == 0).tolist()
    fields = {"y_true": clicks, "y_proba": [0.5] * len(clicks)}
    expected = answer("log-loss", as_json(fields | {"y_true": numbers(clicks)}), JSON, {})
    assert answer("log-loss", as_json(fields), JSON, {}) == expected


@pytest.mark.parametrize("name", ["y_proba", "sample_weight"])
def test_true_is_no_probability_and_no_weight(name: str) -> None:
    fields = {"y_true": [1, 0], "y_proba": [0.5, 0.5]} | {name: [True, False]}
    with pytest.raises(InvalidInput, match=f"{name}: not a number"):
        answer("log-loss", as_json(fields), JSON, {})


@pytest.mark.parametrize(("labels", "place"), [([True, 1], 1), ([1, True], 1), ([False, "a"], 1)])
def test_booleans_beside_other_labels_are_refused(labels: list[object], place: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        answer("log-loss", as_json({"y_true": labels, "y_proba": [0.5, 0.5]}), JSON, {})
    assert refused.value.offences[0].pointer == f"/y_true/{place}"


def test_lines_may_have_booleans_as_labels() -> None:
    rows = [{"y_true": click, "y_proba": p} for click, p in zip(CLICKS, PROBA, strict=True)]
    raw = bytearray("\n".join(map(json.dumps, rows)).encode())
    found = ndjson.parse(raw, array_fields(ObservationBatch))
    assert np.asarray(found["y_true"]).tolist() == [1, 0, 0, 1]
