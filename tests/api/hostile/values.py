"""Hostile values: texts to stand in place of any field, and columns of tables."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

VALUES = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "+1", ".5", "nul", "-", "'a'"),
    *("true", "false", "null", "{}", "[]", "[[]]", "[{}]", "[null]", "[true]", "[[[[[1]]]]]"),
    *(
        '""',
        '"xyzzyplugh"',
        '"\\ud800"',
        '["xyzzyplugh"]',
        '[["xyzzyplugh"]]',
        '{"a":"xyzzyplugh"}',
    ),
    *("9" * 400, "-" + "9" * 400, "9" * 5000, "[" + "9" * 400 + "]", "9223372036854775808"),
    *("[-1]", "[2, 2]", "[NaN]", "[1, [1]]", "[[1], [1, 1]]", "[[0.5, 0.5], [1]]", "-1", "0.5"),
    *("[1, 2, 3, 4, 5, 6, 7]", "[[[0.5]]]", "[[[[0.5]]]]", "[-9223372036854775808]"),
    *("[9223372036854775807, 1]", "[1e308, 1e308]", "[5e-324]", "[-1e308, 1e308]", "1e308"),
    *("[7]", "[18446744073709551616]", '["😀"]', "[0, 1, 2]", '["xyzzyplugh", 1]', "[1, 1]"),
    *("0", "1", "2", "9007199254740993", "[true, false]", "[[1, 2], [3, 4]]", "[0, 0]", "[[0]]"),
)

_DAY = datetime(2026, 3, 5, tzinfo=UTC)
COLUMNS: Mapping[str, Any] = {
    "nothing": pa.nulls(2),
    "a hole": pa.array([0.5, None]),
    "not a number": pa.array([math.nan, 0.5]),
    "infinite": pa.array([math.inf, -math.inf]),
    "the largest": pa.array([1e308, 1e308]),
    "the smallest": pa.array([5e-324, -0.0]),
    "half": pa.array([0.5, 1.0], pa.float16()),
    "booleans": pa.array([True, False]),
    "tiny integers": pa.array([-128, 127], pa.int8()),
    "integers": pa.array([-(2**63), 2**63 - 1]),
    "beyond integers": pa.array([2**64 - 1, 0], pa.uint64()),
    "texts": pa.array(["xyzzyplugh", ""]),
    "large texts": pa.array(["xyzzyplugh", "\0"], pa.large_string()),
    "bytes": pa.array([b"\xff", b"xyzzyplugh"]),
    "decimals": pa.array([Decimal("0.5"), Decimal(1)]),
    "times": pa.array([_DAY, _DAY]),
    "dates": pa.array([_DAY.date(), _DAY.date()]),
    "durations": pa.array([timedelta(1), timedelta(-1)]),
    "words": pa.array(["a", "b"]).dictionary_encode(),
    "numbers by words": pa.array([0.5, 0.5]).dictionary_encode(),
    "words with a hole": pa.DictionaryArray.from_arrays(pa.array([0, None]), pa.array(["a"])),
    "rows": pa.array([[0.5, 0.5], [1.0, 0.0]]),
    "ragged rows": pa.array([[0.5, 0.5], [1.0]]),
    "empty rows": pa.array([[], []], pa.list_(pa.float64())),
    "rows of nothing": pa.array([[None], None], pa.list_(pa.null())),
    "fixed rows": pa.array([[1.0, 0.0], [0.0, 1.0]], pa.list_(pa.float64(), 2)),
    "rows of texts": pa.array([["xyzzyplugh"], [""]]),
    "deep rows": pa.array([[[[[1.0]]]], [[[[1.0]]]]]),
    "objects": pa.array([{"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0.0}]),
    "an object of texts": pa.array([{"a": "xyzzyplugh"}, {"a": ""}]),
    "empty objects": pa.array([{}, {}], pa.struct([])),
    "maps": pa.array([[("a", 1)], [("b", 2)]], pa.map_(pa.string(), pa.int64())),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([1.0])),
}


def column(name: str, rows: int) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The column of this name, as long as a table."""
    return pa.concat_arrays([COLUMNS[name]] * (rows // 2 + 1)).slice(0, rows)
