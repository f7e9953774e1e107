"""JSON bodies become the arrays that the standard library's numbers would make, or are refused."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput, MalformedBody
from kullback.payload.columns import Column, EntryType
from kullback.payload.json_cuts import PIECE
from kullback.payload.json_object import parse
from tests.payload.test_json_scan import spelled, word

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=250)
COLUMNS = {
    "p": Column(EntryType.NUMBER, 4),
    "w": Column(EntryType.NUMBER, 1, per_row=False, scalar=True, names=("balanced",)),
    "z": Column(EntryType.LOGIT, 4),
    "y": Column(EntryType.LABEL, 4, scalar=True),
    "f": Column(EntryType.FLAG, 4),
    "t": Column(EntryType.TIME, 1),
    "i": Column(EntryType.ID, 1),
    "s": Column(EntryType.VALUE, 1, keys=2),
    "k": Column(EntryType.NUMBER, 1, keys=2, plain=True),
}
EDGES = (
    *("-0.0", "0", "-0", "5e-324", "1e-400", "1E5", "1e+5", "0.1e-7", str(2**53 + 1), "1e308"),
    *("9007199254740993", str(10**25), "0." + "1" * 400, "2.2250738585072011e-308"),
)

spelling = st.one_of(
    st.sampled_from(EDGES),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**62), 2**62).map(str),
)
shapes = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@st.composite
def tensors(draw: st.DrawFn) -> str:
    """Numbers in a rectangular list of one to four axes, as JSON."""
    shape = draw(shapes)

    def rows(axis: int) -> str:
        if axis == len(shape):
            return draw(spelling)
        gap = draw(st.text(" \t\n\r", max_size=2))
        return f"{gap}[{gap}" + f",{gap}".join(rows(axis + 1) for _ in range(shape[axis])) + "]"

    return rows(0)


def read(text: str) -> dict[str, object]:
    return parse(bytearray(text.encode()), COLUMNS)


def strictly(text: str) -> Any:  # noqa: ANN401 - any JSON
    """The standard library's reading, without the constants that JSON does not have."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        return dict(items)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=pairs)


def bits(values: object) -> bytes:
    return np.asarray(values, dtype=np.float64).tobytes()


def place(text: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    return refused.value.offences[0].pointer


@law
@given(tensors())
def test_numbers_are_the_same_to_the_last_bit(text: str) -> None:
    expected = strictly(text)
    for name in ("p", "z"):
        found = read(f'{{"{name}":{text}}}')[name]
        assert isinstance(found, np.ndarray)
        assert found.shape == np.shape(expected)
        assert found.tobytes() == bits(expected)


@law
@given(st.dictionaries(word, st.one_of(word, st.booleans(), st.none(), st.integers())), st.data())
def test_options_are_what_json_says(fields: dict[str, object], data: st.DataObject) -> None:
    expected = {f"option {name}": value for name, value in fields.items()}
    assert read(data.draw(spelled(expected))) == expected


@law
@given(st.lists(word, min_size=1), st.data())
def test_string_labels_are_kept_as_they_are(labels: list[str], data: st.DataObject) -> None:
    assert read(data.draw(spelled({"y": labels}))) == {"y": labels}


SEEDS = (
    '{"p": [0.5, 0.25], "y": [1, 0], "base": "2", "per_row": true}',
    '{"p": [[0.5, 1e-3], [0.25, 0]], "z": ["-Infinity", 1], "n": null}',
    '{"y": ["a", "b\\u00e9", "\\n"], "w": "balanced", "f": [true, false]}',
    '{"y": 3, "w": 0.25, "labels": ["x", 1], "f": [[0, 1]]}',
    '{"s": {"a": ["x", "y"], "b": [true, false]}, "t": [1, 2.5], "i": [1, 2]}',
    '{"k": {"a": [0.5, 1e-3], "b": [1, 0]}, "o": {"a": 1, "b": [{"c": 2}]}}',
    '{"k": [0.5, 1], "o": [{"a": 1}, {"a": {"b": 2}}]}',
    '{"i": ["b", "b\\u00e9"], "s": {"a": [1, 2]}, "t": ["x", "y"], "p": [[1]]}',
)
SCRAP = st.sampled_from(
    [
        *'[]{},:"\\ 09.eE+-tfn\n\t\x00\x0b\x7f\xa0',
        "NaN",
        "1e999",
        "[[",
        "]]",
        "}}",
        "],[",
        "null",
        "",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid body with a few characters changed."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(SCRAP) + text[at + draw(st.integers(0, 2)) :]
    return text


@settings(law, max_examples=3000)
@given(mutated())
def test_nothing_is_read_that_the_standard_library_refuses(text: str) -> None:
    try:
        found = read(text)
    except (MalformedBody, InvalidInput):
        return
    expected = strictly(text)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        if name == "s" and isinstance(value, dict):
            assert {key: list(map(str, values)) for key, values in value.items()} == {
                key: [
                    str(entry).lower() if entry in (True, False) else str(entry) for entry in values
                ]
                for key, values in expected[name].items()
            }
        elif name == "k" and isinstance(value, dict):
            assert {key: bits(values) for key, values in value.items()} == {
                key: bits(values) for key, values in expected[name].items()
            }
        elif not isinstance(value, np.ndarray):
            assert value == expected[name]
        elif name != "z":
            assert bits(value) == bits(expected[name])


@law
@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_refused(raw: bytes) -> None:
    with pytest.raises((MalformedBody, InvalidInput)):
        parse(bytearray(b'{"p":[1,\xff' + raw), COLUMNS)


def numbers(count: int) -> list[float]:
    return [math.sin(i) for i in range(count)]


@pytest.mark.parametrize("count", [1, 3_000, 3_500, 10_000, 200_000])
@pytest.mark.parametrize("gap", ["", " ", " \n\t"])
def test_lists_longer_than_a_piece_are_read_whole(count: int, gap: str) -> None:
    values = numbers(count)
    found = read('{"p":[' + f"{gap},{gap}".join(map(repr, values)) + "]}")["p"]
    assert bits(found) == bits(values)


@pytest.mark.parametrize("shape", [(50_000, 3), (20_000, 2, 2), (300, 1, 2, 300)])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" \n, ", ":")])
def test_rows_longer_than_a_piece_are_read_whole(
    shape: tuple[int, ...], separators: tuple[str, str]
) -> None:
    values = np.sin(np.arange(math.prod(shape))).reshape(shape)
    found = read(json.dumps({"p": values.tolist()}, separators=separators))["p"]
    assert isinstance(found, np.ndarray)
    assert found.shape == shape
    assert found.tobytes() == values.tobytes()


def test_a_row_longer_than_a_piece_is_read_whole() -> None:
    values = [numbers(PIECE), numbers(PIECE)]
    assert bits(read(json.dumps({"p": values}))["p"]) == bits(values)


@pytest.mark.parametrize("label", ['a"],', "\\", "é" * 40, "],[", "x" * (PIECE + 5)])
def test_long_lists_of_awkward_strings_are_read_whole(label: str) -> None:
    labels = [label, "b", ""] * (10 + 4 * PIECE // len(label) // 3)
    assert read(json.dumps({"y": labels}))["y"] == labels


def test_integers_of_64_bits_are_kept_exactly() -> None:
    values = [2**63 - 1, -(2**63), 2**53 + 1, 0]
    found = read(json.dumps({"y": values}))["y"]
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.int64
    assert found.tolist() == values


def test_integers_and_fractions_together_are_numbers() -> None:
    values = [*range(30_000), 0.5]
    found = read(json.dumps({"y": values}))["y"]
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float64
    assert found.tolist() == values


def test_one_number_may_stand_for_a_list_of_labels() -> None:
    found = read('{"y": 3, "w": 0.25}')
    assert np.array_equal(np.asarray(found["y"]), [3])
    assert np.asarray(found["w"]).shape == ()


def test_minus_infinity_is_a_logit() -> None:
    assert np.asarray(read('{"z": [["-Infinity", 1], [2, "-Infinity"]]}')["z"]).tolist() == [
        [-np.inf, 1.0],
        [2.0, -np.inf],
    ]


def test_flags_are_booleans_or_numbers() -> None:
    found = read('{"f": [[true, false]]}') | {"g": read('{"f": [1, 0]}')["f"]}
    assert np.asarray(found["f"]).tolist() == [[1.0, 0.0]]
    assert np.asarray(found["g"]).tolist() == [1.0, 0.0]


def test_an_empty_list_is_an_empty_array() -> None:
    assert np.asarray(read('{"p": [ ]}')["p"]).shape == (0,)
    assert np.asarray(read('{"p": [[], []]}')["p"]).shape == (2, 0)


def rows_with(index: int, row: str, ordinary: str) -> Callable[[str], str]:
    """A field of 200,000 rows, one of which is another."""
    rows = [ordinary] * 200_000
    rows[index] = row
    return lambda name: f'{{"{name}": [' + ", ".join(rows) + "]}"


@pytest.mark.parametrize("index", [0, 1, 150_000, 199_999])
@pytest.mark.parametrize(
    ("name", "row", "ordinary", "inside"),
    [
        ("p", "true", "0.25", ""),
        ("p", '"0.5"', "0.25", ""),
        ("p", "null", "0.25", ""),
        ("p", "1e999", "0.25", ""),
        ("p", "1" * 400, "0.25", ""),
        ("p", '"-Infinity"', "0.25", ""),
        ("p", "[0.25, true]", "[0.25, 0.75]", "/1"),
        ("z", '"Infinity"', "0.25", ""),
        ("z", "[0.25, null]", "[0.25, 0.75]", "/1"),
        ("y", str(2**64), "1", ""),
        ("y", str(2**63), "-1", ""),
    ],
)
def test_the_row_of_a_wrong_entry_is_named(
    index: int, name: str, row: str, ordinary: str, inside: str
) -> None:
    assert place(rows_with(index, row, ordinary)(name)) == f"/{name}/{index}{inside}"


@pytest.mark.parametrize("index", [1, 2, 10_000, 150_000, 199_999])
@pytest.mark.parametrize("row", ["[0.25]", "[0.25, 0.25, 0.5]"])
def test_the_ragged_row_is_named(index: int, row: str) -> None:
    assert place(rows_with(index, row, "[0.25, 0.75]")("p")) == f"/p/{index}"


def test_the_first_row_of_a_later_piece_may_be_the_ragged_one() -> None:
    ordinary = "[0.5,0.5]"
    first = 7
    body = b'{"p":[' + ",".join([ordinary] * 200_000).encode() + b"]}"
    # The row after each cut: pieces end at the first row that ends past a multiple of PIECE.
    at = body.index(b"[") + 1
    found: list[int] = []
    while len(found) < 3:
        at = body.index(b"],", at + PIECE) + 2
        found.append((at - body.index(b"[") - 1) // len(ordinary + ","))
    for row in (first, *found):
        rows = [ordinary] * 200_000
        rows[row] = "[0.5]"
        assert place('{"p":[' + ",".join(rows) + "]}") == f"/p/{row}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"p": [[1, 2], [3]]}', "/p/1"),
        ('{"p": [[[1], [2]], [[3], [4, 5]]]}', "/p/1/1"),
        ('{"p": [[[1], [2]], [[3]]]}', "/p/1"),
        ('{"p": [[1], 2]}', "/p/1"),
        ('{"p": [1, [2]]}', "/p/1"),
        ('{"p": [[[[1]]], [[[1, 2]]]]}', "/p/1/0/0"),
        ('{"y": [[1, 2], [3, 100000000000000000000]]}', "/y/1/1"),
        ('{"p": [[[[[1]]]]]}', "/p"),
    ],
)
def test_the_place_is_named_below_the_first_axis(text: str, expected: str) -> None:
    assert place(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"p": [1], "p": [1]}',
        '{"p": [1], "\\u0070": [1]}',
        '{"a/b": 1, "a\\/b": 1}',
        '{"x": 1, "y": 2, "x": 1}',
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="twice"):
        read(text)


LONG = "x" * 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 1}', "/o/a"),
        ('{"a": 1, "\\u0061": 1}', "/o/a"),
        ('{"a": {"b": 1, "b": 1}, "a": 1}', "/o/a/b"),
        ('{"a": [1, {"b": 1, "b": 1}]}', "/o/a/1/b"),
        ('[{"a": 1}, {"a": 1, "a": 2}]', "/o/1/a"),
        ('[ {"a": [{"b": 1}], "a": 2}]', "/o/0/a"),
        (f'{{"{LONG}": 1, "{LONG}": 1}}', f"/o/{LONG[:256]}"),
    ],
)
def test_an_option_of_objects_has_no_key_twice(text: str, expected: str) -> None:
    assert place(f'{{"o": {text}}}') == expected


def test_an_option_of_objects_is_what_json_says() -> None:
    for value in ({}, {"a": 1}, [{"a": 1}, {"a": 2}], [], [[{"a": 1.5}]], {"a": {"a": {"a": 1}}}):
        assert read(json.dumps({"o": value})) == {"o": value}


@pytest.mark.parametrize("count", [1, 30_000])
def test_lists_may_stand_by_name_or_one_without(count: int) -> None:
    values = numbers(count)
    named, one = (
        read(json.dumps({"k": {"a": values, "b": values}})),
        read(json.dumps({"k": values})),
    )
    assert isinstance(named["k"], dict)
    assert [bits(found) for found in named["k"].values()] == [bits(values)] * 2
    assert bits(one["k"]) == bits(values)


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "1" * 400,
        "-" + "1" * 400,
        "1" * 5000,
        "true",
        '"0.5"',
        '"NaN"',
        "null",
        "{}",
        '{"a": 1}',
    ],
)
@pytest.mark.parametrize("shape", ["[%s]", "[[%s]]", "[0.5, %s]", "[[0.5, %s]]"])
@pytest.mark.parametrize("name", ["p", "z", "y"])
def test_what_is_no_number_is_refused(name: str, shape: str, value: str) -> None:
    if name == "y" and "0.5" not in shape and (value == "true" or value[0] == '"'):
        return  # a label
    with pytest.raises((MalformedBody, InvalidInput)):
        read(f'{{"{name}": ' + shape % value + "}")


@pytest.mark.parametrize("value", ["1" * 400, "-" + "1" * 400, "1" * 5000, "NaN", "Infinity"])
@pytest.mark.parametrize("name", ["w", "y"])
def test_a_lone_number_is_held_to_the_same(name: str, value: str) -> None:
    with pytest.raises((MalformedBody, InvalidInput)):
        read(f'{{"{name}": {value}}}')


@pytest.mark.parametrize(
    "text",
    [
        '["a", 1]',
        '[1, "a"]',
        '["a", null]',
        '["a", ["b"]]',
        '["a", true]',
        '[["a", "b"]]',
        '[["a"], ["b", "c"]]',
    ],
)
def test_labels_are_of_one_kind(text: str) -> None:
    with pytest.raises(InvalidInput):
        read(f'{{"y": {text}}}')


def test_texts_may_be_lists_of_one() -> None:
    assert read('{"y": [["a"], ["b"]]}')["y"] == ["a", "b"]
    assert place('{"y": [["a"], ["b", "c"]]}') == "/y/1"


def test_a_late_label_of_another_kind_is_named() -> None:
    labels = ['"a"'] * 150_000 + ["7"] + ['"b"'] * 50_000
    assert place('{"y": [' + ",".join(labels) + "]}") == "/y/150000"


@pytest.mark.parametrize("text", ["1,", ",1", "1,,2", "[1],", "1 2", "01", "1.", ".5", "+1", "0x1"])
@pytest.mark.parametrize("before", ["", "0.25," * 50_000])
def test_lists_that_are_no_json_are_malformed(text: str, before: str) -> None:
    with pytest.raises((MalformedBody, InvalidInput)):
        read('{"p": [' + before + text + "]}")


def test_a_comma_too_many_just_after_a_piece_is_malformed() -> None:
    for size in range(PIECE - 4, PIECE + 4):
        with pytest.raises(MalformedBody):
            read('{"p": [' + "1" + " " * size + ", ]}")


@pytest.mark.parametrize("count", [1, 100, 20_000])
def test_lists_by_name_are_read_whole(count: int) -> None:
    lists = {"a": ["x", "}", "],"] * count, 'b"': [*range(3 * count)]}
    fields = {"s": lists, "y": [1]}
    for separators in ((",", ":"), (" , ", "\t:\n")):
        found = read(json.dumps(fields, separators=separators))
        assert isinstance(found["s"], dict)
        assert found["s"].keys() == lists.keys()
        assert found["s"]["a"] == lists["a"]
        assert found["s"]['b"'].tolist() == lists['b"']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"s": {"a": [1, 2, 0.5]}}', "/s/a/2"),
        ('{"s": {"a": [1, "b"]}}', "/s/a/1"),
        ('{"s": {"a": [true, "b"]}}', "/s/a/1"),
        ('{"s": {"a": [1], "b": [1], "c": [1]}}', "/s"),
        ('{"s": {"a": [1], "a": [1]}}', "/s/a"),
        ('{"s": {"a~/": 1}}', "/s/a~0~1"),
        ('{"s": {"a": [[[[[1]]]]]}}', "/s"),
        ('{"s": {"a": [100000000000000000000]}}', "/s/a/0"),
        ('{"i": [1, true]}', "/i/1"),
        ('{"i": [0.5]}', "/i/0"),
        ('{"i": [[1], ["a"]]}', "/i/1/0"),
        ('{"t": ["a", 1]}', "/t/1"),
        ('{"t": [1, "a"]}', "/t/1"),
    ],
)
def test_the_place_is_named_below_a_name(text: str, expected: str) -> None:
    assert place(text).startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        '{"s": {"a": [1]}',
        '{"s": {"a": [1]]}}',
        '{"s": {"a": [1},"b": [2]}}',
        '{"s": {"a" [1]}}',
        '{"s": {"a": [1],}}',
        '{"s": {"a": [1] "b": [2]}}',
        '{"s": {a: [1]}}',
        '{"s": {"a": [}}, "p": [1]}',
        '{"s": {[}"a":1]}, "p": [1]}',
    ],
)
def test_objects_of_lists_that_are_no_json_are_refused(text: str) -> None:
    with pytest.raises((MalformedBody, InvalidInput)):
        read(text)


@pytest.mark.parametrize("item", ["0.125", '"a"', "[]"])
def test_only_columns_may_be_long(item: str) -> None:
    rows = ",".join([item] * (3_000_000 // len(item)))
    assert place(f'{{"labels": [{rows}]}}') == "/labels"
    assert place('{"w": "' + "x" * 3_000_000 + '"}') == "/w"
