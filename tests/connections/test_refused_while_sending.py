"""Who is refused while sending sees why, and who declares and does not send stops nobody."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.connections.wire import answers, connected, exchange, rest
from tests.serving import Served, serving

MIB = 1 << 20
SCORE = "/v1/scores/entropy"
JSON = {"Content-Type": "application/json"}
POST = f"POST {SCORE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as service:
        yield service


def blocks(number: int) -> Iterator[bytes]:
    block = bytes(MIB)
    for _ in range(number):
        yield block


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_plain_client_that_sends_too_much_sees_its_413(
    served: Served, framing: str, connection: str
) -> None:
    headers = JSON | {"Connection": connection}
    if framing == "length":
        headers["Content-Length"] = str(100 * MIB)
    url = httpx.URL(served.address)
    client = HTTPConnection(url.host, url.port, timeout=60)
    client.request("POST", SCORE, blocks(100), headers, encode_chunked=framing == "chunked")
    answer = client.getresponse()
    assert (answer.status, json.loads(answer.read())["type"]) == (413, "/problems/body-too-large")
    if connection == "keep-alive":
        client.request("GET", "/livez")
        assert client.getresponse().status == 200
    client.close()


def resident(served: Served) -> int:
    """The most memory that a service held, in bytes."""
    text = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) << 10


def test_a_field_that_never_ends_is_refused_while_it_comes(served: Served) -> None:
    before = resident(served)
    with connected(served.address) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
        for block in blocks(32):
            connection.sendall(block.replace(b"\0", b"x"))
        (answer,) = answers(rest(connection))
    assert answer.status == 431
    assert resident(served) - before < 8 * MIB


def test_who_waits_to_be_told_to_send_is_told_that_the_connection_ends(served: Served) -> None:
    head = POST + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"
    (answer,) = exchange(served.address, head)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_sockets_that_declare_and_do_not_send_stop_nobody(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            silent = stack.enter_context(connected(served.address))
            silent.sendall(POST + b"Content-Length: %d\r\n\r\n{" % (64 * MIB))
        with httpx.Client(base_url=served.address, trust_env=False) as client:
            statuses = [client.post(SCORE, json={"p": [1]}).status_code for _ in range(20)]
    assert statuses == [200] * 20


def test_what_is_refused_in_the_piece_it_came_in_is_not_run(served: Served) -> None:
    with httpx.Client(base_url=served.address, trust_env=False) as client:
        assert client.put("/v1/monitors/kept", json={"task": "binary"}).status_code == 201
        head = b"DELETE /v1/monitors/kept HTTP/1.1\r\nHost: localhost\r\n"
        (answer,) = exchange(served.address, head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert answer.status == 400
        assert client.get("/v1/monitors/kept").status_code == 200
    assert '"method": "DELETE"' not in served.log.read_text()  # the application saw nothing of it
