"""Logging in by a key, and out: for browsers, with or without JavaScript."""

import re
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from kullback.access.keys import PATTERN
from kullback.api.authorization import AuthorizedRoute
from kullback.api.credentials import NoCredentials, path_within, session_cookie
from kullback.api.gate import Gate
from kullback.api.intake import Intake
from kullback.api.problems import ways_on
from kullback.errors import AccessRefused, Forbidden, RateLimited
from kullback.ui.render import Pages
from kullback.ui.short_addresses import without_empty

CAP = 4 << 10
ROOM = 64 << 20  # for more slow senders than there are connections
FIELDS = 4
_STATUS = {Forbidden: 403, RateLimited: 429}


def page_route(pages: Pages) -> type[AuthorizedRoute]:
    """The kind of route that shows whoever may not see its page how to log in."""

    class PageRoute(AuthorizedRoute):
        """A page."""

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            """See starlette.routing.Route."""
            short = without_empty(scope)
            if short is not None:
                await Response(status_code=302, headers={"location": short})(scope, receive, send)
                return
            try:
                await super().handle(scope, receive, send)
            except AccessRefused as refusal:
                request = Request(scope)
                query = str(scope["query_string"], "latin-1")
                here = path_within(scope).lstrip("/") + (f"?{query}" if query else "")
                answer = _form(pages, request, refusal, here)
                await answer(scope, receive, send)

    return PageRoute


def add_log_in(routes: APIRouter, pages: Pages, gate: Gate) -> None:
    """The form, what it sends, and the end of a session."""
    intake = Intake(CAP, ROOM)

    @routes.get("/login")
    async def form(request: Request) -> Response:
        """Where a key is entered."""
        return _form(pages, request, None, "")

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        """Begin a session, and go where somebody wanted to."""
        body = await intake.read(request)
        fields = _fields(body.raw)
        body.hold.release()
        (key, *_), (place, *_) = fields.get("key", [""]), fields.get("next", [""])
        try:
            token = await gate.log_in(request, key.strip().encode())
        except AccessRefused as refusal:
            return _form(pages, request, refusal, place)
        return _gone(place, None if token is None else session_cookie(request.scope, token))

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        """End a session."""
        await gate.log_out(request)
        return _gone("login", session_cookie(request.scope, None))


def _fields(raw: bytes | bytearray) -> dict[str, list[str]]:
    try:
        return parse_qs(raw.decode("latin-1"), max_num_fields=FIELDS)
    except ValueError:
        return {}


def _form(pages: Pages, request: Request, refusal: AccessRefused | None, place: str) -> Response:
    """The form, with the reason why it is shown, and where it leads."""
    place = "" if re.search(PATTERN, place) else place  # a key in an address goes no further
    is_first = refusal is None or isinstance(refusal, NoCredentials)
    words = "" if refusal is None or is_first else refusal.message
    status = 200 if refusal is None else _STATUS.get(type(refusal), 401)
    page = pages.page(request, "login.html", {"place": place, "words": words}, status)
    page.headers["cache-control"] = "no-store"
    if refusal is not None:
        page.headers.update(ways_on(refusal))
    return page


def _gone(place: str, cookie: str | None) -> Response:
    """Lead to a place of this service: a reference that begins so stays here."""
    headers = {
        "location": "./" + quote(place, safe="/?=&%:,+@!~*();$'"),
        "cache-control": "no-store",
    }
    if cookie is not None:
        headers["set-cookie"] = cookie
    return Response(status_code=303, headers=headers)
