"""Refusals over HTTP: the only status table, and its documents."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from kullback.api.authorization import AuthorizedRoute
from kullback.api.intake import declared_length
from kullback.api.problem_types import (
    BY_SLUG,
    BY_STATUS,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    PROBLEM_TYPES,
    ProblemType,
)
from kullback.errors import (
    FieldError,
    IdempotencyKeyInProgress,
    InvalidInput,
    KullbackError,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedBody,
    pointer,
)

Slug = Annotated[str, Path(description="Last part of the type of a problem.")]
MEDIA_TYPE = "application/problem+json"
MAX_PLACES = 20
WORTH_READING = 256 << 10  # bytes of a body in vain; beyond, a new connection costs less
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


def problems(*kinds: type[KullbackError] | int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that refuses in these ways."""
    rows = [BY_STATUS[kind] if isinstance(kind, int) else PROBLEM_TYPES[kind] for kind in kinds]
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        row.status: {"description": row.title, "content": {MEDIA_TYPE: {"schema": schema}}}
        for row in rows
    }


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def handlers() -> dict[int | type[Exception], Handler]:
    """What answers each exception that a route may raise."""
    return {
        KullbackError: _refuse,
        HTTPException: _refuse_status,
        RequestValidationError: _refuse_parameters,
    }


async def failure(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 500 and say nothing else; the traceback is in the log."""
    request = Request(scope)
    answer = _answer(request, INTERNAL, "Something went wrong inside; it is in the log.")
    await answer(scope, receive, send)


async def stopping(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 503: the service ends before it could do this."""
    answer = await _refuse(Request(scope), Overloaded("the service is stopping"))
    await answer(scope, receive, send)


class Markdown(PlainTextResponse):
    """A page of text, for people."""

    media_type = "text/markdown"


def router() -> APIRouter:
    """`GET /problems/{slug}`: what each problem type means."""
    routes = APIRouter(tags=["system"], route_class=AuthorizedRoute)

    @routes.get(
        "/problems/{slug}",
        operation_id="explain_problem",
        response_class=Markdown,
        responses=problems(NotFound),
    )
    async def explain_problem(slug: Slug) -> Markdown:
        """Explain a problem type in a few words of Markdown."""
        kind = BY_SLUG.get(slug)
        if kind is None:
            raise NotFound("no problem has this name")
        text = f"# {kind.title}\n\nHTTP status {kind.status}.\n\n{kind.explanation}\n"
        return Markdown(text)

    return routes


def ways_on(error: KullbackError) -> dict[str, str]:
    """The headers that say how to be let in, or when to come again."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="kullback"'
    if isinstance(error, Overloaded | IdempotencyKeyInProgress | StoreUnavailable | RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers


async def _refuse(request: Request, error: KullbackError) -> Response:
    kind = next(PROBLEM_TYPES[cls] for cls in type(error).__mro__ if cls in PROBLEM_TYPES)
    headers = ways_on(error)
    if isinstance(error, UnsupportedBody):
        headers[error.header] = ", ".join(error.accepted)
    if isinstance(error, Overloaded) and (
        declared_length(request.headers.get("content-length", "").encode()) > WORTH_READING
    ):
        headers["Connection"] = "close"
    return _answer(
        request, kind, error.message, places=error.offences, total=error.total, headers=headers
    )


async def _refuse_status(request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    kind = BY_STATUS.get(error.status_code) or ProblemType(error.status_code, "", phrase, "")
    detail = str(error.detail)
    if detail == phrase and kind.explanation:
        detail = kind.explanation
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
    return _answer(request, kind, detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of all routes of this path: Starlette knows only those of the first."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in matching for method in route.methods or ()}))


async def _refuse_parameters(request: Request, error: RequestValidationError) -> Response:
    # FastAPI's own handler echoes the input, and JSON has no NaN: refusing one would answer 500.
    errors = error.errors()
    places = [
        FieldError(pointer(*wrong["loc"][wrong["loc"][0] == "body" :]), wrong["msg"])
        for wrong in errors[:MAX_PLACES]
    ]
    detail = f"{places[0].pointer}: {places[0].detail}" if places else "the request is not valid"
    return _answer(request, PROBLEM_TYPES[InvalidInput], detail, places=places, total=len(errors))


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


def _answer(  # noqa: PLR0913 - one keyword for each part of the document
    request: Request,
    kind: ProblemType,
    detail: str,
    *,
    places: Iterable[FieldError] = (),
    total: int = 0,
    headers: Mapping[str, str] = {},
) -> Response:
    request_id = request.scope.get("state", {}).get("request_id")
    content = document(kind, detail, request_id, places, total)
    return Response(content, kind.status, dict(headers), MEDIA_TYPE)


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
