"""Pieces of a JSON list whose entries may be of any kind, and of a list of objects."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from kullback.errors import MalformedBody
from kullback.payload.json_cuts import between_any
from kullback.payload.json_scan import skip


def of_any(body: bytearray, start: int, end: int, *place: str) -> Iterator[tuple[int, list[Any]]]:
    """What the list holds that lies between these brackets, each piece with its first index.

    Raises:
        MalformedBody: it is not JSON.
    """
    return ((offset, rows) for offset, _, rows in pieces(body, start, end, *place))


def pieces(
    body: bytearray, start: int, end: int, *place: str
) -> Iterator[tuple[int, bytearray, list[Any]]]:
    """The same, with the text of each piece."""
    at, offset = start, 0
    while at <= end and skip(body, at) < end:
        comma = between_any(body, at, end)
        raw = body[at:comma]
        rows = _decoded(raw, *place)
        yield offset, raw, rows
        offset += len(rows)
        at = comma + 1


def _decoded(raw: bytearray, *place: str) -> list[Any]:
    try:
        rows: list[Any] = from_json(b"[" + raw + b"]")
    except ValueError as error:
        detail = "not valid JSON"
        raise (MalformedBody.at(detail, *place) if place else MalformedBody(detail)) from error
    return rows
