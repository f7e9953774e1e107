"""Answers at once are those of the application, and only where it would say the same."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from kullback.access.keys import KeyGrant
from kullback.api import admission
from kullback.main import create_app
from kullback.settings import Settings
from tests.connections.wire import Answer, connected, exchange
from tests.serving import Served, serving

pytestmark = pytest.mark.anyio
LOG_LOSS = "/v1/scores/log-loss"
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "rows": (LOG_LOSS, {"y_true": [1, 0], "y_proba": [[0.2, 0.8], [0.9, 0.1]]}),
    "binary": (LOG_LOSS, {"y_true": [1, 0], "y_proba": [0.8, 0.1], "base": "2"}),
    "infinite": (LOG_LOSS, {"y_true": [1], "y_proba": [0.0]}),
    "value only": (LOG_LOSS, {"y_true": [1, 0], "y_proba": [0.8, 0.1], "details": False}),
    "pair": ("/v1/scores/cross-entropy", {"p": [0.5, 0.5], "q": [0.25, 0.75], "gradient": True}),
    "dropped": (LOG_LOSS, {"y_true": [1, 0], "y_proba": [0.8, None], "missing": "drop"}),
    "refused": (LOG_LOSS, {"y_true": [1], "y_proba": [1.5]}),
    "unknown field": (LOG_LOSS, {"y_true": [1], "y_prob": [0.5]}),
    "several": ("/v1/scores?metrics=log-loss", {"y_true": [1], "y_proba": [0.5]}),
    "no such metric": ("/v1/scores/log-los", {"y_true": [1], "y_proba": [0.5]}),
}
_OWN = {"date", "x-request-id"}


def request(path: str, body: bytes, *fields: str, length: int | None = None) -> bytes:
    """A request of HTTP/1.1."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body) if length is None else length}",
        *fields,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


LAST = request(LOG_LOSS, b'{"y_true": [1], "y_proba": [0.5]}', "Connection: close")


def kept(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """What does not differ from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN}
    body = answer.body.replace(answer.headers["x-request-id"].encode(), b"ID")
    return answer.status, headers, body


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A service that logs every request."""
    with serving(KULLBACK_LOG_LEVEL="info") as server:
        yield server


def one_by_one(address: str, *requests: bytes) -> list[Answer]:
    """The answers to requests on one connection, each sent when the last was answered."""
    found = []
    with connected(address) as connection:
        for each in requests:
            connection.sendall(each)
            response = HTTPResponse(connection)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            found.append(Answer(response.status, headers, response.read()))
    return found


@pytest.mark.parametrize("case", BODIES)
def test_the_answer_is_that_of_the_application(served: Served, case: str) -> None:
    path, fields = BODIES[case]
    body = json.dumps(fields).encode()
    # A cookie is nobody's affair here, so the application answers.
    regular = request(path, body, "Cookie: a=b")
    at_once, of_application = one_by_one(served.address, request(path, body), regular)
    assert kept(at_once) == kept(of_application)


def test_what_is_answered_at_once_is_counted_and_logged(served: Served) -> None:
    path, fields = BODIES["pair"]
    body = json.dumps(fields).encode()
    series = 'http_requests_total{method="POST",route="/v1/scores/cross-entropy",status="200"} '
    before = _sample(served.address, series)
    answer, _ = one_by_one(
        served.address,
        request(path, body, "X-Request-Id: mine.1"),
        request(path, body, "Cookie: a=b", "X-Request-Id: mine.2"),
    )
    assert answer.headers["x-request-id"] == "mine.1"
    assert _sample(served.address, series) == before + 2
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if "mine." in line]
    assert [line["request_id"] for line in lines] == ["mine.1", "mine.2"]
    own = {"request_id", "ms", "ts"}
    first, second = ({k: v for k, v in line.items() if k not in own} for line in lines)
    assert first == second


def _sample(address: str, series: str) -> float:
    text = httpx.get(f"{address}/metrics").text
    return next((float(line.split()[-1]) for line in text.splitlines() if series in line), 0.0)


def test_requests_in_one_piece_are_all_answered_in_order(served: Served) -> None:
    bodies = [json.dumps({"y_true": [1], "y_proba": [(n + 1) / 500]}).encode() for n in range(400)]
    piece = b"".join(request(LOG_LOSS, body) for body in bodies)
    found = exchange(served.address, piece + LAST)
    values = [json.loads(answer.body)["value"] for answer in found[:-1]]
    assert values == pytest.approx([-math.log((n + 1) / 500) for n in range(400)])


def test_a_body_that_comes_in_bytes_is_answered(served: Served) -> None:
    whole = request(LOG_LOSS, b'{"y_true": [1], "y_proba": [0.5]}')
    (found, _) = exchange(served.address, *(bytes([byte]) for byte in whole), LAST)
    assert json.loads(found.body)["value"] == pytest.approx(math.log(2))


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The application, begun."""
    made = create_app(Settings(database_url=f"sqlite:///{tmp_path}/k.db", insecure_no_auth=True))
    async with made.router.lifespan_context(made):
        yield made


def scope(*fields: tuple[bytes, bytes], **changed: object) -> dict[str, Any]:
    """What the connection knows of a request."""
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), *fields]
    return {
        "type": "http",
        "method": "POST",
        "path": LOG_LOSS,
        "raw_path": LOG_LOSS.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 5000),
        "scheme": "http",
        "state": {},
        **changed,
    }


GOOD = bytearray(b'{"y_true": [1], "y_proba": [0.5]}')


async def test_small_scores_are_answered_at_once(app: FastAPI) -> None:
    answer = app.state.at_once.answer(scope(), GOOD)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["value"] == pytest.approx(math.log(2))
    assert b"content-length: %d\r\n" % len(body) in head


_JSON = (b"content-type", b"application/json")
UNUSUAL = {
    "cookie": scope((b"cookie", b"a=b")),
    "compressed": scope((b"content-encoding", b"gzip")),
    "traced": scope((b"traceparent", b"00-1-2-01")),
    "method": scope(method="PUT"),
    "query": scope(query_string=b"a=b"),
    "prefix": scope(root_path="/prefix"),
    "several": scope(path="/v1/scores"),
    "another route": scope(path="/v1/monitors"),
    "CSV": scope(headers=[(b"host", b"127.0.0.1"), (b"content-type", b"text/csv")]),
    "another host": scope(headers=[(b"host", b"evil.example"), _JSON]),
}


@pytest.mark.parametrize("unusual", UNUSUAL.values(), ids=UNUSUAL)
async def test_what_is_unusual_is_left_to_the_application(
    app: FastAPI, unusual: dict[str, Any]
) -> None:
    assert app.state.at_once.answer(unusual, GOOD) is None


async def test_what_would_be_refused_is_left_to_the_application(app: FastAPI) -> None:
    wrong = bytearray(b'{"y_true": [1], "y_proba": [2.5]}')
    assert app.state.at_once.answer(scope(), wrong) is None
    assert wrong == b'{"y_true": [1], "y_proba": [2.5]}'  # it is read again


async def test_nobody_takes_all_of_a_turn_of_the_loop(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "SHARE_SECONDS", 0.0)
    assert app.state.at_once.answer(scope(), GOOD) is None


async def test_nothing_is_scored_on_the_loop_where_nothing_may_be(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/k.db", inline_kb=0))
    async with app.router.lifespan_context(app):
        assert app.state.at_once.answer(scope(), GOOD) is None


async def test_keys_count(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/k.db")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        gate = app.state.gate
        made = gate.book.create(KeyGrant("one", ("score",)))
        limited_key = gate.book.create(KeyGrant("two", ("score",), requests_per_second=1.0))
        reader = gate.book.create(KeyGrant("three", ("read",)))
        await asyncio.to_thread(gate._ring.refresh)  # noqa: SLF001 - as a look every 2 s does
        for key, is_answered in ((made, True), (limited_key, False), (reader, False)):
            bearer = (b"authorization", b"Bearer " + key.text.encode())
            assert (app.state.at_once.answer(scope(bearer), GOOD) is not None) == is_answered
        assert app.state.at_once.answer(scope(), GOOD) is None
        wrong = (b"authorization", b"Bearer kb_nobody_nothing")
        assert app.state.at_once.answer(scope(wrong), GOOD) is None
