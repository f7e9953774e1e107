"""Body of any accepted type to the fields of a request."""

import json
from collections.abc import Mapping
from dataclasses import replace

from kullback.errors import InvalidInput, MalformedBody
from kullback.payload import ndjson
from kullback.payload.body import Body, decompressed
from kullback.payload.columns import Column
from kullback.payload.dialect import DIALECT, Dialect
from kullback.payload.json_object import parse
from kullback.payload.json_scan import skip
from kullback.payload.media import CSV, JSON, LINES, PARQUET, likely_type
from kullback.payload.records import record_fields
from kullback.payload.room import TEXT, inflation_limit
from kullback.payload.row_marks import RowMarks

Query = list[tuple[str, str]]


def inflated(body: Body, cap: int) -> tuple[Body, int]:
    """The body without its Content-Encoding, to be read more than once, and its own cap.

    Raises:
        BodyError: it is not of that encoding, or becomes too large.
    """
    cap = inflation_limit(len(body.raw), cap)
    return replace(body, raw=decompressed(body, cap), encoding="identity"), cap


def fields(
    body: Body, query: Query, columns: Mapping[str, Column], texts: frozenset[str], cap: int
) -> dict[str, object]:
    """The fields that a request carries, whatever its body's type.

    Args:
        body: as it came.
        query: the query parameters: the options where the body is Arrow or Parquet.
        columns: which fields hold many entries.
        texts: which options are words, never numbers.
        cap: bytes that the body may inflate to, and its entries, twice those of text, may occupy.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is there twice, unknown, or not of its kind.
    """
    cap = inflation_limit(len(body.raw), cap)
    raw = decompressed(body, cap)
    try:
        return _fields(raw, body.media_type, query, columns, texts, cap)
    except MalformedBody as error:
        other = likely_type(raw)
        if other in {"", body.media_type}:
            raise
        detail = f"{error.message}; it begins as {other} does: send that as Content-Type"
        raise MalformedBody(detail, error.offences) from error


def _fields(  # noqa: PLR0913, PLR0917 - see fields
    raw: bytearray,
    media_type: str,
    query: Query,
    columns: Mapping[str, Column],
    texts: frozenset[str],
    cap: int,
) -> dict[str, object]:
    if media_type == JSON:
        if query:
            detail = "the options of a JSON request are fields of its body"
            raise InvalidInput.at(detail, query[0][0])
        return parse(raw, columns, TEXT * cap)
    if media_type == CSV:
        dialect, query = _dialect(query)
        arrays = _text(raw, columns, cap, dialect)
    else:
        arrays = _table(raw, media_type, columns, cap)
    from_query = options(query, arrays, texts)
    # Numbers that are not one per row, such as alpha, may be options: then they are read as JSON.
    lists = {
        name: from_query[name]
        for name in from_query
        if name in columns and columns[name].may_be_option
    }
    return arrays | from_query | parse(bytearray(json.dumps(lists).encode()), columns)


def batch_fields(
    raw: bytearray, media_type: str, columns: Mapping[str, Column], cap: int, marks: RowMarks
) -> dict[str, object]:
    """The fields of a batch, from its decompressed bytes; bad rows are marked.

    Raises:
        BodyError: the body cannot be read.
        InvalidInput: a field is there twice, or not of its kind.
    """
    if media_type == JSON:
        # What has no columns, as settings have none, has no rows to be a list of.
        read = record_fields if columns and is_list_of_records(raw, media_type) else parse
        return read(raw, columns, TEXT * cap, marks)
    if media_type in LINES:
        if (other := likely_type(raw)) not in {"", JSON}:
            raise MalformedBody(f"the body begins as {other} does: send that as Content-Type")
        return ndjson.parse(raw, columns, TEXT * cap, marks)
    return _table(raw, media_type, columns, cap, marks)


def is_list_of_records(raw: bytearray, media_type: str) -> bool:
    """Whether a body of JSON is a list of objects, one for each row."""
    at = skip(raw, 0)
    return media_type == JSON and raw[at : at + 1] == b"["


def _table(
    raw: bytearray,
    media_type: str,
    columns: Mapping[str, Column],
    cap: int,
    marks: RowMarks | None = None,
) -> dict[str, object]:
    # pyarrow takes 80 ms and 40 MB to import: who sends only JSON never pays
    from kullback.payload import arrow  # noqa: PLC0415

    read = arrow.parse_parquet if media_type == PARQUET else arrow.parse_arrow
    return read(raw, columns, cap, marks)


def _text(
    raw: bytearray, columns: Mapping[str, Column], cap: int, dialect: Dialect
) -> dict[str, object]:
    from kullback.payload.csv_body import parse_csv  # noqa: PLC0415 - as above

    return parse_csv(raw, columns, cap, dialect)


def _dialect(query: Query) -> tuple[Dialect, Query]:
    """How a table of text is written, and the parameters that do not say it."""
    said = [pair for pair in query if pair[0] in DIALECT]
    for name, _ in said:
        if len([each for each, _ in said if each == name]) > 1:
            raise InvalidInput.at("stands twice", name)
    return Dialect.of(dict(said)), [pair for pair in query if pair[0] not in DIALECT]


def options(query: Query, arrays: Mapping[str, object], texts: frozenset[str]) -> dict[str, object]:
    """Query parameters as values: JSON where they are JSON, else text; repeated ones as a list.

    What is JSON but for brackets around it, as 1,2 is, is a list too.

    Raises:
        InvalidInput: an option is also a column.
    """
    given: dict[str, list[object]] = {}
    for name, value in query:
        if name in arrays:
            raise InvalidInput.at("sent both as a column and as an option", name)
        given.setdefault(name, []).append(value if name in texts else _value(value))
    return {name: values[0] if len(values) == 1 else values for name, values in given.items()}


def _value(text: str) -> object:
    for written in (text, f"[{text}]"):  # as 1,2 is one
        try:
            return json.loads(written, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
    return text


def _no_constant(name: str) -> object:
    raise ValueError(name)
