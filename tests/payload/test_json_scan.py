"""The scanner finds each key and value of an object as the standard library's json would."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput, MalformedBody
from kullback.payload.json_scan import top_level

law = settings(deadline=None, derandomize=True, max_examples=300)
space = st.text(" \t\n\r", max_size=3)
word = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), word)
scalars = scalar.filter(lambda value: value not in (float("inf"), float("-inf")))
simple = st.one_of(scalars, st.lists(scalars, max_size=4), st.dictionaries(word, scalars))
objects = st.dictionaries(word, simple, max_size=5)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:  # noqa: ANN401 - any JSON
    """The value as JSON, with white space wherever JSON allows it."""
    if isinstance(value, dict):
        items = [
            draw(space) + _string(draw, key) + draw(space) + ":" + draw(spelled(item))
            for key, item in value.items()
        ]
        text = "{" + (",".join(items) or draw(space)) + "}"
    elif isinstance(value, list):
        text = "[" + (",".join(draw(spelled(item)) for item in value) or draw(space)) + "]"
    elif isinstance(value, str):
        text = _string(draw, value)
    else:
        text = json.dumps(value)
    return draw(space) + text + draw(space)


def _string(draw: st.DrawFn, text: str) -> str:
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


def scanned(text: str) -> dict[str, object]:
    """Every value that the scanner finds, decoded."""
    body = bytearray(text.encode())
    return {name: json.loads(body[start:end]) for name, start, end in top_level(body)}


@law
@given(objects.flatmap(lambda value: st.tuples(st.just(value), spelled(value))))
def test_every_key_leads_to_its_value(drawn: tuple[dict[str, object], str]) -> None:
    value, text = drawn
    assert scanned(text) == value


@law
@given(st.binary(max_size=40))
def test_bytes_that_are_no_object_are_refused(raw: bytes) -> None:
    with pytest.raises((MalformedBody, InvalidInput)):
        list(top_level(bytearray(b"[" + raw)))


@law
@given(st.text('{}[]",:\\ \n01e-tn', max_size=30))
def test_any_text_is_scanned_or_refused(text: str) -> None:
    with suppress(MalformedBody, InvalidInput):
        assert all(end > start for _, start, end in top_level(bytearray(b'{"a":' + text.encode())))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[]",
        "1",
        '"a"',
        "{",
        "{]",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{,"a":1}',
        '{"a":1 "b":2}',
        '{"a":1;"b":2}',
        "{'a':1}",
        "{a:1}",
        '{"a":1}}',
        '{"a":1}{"a":1}',
        '{"a":1} x',
        '{"a":[1}',
        '{"a":[1}}',
        '{"a":[[1]}}',
        '{"a":{"b":1]}',
        '{"a":["b"}}',
        '{"a":[1,2]]}',
        '{"a":"b}',
        '{"a":"b\\"}',
        '{"a\n":1}',
        '{"\\ud800":1}',
        '\ufeff{"a":1}',
        '\x0b{"a":1}',
        '{"a":1\x0b}',
        '{"%s":1}' % ("k" * 500),
    ],
)
def test_what_is_no_object_is_malformed(text: str) -> None:
    with pytest.raises(MalformedBody):
        list(top_level(bytearray(text.encode())))


@pytest.mark.parametrize("opening", ["[", '{"a":', '["x",', '{"a":["x",'])
def test_deep_nesting_is_refused_before_it_is_followed(opening: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(top_level(bytearray(b'{"p":["x",' + opening.encode() * 100_000)))
    assert refused.value.offences[0].pointer == "/p"


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_long_strings_and_long_lists_of_strings_are_passed_over(size: int) -> None:
    value = {"a": "x" * size, "b": ["\\]" * size, '"'], "c": ["ä", '"]'] * (size // 8), "d": 1}
    assert scanned(json.dumps(value)) == value


def test_an_empty_object_has_no_keys() -> None:
    assert list(top_level(bytearray(b" { } "))) == []
