"""Batches of rows: sent in parts, each of which counts once however often it is sent."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from .bodies import Body, Table
from .errors import BodyTooLarge, FieldError, KullbackError, NotKullback
from .exchange import Flow, Request, Retry, exchange
from .values import decoded

CHUNK = 50_000
Progress = Callable[[int, int], object]
_MOST_REJECTIONS = 20
Totals = dict[str, object]


@dataclass(frozen=True, slots=True)
class Sending:
    """How rows are sent.

    Attributes:
        chunk_size: rows of a request.
        idempotency_key: what names these rows where they come from, or None: then their content
            does, if it `is_itself`, or else chance.
        progress: called with the rows that were taken, and how many there are.
    """

    chunk_size: int = CHUNK
    idempotency_key: str | None = None
    progress: Progress | None = None


def send(path: str, table: Table, how: Sending, retry: Retry, *, is_itself: bool) -> Flow[Totals]:
    """What a service answers to all rows of a table, added up.

    A part that is too large, or that touches too many windows, is halved.

    Args:
        path: where rows go.
        table: the rows.
        how: in which parts, under which key.
        retry: how often each is tried.
        is_itself: whether rows of the same content are the same rows.

    Raises:
        KullbackError: a part is refused, or could not be sent; those before it were kept.
    """
    if how.chunk_size < 1:
        raise ValueError(f"chunk_size is {how.chunk_size}: it is at least 1")
    parts = [
        (start, min(start + how.chunk_size, table.count))
        for start in range(0, table.count or 1, how.chunk_size)
    ]
    if len(parts) > 1:
        table.check()
    parts.reverse()
    name = how.idempotency_key or (None if is_itself else str(uuid4()))
    totals: Totals = {}
    while parts:
        start, stop = parts.pop()
        body = table.body(start, stop) if parts or start else table.body()
        try:
            answer = yield from exchange(_request(path, body, name, start), retry)
            document = taken(answer.content)
        except KullbackError as error:
            if _is_too_much(error) and stop - start > 1:
                middle = (start + stop) // 2
                parts += [(middle, stop), (start, middle)]
                continue
            if start:
                error.add_note(f"The {start} rows before these were taken.")
            raise error.below(start) from None
        _add(totals, document, start)
        if how.progress is not None:
            how.progress(stop, table.count)
    return totals


def taken(content: bytes) -> dict[str, Any]:
    """What a service answers to rows that it took.

    Raises:
        NotKullback: it says nothing of rows.
    """
    document = decoded(content)
    if not isinstance(document.get("accepted"), int):
        raise NotKullback("an answer to rows does not say how many were taken")
    return document


def _request(path: str, body: Body, name: str | None, start: int) -> Request:
    """A part of the rows; its key says where it begins, as two parts may be alike."""
    if name is None:
        head = repr((path, body.media_type, body.query, start)).encode()
        name = sha256(head + body.content).hexdigest()
    key = f"{name}-{start}"
    return Request("POST", path, body.query, body.content, body.media_type, key=key)


def _is_too_much(error: KullbackError) -> bool:
    is_of_time = any("per request" in place.detail for place in error.errors)
    return isinstance(error, BodyTooLarge) or is_of_time


def _add(totals: Totals, answer: Mapping[str, object], start: int) -> None:
    """Add the counts of a part; its places become those of all rows, of which 20 are kept."""
    for name, value in answer.items():
        if isinstance(value, list):
            places = [FieldError(**place).below(start) for place in value]
            kept = totals.setdefault(name, [])
            assert isinstance(kept, list)
            kept += [asdict(place) for place in places][: _MOST_REJECTIONS - len(kept)]
        elif isinstance(value, int):
            before = totals.get(name, 0)
            assert isinstance(before, int)
            totals[name] = value if name == "epoch" else before + value
