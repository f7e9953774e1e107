"""Arrow streams and Parquet files carry the same numbers as JSON, or are refused with the place."""

import json
import struct
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.payload.arrow import parse_arrow, parse_parquet
from kullback.payload.columns import Column, EntryType
from kullback.payload.media import ARROW, ARROW_FILE, JSON, PARQUET
from kullback.scoring.catalog import METRICS
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_arrow_file, as_json, as_parquet, as_table
from tests.payload.child import CAP, COLUMNS, cut_everywhere, growth, in_child, outcome
from tests.payload.mutants import fuzzed

pytestmark = pytest.mark.untraced

COMPLETE = {"y_proba": Column(EntryType.NUMBER, 3)}  # of batches, in which nothing may be missing
law = settings(deadline=None, derandomize=True, max_examples=60)
Fields = dict[str, Any]
inside = st.floats(1e-300, 1.0, exclude_max=True)
probability = st.one_of(inside, st.sampled_from([0.0, 1.0, 0.5, 5e-324, 1 - 2**-53]))
logit = st.floats(-800, 800)


@st.composite
def rows(draw: st.DrawFn, n: int, k: int) -> list[list[float]]:
    """Rows that sum to 1 but for rounding."""
    cells = draw(st.lists(st.floats(0.001, 1.0), min_size=n * k, max_size=n * k))
    table = np.array(cells).reshape(n, k)
    listed: list[list[float]] = (table / table.sum(axis=1, keepdims=True)).tolist()
    return listed


def of(n: int, entries: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(entries, min_size=n, max_size=n)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Fields, Fields]:
    """A metric, its columns and its options."""
    n, k = draw(st.integers(1, 6)), draw(st.integers(2, 4))
    binary = {"y_true": of(n, st.integers(0, 1)), "y_proba": of(n, probability)}
    classes = {"y_true": of(n, st.integers(0, k - 1))}
    by_logits = classes | {"logits": of(n, of(k, logit))}
    forms: list[tuple[str, dict[str, st.SearchStrategy[Any]]]] = [
        ("entropy", {"p": rows(n, k)}),
        ("entropy", {"logits": of(n, of(k, logit))}),
        ("cross-entropy", {"p": rows(n, k), "q": rows(n, k)}),
        ("kl-divergence", {"p": rows(n, k), "q_logits": of(n, of(k, logit))}),
        ("js-divergence", {"p": rows(n, k), "q": rows(n, k)}),
        ("log-loss", binary),
        ("log-loss", classes | {"y_proba": rows(n, k)}),
        ("log-loss", {"y_true": rows(n, k), "y_proba": rows(n, k)}),
        ("softmax-cross-entropy", by_logits),
        ("sigmoid-cross-entropy", {"logits": of(n, logit), "y_true": of(n, st.floats(0, 1))}),
        ("focal-loss", by_logits),
        ("calibration", binary),
        ("calibration", by_logits),
        ("recommender", binary | {"group": of(n, st.sampled_from(["ann", "bob", "ü"]))}),
        ("recommender", binary | {"group": of(n, st.integers(-(2**63), 2**63 - 1))}),
    ]
    metric, form = draw(st.sampled_from(forms))
    if draw(st.booleans()):
        form = form | {"sample_weight": of(n, st.floats(0.001, 10))}
    options: Fields = {"base": draw(st.sampled_from(["e", "2", "10"]))}
    if metric != "calibration":
        options |= {"per_row": True, "gradient": draw(st.booleans())}
    return metric, {name: draw(entries) for name, entries in form.items()}, options


@law
@given(requests())
def test_the_same_numbers_give_the_same_bytes_from_every_type(
    drawn: tuple[str, Fields, Fields],
) -> None:
    metric, fields, options = drawn
    table = pa.table(fields)
    expected = answer(metric, as_json(fields | options), JSON, {})
    assert answer(metric, as_arrow(table), ARROW, options) == expected
    assert answer(metric, as_arrow_file(table), ARROW_FILE, options) == expected
    assert answer(metric, as_parquet(table), PARQUET, options) == expected
    batches = table.to_batches(max_chunksize=2)
    assert answer(metric, as_arrow(batches, compression="zstd"), ARROW, options) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_every_worked_example_can_be_sent_as_columns(metric: str) -> None:
    request = dict(METRICS[metric].example.request)
    table, options = as_table(metric, request)
    expected = answer(metric, as_json(request), JSON, {})
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        assert answer(metric, write(table), media_type, options) == expected


def test_one_row_of_lists_holds_arrays_of_unequal_lengths() -> None:
    fields = {"y_true": [0, 1, 1], "y_proba": [[0.5, 0.5]] * 3, "class_weight": [1.0, 3.0]}
    table = pa.table({name: [values] for name, values in fields.items()})
    expected = answer("log-loss", as_json(fields), JSON, {})
    assert answer("log-loss", as_arrow(table), ARROW, {}) == expected
    assert answer("log-loss", as_parquet(table), PARQUET, {}) == expected


@pytest.mark.parametrize(("option", "value"), [("alpha", 0.25), ("alpha", "[0.75, 0.25]")])
def test_a_number_that_is_not_one_per_row_may_be_an_option(option: str, value: object) -> None:
    fields = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}
    if isinstance(value, str):
        fields["y_proba"] = [[0.5, 0.5], [0.25, 0.75]]
    sent = json.loads(value) if isinstance(value, str) else value
    expected = answer("focal-loss", as_json(fields | {option: sent}), JSON, {})
    found = answer("focal-loss", as_arrow(pa.table(fields)), ARROW, {option: value})
    assert found == expected


def read(table: Any) -> dict[str, Any]:  # noqa: ANN401 - pyarrow has no types
    found = parse_arrow(bytearray(as_arrow(table)), COLUMNS, CAP)
    return dict(found)


NUMBERS = [1, 0, 3, 2]


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64()),
    ],
    ids=str,
)
def test_every_type_of_number_is_read(kind: Any) -> None:  # noqa: ANN401 - pyarrow has no types
    values = np.array(NUMBERS).astype(kind.to_pandas_dtype())
    found = read(pa.table({"y_true": pa.array(values, kind), "y_proba": pa.array(values, kind)}))
    is_floating = pa.types.is_floating(kind)
    assert found["y_proba"].dtype == (values.dtype if is_floating else np.float64)
    assert found["y_proba"].tolist() == NUMBERS
    assert found["y_true"].dtype == (values.dtype if is_floating else np.int64)
    assert found["y_true"].tolist() == NUMBERS


def test_single_precision_is_widened_exactly_by_a_column_that_is_not_typed() -> None:
    values = np.array([0.1, 1e-45, 3.4e38], dtype=np.float32)
    found = read(pa.table({"y_proba": values}))["y_proba"]
    for typed in (True, False):
        adapter = TypeAdapter(Annotated[Array, Column(EntryType.NUMBER, 1, typed=typed)])
        checked = adapter.validate_python(found)
        assert checked.dtype == (np.float32 if typed else np.float64)
        assert checked.tolist() == [float(v) for v in values]


def test_booleans_are_0_and_1() -> None:
    assert read(pa.table({"y_true": [True, False]}))["y_true"].tolist() == [1, 0]


def test_integers_of_64_bits_are_kept_exactly() -> None:
    values = [2**63 - 1, -(2**63), 2**53 + 1]
    assert read(pa.table({"y_true": values}))["y_true"].tolist() == values


CELLS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
LISTS = {
    "list": pa.array(CELLS),
    "large_list": pa.array(CELLS, pa.large_list(pa.float64())),
    "fixed_size_list": pa.array(CELLS, pa.list_(pa.float64(), 2)),
    "float32 items": pa.array(CELLS, pa.list_(pa.float32())),
    "int8 items": pa.array([[int(c) for c in row] for row in CELLS], pa.list_(pa.int8(), 2)),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_type_of_list_is_rows(name: str) -> None:
    table = pa.table({"y_proba": LISTS[name]})
    assert read(table)["y_proba"].tolist() == CELLS
    assert read(table.slice(1, 2))["y_proba"].tolist() == CELLS[1:3]
    assert read(table.slice(3))["y_proba"].tolist() == CELLS[3:]
    assert read(table.to_batches(max_chunksize=1))["y_proba"].tolist() == CELLS
    sliced = [table.slice(1, 1).to_batches()[0], table.slice(0, 3).to_batches()[0]]
    assert read(sliced)["y_proba"].tolist() == [CELLS[1], *CELLS[:3]]


def test_rows_of_rows_are_read() -> None:
    deep = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]
    kinds = (None, pa.list_(pa.list_(pa.float64(), 2), 2), pa.large_list(pa.list_(pa.float64(), 2)))
    for kind in kinds:
        table = pa.table({"y_proba": pa.array(deep, kind)})
        assert read(table)["y_proba"].tolist() == deep
        assert read(table.slice(1))["y_proba"].tolist() == deep[1:]


NAMES = ["b", "a", "b", "ü"]


@pytest.mark.parametrize(
    "array",
    [
        pa.array(NAMES),
        pa.array(NAMES, pa.large_string()),
        pa.array(NAMES).dictionary_encode(),
        pa.array(["x", *NAMES, "y"]).dictionary_encode().slice(1, 4),
        pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, 2], pa.uint8()), ["a", "b", "ü"]),
    ],
    ids=["string", "large", "dictionary", "sliced", "unsigned"],
)
def test_words_are_labels_also_from_a_dictionary(array: Any) -> None:  # noqa: ANN401 - no types
    assert read(pa.table({"y_true": array}))["y_true"] == NAMES


def test_batches_may_have_dictionaries_of_their_own() -> None:
    first, second = (pa.array(names).dictionary_encode() for names in (["a", "b"], ["c", "a"]))
    schema = pa.schema([("y_true", first.type)])
    batches = [pa.record_batch([part], schema=schema) for part in (first, second)]
    assert read(batches)["y_true"] == ["a", "b", "c", "a"]


def test_dictionaries_too_large_for_their_indices_together_are_refused() -> None:
    parts = [
        pa.DictionaryArray.from_arrays(
            pa.array(range(100), pa.int8()), [f"{part} {i}" for i in range(100)]
        )
        for part in "ab"
    ]
    schema = pa.schema([("y_true", parts[0].type)])
    with pytest.raises(InvalidInput) as refused:
        read([pa.record_batch([part], schema=schema) for part in parts])
    assert refused.value.offences[0].pointer == "/y_true"


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ([0.5, None, None], "/y_proba/1"),
        ([[0.5], None], "/y_proba/1"),
        ([[0.5, 0.5], [0.5, None]], "/y_proba/1/1"),
        ([[[0.5], [0.5]], [[0.5], None]], "/y_proba/1/1"),
        ([[0.5, 0.5], [0.5]], "/y_proba/1"),
        ([[[0.5], [0.5]], [[0.5], [0.5, 0.5]]], "/y_proba/1/1"),
        (pa.array([[0.5, 0.5], [None, 0.5]], pa.list_(pa.float64(), 2)), "/y_proba/1/0"),
        (pa.array([[0.5, 0.5], None], pa.list_(pa.float64(), 2)), "/y_proba/1"),
    ],
)
def test_nulls_and_ragged_rows_are_refused_with_their_place(column: object, place: str) -> None:
    table = pa.table({"y_proba": column})
    for read_as, write in ((parse_arrow, as_arrow), (parse_parquet, as_parquet)):
        with pytest.raises(InvalidInput) as refused:
            read_as(bytearray(write(table)), COMPLETE, CAP)
        assert refused.value.offences[0].pointer == place


def test_a_null_in_a_later_batch_is_named_by_its_row() -> None:
    table = pa.table({"y_proba": [0.5] * 1000 + [None]})
    with pytest.raises(InvalidInput) as refused:
        parse_arrow(bytearray(as_arrow(table.to_batches(max_chunksize=100))), COMPLETE, CAP)
    assert refused.value.offences[0].pointer == "/y_proba/1000"


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("entropy", {"p": [[np.nan, 1.0]]}),
        ("entropy", {"logits": [[0.0, np.nan]]}),
        ("entropy", {"logits": [[0.0, np.inf]]}),
        ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, np.nan]}),
        ("log-loss", {"y_true": [1.0, np.nan], "y_proba": [0.5, 0.5]}),
        ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, 0.5], "sample_weight": [1.0, np.nan]}),
        ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, 0.5], "sample_weight": [1.0, np.inf]}),
        ("sigmoid-cross-entropy", {"logits": [0.0, 0.0], "y_true": [1.0, np.nan]}),
        ("sigmoid-cross-entropy", {"logits": [0.0], "y_true": [1.0], "mask": [np.nan]}),
        ("softmax-cross-entropy", {"logits": [[0.0, 1.0]], "y_true": [np.nan]}),
        ("focal-loss", {"logits": [np.nan], "y_true": [1]}),
        ("calibration", {"y_true": [1], "y_proba": [np.nan]}),
        ("recommender", {"y_true": [1], "y_proba": [np.nan]}),
    ],
)
def test_what_is_no_number_is_refused(metric: str, fields: Fields) -> None:
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        with pytest.raises(InvalidInput):
            answer(metric, write(pa.table(fields)), media_type, {})


UNREAD = {
    "struct": pa.array([{"a": 1}]),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"a"]),
    "date": pa.array([1], pa.date32()),
    "timestamp": pa.array([1], pa.timestamp("us")),
    "string view": pa.array(["a"], pa.string_view()),
    "run ends": pa.RunEndEncodedArray.from_arrays([1], [0.5]),
    "list view": pa.array([[0.5]], pa.list_view(pa.float64())),
    "words": pa.array(["0.5"]),
    "five axes": pa.array([[[[[0.5]]]]]),
    "dictionary of structs": pa.DictionaryArray.from_arrays([0], pa.array([b"a"])),
    "dictionary in a list": pa.array([["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    "lists of nothing": pa.array([[]], pa.list_(pa.float64(), 0)),
    "uuid": pa.array([b"x" * 16], pa.uuid()),
    "json": pa.array(["1"], pa.json_()),
}


@pytest.mark.parametrize("name", UNREAD)
def test_other_types_are_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(pa.table({"y_proba": UNREAD[name]}))
    assert refused.value.offences[0].pointer == "/y_proba"


def test_words_are_no_probabilities_but_may_be_labels() -> None:
    assert read(pa.table({"y_true": ["a"]}))["y_true"] == ["a"]


def test_unregistered_extension_types_are_refused() -> None:
    metadata = {"ARROW:extension:name": "somebody.else", "ARROW:extension:metadata": ""}
    schema = pa.schema([pa.field("y_proba", pa.float64(), metadata=metadata)])
    with pytest.raises(InvalidInput, match="extension"):
        read(pa.table([pa.array([0.5])], schema=schema))


def test_unknown_columns_and_columns_that_stand_twice_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no such column"):
        read(pa.table({"y_proba": [0.5], "unknown": [1]}))
    with pytest.raises(InvalidInput, match="twice"):
        read(pa.table([pa.array([0.5]), pa.array([0.5])], ["y_proba", "y_proba"]))


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_stream_without_rows_is_refused(batches: int) -> None:
    schema = pa.schema([("y_true", pa.int64()), ("y_proba", pa.float64())])
    empty = pa.Table.from_batches([pa.record_batch([[], []], schema=schema)] * batches, schema)
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        with pytest.raises(InvalidInput, match="empty"):
            answer("log-loss", write(empty), media_type, {})


def test_a_stream_of_no_columns_misses_its_fields() -> None:
    with pytest.raises(InvalidInput, match="missing"):
        answer("log-loss", as_arrow(pa.table({})), ARROW, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"y_proba": [[0.5], [0.5]], "class_weight": [1.0, 2.0]},
        {"y_proba": [0.5], "class_weight": [[1.0]]},
        {"y_proba": [[0.5], [0.5]], "class_weight": [[1.0], [1.0]]},
        {"y_proba": pa.array([None], pa.list_(pa.float64())), "class_weight": [[1.0]]},
        {"y_proba": pa.array([], pa.list_(pa.float64())), "class_weight": []},
    ],
)
def test_arrays_of_unequal_lengths_are_lists_in_one_row(fields: Fields) -> None:
    with pytest.raises(InvalidInput):
        read(pa.table(fields))


def test_an_option_may_not_be_a_column_too() -> None:
    table = pa.table({"y_true": [1], "y_proba": [0.5], "sample_weight": [1.0]})
    with pytest.raises(InvalidInput, match="both"):
        answer("log-loss", as_arrow(table), ARROW, {"sample_weight": [1]})


def test_more_cells_than_the_cap_are_refused() -> None:
    table = pa.table({"y_true": pa.array(np.zeros(CAP + 1, dtype=bool))})
    assert outcome("arrow", as_arrow(table)) == "BodyTooLarge"
    assert outcome("parquet", as_parquet(table)) == "BodyTooLarge"


def test_more_batches_than_anyone_needs_are_refused() -> None:
    batch = pa.record_batch({"y_proba": [0.5]})
    assert outcome("arrow", as_arrow([batch] * 10_000), 10 * CAP) == "read"
    assert outcome("arrow", as_arrow([batch] * 10_001), 10 * CAP) == "BodyTooLarge"


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"ARROW1", b"\xff" * 64, b"{}"])
def test_other_bytes_are_malformed(raw: bytes) -> None:
    assert outcome("parquet", raw) == "MalformedBody"
    assert outcome("arrow", raw) == "MalformedBody"


@pytest.mark.parametrize("rows_of_lists", [False, True])
def test_a_run_of_equal_values_is_counted_before_it_is_unrolled(*, rows_of_lists: bool) -> None:
    values = pa.array(np.zeros(1 << 24))
    if rows_of_lists:
        values = pa.ListArray.from_arrays([0, 1 << 24], values)
    bomb = as_parquet(pa.table({"y_proba": values}), compression="zstd")
    assert len(bomb) < 1 << 17
    found = in_child(growth, "parquet", bomb)
    assert isinstance(found, tuple)
    assert found[0] == "BodyTooLarge"
    assert found[1] < 24 << 20


@pytest.mark.parametrize("kind", ["arrow", "arrow file", "parquet"])
def test_a_body_cut_anywhere_is_refused_or_read_but_breaks_nothing(kind: str) -> None:
    found = in_child(cut_everywhere, kind)
    assert isinstance(found, set)
    assert found <= {"MalformedBody", "InvalidInput", "BodyTooLarge", "read"}
    assert "MalformedBody" in found


@pytest.mark.parametrize("size", [0, -1, -(2**31)])
def test_lists_of_less_than_an_entry_are_refused(size: int) -> None:
    empty = pa.schema({"y_proba": pa.list_(pa.float64(), 77)}).empty_table()
    raw = as_arrow([pa.RecordBatch.from_arrays([empty["y_proba"].combine_chunks()], ["y_proba"])])
    forged = raw.replace(struct.pack("<i", 77), struct.pack("<i", size))
    assert forged != raw
    assert outcome("arrow", forged) == "InvalidInput"


@pytest.mark.parametrize(
    ("kind", "count"), [("arrow", 5000), ("arrow file", 5000), ("parquet", 1000)]
)
def test_mutants_are_refused_or_read_but_break_nothing(kind: str, count: int) -> None:
    figures = fuzzed(kind, count, 20)
    assert figures["mutants"] == count
    assert min(number(figures["read"]), number(figures["MalformedBody"])) > count // 20


def number(figure: object) -> int:
    assert isinstance(figure, int)
    return figure
