"""Bad rows are the same in every type of body, and a batch without them is that of the others."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput, KullbackError
from kullback.monitoring.ingest import ObservationIngest
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.rows import ObservationRows
from kullback.payload.body import Body
from kullback.payload.media import ARROW, ARROW_FILE, JSON, LINES, PARQUET
from kullback.requests.batches import ObservationBatch
from kullback.requests.reading import read_batch
from tests.api.hostile import bodies as hostile_bodies
from tests.payload.batch_bodies import CAP, as_lines
from tests.payload.bodies import as_arrow, as_arrow_file, as_parquet

pytestmark = pytest.mark.untraced

NOW = 1_769_860_800.0
MONITOR = Monitor(slices=("country",))
THREE = Monitor(task="multiclass", labels=(0, 1, 2))
GOOD: dict[str, Any] = {"y_true": 1, "y_proba": 0.25, "timestamp": NOW, "sample_weight": 2.0}
Row = dict[str, Any]
BAD: list[tuple[Row, str]] = [  # what is wrong with a row, and in which field
    ({"y_proba": None}, "y_proba"),
    ({"y_proba": 1.5}, "y_proba"),
    ({"y_proba": float("nan")}, "y_proba"),
    ({"y_proba": float("inf")}, "y_proba"),
    ({"y_true": None}, "y_true"),
    ({"y_true": 7}, "y_true"),
    ({"timestamp": None}, "timestamp"),
    ({"timestamp": 5.0}, "timestamp"),
    ({"timestamp": NOW + 1000}, "timestamp"),
    ({"timestamp": -1.0}, "timestamp"),
    ({"sample_weight": -1.0}, "sample_weight"),
    ({"sample_weight": None}, "sample_weight"),
    ({"unit": None}, "unit"),
    ({"unit": ""}, "unit"),
    ({"unit": "x" * 257}, "unit"),
    ({"country": "a\0"}, "slice/country"),
]


def bodies_of(rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    """The rows as every type of body."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    objects = [
        {name: value for name, value in row.items() if name != "country"}
        | {"slice": {"country": row["country"]}}
        for row in rows
    ]
    plain: dict[str, Any] = {name: columns[name] for name in columns if name != "country"}
    yield JSON, json.dumps(plain | {"slice": {"country": columns["country"]}}).encode()
    yield JSON, json.dumps(objects).encode()
    for kind in LINES:
        yield kind, as_lines(objects)
    table = pa.table({name.replace("country", "slice.country"): columns[name] for name in columns})
    yield ARROW, as_arrow(table)
    yield ARROW, as_arrow(table.to_batches(max_chunksize=2))
    yield ARROW_FILE, as_arrow_file(table)
    yield PARQUET, as_parquet(table)


def taken(kind: str, raw: bytes, monitor: Monitor, on_invalid: str = "drop") -> Any:  # noqa: ANN401
    """What is written of a body."""
    body = Body(bytearray(raw), kind, "identity")
    batch = read_batch(body, [("on_invalid", on_invalid)], ObservationBatch, CAP)
    return ObservationIngest.of(monitor, batch.rows(), NOW)


def plainly(pointer: str) -> str:
    """A place by its field and its row, as columns have them."""
    steps = pointer.replace("slice.", "slice/").split("/")[1:]
    row = next(step for step in steps if step.isdecimal())
    return "/".join([*(step for step in steps if not step.isdecimal()), row])


@pytest.mark.parametrize(("wrong", "field"), BAD)
@pytest.mark.parametrize("at", [0, 2])
def test_a_bad_row_is_the_same_in_every_type_of_body(wrong: Row, field: str, at: int) -> None:
    rows = [GOOD | {"unit": f"u{row}", "country": "DE"} for row in range(4)]
    rows[at] |= wrong
    sound = [row for row in rows if row is not rows[at]]
    expected = taken(*next(bodies_of(sound)), MONITOR).added.cells
    for kind, raw in bodies_of(rows):
        ingest = taken(kind, raw, MONITOR)
        screening = ingest.added.screening
        assert (ingest.rows, screening.rejected) == (3, 1), kind
        ((row, place),) = screening.rejections
        assert (row, plainly(place.pointer)) == (at, f"{field}/{at}"), kind
        with pytest.raises(InvalidInput) as refused:
            taken(kind, raw, MONITOR, "error")
        first = refused.value.offences[0]
        assert (plainly(first.pointer), first.detail) == (f"{field}/{at}", place.detail), kind
        assert ingest.added.cells == expected, kind


def test_rows_that_do_not_sum_to_one_or_are_of_another_width_are_bad_rows() -> None:
    rows = [[0.5, 0.25, 0.25], [0.5, 0.25, 0.5], [0.5, 0.5], None, [0.5, None, 0.5], [1, 0, 0]]
    columns = {"y_true": [0] * 6, "y_proba": rows}
    for kind, raw in (
        (JSON, json.dumps(columns).encode()),
        (LINES[0], as_lines([{"y_true": 0, "y_proba": row} for row in rows])),
        (ARROW, as_arrow(pa.table(columns))),
        (PARQUET, as_parquet(pa.table(columns))),
    ):
        ingest = taken(kind, raw, THREE)
        assert [row for row, _ in ingest.added.screening.rejections] == [1, 2, 3, 4], kind
        assert ingest.rows == 2


row = st.fixed_dictionaries(
    {
        "y_true": st.sampled_from([0, 1, 1, 0, 7, None]),
        "y_proba": st.sampled_from([0.1, 0.5, 0.9, 0.25, 1.5, None, float("nan")]),
        "timestamp": st.sampled_from([NOW, NOW - 60, NOW - 7200, NOW + 900, 3.0, None]),
        "sample_weight": st.sampled_from([1.0, 2.0, 0.5, -1.0, None]),
        "unit": st.sampled_from(["a", "b", "c", "", None]),
        "country": st.sampled_from(["DE", "FR", None, "", "\0"]),
    }
)
good: dict[str, list[Any]] = {
    "y_true": [0, 1],
    "y_proba": [0.1, 0.5, 0.9, 0.25],
    "timestamp": [NOW, NOW - 60, NOW - 7200],
    "sample_weight": [1.0, 2.0, 0.5],
    "unit": ["a", "b", "c"],
    "country": ["DE", "FR", None, ""],
}


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(row, min_size=1, max_size=12))
def test_a_batch_without_its_bad_rows_is_the_batch_of_the_others(rows: list[Row]) -> None:
    sound = [each for each in rows if all(each[name] in good[name] for name in good)]
    for kind, raw in bodies_of(rows):
        if kind in {ARROW, ARROW_FILE, PARQUET} and all(each["unit"] is None for each in rows):
            continue  # a column of nothing says nothing of its type
        ingest = taken(kind, raw, MONITOR)
        assert ingest.screening.rejected == len(rows) if not sound else True
        if sound:
            assert ingest.added.screening.rejected == len(rows) - len(sound), kind
            expected = taken(*next(bodies_of(sound)), MONITOR)
            assert ingest.added.cells == expected.added.cells, kind


def test_observation_rows_are_taken_with_all_that_they_have() -> None:
    raw = json.dumps({"y_true": [1, 0], "y_proba": [0.5, 0.5], "id": ["a", "b"]}).encode()
    rows = read_batch(Body(bytearray(raw), JSON, "identity"), [], ObservationBatch, CAP).rows()
    assert isinstance(rows, ObservationRows)
    assert rows.ids == ["a", "b"]


@pytest.mark.parametrize("kind", [JSON, *LINES, ARROW, PARQUET])
def test_no_hostile_body_breaks_the_reader_that_drops(kind: str) -> None:
    outcomes = {"read": 0, "refused": 0}
    for each in hostile_bodies():
        try:
            taken(kind, each.body("observations"), MONITOR)
        except KullbackError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    assert outcomes["refused"] > 0


def test_an_id_is_the_same_in_every_type_of_body() -> None:
    name = UUID("0190c7a4-5b7e-7c3d-9f00-0123456789ab")
    for kind, ids, text in (
        (pa.uint64(), [2**64 - 1], str(2**64 - 1)),
        (pa.binary(16), [name.bytes], str(name)),
        (pa.binary(), [name.bytes], str(name)),
        (pa.uuid(), [name.bytes], str(name)),
    ):
        table = pa.table({"y_true": [1], "y_proba": [0.5], "id": pa.array(ids, kind)})
        for media_type, raw in ((ARROW, as_arrow(table)), (PARQUET, as_parquet(table))):
            body = Body(bytearray(raw), media_type, "identity")
            assert read_batch(body, [], ObservationBatch, CAP).id == [text], (kind, media_type)
