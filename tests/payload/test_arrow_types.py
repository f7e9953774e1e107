"""Decimals, UUIDs, large ids and single halves are the numbers and names that they stand for."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.payload.arrow import parse_arrow
from kullback.payload.columns import Column, EntryType
from kullback.payload.json_object import parse
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.payload.whole_numbers import joined
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet
from tests.payload.child import CAP, COLUMNS

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=100)
IDS = {"unit": Column(EntryType.ID, 1), "slice": Column(EntryType.VALUE, 1)}


def read(table: Any) -> dict[str, Any]:  # noqa: ANN401 - pyarrow has no types
    return dict(parse_arrow(bytearray(as_arrow(table)), COLUMNS | IDS, CAP))


@pytest.mark.parametrize(
    "kind", [pa.decimal32(5, 3), pa.decimal64(9, 3), pa.decimal128(5, 3), pa.decimal256(50, 3)]
)
def test_decimals_give_the_same_bytes_as_the_numbers_they_write(kind: Any) -> None:  # noqa: ANN401
    written = ["0.125", "0.3", "0.001", "1"]
    clicks = [Decimal(1), Decimal(0), Decimal(0), Decimal(1)]
    table = pa.table(
        {
            "y_true": pa.array(clicks, pa.decimal128(38, 0)),
            "y_proba": pa.array([Decimal(text) for text in written], kind),
            "group": pa.array([Decimal(7), Decimal(2**60), Decimal(7), Decimal(7)]),
        }
    )
    fields = {
        "y_true": [1, 0, 0, 1],
        "y_proba": [float(text) for text in written],
        "group": [7, 2**60, 7, 7],
    }
    expected = answer("recommender", as_json(fields), JSON, {})
    assert answer("recommender", as_arrow(table), ARROW, {}) == expected
    assert answer("recommender", as_parquet(table), PARQUET, {}) == expected


@law
@given(st.lists(st.decimals(-(10**9), 10**9, places=12), min_size=1, max_size=20))
def test_a_decimal_becomes_the_nearest_double(decimals: list[Decimal]) -> None:
    found = read(pa.table({"y_proba": pa.array(decimals, pa.decimal128(38, 12))}))
    assert found["y_proba"].tolist() == [float(each) for each in decimals]


def test_lists_and_dictionaries_of_decimals_are_read() -> None:
    half = Decimal("0.5")
    lists = pa.array([[half, half], [Decimal("0.25"), Decimal("0.75")]])
    assert read(pa.table({"y_proba": lists}))["y_proba"].tolist() == [[0.5, 0.5], [0.25, 0.75]]
    coded = pa.DictionaryArray.from_arrays([1, 0], pa.array([Decimal("0.25"), half]))
    assert read(pa.table({"y_proba": coded}))["y_proba"].tolist() == [0.5, 0.25]


def test_decimals_are_no_ids_unless_they_are_whole() -> None:
    whole = pa.array([Decimal(2**64 - 1), Decimal(5)], pa.decimal128(20, 0))
    assert read(pa.table({"unit": whole}))["unit"].tolist() == [2**64 - 1, 5]
    with pytest.raises(InvalidInput, match=r"decimal128\(3, 1\) is not read"):
        read(pa.table({"unit": pa.array([Decimal("1.5")], pa.decimal128(3, 1))}))
    with pytest.raises(InvalidInput, match=r"more than 64 bits"):
        read(pa.table({"unit": pa.array([Decimal(2**64)], pa.decimal128(20, 0))}))


UUIDS = [UUID(int=5), UUID("deadbeef-0000-4000-8000-000000000001"), UUID(int=5)]


@pytest.mark.parametrize("field", ["group", "unit", "slice", "y_true"])
def test_uuids_are_the_strings_that_people_write(field: str) -> None:
    column = pa.array([each.bytes for each in UUIDS], pa.uuid())
    expected = [str(each) for each in UUIDS]
    assert read(pa.table({field: column}))[field] == expected
    assert read(pa.table({field: column}).slice(1))[field] == expected[1:]
    many = pa.chunked_array([column] * 2000)  # made block by block
    assert read(pa.table({field: many}))[field] == expected * 2000


def test_uuids_of_a_parquet_file_give_the_same_bytes_as_strings() -> None:
    column = pa.array([each.bytes for each in UUIDS], pa.uuid())
    rows = {"y_true": [1, 0, 0], "y_proba": [0.5, 0.25, 0.75]}
    expected = answer("recommender", as_json(rows | {"group": [*map(str, UUIDS)]}), JSON, {})
    table = pa.table(rows | {"group": column})
    for stored in (True, False):
        raw = as_parquet(table, store_schema=stored)
        assert answer("recommender", raw, PARQUET, {}) == expected


def test_unsigned_ids_of_64_bits_are_kept_exactly_in_every_form() -> None:
    hashes = [2**64 - 1, 2**63, 2**64 - 2, 2**63 + 1, 5]
    rows = {"y_true": [1, 0, 0, 1, 1], "y_proba": [0.5, 0.25, 0.75, 0.5, 0.5]}
    expected = answer("recommender", as_json(rows | {"group": hashes}), JSON, {})
    table = pa.table(rows | {"group": pa.array(hashes, pa.uint64())})
    assert answer("recommender", as_arrow(table), ARROW, {}) == expected
    small = answer("recommender", as_json(rows | {"group": [1, 2, 1, 2, 3]}), JSON, {})
    grouped = pa.table(
        rows | {"group": np.array([hashes[at] for at in (0, 1, 0, 1, 2)], np.uint64)}
    )
    large = answer("recommender", as_arrow(grouped), ARROW, {})
    for name in ("grouped_auc", "macro_log_loss"):
        assert json.loads(large)["details"][name] == json.loads(small)["details"][name]


def test_large_ids_far_down_a_json_list_are_kept_too() -> None:
    hashes = [*range(20_000), 2**64 - 1]
    found = parse(bytearray(as_json({"unit": hashes})), IDS)["unit"]
    assert isinstance(found, np.ndarray)
    assert found.tolist() == hashes


@pytest.mark.parametrize("hashes", [[2**64], [-1, 2**63], [*[-1] * 20_000, *[2**63] * 20_000]])
def test_ids_that_no_64_bits_hold_together_are_refused(hashes: list[int]) -> None:
    with pytest.raises(InvalidInput, match=r"more than 64 bits|beside one below 0"):
        parse(bytearray(as_json({"unit": hashes})), IDS)


def test_parts_with_a_sign_do_not_join_with_those_that_need_every_bit() -> None:
    large = np.array([2**63], np.uint64)
    assert joined([np.array([1, 2]), large]).tolist() == [1, 2, 2**63]
    with pytest.raises(OverflowError):
        joined([np.array([1, -2]), large])


def test_a_class_of_64_bits_is_refused() -> None:
    table = pa.table({"y_true": pa.array([2**63], pa.uint64()), "y_proba": [[0.5, 0.5]]})
    with pytest.raises(InvalidInput) as refused:
        answer("log-loss", as_arrow(table), ARROW, {})
    assert refused.value.offences[0].pointer.startswith("/y_true")


@pytest.mark.parametrize("write", [as_arrow, as_parquet])
def test_halves_are_read_also_in_lists(write: Any) -> None:  # noqa: ANN401 - two writers
    cells = pa.array(np.array([0.5, 0.5, 0.25, 0.75], np.float16))
    for lists in (
        pa.FixedSizeListArray.from_arrays(cells, 2),
        pa.ListArray.from_arrays([0, 2, 4], cells),
        pa.LargeListArray.from_arrays([0, 2, 4], cells),
    ):
        table = pa.table({"y_true": [1, 0], "y_proba": lists})
        fields = {"y_true": [1, 0], "y_proba": [[0.5, 0.5], [0.25, 0.75]]}
        kind = ARROW if write is as_arrow else PARQUET
        expected = json.loads(answer("log-loss", as_json(fields), JSON, {}))["value"]
        assert json.loads(answer("log-loss", write(table), kind, {}))["value"] == expected


def test_booleans_of_eight_bits_are_booleans() -> None:
    assert read(pa.table({"y_true": pa.array([1, 0], pa.bool8())}))["y_true"].tolist() == [1, 0]
