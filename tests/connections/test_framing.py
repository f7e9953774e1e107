"""A request is answered at most once, nothing in a body runs, and what is ambiguous is refused."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.connections.server import limited
from tests.connections.wire import exchange

BODY = b'{"p": [0.5, 0.5]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
INSIDE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: inside\r\n\r\n"
AFTER = (
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: after\r\nConnection: close\r\n\r\n"
)


class Case(NamedTuple):
    """Bytes, and the statuses of the answers; of a request behind them, where they are read."""

    raw: bytes
    statuses: tuple[int, ...]
    then: bytes = AFTER


def post(
    *fields: bytes, body: bytes = BODY, version: bytes = b"1.1", host: bytes = b"localhost"
) -> bytes:
    """A request to score a body."""
    fields = (b"Host: " + host + b"\r\n", b"Content-Type: application/json\r\n", *fields)
    return b"POST /v1/scores/entropy HTTP/" + version + b"\r\n" + b"".join(fields) + b"\r\n" + body


def get(target: bytes, *fields: bytes, version: bytes = b"1.1") -> bytes:
    """A request without a body."""
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + b"".join(fields) + b"\r\n"


HOST = b"Host: localhost\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
SOUND = {
    "a length": Case(post(LENGTH), (200, 200)),
    "chunks": Case(post(CHUNKED, CLOSE, body=CHUNKS), (200,), b""),
    "a request in one piece with chunks": Case(post(CHUNKED, body=CHUNKS), (200,), INSIDE * 9),
    "an upgrade": Case(post(UPGRADE, LENGTH), (200, 200)),
    "an upgrade and a request in the body": Case(
        post(UPGRADE, b"Content-Length: %d\r\n" % len(INSIDE), body=INSIDE), (400, 200)
    ),
    "an upgrade of chunks": Case(post(UPGRADE, CHUNKED, CLOSE, body=CHUNKS), (200,), b""),
    "an upgrade in other letters": Case(
        post(b"connection: UPGRADE\r\nuPGRADE:websocket\r\n", LENGTH), (200, 200)
    ),
    "an upgrade of GET": Case(get(b"/livez", HOST, UPGRADE), (200, 200)),
    "blank lines before": Case(b"\r\n\r\n" + post(LENGTH), (200, 200)),
    "an absolute target": Case(get(b"http://localhost/livez", HOST), (200, 200)),
    "an absolute target without a path": Case(get(b"http://LOCALHOST?a=1", HOST), (200, 200)),
    "HTTP/1.0 without a Host": Case(get(b"/livez", version=b"1.0"), (200,), b""),
    "a length on HTTP/1.0": Case(post(LENGTH, version=b"1.0"), (200,), b""),
    "a Host with a port": Case(get(b"/livez", b"Host: [::1]:8000\r\n"), (200, 200)),
    "many at once": Case(INSIDE * 300, (200,) * 301),
    "an answer before the body": Case(
        b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
        % (len(INSIDE), INSIDE),
        (405, 200),
    ),
    "a trailer that is a Host": Case(
        post(CHUNKED, CLOSE, body=CHUNKS[:-2] + b"Host: y\r\nHost: z\r\n\r\n"), (200,), b""
    ),
}
AMBIGUOUS = {
    "length and chunks": post(LENGTH, CHUNKED, body=CHUNKS + INSIDE),
    "chunks and length": post(CHUNKED, LENGTH, body=CHUNKS + INSIDE),
    "two lengths": post(LENGTH, b"Content-Length: 0\r\n", body=INSIDE),
    "the same length twice": post(LENGTH, LENGTH),
    "two lengths in a field": post(b"Content-Length: 17, 17\r\n"),
    "a length with a sign": post(b"Content-Length: +17\r\n"),
    "a length below zero": post(b"Content-Length: -1\r\n"),
    "a length in hexadecimal": post(b"Content-Length: 0x11\r\n"),
    "a length that is empty": post(b"Content-Length: \r\n"),
    "other chunks": post(b"Transfer-Encoding: xchunked\r\n", body=CHUNKS),
    "chunks that are not last": post(b"Transfer-Encoding: chunked, identity\r\n", body=CHUNKS),
    "chunks of gzip": post(b"Transfer-Encoding: gzip, chunked\r\n", body=CHUNKS),
    "chunks twice": post(CHUNKED, CHUNKED, body=CHUNKS),
    "chunks behind a vertical tab": post(b"Transfer-Encoding:\x0bchunked\r\n", body=CHUNKS),
    "chunks on HTTP/1.0": post(CHUNKED, body=CHUNKS + INSIDE, version=b"1.0"),
    "a chunk without its end": post(CHUNKED, body=b"11\r\n" + BODY + b"X\r\n0\r\n\r\n"),
    "a chunk that ends with LF": post(CHUNKED, body=b"11\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk whose data ends with LF": post(CHUNKED, body=b"11\r\n" + BODY + b"\n0\r\n\r\n"),
    "a length behind chunks": post(CHUNKED, body=CHUNKS[:-2] + LENGTH + b"\r\n"),
    "a chunk of no size": post(CHUNKED, body=b"zz\r\n" + INSIDE),
    "a chunk of a negative size": post(CHUNKED, body=b"-1\r\n" + INSIDE),
    "a chunk of an endless size": post(CHUNKED, body=b"f" * 20 + b"\r\n" + INSIDE),
    "an endless extension of a chunk": post(CHUNKED, body=b"1;" + b"x" * 40_000),
    "endless trailers": post(CHUNKED, body=CHUNKS[:-2] + b"A: b\r\n" * 40_000),
    "no Host": get(b"/livez"),
    "two Hosts": get(b"/livez", HOST, HOST),
    "an empty Host": get(b"/livez", b"Host: \r\n"),
    "a Host with a path": get(b"/livez", b"Host: a/../b?c#d\r\n"),
    "a Host with a name of a user": get(b"/livez", b"Host: me@x\r\n"),
    "lines that end with LF": INSIDE.replace(b"\r\n", b"\n"),
    "a line that ends with LF": b"GET /livez HTTP/1.1\nHost: localhost\r\n\r\n",
    "a field that ends with LF": get(b"/livez", HOST, b"A: b\nContent-Length: 5\r\n"),
    "a CR alone": get(b"/livez", HOST, b"A: b\rc\r\n"),
    "NUL in a field": get(b"/livez", HOST, b"A: b\0c\r\n"),
    "a folded field": get(b"/livez", HOST, b"A: b\r\n c\r\n"),
    "an upgrade that is folded": post(b"Connection: upgrade\r\nUpgrade: h2c\r\n ,x\r\n", LENGTH),
    "a space before the colon": get(b"/livez", HOST, b"A : b\r\n"),
    "a space before the first field": get(b"/livez", b" A: b\r\n", HOST),
    "a field without a name": get(b"/livez", HOST, b": b\r\n"),
    "a field without a colon": get(b"/livez", HOST, b"A\r\n"),
    "two spaces in the first line": get(b" /livez", HOST),
    "three targets": get(b"/livez /metrics", HOST),
    "a target of bytes": get(b"/\xff", HOST),
    "a target with a fragment": get(b"/livez#a", HOST),
    "a target that is no path": get(b"livez", HOST),
    "a target at another Host": get(b"http://y/livez", HOST),
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" + INSIDE,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"SCORE / HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/0.9 without a version": b"GET /livez\r\n\r\n",
}
TOO_MUCH = {
    "a length beyond 64 bits": (post(b"Content-Length: 9223372036854775807\r\n"), 413),
    "a length beyond all": (post(b"Content-Length: %s\r\n" % (b"9" * 400)), 413),
    "a length beyond the cap": (post(b"Content-Length: 99999999999\r\n", CLOSE), 413),
    "HTTP/0.9": (get(b"/livez", HOST, version=b"0.9"), 505),
    "HTTP/2.0": (get(b"/livez", HOST, version=b"2.0"), 505),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a long field": (get(b"/livez", HOST, b"A: " + b"b" * 70_000 + b"\r\n"), 431),
    "a field without an end": (b"GET /livez HTTP/1.1\r\nA: " + b"b" * 70_000, 431),
    "many fields": (get(b"/livez", HOST, *[b"A: b\r\n"] * 64), 431),
    "fields without an end": (b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 100, 431),
    "a long URL": (get(b"/livez?" + b"a" * 9000, HOST), 414),
    "a URL without an end": (b"GET /" + b"a" * 9000, 414),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with limited(linger_seconds=0.5, body_seconds=5, head_seconds=5) as served:
        yield served.address


@pytest.mark.parametrize("case", SOUND.values(), ids=SOUND)
@pytest.mark.parametrize("cut", [0, 1, 7])
def test_what_is_sound_is_answered_once(address: str, case: Case, cut: int) -> None:
    raw = case.raw + case.then
    pieces = [raw] if not cut else [raw[:-cut], raw[-cut:]]
    received = exchange(address, *pieces)
    assert tuple(answer.status for answer in received) == case.statuses
    ids = [answer.headers["x-request-id"] for answer in received]
    assert "after" in ids or case.then is not AFTER
    assert ids.count("inside") == (300 if case.raw.startswith(INSIDE) else 0)


@pytest.mark.parametrize("raw", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(address: str, raw: bytes) -> None:
    refused(address, raw + AFTER, 400, "malformed-request")


@pytest.mark.parametrize(("raw", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_refused(address: str, raw: bytes, status: int) -> None:
    kinds = {413: "body-too-large", 414: "url-too-long", 431: "head-too-large", 505: "http-version"}
    refused(address, raw, status, kinds[status])


def refused(address: str, raw: bytes, status: int, kind: str) -> None:
    (answer,) = exchange(address, raw)
    document = json.loads(answer.body)
    assert (answer.status, document["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["request_id"] == answer.headers["x-request-id"]
