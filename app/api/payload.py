"""This file is about turning a body of any accepted type into the fields of a request."""

import json
from collections.abc import Mapping

from app.api.body import Body, decompressed
from app.api.fields import Column
from app.api.json_body import parse
from app.errors import InvalidInput, UnsupportedBody

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (JSON, ARROW, PARQUET)

Query = list[tuple[str, str]]


def check_media_type(media_type: str) -> None:
    """Refuse a type that is not read here.

    Raises:
        UnsupportedBody: it is not one of MEDIA_TYPES.
    """
    if media_type not in MEDIA_TYPES:
        detail = f"Content-Type is one of {', '.join(MEDIA_TYPES)}"
        raise UnsupportedBody(detail, "Accept", MEDIA_TYPES)


def fields(
    body: Body, query: Query, columns: Mapping[str, Column], texts: frozenset[str], cap: int
) -> dict[str, object]:
    """The fields that a request carries, whatever its body's type.

    Args:
        body: as it came.
        query: the query parameters: the options where the body is Arrow or Parquet.
        columns: which fields hold many entries.
        texts: which options are words, never numbers.
        cap: bytes that the body may inflate to.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is there twice, unknown, or not of its kind.
    """
    raw = decompressed(body, cap)
    if body.media_type == JSON:
        if query:
            detail = "the options of a JSON request are fields of its body"
            raise InvalidInput.at(detail, query[0][0])
        return parse(raw, columns)
    # pyarrow takes 80 ms and 40 MB to import: who sends only JSON never pays
    from app.api import arrow_body  # noqa: PLC0415

    read = arrow_body.parse_arrow if body.media_type == ARROW else arrow_body.parse_parquet
    arrays = read(raw, columns, cap)
    asked = options(query, arrays, texts)
    # Numbers that are not one per row, such as alpha, may be options: then they are read as JSON.
    lists = {name: asked[name] for name in asked if name in columns and columns[name].may_be_option}
    return arrays | asked | parse(bytearray(json.dumps(lists).encode()), columns)


def options(query: Query, arrays: Mapping[str, object], texts: frozenset[str]) -> dict[str, object]:
    """Query parameters as values: JSON where they are JSON, else text; repeated ones as a list.

    Raises:
        InvalidInput: an option is also a column.
    """
    found: dict[str, list[object]] = {}
    for name, value in query:
        if name in arrays:
            raise InvalidInput.at("sent both as a column and as an option", name)
        found.setdefault(name, []).append(value if name in texts else _value(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> object:
    raise ValueError(name)
