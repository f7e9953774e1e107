"""What pandas writes as an index is no column of the request, unless it has a field's name."""

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kullback.errors import InvalidInput
from kullback.payload.media import ARROW, JSON, PARQUET
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet

pytestmark = pytest.mark.untraced

FIELDS = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 0.75]}
FRAME = pd.DataFrame(FIELDS | {"y_true": [1, 0, 1]})
EXPECTED = answer("log-loss", as_json(FIELDS), JSON, {})
INDEXED = {
    "filtered": pd.concat([FRAME, FRAME])[[True] * 3 + [False] * 3],
    "named": FRAME.set_index(pd.Index(["a", "b", "c"], name="row")),
    "two levels": FRAME.set_index([pd.Index([1, 2, 3], name="a.b"), pd.Index([3, 2, 1])]),
    "times": FRAME.set_index(pd.date_range("2026-01-01", periods=3, name="day")),
    "none": FRAME,
}


@pytest.mark.parametrize("name", INDEXED)
def test_an_index_is_passed_over(name: str) -> None:
    sink = io.BytesIO()
    INDEXED[name].to_parquet(sink)
    assert answer("log-loss", sink.getvalue(), PARQUET, {}) == EXPECTED
    assert answer("log-loss", as_arrow(pa.Table.from_pandas(INDEXED[name])), ARROW, {}) == EXPECTED


def test_an_index_that_has_the_name_of_a_field_is_that_field() -> None:
    table = pa.Table.from_pandas(FRAME.set_index("y_true"))
    assert table.schema.names == ["y_proba", "y_true"]
    assert answer("log-loss", as_arrow(table), ARROW, {}) == EXPECTED
    assert answer("log-loss", as_parquet(table), PARQUET, {}) == EXPECTED


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[" * 100_000,
        "[]",
        json.dumps({"index_columns": "row"}),
        json.dumps({"index_columns": [1, {"kind": "range"}, None]}),
        json.dumps({"columns": ["row"]}),
    ],
)
def test_a_column_that_nobody_calls_an_index_is_refused(said: str) -> None:
    table: Any = pa.table({"row": [1, 2, 3], **FIELDS})
    for each in (table, table.replace_schema_metadata({"pandas": said})):
        for write, kind in ((as_arrow, ARROW), (as_parquet, PARQUET)):
            with pytest.raises(InvalidInput, match="row: there is no such column"):
                answer("log-loss", write(each), kind, {})


def test_an_index_of_a_file_is_not_read() -> None:
    texts = pa.array(["x" * 1000] * 3)  # three times the cap, if it were an entry of the request
    table = pa.table({"__index_level_0__": texts, **FIELDS})
    assert answer("log-loss", as_parquet(table), PARQUET, {}) == EXPECTED
