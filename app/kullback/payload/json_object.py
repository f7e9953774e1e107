"""Reader of JSON: a scan of the top level, then its lists one after the other."""

import re
import sys
from collections.abc import Mapping

from kullback.errors import InvalidInput
from kullback.payload.columns import Column
from kullback.payload.json_cuts import PIECE
from kullback.payload.json_entries import repeated_key
from kullback.payload.json_lists import JsonList
from kullback.payload.json_scan import members, top_level
from kullback.payload.json_small import at_once, plain_value
from kullback.payload.room import Room
from kullback.payload.row_marks import RowMarks

_OBJECTS = re.compile(rb"(?:\[[ \t\n\r]*+)?\{")


def parse(
    body: bytearray,
    columns: Mapping[str, Column],
    cap: int = sys.maxsize,
    marks: RowMarks | None = None,
) -> dict[str, object]:
    """The fields of a JSON object: arrays where `columns` says so, plain values elsewhere.

    Args:
        body: UTF-8 JSON.
        columns: which fields hold many entries, and of what kind.
        cap: bytes that the entries of all lists may occupy.
        marks: which rows are bad; where None the first wrong entry is refused.

    Returns:
        Field names to float64 or int64 arrays, lists of strings, or plain JSON values.

    Raises:
        MalformedBody: it is not JSON, or not an object.
        BodyTooLarge: the entries occupy more than the cap.
        InvalidInput: a key stands twice, a list is ragged, an entry is not of its kind.
    """
    if len(body) <= PIECE and (plain := at_once(body, columns)) is not None:
        return plain
    fields: dict[str, object] = {}
    room = Room(cap)
    for name, start, end in top_level(body):
        if name in fields:
            raise InvalidInput.at("the key stands twice", name)
        column, sign = columns.get(name), body[start : start + 1]
        if column is not None and column.keys and sign == b"{":
            fields[name] = _by_name(name, body, start, column, room, marks)
        elif column is not None and sign == b"[":
            fields[name] = JsonList((name,), body, start, end, room).read(column, marks)
        else:
            fields[name] = _plain(name, body[start:end], column)
    return fields


def member(body: bytearray, name: str) -> object:
    """The value of one key, if it is there and no longer than options are; None where it is not.

    Raises:
        MalformedBody: what comes before it is not JSON.
    """
    for key, start, end in top_level(body):
        if key == name:
            return plain_value((name,), body[start:end], None)
    return None


def _by_name(  # noqa: PLR0913, PLR0917 - see parse
    field: str, body: bytearray, start: int, column: Column, room: Room, marks: RowMarks | None
) -> dict[str, object]:
    """The lists of an object, each by its key."""
    lists: dict[str, object] = {}
    for name, at, end in members(body, start, field):
        if name in lists:
            raise InvalidInput.at("the key stands twice", field, name)
        if len(lists) == column.keys:
            raise InvalidInput.at(f"more than {column.keys} keys", field)
        if body[at : at + 1] != b"[":
            raise InvalidInput.at("a list is expected", field, name)
        lists[name] = JsonList((field, name), body, at, end, room).read(column, marks)
    return lists


def _plain(name: str, raw: bytearray, column: Column | None) -> object:
    value = plain_value((name,), raw, column)
    may_be_object = column is None or column.named
    if may_be_object and _OBJECTS.match(raw) and (twice := repeated_key(raw)):
        raise InvalidInput.at("the key stands twice", name, *twice)
    return value
