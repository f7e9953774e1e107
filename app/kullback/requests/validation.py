"""Fields as they were read become a checked request, or a refusal that names the places."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from kullback.errors import FieldError, InvalidInput, pointer
from kullback.payload.columns import Column
from kullback.payload.field_names import no_such_field
from kullback.scoring.refusals import ERRORS_NAMED

_SHOULD_BE = "Input should be "

Model = TypeVar("Model", bound=BaseModel)


@cache
def array_fields(model: type[BaseModel]) -> Mapping[str, Column]:
    """The fields of a request that hold many entries."""
    return MappingProxyType(
        {
            name: column
            for name, field in model.model_fields.items()
            for column in (*field.metadata, *_nested(field.annotation))
            if isinstance(column, Column)
        }
    )


@cache
def word_options(model: type[BaseModel]) -> frozenset[str]:
    """The options of a request that are words."""
    return frozenset(
        name for name, field in model.model_fields.items() if _is_words(field.annotation)
    )


@cache
def field_names(model: type[BaseModel]) -> frozenset[str]:
    """The fields that a request may have."""
    return frozenset(model.model_fields)


@cache
def required_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields that a request must have."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if field.is_required())


def _nested(annotation: object) -> list[object]:
    """What Annotated says inside of a union, as in `Rows | None`."""
    parts = [annotation, *get_args(annotation)]
    return [item for part in parts if get_origin(part) is Annotated for item in part.__metadata__]


def _is_words(annotation: object) -> bool:
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return True
    return bool(parts) and all(part is str or get_origin(part) is Literal for part in parts)


def validated(model: type[Model], fields: dict[str, object]) -> Model:
    """The request made of these fields.

    Raises:
        InvalidInput: a field is missing, unknown or impossible; each is named.
    """
    if not fields.keys() <= field_names(model):
        refuse_unknown(fields, [field.alias or name for name, field in model.model_fields.items()])
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        given: dict[str, str] = {}
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            detail = "this field is missing" if item["type"] == "missing" else str(item["msg"])
            place = pointer(*_path(item["loc"], fields, is_missing=item["type"] == "missing"))
            given[place] = _either(given[place], detail) if place in given else detail
        raise _refusal([FieldError(*places) for places in given.items()], len(given)) from None


def refuse_unknown(fields: Mapping[str, object], there: Sequence[str]) -> None:
    """Refuse fields that are not there, before a hundred thousand of them keep pydantic busy.

    Raises:
        InvalidInput: the first of them are named, each with what was meant.
    """
    unknown = fields.keys() - set(there)
    if unknown:
        named = [name for name in fields if name in unknown][:ERRORS_NAMED]
        offences = [FieldError(pointer(name), no_such_field(name, there)) for name in named]
        raise _refusal(offences, len(unknown))


def _either(detail: str, other: str) -> str:
    """What two members of a union complain of, where both name a type."""
    both = detail.startswith(_SHOULD_BE) and other.startswith(_SHOULD_BE)
    return f"{detail} or {other.removeprefix(_SHOULD_BE)}" if both else detail


def _refusal(offences: list[FieldError], total: int) -> InvalidInput:
    first = offences[0]
    message = f"{first.pointer.removeprefix('/')[:80]}: {first.detail}"
    return InvalidInput(message, offences[:ERRORS_NAMED], total)


def _path(loc: tuple[int | str, ...], sent: object, *, is_missing: bool) -> tuple[int | str, ...]:
    """The place in the request: pydantic adds the names of union members, which nobody sent."""
    steps: list[int | str] = []
    for place, step in enumerate(loc):
        is_sent = isinstance(sent, Mapping) and step in sent
        is_last = is_missing and place == len(loc) - 1 and isinstance(sent, Mapping)
        if is_sent or is_last or isinstance(step, int) or place == 0:
            steps.append(step)
            sent = _within(sent, step)
    return tuple(steps)


def _within(sent: object, step: int | str) -> object:
    if isinstance(sent, Mapping):
        return sent.get(step)
    is_place = isinstance(sent, Sequence) and isinstance(step, int) and step < len(sent)
    return sent[step] if is_place else None  # type: ignore[index]
