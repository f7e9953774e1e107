"""Refusals over HTTP: the only status table, and its documents."""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from kullback.api.authorization import AuthorizedRoute
from kullback.api.credentials import path_within
from kullback.api.intake import declared_length
from kullback.api.problem_document import MAX_PLACES, MEDIA_TYPE, Problem, document, kind_of
from kullback.api.problem_pages import pages_for
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
from kullback.payload.identifiers import A_NAME

_VARY = {"vary": "Accept"}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_EXPLAINED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/markdown": _TEXT, "text/html": _TEXT}}
}
Slug = Annotated[str, Path(description="Last part of the type of a problem.")]
_NAMED = re.compile("/v1/(monitors|experiments)/.+/").match  # more than a name
WORTH_READING = 256 << 10  # bytes of a body in vain; beyond, a new connection costs less


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
        responses=problems(NotFound) | _EXPLAINED,
    )
    async def explain_problem(slug: Slug, request: Request) -> Response:
        """Explain a problem type in a few words: of Markdown, or a page where HTML is asked for."""
        kind = BY_SLUG.get(slug)
        if kind is None:
            raise NotFound("no problem has this name")
        pages = pages_for(request)
        if pages is not None:
            return pages.explained(request, kind)
        text = f"# {kind.title}\n\nHTTP status {kind.status}.\n\n{kind.explanation}\n"
        return Markdown(text, headers=_VARY)

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
    kind = kind_of(error)
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
    if error.status_code == 404 and request.scope["path"] == request.scope.get("root_path"):
        return RedirectResponse(f"{request.scope['path']}/", 308)  # whence its links lead on
    if error.status_code == 404 and _NAMED(path_within(request.scope)):
        detail = f"There is no such path. A slash is not part of a name: {A_NAME}."
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
        FieldError(pointer(*wrong["loc"][wrong["loc"][0] == "body" :]), _said(wrong))
        for wrong in errors[:MAX_PLACES]
    ]
    name = places[0].pointer.removeprefix("/query/").removeprefix("/path/") if places else ""
    detail = f"{name}: {places[0].detail}" if places else "the request is not valid"
    return _answer(request, PROBLEM_TYPES[InvalidInput], detail, places=places, total=len(errors))


def _said(wrong: Mapping[str, Any]) -> str:
    return "this parameter is missing" if wrong["type"] == "missing" else str(wrong["msg"])


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
    pages, headers = pages_for(request), {**headers, **_VARY}
    if pages is not None:
        return pages.refused(request, kind, Problem.model_validate_json(content), headers)
    return Response(content, kind.status, headers, MEDIA_TYPE)
