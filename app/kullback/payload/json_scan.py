"""Scanner of the top level of a JSON object, which decodes no values."""

import re
from collections.abc import Generator, Iterator

from pydantic_core import from_json

from kullback.errors import InvalidInput, MalformedBody

MAX_AXES = 4
MAX_DEPTH = 8  # of objects and lists within one another
_WINDOW = 1 << 16
_STRIDE = 1 << 21
_MAX_KEY = 400
MAX_KEYS = 1000

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+"')
_SCALAR = re.compile(rb"[^\s,{}\[\]\"]++")
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+")*+')


def top_level(body: bytearray) -> Iterator[tuple[str, int, int]]:
    """Each key with the place of its value, without decoding the values."""
    at = skip(body, 0)
    if at == len(body):
        raise MalformedBody("the body is empty")
    if body[at] != ord("{"):
        raise MalformedBody("the body is not a JSON object")
    at = skip(body, (yield from members(body, at)))
    if at != len(body):
        raise _malformed(at, "nothing may follow the object")


def members(body: bytearray, at: int, *within: str) -> Generator[tuple[str, int, int], None, int]:
    """The same of the object that begins at `at`, in the field `within`; returns where it ends."""
    at = skip(body, at + 1)
    if body[at : at + 1] == b"}":
        return at + 1
    for _ in range(MAX_KEYS):
        name, at = _key(body, at)
        end = _value_end(body, at, (*within, name))
        yield name, at, end
        at = skip(body, end)
        sign = body[at : at + 1]
        if sign == b"}":
            return at + 1
        if sign != b",":
            raise _malformed(at, "a comma or a closing brace is expected")
        at = skip(body, at + 1)
    detail = f"more than {MAX_KEYS} fields"
    raise InvalidInput.at(detail, *within) if within else InvalidInput(f"the body has {detail}")


def skip(body: bytearray, at: int) -> int:
    """The place of the first byte from `at` on that is not white space."""
    match = _SPACE.match(body, at)
    assert match is not None
    return match.end()


def _malformed(at: int, detail: str) -> MalformedBody:
    return MalformedBody(f"the body is not JSON: at byte {at}, {detail}")


def _key(body: bytearray, at: int) -> tuple[str, int]:
    match = _STRING.match(body, at)
    if match is None:
        raise _malformed(at, "a key is expected")
    if len(match.group()) > _MAX_KEY:
        raise _malformed(at, "the key is too long")
    name = _decoded(match.group(), at)
    colon = skip(body, match.end())
    if body[colon : colon + 1] != b":":
        raise _malformed(colon, "a colon is expected")
    return name, skip(body, colon + 1)


def _decoded(raw: bytes, at: int) -> str:
    try:
        return str(from_json(raw))
    except ValueError as error:
        raise _malformed(at, "a string is not valid") from error


def _value_end(body: bytearray, start: int, place: tuple[str, ...]) -> int:
    """Where the value ends that begins at `start`."""
    first = bytes(body[start : start + 1])
    if first in (b"[", b"{"):
        return _simple_list_end(body, start) or _nested_end(body, start, place)
    match = _STRING.match(body, start) if first == b'"' else _SCALAR.match(body, start)
    if match is None:
        raise _malformed(start, "a value is expected")
    return match.end()


def _simple_list_end(body: bytearray, start: int) -> int | None:
    """The end of a list without strings: its last bracket before the next key, if they balance."""
    quote = body.find(b'"', start)
    limit = quote if quote >= 0 else len(body)
    end = body.rfind(b"]", start, limit) + 1
    if end == 0 or body[start] != ord("["):
        return None
    if body.find(b"[", start + 1, end) < 0:
        balanced = body.find(b"]", start, end - 1) < 0
    else:
        balanced = _count(body, b"[", start, end) == _count(body, b"]", start, end)
    return end if balanced and body.find(b"{", start, end) < 0 else None


def _count(body: bytearray, sign: bytes, start: int, end: int) -> int:
    """How often a sign stands in a range, in steps between which other threads may run."""
    steps = range(start, end, _STRIDE)
    return sum(body.count(sign, step, min(step + _STRIDE, end)) for step in steps)


def _nested_end(body: bytearray, start: int, place: tuple[str, ...]) -> int:
    closing = b"]" if body[start] == ord("[") else b"}"
    depth, at = 0, start
    while at < len(body):
        sign = body[at]
        if sign in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidInput.at("nested deeper than a payload can be", *place)
            at += 1
        elif sign in b"]}":
            depth -= 1
            at += 1
            if depth == 0:
                if body[at - 1 : at] != closing:
                    break
                return at
        else:
            match = _FLAT.match(body, at, at + _WINDOW)
            if match is None or match.end() == at:
                match = _STRING.match(body, at)
            if match is None:
                break
            at = match.end()
    raise _malformed(at, "a bracket is not closed")
