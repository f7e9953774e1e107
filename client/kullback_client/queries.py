"""Reads and writes of one document, and the parameters of their queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote
from uuid import uuid4

from .errors import NotFound
from .exchange import Flow, Request, Retry, exchange
from .values import decoded, encoded, plain

Query = tuple[tuple[str, str], ...]
Time: TypeAlias = datetime | str | float
Duration: TypeAlias = str | float
Names: TypeAlias = str | Sequence[str]


def query(**parameters: object) -> Query:
    """The parameters that say something: `from_` is `from`, lists have commas between."""
    return tuple(
        (name.removesuffix("_"), _text(value))
        for name, value in parameters.items()
        if value is not None
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)


def segment(name: str) -> str:
    """A name as a part of a path: dots alone, too, which would lead to another resource."""
    part = quote(name, safe="")
    return part.replace(".", "%2E") if part in {".", ".."} else part


def read(retry: Retry, path: str, parameters: Query = ()) -> Flow[dict[str, object]]:
    """What a path answers."""
    answer = yield from exchange(Request("GET", path, parameters), retry)
    return decoded(answer.content)


def write(
    retry: Retry, method: str, path: str, document: object = None, parameters: Query = ()
) -> Flow[dict[str, object]]:
    """What a change answers; it has a key, so that it is done once however often it is sent."""
    content = None if document is None else encoded(plain(document))
    request = Request(method, path, parameters, content, key=str(uuid4()))
    try:
        answer = yield from exchange(request, retry)
    except NotFound as error:
        if method == "DELETE" and error.follows_loss:
            return {}  # it was removed, and the answer was lost
        raise
    return decoded(answer.content)
