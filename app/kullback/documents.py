"""Frozen types as JSON: what is answered is written from the type that describes it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Wider = TypeVar("Wider")


def to_json(document: object, indent: int | None = None) -> bytes:
    """A document, by the fields of its type; a number that JSON lacks is null."""
    return _writer_of(document).dump_json(document, by_alias=True, indent=indent)


def to_mapping(document: object) -> Mapping[str, object]:
    """The fields of a document, to stand in an answer that has no type of its own."""
    fields_by_name: dict[str, object] = _writer_of(document).dump_python(document, by_alias=True)
    return fields_by_name


def extended(kind: Callable[..., Wider], narrow: "DataclassInstance", **more: object) -> Wider:
    """A document of a wider type: the fields of a narrower one, and more."""
    values = {field.name: getattr(narrow, field.name) for field in fields(narrow)}
    return kind(**values, **more)


def entity_tag(content: bytes) -> str:
    """The entity tag of these bytes: an answer, or what an answer follows from."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def _writer_of(document: object) -> TypeAdapter[object]:
    # mypy reads the __hash__ of instances where it is asked for that of their class
    return _writer(type(document))  # type: ignore[arg-type]


@cache
def _writer(kind: type) -> TypeAdapter[object]:
    return TypeAdapter(kind)
