"""Problem documents (RFC 9457): how a refusal is written, over HTTP or beside scores."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from kullback.api.problem_types import PROBLEM_TYPES, ProblemType
from kullback.errors import FieldError, KullbackError

MEDIA_TYPE = "application/problem+json"
MAX_PLACES = 20
MAX_BYTES = 16 * 1024
_MAX_TEXT = 512
_MAX_POINTER = 256


class FieldErrorEntry(BaseModel):
    """One wrong place in a request."""

    pointer: str = Field(description="A JSON Pointer (RFC 6901) into the request.")
    detail: str = Field(description="What is wrong at this place.")


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="The kind of problem; its address explains it.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened to this request.")
    errors: list[FieldErrorEntry] = Field(description=f"The first {MAX_PLACES} wrong places.")
    total_errors: int = Field(description="Number of wrong places.")
    request_id: str | None = Field(description="Id of this request in the logs.")


def kind_of(error: KullbackError) -> ProblemType:
    """What kind of problem a refusal is."""
    return next(PROBLEM_TYPES[cls] for cls in type(error).__mro__ if cls in PROBLEM_TYPES)


def document(
    kind: ProblemType,
    detail: str,
    request_id: str | None,
    places: Iterable[FieldError] = (),
    total: int = 0,
) -> bytes:
    """A problem document."""
    return _encoded(
        Problem(
            type=kind.type if kind.slug else "about:blank",
            title=kind.title,
            status=kind.status,
            detail=_clipped(detail, _MAX_TEXT),
            errors=[
                FieldErrorEntry(
                    pointer=_clipped(place.pointer, _MAX_POINTER),
                    detail=_clipped(place.detail, _MAX_TEXT),
                )
                for place in list(places)[:MAX_PLACES]
            ],
            total_errors=total,
            request_id=request_id,
        )
    )


def _encoded(problem: Problem) -> bytes:
    """The document in less than MAX_BYTES; the last places give way."""
    body = problem.model_dump_json().encode()
    while len(body) >= MAX_BYTES:
        problem.errors.pop()
        body = problem.model_dump_json().encode()
    return body


def _clipped(text: str, length: int) -> str:
    """At most `length` characters of it, each of which UTF-8 can carry."""
    text = text if len(text) <= length else text[: length - 1] + "…"
    return text.encode("utf-8", "replace").decode()
