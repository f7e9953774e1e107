"""This file is about making pages: templates filled, data for charts, and what a page may load."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic_core import to_json

from kullback.ui.figures import shown, typeset

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-cache",
}


class Pages:
    """Makes pages from templates; what callers named is always text, never markup."""

    def __init__(self, release: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("kullback.ui"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"shown": shown, "data": _data, "ago": ago, "typeset": typeset}
        self._environment.globals |= {"release": release}

    def page(
        self, request: Request, template: str, known: Mapping[str, object], status: int = 200
    ) -> Response:
        """A page of what is known, or 304 where the caller has the same already."""
        depth = request.url.path.removeprefix(request.scope.get("root_path", "")).count("/") - 1
        context = {"root": "../" * depth, "base": str(request.base_url), "here": "", **known}
        text = self._environment.get_template(template).render(context)
        content = text.encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**_HEADERS, "etag": tag}
        if status == 200 and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, status, headers, "text/html; charset=utf-8")


def ago(seconds: float) -> str:
    """Epoch seconds as people read them, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _data(value: object) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element."""
    text = to_json(value, inf_nan_mode="null").decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - what could be markup was replaced
