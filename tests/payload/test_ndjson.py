"""Lines of JSON are rows: as strict as JSON, and refused with the row and the line."""

import json
import random
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from kullback.errors import InvalidInput, KullbackError, MalformedBody
from kullback.payload.media import ARROW, JSON, PARQUET
from kullback.payload.ndjson import LONGEST_LINE, PIECE, parse
from kullback.requests.batches import LabelBatch, ObservationBatch, PredictionBatch, ReferenceBatch
from kullback.requests.experiments import ExperimentBatch
from kullback.requests.validation import array_fields
from kullback.scoring.screening import NO_VALUE as NONE
from tests.payload.batch_bodies import NDJSON, Columns, as_lines, bodies, read, rows_of
from tests.payload.test_json_lists import SCRAP, strictly

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=250)
KNOWN = array_fields(ObservationBatch)
ROW = '{"y_true": 1, "y_proba": 0.5}'
ROWS = '{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {"country": "DE"}}'


def refusal(text: str | bytes, model: type[BaseModel] = ObservationBatch) -> KullbackError:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises((InvalidInput, MalformedBody)) as refused:
        read(model, raw, NDJSON)
    return refused.value


def place(text: str | bytes) -> str:
    return refusal(text).offences[0].pointer


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n \t\r\n", " \n"])
def test_blank_lines_are_skipped(end: str) -> None:
    columns = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 1.0]}
    for raw in (
        as_lines(rows_of(columns), end),
        end.encode() + as_lines(rows_of(columns), end),
    ):
        batch = read(ObservationBatch, raw + end.encode(), NDJSON)
        assert batch.y_proba.tolist() == columns["y_proba"]


@pytest.mark.parametrize("count", [1, 2_000, 5_000, 50_000])
def test_bodies_of_many_pieces_are_read_whole(count: int) -> None:
    values = np.sin(np.arange(count)) ** 2
    rows = rows_of({"y_true": [*range(count)], "y_proba": values.tolist()})
    found = parse(bytearray(as_lines(rows)), KNOWN)
    assert np.asarray(found["y_true"]).tolist() == [*range(count)]
    assert np.asarray(found["y_proba"]).tobytes() == values.tobytes()


def test_labels_that_become_fractions_in_a_later_piece_are_numbers() -> None:
    values = [*[1] * PIECE, 0.5]
    found = parse(bytearray(as_lines([{"y_true": value} for value in values])), KNOWN)
    assert np.asarray(found["y_true"]).dtype == np.float64
    assert np.asarray(found["y_true"]).tolist() == values


@pytest.mark.parametrize("index", [0, 1, 3_000, 39_999])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"y_true": 1, "y_proba": [0.5, 1e999], "slice": {"country": "DE"}}', "/y_proba/1"),
        ('{"y_true": 1, "y_proba": [0.5, 1.6], "slice": {"country": "DE"}}', "/y_proba/1"),
        ('{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {"country": "\\u0000"}}', "/slice/country"),
        ('{"y_true": 1, "y_proba": [0.5, null], "slice": {"country": "DE"}}', "/y_proba/1"),
        ('{"y_true": null, "y_proba": [0.5, 0.5], "slice": {"country": "DE"}}', "/y_true"),
        ('{"y_true": 1, "y_true": 1, "y_proba": [1, 0], "slice": {"country": "A"}}', "/y_true"),
        (
            '{"y_true": 1, "y_proba": [1, 0], "slice": {"country": "A", "country": "B"}}',
            "/slice/country",
        ),
        ('{"y_true": 1', ""),
    ],
)
def test_the_row_and_the_line_of_a_wrong_entry_are_named(
    index: int, line: str, expected: str
) -> None:
    rows = [ROWS] * 40_000
    rows[index] = line
    error = refusal("\n\n".join(rows))
    assert error.offences[0].pointer == f"/{index}{expected}"
    assert error.message.startswith(f"line {2 * index + 1}: ")
    assert error.offences[0].detail.startswith(f"line {2 * index + 1}: ")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"y_true": 1}', "/1/y_proba"),
        ('{"y_true": 1, "y_proba": 0.5, "unit": "a"}', "/1/unit"),
        ('{"y_true": 1, "y_probe": 0.5}', "/1/y_probe"),
        ('{"y_true": 1, "y_proba": [0.5, 0.5]}', "/1/y_proba"),
        ('{"y_true": 1, "y_proba": "0.5"}', "/1/y_proba"),
        ('{"y_true": "1", "y_proba": 0.5}', "/1/y_true"),
        ('{"y_true": [1], "y_proba": 0.5}', "/1/y_true"),
        ('{"y_true": 1, "y_proba": {"a": 0.5}}', "/1/y_proba"),
        ('{"y_true": 1, "y_proba": 1e999}', "/1/y_proba"),
        (f'{{"y_true": 1, "y_proba": {"1" * 400}}}', "/1/y_proba"),
        (f'{{"y_true": {2**63}, "y_proba": 1}}', "/1/y_true"),
        ("{}", "/1/y_true"),
    ],
)
def test_every_line_is_like_the_first(line: str, expected: str) -> None:
    assert place(f"{ROW}\n{line}\n{ROW}") == expected


@pytest.mark.parametrize("field", ["y_true", "y_proba"])
def test_the_first_decides_where_as_many_are_lists_as_are_not(field: str) -> None:
    single: dict[str, object] = {"y_true": 1, "y_proba": 1}
    listed = single | {field: [1]}
    assert place(as_lines([single, listed])) == f"/1/{field}"
    assert place(as_lines([listed, single])) == f"/1/{field}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"y_true": 1, "y_proba": [0.5]}', "/1/y_proba"),
        ('{"y_true": 1, "y_proba": 0.5}', "/1/y_proba"),
        ('{"y_true": 1, "y_proba": [0.5, 0.5], "slice": "DE"}', "/1/slice"),
        ('{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {"country": 1}}', "/1/slice/country"),
        ('{"y_true": 1, "y_proba": [[0.5, 0.5]], "slice": {"country": "DE"}}', "/1/y_proba"),
    ],
)
def test_lists_and_slices_are_like_those_of_the_first(line: str, expected: str) -> None:
    assert place(f"{ROWS}\n{line}") == expected


@pytest.mark.parametrize(
    "line",
    [
        '{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {}}',
        '{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {"country": null}}',
        '{"y_true": 1, "y_proba": [0.5, 0.5], "slice": {"country": ""}}',
        '{"y_true": 1, "y_proba": [0.5, 0.5], "slice": null}',
        '{"y_true": 1, "y_proba": [0.5, 0.5]}',
    ],
)
def test_a_line_without_a_slice_has_the_value_of_none(line: str) -> None:
    for text, values in (
        (f"{ROWS}\n{line}", ["DE", NONE]),
        (f"{line}\n{ROWS}\n{ROWS}", [NONE, "DE", "DE"]),
    ):
        assert read(ObservationBatch, text.encode(), NDJSON).slice == {"country": values}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"y_true": 1, "y_proba": NaN}', "/0/y_proba"),
        ('{"y_true": -Infinity, "y_proba": 0.5}', "/0/y_true"),
        ('{"y_true": 1, "y_proba": 0.5, "other": 1}', "/0/other"),
        ('{"y_true": 1, "y_proba": 0.5, "17": 1}', "/0/17"),
        ('{"y_true": 1, "y_proba": []}', "/0/y_proba"),
        ('{"y_true": 1, "y_proba": null}', "/0/y_proba"),
        ('{"y_true": 1, "y_proba": [[[0.5]]]}', "/0/y_proba/0"),
        ('{"y_true": 1, "y_proba": 0.5, "slice": "DE"}', "/0/slice"),
        ('{"y_true": 1, "y_proba": 0.5, "slice": {"a": ["DE"]}}', "/0/slice/a"),
        ('{"y_true": 1, "y_proba": 0.5, "slice": {"a": {"b": 1}}}', "/0/slice/a"),
        ('{"y_true": 1, "y_proba": 0.5, "slice": {"a": 1.5}}', "/0/slice/a"),
        ('{"y_true": 1, "y_proba": 0.5, "slice": {"9": "a"}}', "/slice/9"),
        ('{"y_true": 1, "y_proba": 0.5, "unit": 1.5}', "/0/unit"),
        ('{"y_true": 1, "y_proba": 0.5, "unit": true}', "/0/unit"),
        ('{"y_true": 1, "y_proba": 0.5, "timestamp": false}', "/0/timestamp"),
        ('{"y_true": 1, "y_proba": 0.5, "timestamp": "now"}', "/0/timestamp"),
        (json.dumps({"y_true": 1, "slice": {f"s{i}": "a" for i in range(21)}}), "/0/slice"),
        (json.dumps({"x" * 300: 1}), "/0"),
        (json.dumps({"unit": "x" * LONGEST_LINE}), "/0"),
    ],
)
def test_what_no_line_may_hold_is_refused(line: str, expected: str) -> None:
    assert place(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        "1",
        "null",
        '"a"',
        "{",
        '{"y_true": 1,}',
        '{"y_true": 01}',
        '{"unit": "\\ud800"}',
        '{"unit": "a\x01"}',
        "{} {}",
        "{},{}",
        ROW + "\x0b",
        '{"y_true": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"y_true": ' + "1" * 5_000 + "}",
    ],
)
def test_a_line_that_is_no_json_object_is_malformed(line: str) -> None:
    for text in (line, f"\n{ROW}\n{line}\n{ROW}"):
        error = refusal(text)
        assert isinstance(error, MalformedBody)
        assert error.offences[0].pointer == ("/0" if text == line else "/1")
        assert error.message.startswith("line ")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + ROW.encode(),
        ROW.encode("utf-16"),
        ROW.encode("utf-16-le"),
        b'{"unit": "\xff"}',
        b'{"unit": "\xed\xa0\x80"}',
        b"[\n" + ROW.encode() + b"\n]",
        json.dumps(json.loads(ROW), indent=1).encode(),
    ],
)
def test_other_bytes_are_malformed(raw: bytes) -> None:
    assert isinstance(refusal(raw), MalformedBody)


@pytest.mark.parametrize(
    "spelled",
    [
        '{"y_true":1,"y_proba":0.5,"y_true":1}',
        '{"y_true" :1,"y_proba":0.5,"y_true":1}',
        '{"y_true"\t:1,"y_proba" :0.5,"y_true":1}',
        '{"y_true" \r :1,"y_proba":0.5,"y_true"\r:1}',
        '{"y_true":1,"y_proba":0.5,"\\u0079_true":1}',
        '{"y_true":1,"y_proba":0.5,"y_true":[{"a":1}]}',
    ],
)
def test_no_spelling_hides_a_key_that_stands_twice(spelled: str) -> None:
    for text in (spelled, f"{ROW}\n{spelled}", f"{spelled}\n{ROW}"):
        assert place(text).removesuffix("/0").endswith("/y_true")


@pytest.mark.parametrize(
    "unit", ['":', '":"', " :", ":x", '\\":', 'a","y_true":1,"b', "\t:", '{"y_true":1}']
)
def test_colons_within_strings_are_no_keys(unit: str) -> None:
    row = {"y_true": 1, "y_proba": 0.5, "unit": unit.replace("\t", " ")}
    batch = read(ObservationBatch, as_lines([row, row]), NDJSON)
    assert batch.unit == [row["unit"]] * 2


SEEDS: tuple[tuple[type[BaseModel], Columns], ...] = (
    (ObservationBatch, {"y_true": [1, 0, 1], "y_proba": [0.5, 1.0, 0.0], "unit": ["a", "b", "ü"]}),
    (
        ObservationBatch,
        {
            "y_true": ["a", "b", "a"],
            "y_proba": [[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]],
            "timestamp": ["2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", "2026-01-31T12:00:02Z"],
            "slice": {"country": ["DE", "FR", "DE"], "new": [True, False, True]},
        },
    ),
    (PredictionBatch, {"id": ["1", "2"], "y_proba": [0.5, 0.25], "sample_weight": [1, 2]}),
    (LabelBatch, {"id": [1, 2], "y_true": [0.5, 1]}),
    (ReferenceBatch, {"y_proba": [0.5, 0.25], "slice": {"a": [1, 2]}}),
    (
        ExperimentBatch,
        {"y_true": [1, 0], "y_proba": {"a": [0.5, 0], "b": [1, 0.1]}, "unit": [1, 2]},
    ),
    (ExperimentBatch, {"y_true": [1], "y_proba": [0.5], "arm": ["a"], "unit": ["u"]}),
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[type[BaseModel], str]:
    """Valid lines with a few characters changed."""
    model, columns = draw(st.sampled_from(SEEDS))
    text = as_lines(rows_of(columns)).decode()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(SCRAP) + text[at + draw(st.integers(0, 2)) :]
    return model, text


def distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object, if no key stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(pairs)
    return found


@settings(law, max_examples=2000)
@given(mutated())
def test_nothing_is_read_that_the_standard_library_refuses(
    drawn: tuple[type[BaseModel], str],
) -> None:
    model, text = drawn
    try:
        batch = read(model, text.encode(), NDJSON)
    except (MalformedBody, InvalidInput):
        return
    lines = [line for line in text.split("\n") if line.strip(" \t\r")]
    rows: list[Any] = [json.loads(line, object_pairs_hook=distinct) for line in lines]
    assert [strictly(line) for line in lines] == rows
    for name in rows[0]:
        values, first = getattr(batch, name), rows[0][name]
        keys = {key for row in rows for key in row.get(name) or ()} if name == "slice" else first
        assert len(values) == (len(keys) if isinstance(first, dict) else len(rows))


@pytest.mark.parametrize("media_type", [JSON, NDJSON, ARROW, PARQUET])
def test_changed_bytes_are_refused_or_read_but_break_nothing(media_type: str) -> None:
    draw = random.Random(4)  # noqa: S311 - the same in every run
    seeds = [
        (model, raw)
        for model, columns in SEEDS
        for found, raw in bodies(columns)
        if found == media_type
    ]
    outcomes = {"read": 0, "refused": 0}
    for _ in range(600):
        model, raw = draw.choice(seeds)
        changed = bytearray(raw)
        for _ in range(draw.randint(1, 2)):
            at = draw.randrange(len(changed))
            if draw.random() < 0.7:
                changed[at] ^= 1 << draw.randrange(8)
            else:
                changed[at] = draw.choice((0, 1, 0x22, 0x2C, 0x7B, 0x7F, 0x80, 0xFF))
        try:
            read(model, bytes(changed), media_type)
        except KullbackError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    assert all(outcomes.values())


FLOODS = {
    "keys": '{"y_true":1,' + ",".join(f'"k{i}":1' for i in range(20_000)) + "}",
    "brackets": '{"y_true":' + "[" * 200_000,
    "slices": '{"slice":{' + ",".join(f'"k{i}":"a"' for i in range(20_000)) + "}}",
    "blank lines": "\n" * 4_000_000,
    "lines": "{}\n" * 500_000,
    "spaced keys": '{"y_true" :1, "unit": " :"}\n' * 100_000,
    "one long line": '{"unit": "' + "x" * 10_000_000 + '"}',
    "quotes": '"' * 4_000_000,
    "escapes": '{"unit": "' + "\\" * 200_000 + '"}',
    "digits": '{"y_true": ' + "9" * 200_000 + "}",
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("media_type", [NDJSON, JSON])
def test_no_flood_takes_long_to_refuse(flood: str, media_type: str) -> None:
    raw = FLOODS[flood].encode()
    begun, message = time.process_time(), ""
    try:
        batch = read(ObservationBatch, raw, media_type)
    except KullbackError as error:
        message = error.message
    else:
        assert (flood, media_type, len(batch.y_proba)) == ("blank lines", NDJSON, 0)
    assert time.process_time() - begun < 4
    assert sys.getsizeof(message) < 2_000


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400])
def test_numbers_beyond_doubles_are_refused_before_any_formula_sees_them(number: str) -> None:
    for name in ("y_true", "timestamp", "sample_weight"):
        with pytest.raises(InvalidInput) as refused:
            parse(bytearray(f'{{"{name}": 1}}\n{{"{name}": {number}}}'.encode()), KNOWN)
        assert refused.value.offences[0].pointer == f"/{name}/1"
