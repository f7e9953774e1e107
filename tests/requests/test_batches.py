"""Batches say the same in every type of body; what is wrong in one is named by field and row."""

import json
import math
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput, MalformedBody, UnsupportedBody
from kullback.monitoring.rows import ObservationRows, ReferenceDistributions, ReferencePeriod
from kullback.payload.body import Body
from kullback.payload.media import (
    ARROW,
    ARROW_FILE,
    BATCH_TYPES,
    JSON,
    LINES,
    MEDIA_TYPES,
    PARQUET,
    check_media_type,
)
from kullback.requests.batches import (
    LabelBatch,
    ObservationBatch,
    PredictionBatch,
    ReferenceBatch,
    RowBatch,
)
from kullback.requests.reading import read_batch
from kullback.requests.validation import Model
from kullback.scoring.screening import NO_VALUE as NONE
from kullback.timezones import Timestamps
from tests.payload.batch_bodies import CAP, NDJSON, Columns, as_lines, bodies, dotted, read, rows_of
from tests.payload.bodies import as_arrow, as_json, as_parquet

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=150)
name = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20
)
integer = st.integers(-(2**63), 2**63 - 1)
probability = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 5e-324, 1 - 2**-53]))
epoch = st.one_of(st.floats(0, 253_402_300_799), st.integers(0, 253_402_300_799))
stamp = st.builds(
    "{:%Y-%m-%dT%H:%M:%S}{}{}".format,
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["", ".5", ".123456", ".987654321"]),
    st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:30", "-12:00"]),
)


def of(n: int, *entries: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A column of n entries, all of one of these kinds."""
    return st.one_of([st.lists(entry, min_size=n, max_size=n) for entry in entries])


@st.composite
def forecasts(draw: st.DrawFn, n: int) -> list[Any]:
    """Probabilities [n], or distributions [n][k]."""
    if draw(st.booleans()):
        return draw(of(n, probability))
    k = draw(st.integers(2, 4))
    cells = np.array(draw(st.lists(st.floats(0.01, 1), min_size=n * k, max_size=n * k)))
    table = cells.reshape(n, k)
    found: list[Any] = (table / table.sum(axis=1, keepdims=True)).tolist()
    return found


@st.composite
def batches(draw: st.DrawFn) -> tuple[type[RowBatch], Columns]:
    """A batch of any sort, as columns."""
    n = draw(st.integers(1, 6))
    outcomes = of(n, st.integers(0, 3), st.floats(0, 1), name, st.sampled_from([0.0, 1.0]))
    ids = of(n, name, integer)
    sorts: list[type[RowBatch]] = [ObservationBatch, PredictionBatch, LabelBatch, ReferenceBatch]
    sort = draw(st.sampled_from(sorts))
    if sort is LabelBatch:
        return sort, {"id": draw(ids), "y_true": draw(outcomes)}
    columns = {"y_proba": draw(forecasts(n))}
    if sort is PredictionBatch:
        columns["id"] = draw(ids)
    if sort is ObservationBatch or (sort is ReferenceBatch and draw(st.booleans())):
        columns["y_true"] = draw(outcomes)
    extra: dict[str, st.SearchStrategy[Any]] = {
        "sample_weight": of(n, st.floats(0, 1e100), st.integers(0, 9)),
        "slice": st.dictionaries(
            st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,5}(\.[a-z])?", fullmatch=True),
            of(n, name, integer, st.booleans()),
            min_size=1,
            max_size=3,
        ),
    }
    if sort is not ReferenceBatch:
        extra |= {"timestamp": of(n, epoch, stamp), "unit": ids}
    chosen = draw(st.sets(st.sampled_from(sorted(extra))))
    return sort, columns | {field: draw(extra[field]) for field in sorted(chosen)}


def columns_of(rows: "DataclassInstance") -> tuple[Any, ...]:
    """The fields of rows, but for how they are named where they are wrong."""
    names = [each.name for each in fields(rows) if each.name != "screening"]
    return tuple(getattr(rows, each) for each in names)


def plainly(batch: RowBatch) -> list[Any]:
    """What a service gets of a batch, without arrays, and with the types of numbers."""
    if isinstance(batch, ObservationBatch | PredictionBatch):
        found: tuple[Any, ...] = columns_of(batch.rows())
    elif isinstance(batch, LabelBatch):
        found = columns_of(batch.labels())
    else:
        assert isinstance(batch, ReferenceBatch)
        found = columns_of(batch.baseline())
    return [_plainly(value) for value in found]


def _plainly(value: object) -> object:
    if isinstance(value, Timestamps):
        return [_plainly(each) for each in (value.seconds, value.naive)]
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.shape, value.tobytes()
    return value


@law
@given(batches())
def test_a_batch_is_the_same_in_every_type_of_body(drawn: tuple[type[RowBatch], Columns]) -> None:
    model, columns = drawn
    expected = plainly(read(model, as_json(columns)))
    for media_type, raw in bodies(columns):
        assert plainly(read(model, raw, media_type)) == expected


PAIR: Columns = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}


def test_a_batch_by_hand() -> None:
    columns = PAIR | {
        "sample_weight": [1, 2],
        "timestamp": ["2026-01-31T12:00:00Z", "2026-01-31T14:00:00.5+02:00"],
        "unit": [7, 8],
        "slice": {"country": ["DE", "FR"], "new": [True, False], "age": [30, 40]},
    }
    rows = read(ObservationBatch, as_json(columns)).rows()
    assert np.asarray(rows.y_true).tolist() == [1, 0]
    assert np.asarray(rows.unit).tolist() == [7, 8]
    assert rows.y_proba.tolist() == [0.5, 0.25]
    assert rows.weight is not None
    assert rows.weight.tolist() == [1.0, 2.0]
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
    assert rows.timestamp is not None
    assert rows.timestamp.seconds.tolist() == [noon, noon + 0.5]
    expected = {"country": ["DE", "FR"], "new": ["true", "false"], "age": ["30", "40"]}
    assert rows.slices == expected
    assert len(rows) == 2


def test_ids_that_are_integers_become_their_decimal_text() -> None:
    columns = {"id": [2**63 - 1, -5], "y_true": ["a", "b"]}
    labels = read(LabelBatch, as_json(columns)).labels()
    assert (labels.ids, labels.y_true) == (["9223372036854775807", "-5"], ["a", "b"])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+05:30"])
def test_arrow_timestamps_of_any_unit_are_read(unit: str, zone: str | None) -> None:
    moments = pa.array([1_769_860_800 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]] * 2)
    table = dotted(PAIR | {"timestamp": moments.cast(pa.timestamp(unit, zone))})
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        found = read(ObservationBatch, write(table), media_type).rows().timestamp
        assert found is not None
        assert found.seconds.tolist() == [1_769_860_800.0] * 2
        assert (found.naive is None) == (zone is not None)


def test_a_zone_whose_name_is_no_text_makes_no_arrow_stream() -> None:
    moments = pa.array([1, 2], pa.timestamp("us", "Europe/Berlin"))
    raw = as_arrow(dotted(PAIR | {"timestamp": moments}))
    with pytest.raises(MalformedBody):
        read(ObservationBatch, raw.replace(b"Europe/Berlin", b"Eur\xd4pe/Berlin"), ARROW)


def test_arrow_timestamps_and_strings_are_the_same_to_the_bit() -> None:
    text = [f"2026-01-31T12:00:00.{i:09}" for i in range(0, 10**9, 9_999_991)]
    ticks = np.array(text, "datetime64[ns]")
    columns = {"y_proba": [0.5] * len(text), "y_true": [1] * len(text)}
    strings = read(ObservationBatch, as_json(columns | {"timestamp": text})).timestamp
    arrow = read(ObservationBatch, as_arrow(dotted(columns | {"timestamp": ticks})), ARROW)
    assert strings is not None
    assert arrow.timestamp is not None
    assert arrow.timestamp.seconds.tobytes() == strings.seconds.tobytes()


def test_dictionaries_of_words_are_read_wherever_words_are() -> None:
    words = pa.array(["2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z"]).dictionary_encode()
    columns = PAIR | {"timestamp": words, "unit": words, "slice": {"a.b": words}}
    rows = read(ObservationBatch, as_arrow(dotted(columns)), ARROW).rows()
    assert rows.timestamp is not None
    assert rows.timestamp.seconds.tolist() == [1_769_860_800.0, 1_769_860_801.0]
    assert (rows.unit, rows.slices) == (words.to_pylist(), {"a.b": words.to_pylist()})


def test_a_hundred_thousand_values_of_a_slice_are_read_whole() -> None:
    n = 100_000
    values = [f"v{i % 50}" for i in range(n)]
    columns = {"y_true": [1] * n, "y_proba": [0.5] * n, "slice": {"a": values, "b": [*range(n)]}}
    table = dotted(
        columns | {"slice": {"a": pa.array(values).dictionary_encode(), "b": [*range(n)]}}
    )
    for batch in (
        read(ObservationBatch, as_json(columns)),
        read(ObservationBatch, as_arrow(table), ARROW),
        read(ObservationBatch, as_lines(rows_of(columns)), NDJSON),
    ):
        assert batch.slice == {"a": values, "b": [str(i) for i in range(n)]}


def place(model: type[Model], raw: bytes, media_type: str = JSON) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(model, raw, media_type)
    return refused.value.offences[0].pointer


NUL, LONG, NAN = "a\0", "x" * 257, math.nan
WRONG: list[tuple[Columns, str]] = [
    ({"y_proba": [0.5, 1.00001]}, "/y_proba/1"),
    ({"y_proba": [0.5, -1e-5]}, "/y_proba/1"),
    ({"y_proba": [[0.5, 0.5], [1.5, -0.5]]}, "/y_proba/1/0"),
    ({"y_proba": [[0.5, 0.5], [1.0]]}, "/y_proba/1"),
    ({"y_proba": ["a", "b"]}, "/y_proba"),
    ({"y_true": [0.5, 1.5]}, "/y_true/1"),
    ({"y_true": [0.5, 2.0**60]}, "/y_true/1"),
    ({"y_true": [1.0, 2.0**60]}, "/y_true/1"),
    ({"y_true": ["a", ""]}, "/y_true/1"),
    ({"sample_weight": [1.0, -1.0]}, "/sample_weight/1"),
    ({"sample_weight": [1.0, 1e101]}, "/sample_weight/1"),
    ({"timestamp": [1.0, -1.0]}, "/timestamp/1"),
    ({"timestamp": [1.0, 253_402_300_800]}, "/timestamp/1"),
    ({"timestamp": [1.0, 1e300]}, "/timestamp/1"),
    ({"timestamp": ["2026-01-31T12:00:00Z", "2026-01-31"]}, "/timestamp/1"),
    ({"timestamp": ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01"]}, "/timestamp/1"),
    ({"timestamp": [True, False]}, "/timestamp"),
    ({"unit": ["a", NUL]}, "/unit/1"),
    ({"unit": ["a", ""]}, "/unit/1"),
    ({"unit": ["a", LONG]}, "/unit/1"),
    ({"unit": ["a", "\x85"]}, "/unit/1"),
    ({"unit": [1.5, 2.5]}, "/unit"),
    ({"unit": [True, False]}, "/unit"),
    ({"slice": {"c": ["a", "b\x7f"]}}, "/slice/c/1"),
    ({"slice": {"c": ["a", LONG]}}, "/slice/c/1"),
    ({"slice": {"c": [1.5, 2.5]}}, "/slice/c"),
    ({"slice": {"c": [["a"], ["b"]]}}, "/slice/c"),
    ({"slice": {"1c": ["a", "b"]}}, "/slice/1c"),
    ({"slice": {f"s{i}": ["a", "b"] for i in range(21)}}, "/slice"),
    ({"slice": ["a", "b"]}, "/slice"),
    ({"other": [1, 2]}, "/other"),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG)
def test_what_is_wrong_is_named_in_every_type_of_body(wrong: Columns, expected: str) -> None:
    columns = PAIR | wrong
    found = {
        media_type: place(ObservationBatch, raw, media_type) for media_type, raw in bodies(columns)
    }
    field, *steps = expected[1:].split("/")
    rows = [step for step in steps if step.isdecimal()]
    assert found[JSON].startswith(expected)
    for media_type in LINES:
        assert found[media_type].startswith(f"/{rows[0]}/{field}" if rows else "/")
    for media_type in (ARROW, ARROW_FILE, PARQUET):
        assert found[media_type].replace(".", "/").startswith(expected)


@pytest.mark.parametrize("missing", ["y_true", "y_proba"])
def test_a_missing_field_is_named_in_every_type_of_body(missing: str) -> None:
    columns = {name: values for name, values in PAIR.items() if name != missing}
    for media_type, raw in bodies(columns):
        assert place(ObservationBatch, raw, media_type) == f"/{missing}"


@pytest.mark.parametrize("field", ["y_proba", "y_true", "sample_weight", "timestamp", "unit"])
def test_columns_of_another_length_are_refused(field: str) -> None:
    columns = PAIR | {"sample_weight": [1, 1], "timestamp": [1, 1], "unit": [1, 1]}
    raw = as_json(columns | {field: [1] * 3})
    assert place(ObservationBatch, raw) in (f"/{field}", "/sample_weight", "/y_true")
    columns = PAIR | {"slice": {"a": ["x", "y"], "b": ["x"]}}
    assert place(ObservationBatch, as_json(columns)) == "/slice/b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"unit": [1, "a"]', "/unit/1"),
        ('"unit": ["a", 1]', "/unit/1"),
        ('"unit": [1, 0.5]', "/unit/1"),
        ('"unit": [1, true]', "/unit/1"),
        ('"unit": [1, null]', "/unit/1"),
        (f'"unit": [1, {2**64}]', "/unit/1"),
        (f'"unit": [-1, {2**63}]', "/unit/1"),
        ('"unit": [[1], [2]]', "/unit"),
        ('"unit": [["a"], ["b"]]', "/unit/0"),
        ('"unit": "a"', "/unit"),
        ('"unit": 1', "/unit"),
        ('"unit": []', "/"),
        ('"timestamp": [1, "2026-01-31T12:00:00Z"]', "/timestamp/1"),
        ('"timestamp": ["2026-01-31T12:00:00Z", 1]', "/timestamp/1"),
        ('"timestamp": "2026-01-31T12:00:00Z"', "/timestamp"),
        ('"timestamp": []', "/"),
        ('"slice": {"a": [1, "b"]}', "/slice/a/1"),
        ('"slice": {"a": [true, 1]}', "/slice/a/1"),
        ('"slice": {"a": [1, true]}', "/slice/a/1"),
        ('"slice": {"a": []}', "/slice/a"),
        ('"slice": {"a": "DE"}', "/slice/a"),
        ('"slice": {"a": {"b": ["x", "y"]}}', "/slice/a"),
        ('"slice": {"a": [[[["x"]]]]}', "/slice"),
        ('"slice": {"a": ["x", "y"], "a": ["x", "y"]}', "/slice/a"),
        ('"slice": {"a": ["x", "y"], "\\u0061": ["x", "y"]}', "/slice/a"),
        ('"slice": {"a": ["x", "y"]}, "slice": {"b": ["x", "y"]}', "/slice"),
        ('"slice": 3', "/slice"),
        ('"y_proba": {"a": [0.5, 0.5]}', "/y_proba"),
    ],
)
def test_what_only_json_can_say_is_refused_there(text: str, expected: str) -> None:
    head = '"y_true": [1, 0]' + ("" if "y_proba" in text else ', "y_proba": [0.5, 0.25]')
    assert place(ObservationBatch, f"{{{head}, {text}}}".encode()).startswith(expected)


@pytest.mark.parametrize("index", [0, 1, 99_999])
def test_the_row_of_a_wrong_value_in_a_long_slice_is_named(index: int) -> None:
    values: list[object] = ["abcdefgh"] * 100_000
    values[index] = NUL
    raw = as_json({"slice": {"a": values}})
    assert place(ObservationBatch, raw[:-1] + b', "y_true": [1], "y_proba": [1]}') == (
        f"/slice/a/{index}"
    )
    values[index] = None
    columns = {"y_true": [1] * len(values), "y_proba": [0.5] * len(values), "slice": {"a": values}}
    found = read(ObservationBatch, as_json(columns)).slice
    assert found is not None
    assert [at for at, value in enumerate(found["a"]) if value == NONE] == [index]


UNREAD = {
    "date": ("timestamp", pa.array([1, 2], pa.date32())),
    "time": ("timestamp", pa.array([1, 2], pa.time64("us"))),
    "duration": ("timestamp", pa.array([1, 2], pa.duration("s"))),
    "a time as a weight": ("sample_weight", pa.array([1, 2], pa.timestamp("s"))),
    "a time as an id": ("unit", pa.array([1, 2], pa.timestamp("s"))),
    "binary": ("unit", pa.array([b"a", b"b"])),
    "words in lists": ("unit", pa.array([["a"], ["b"]])),
    "a struct": ("unit", pa.array([{"a": 1}, {"a": 2}])),
    "floats by which to slice": ("slice.a", pa.array([1.5, 2.5])),
    "a nested struct": ("slice", pa.array([{"a": {"b": 1}}, {"a": {"b": 2}}])),
    "no such prefix": ("unit.a", pa.array(["a", "b"])),
    "no key": ("slice.", pa.array(["a", "b"])),
    "2**64": ("unit", pa.array([2**64, 1], pa.decimal128(20))),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_other_types_of_columns_are_refused_by_name(kind: str) -> None:
    field, array = UNREAD[kind]
    table = pa.table(PAIR | {field: array})
    found = place(ObservationBatch, as_arrow(table), ARROW)
    assert found.replace(".", "/").startswith(f"/{field}".replace(".", "/"))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", None]), 1),
        (pa.array(["a", None]).dictionary_encode(), 1),
        (pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([None, "a"])), 1),
        (pa.array([None, 1]), 0),
        (pa.array([True, None]), 1),
    ],
)
def test_null_is_a_value_of_a_slice(column: Any, expected: int) -> None:  # noqa: ANN401
    for table in ({"slice.a": column}, {"slice": pa.StructArray.from_arrays([column], ["a"])}):
        found = read(ObservationBatch, as_arrow(pa.table(PAIR | table)), ARROW).slice
        assert found is not None
        assert [at for at, value in enumerate(found["a"]) if value == NONE] == [expected]


def test_a_null_struct_is_a_null_in_all_its_columns() -> None:
    raw = as_arrow(pa.table(PAIR | {"slice": pa.array([{"a": "x"}, None])}))
    assert read(ObservationBatch, raw, ARROW).slice == {"a": ["x", NONE]}


@pytest.mark.parametrize("order", [("slice", "slice.a"), ("slice.a", "slice")])
def test_a_slice_that_is_both_a_column_and_in_a_struct_is_refused(order: tuple[str, str]) -> None:
    parts = {"slice": pa.array([{"a": "x"}, {"a": "y"}]), "slice.a": pa.array(["x", "y"])}
    raw = as_arrow(pa.table(PAIR | {name: parts[name] for name in order}))
    assert place(ObservationBatch, raw, ARROW).startswith("/slice")
    words = pa.table(PAIR | {name: pa.array(["x", "y"]) for name in order})
    assert place(ObservationBatch, as_arrow(words), ARROW).startswith("/slice")


def test_numbers_that_no_json_has_are_refused_in_columns() -> None:
    for field in ("y_true", "y_proba", "sample_weight", "timestamp"):
        for value in (NAN, math.inf, -math.inf):
            for first in (0.5, 1.0):
                raw = as_arrow(pa.table(PAIR | {field: [first, value]}))
                assert place(ObservationBatch, raw, ARROW) == f"/{field}/1"


@pytest.mark.parametrize("media_type", BATCH_TYPES)
def test_a_batch_has_no_options(media_type: str) -> None:
    raw = dict(bodies(PAIR))[media_type]
    body = Body(bytearray(raw), media_type, "identity")
    with pytest.raises(InvalidInput) as refused:
        read_batch(body, [("sample_weight", "1")], ObservationBatch, CAP)
    assert refused.value.offences[0].pointer == "/sample_weight"


def test_each_route_says_what_types_it_takes() -> None:
    for media_type in BATCH_TYPES:
        check_media_type(media_type, BATCH_TYPES)
    with pytest.raises(UnsupportedBody) as refused:
        check_media_type(NDJSON)
    assert refused.value.accepted == MEDIA_TYPES
    with pytest.raises(UnsupportedBody, match=NDJSON):
        check_media_type("text/csv", BATCH_TYPES)


def test_a_reference_is_a_batch_a_period_or_distributions() -> None:
    batch = read(ReferenceBatch, as_json({"y_proba": [0.5]})).baseline()
    assert isinstance(batch, ObservationRows)
    assert batch.y_true is None
    period = read(ReferenceBatch, b'{"from": "1970-01-01T00:01:00Z", "to": 90.5}').baseline()
    assert period == ReferencePeriod(60.0, 90.5)
    shares = read(ReferenceBatch, b'{"label_distribution": [0, 3]}').baseline()
    assert isinstance(shares, ReferenceDistributions)
    assert shares.labels is not None
    assert (shares.scores, shares.labels.tolist()) == (None, [0.0, 3.0])
    table = pa.table({"score_histogram": [[1, 2, 3]], "label_distribution": [[1, 2]]})
    shares = read(ReferenceBatch, as_arrow(table), ARROW).baseline()
    assert isinstance(shares, ReferenceDistributions)
    assert shares.scores is not None
    assert shares.scores.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "/y_proba"),
        ({"y_true": [1]}, "/y_proba"),
        ({"y_proba": [1], "from": 1, "to": 2}, "/from"),
        ({"y_proba": [1], "score_histogram": [1]}, "/score_histogram"),
        ({"from": 1, "to": 2, "label_distribution": [1]}, "/label_distribution"),
        ({"from": 1}, "/to"),
        ({"to": 1}, "/from"),
        ({"from": 2, "to": 2}, "/to"),
        ({"from": True, "to": 2}, "/from"),
        ({"from": "2026-01-31", "to": 2}, "/from"),
        ({"from": 10**400, "to": 2}, "/from"),
        ({"from": [1], "to": 2}, "/from"),
        ({"from": -1, "to": 2}, "/from"),
        ({"start": 1, "stop": 2}, "/start"),
        ({"score_histogram": []}, "/score_histogram"),
        ({"score_histogram": [0, 0]}, "/score_histogram"),
        ({"score_histogram": [1, -1]}, "/score_histogram/1"),
        ({"score_histogram": [[1], [1]]}, "/score_histogram"),
        ({"label_distribution": [1e200]}, "/label_distribution/0"),
        ({"y_proba": [0.5], "timestamp": [1]}, "/timestamp"),
    ],
)
def test_other_mixtures_are_no_reference(fields: Columns, expected: str) -> None:
    assert place(ReferenceBatch, as_json(fields)) == expected


def test_distributions_are_not_read_line_by_line() -> None:
    assert place(ReferenceBatch, b'{"score_histogram": 1}', NDJSON) == "/0/score_histogram"


def test_keys_that_stand_twice_in_json_are_refused_at_every_level() -> None:
    raw = json.dumps(PAIR).encode()[:-1] + b', "y_true": [0, 1]}'
    assert place(ObservationBatch, raw) == "/y_true"
