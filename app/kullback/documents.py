"""Frozen types as JSON: what is answered is written from the type that describes it."""

from functools import cache

from pydantic import TypeAdapter


def to_json(document: object) -> bytes:
    """A document, by the fields of its type; it holds no number that JSON lacks."""
    kind = type(document)
    # mypy reads the __hash__ of instances where it is asked for that of their class
    return _writer(kind).dump_json(document, by_alias=True)  # type: ignore[arg-type]


@cache
def _writer(kind: type) -> TypeAdapter[object]:
    return TypeAdapter(kind)
