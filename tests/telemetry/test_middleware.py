"""Each request is counted, timed, named and logged once, and its answer carries safe headers."""

import logging
import re
from urllib.parse import unquote

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from kullback.telemetry.logs import REQUEST_ID
from kullback.telemetry.metrics import Telemetry
from kullback.telemetry.middleware import RequestTelemetry

pytestmark = pytest.mark.anyio
GET = {"type": "http", "method": "GET", "path": "/", "headers": []}


async def echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{len(body)} {request.state.request_id} {REQUEST_ID.get()}")


async def page(_: Request) -> Response:
    return HTMLResponse("<p>hello</p>")


async def own_policy(_: Request) -> Response:
    return HTMLResponse("", headers={"content-security-policy": "img-src data:"})


async def broken(_: Request) -> Response:
    raise RuntimeError("secret")


async def broken_midway(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("secret")


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def nowhere(_: Message) -> None:
    return


async def failure(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("failed", 500)(scope, receive, send)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry([], "0")


@pytest.fixture
def client(telemetry: Telemetry) -> AsyncClient:
    app = Starlette(
        routes=[
            Route("/echo/{name}", echo, methods=["POST", "GET"]),
            Route("/page", page),
            Route("/own", own_policy),
            Route("/broken", broken),
        ],
        middleware=[
            Middleware(RequestTelemetry, telemetry=telemetry, failure=failure, stopping=failure)
        ],
    )
    return AsyncClient(transport=ASGITransport(app), base_url="http://test")


def exposition(telemetry: Telemetry) -> list[str]:
    return telemetry.expose({})[0].decode().splitlines()


def fields(log: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The fields of each access line."""
    found = [line for line in log.records if line.name == "kullback.access"]
    return [line.__dict__["fields"] for line in found]


async def test_a_request_gets_an_id_that_its_answer_and_its_handlers_carry(
    client: AsyncClient,
) -> None:
    answer = await client.post("/echo/a", content=b"12345")
    name = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert answer.text == f"5 {name} {name}"


@pytest.mark.parametrize("name", ["a", "trace-1_2.3", "x" * 128])
async def test_an_id_that_a_caller_sends_is_kept(name: str, client: AsyncClient) -> None:
    answer = await client.get("/echo/a", headers={"X-Request-ID": name})
    assert answer.headers["x-request-id"] == name


@pytest.mark.parametrize("name", ["", "x" * 129, "two words", "a\tb", "a;b", "é", "a\x00"])
async def test_an_id_that_could_do_harm_is_replaced(name: str, client: AsyncClient) -> None:
    answer = await client.get("/echo/a", headers={b"X-Request-ID": name.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_no_two_requests_share_an_id(client: AsyncClient) -> None:
    answers = [await client.get("/page") for _ in range(50)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 50


async def test_the_id_does_not_outlive_its_request(client: AsyncClient) -> None:
    await client.get("/page")
    assert REQUEST_ID.get() is None


async def test_a_request_is_counted_by_method_route_template_and_status(
    client: AsyncClient, telemetry: Telemetry
) -> None:
    await client.post("/echo/alice", content=b"x" * 300)
    await client.post("/echo/bob", content=b"x" * 300)
    lines = exposition(telemetry)
    at = 'method="POST",route="/echo/{name}"'
    assert f'http_requests_total{{{at},status="200"}} 2.0' in lines
    assert f"http_request_duration_seconds_count{{{at}}} 2.0" in lines
    assert 'http_request_body_bytes_sum{route="/echo/{name}"} 600.0' in lines


async def test_paths_that_match_no_route_share_one_series(
    client: AsyncClient, telemetry: Telemetry
) -> None:
    for path in ("/a", "/b", "/c/d"):
        await client.get(path)
    at = 'method="GET",route="__unmatched__",status="404"'
    assert f"http_requests_total{{{at}}} 3.0" in exposition(telemetry)


async def test_a_wrong_method_is_counted_on_its_route(
    client: AsyncClient, telemetry: Telemetry
) -> None:
    await client.request("BREW", "/page")
    at = 'method="other",route="/page",status="405"'
    assert f"http_requests_total{{{at}}} 1.0" in exposition(telemetry)


async def test_a_request_leaves_exactly_one_line(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await client.post("/echo/alice?key=secret", content=b"12345")
    (line,) = fields(caplog)
    seconds = line.pop("ms")
    assert isinstance(seconds, float)
    assert line == {
        "method": "POST",
        "route": "/echo/{name}",
        "path": "/echo/alice",
        "status": 200,
        "bytes_in": 5,
        "bytes_out": 2 + 32 + 1 + 32,
    }


async def test_no_line_is_made_when_nobody_reads_it(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await client.get("/page")
    assert caplog.records == []


async def test_a_long_path_is_cut_in_the_log(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await client.get("/" + "a" * 5000)
    (line,) = fields(caplog)
    assert line["path"] == "/" + "a" * 255


async def logged(caplog: pytest.LogCaptureFixture, **scope: object) -> dict[str, object]:
    """What the access line says of a request with this scope."""
    app = RequestTelemetry(failure, Telemetry([], "0"), failure, failure)

    caplog.clear()
    caplog.set_level(logging.INFO)
    await app({**GET, **scope}, nothing, nowhere)
    (line,) = fields(caplog)
    return line


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"path": "/a b\n", "raw_path": b"/a%20b%0A"}, "/a%20b%0A"),
        ({"path": "/\n\x1b[2J", "raw_path": b"/\n\x1b[2J"}, "/%0A%1B%5B2J"),
        ({"path": "/é", "raw_path": b"/\xc3\xa9"}, "/%C3%A9"),
        ({"path": "/é\n", "raw_path": None}, "/%C3%A9%0A"),
        ({"path": "/\ud800", "raw_path": None}, "/?"),
    ],
)
async def test_a_path_is_safe_to_print(
    scope: dict[str, object], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await logged(caplog, **scope))["path"] == path


@pytest.mark.parametrize("escaped", ["%6bb_", "kb%5F", "kb_"])
async def test_a_key_in_a_path_is_seen_however_it_is_escaped(
    escaped: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw = f"/v1/monitors/{escaped}0123456789ab_s%65cret"
    line = await logged(caplog, path=unquote(raw), raw_path=raw.encode())
    assert line["path"] == "/v1/monitors/kb_0123456789ab_secret"


async def test_any_path_is_short_and_printable(caplog: pytest.LogCaptureFixture) -> None:
    for raw in (bytes(range(256)), b"/" + b"\xff" * 1000, b"/%" * 500, b""):
        path = str((await logged(caplog, path="/", raw_path=raw))["path"])
        assert path.isascii()
        assert path.isprintable()
        assert len(path) <= 256


async def test_an_unhandled_exception_is_logged_once_with_the_id_and_answered(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/broken", headers={"X-Request-ID": "broken-1"})
    assert (answer.status_code, answer.text) == (500, "failed")
    assert answer.headers["x-request-id"] == "broken-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert line.exc_info is not None


async def test_an_exception_after_the_answer_began_is_logged_and_leaves_it_unfinished(
    caplog: pytest.LogCaptureFixture, telemetry: Telemetry
) -> None:
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await RequestTelemetry(broken_midway, telemetry, failure, failure)(GET, nothing, keep)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True
    assert [line.levelname for line in caplog.records if line.exc_info] == ["ERROR"]
    at = 'method="GET",route="__unmatched__",status="200"'
    assert f"http_requests_total{{{at}}} 1.0" in exposition(telemetry)


async def test_a_caller_who_left_is_counted_and_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture, telemetry: Telemetry
) -> None:
    async def gone(_: Scope, __: Receive, ___: Send) -> None:
        raise ClientDisconnect

    caplog.set_level(logging.INFO)
    await RequestTelemetry(gone, telemetry, failure, failure)(GET, nothing, nowhere)
    (line,) = caplog.records
    assert line.exc_info is None
    assert line.__dict__["fields"]["status"] == 499


@pytest.mark.parametrize("path", ["/page", "/echo/a", "/nothing"])
async def test_every_answer_carries_the_security_headers(path: str, client: AsyncClient) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"


async def test_a_page_may_bring_a_policy_of_its_own(client: AsyncClient) -> None:
    answer = await client.get("/own")
    assert answer.headers.get_list("content-security-policy") == ["img-src data:"]


async def test_what_is_not_http_passes_untouched(telemetry: Telemetry) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    await RequestTelemetry(inner, telemetry, failure, failure)(
        {"type": "lifespan"}, nothing, nowhere
    )
    assert seen == ["lifespan"]
