"""Answers of a service as objects: their attributes are the fields that it sent."""

import builtins
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints


class Document:
    """An answer, or a part of one.

    Each attribute that a class names is a field of the same name (`from_` of `from`), of the type
    it says; null is None, and so is a field that was not sent. Fields of a newer service, which
    have no attribute, can be had by `document["name"]` as they came.
    """

    __slots__ = ("_content", "_values")

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._values: dict[str, object] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - classes say what it is
        kinds = {} if name.startswith("_") else _kinds(type(self))
        if name not in kinds:
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        if name not in self._values:
            self._values[name] = _read(kinds[name], self._content.get(name.removesuffix("_")))
        return self._values[name]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as it came
        return self._content[name]

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_kinds(type(self))})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.to_dict() == self.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self._content))

    def __repr__(self) -> str:
        fields = (f"{name}={_short(value)}" for name, value in self._content.items())
        return f"{type(self).__name__}({', '.join(fields)})"

    def to_dict(self) -> dict[str, Any]:
        """The fields as they came."""
        return dict(self._content)


def _short(value: object) -> str:
    if isinstance(value, (list, dict)) and len(str(value)) > 60:
        return f"<{len(value)}>"
    return repr(value)


def _kinds(of: type[Document]) -> Mapping[str, Any]:
    """The types of the fields that a class names."""
    # mypy reads the __hash__ of instances where it is asked for that of their class
    return _cached_kinds(of)  # type: ignore[arg-type]


@cache
def _cached_kinds(of: type[Document]) -> Mapping[str, Any]:
    hints = get_type_hints(of)
    return {name: kind for name, kind in hints.items() if not name.startswith("_")}


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - any type, any value of JSON
    """A value of JSON as a field of this type has it."""
    if value is None:
        return None
    if get_origin(kind) in {types.UnionType, Union}:
        kind = _fitting(get_args(kind), value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    is_document = isinstance(kind, type) and issubclass(kind, Document)
    if is_document or kind is float:  # a float may be written without a point
        return kind(value)
    return _read_all(kind, value)


def _read_all(kind: Any, value: Any) -> Any:  # noqa: ANN401 - see _read
    parts = get_args(kind)
    match get_origin(kind):
        case builtins.list:
            return [_read(parts[0], entry) for entry in value]
        case builtins.dict:
            return {name: _read(parts[1], entry) for name, entry in value.items()}
        case builtins.tuple:
            return tuple(_read(part, entry) for part, entry in zip(parts, value, strict=True))
        case _:
            return value


def _fitting(kinds: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401 - see _read
    """The kind of a union that a value is of; classes of documents differ by their fields."""
    documents = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Document)]
    if isinstance(value, Mapping) and documents:
        return min(documents, key=lambda kind: len(_fields(kind) ^ value.keys()))
    wanted: dict[type, object] = {dict: dict, list: list, str: datetime, int: int, float: float}
    of = wanted.get(type(value), object)
    if of is int and int not in kinds:
        of = float
    return next((kind for kind in kinds if of in {kind, get_origin(kind)}), object)


def _fields(kind: type[Document]) -> set[str]:
    return {name.removesuffix("_") for name in _kinds(kind)}
