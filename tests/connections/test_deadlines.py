"""Nobody holds a connection for longer than it may take, and nobody holds too many."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.connections.server import limited
from tests.connections.wire import SECONDS, Answer, answers, connected, exchange, rest
from tests.serving import Served
from tests.torture.crowd import crowded

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/scores/entropy HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
QUICK = {"round_seconds": 0.05, "linger_seconds": 0.3}
MOST = 8


def until(condition: Callable[[], bool]) -> None:
    """Wait for what will come, on a busy machine too."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def dribbled(address: str, start: bytes, *, piece: bytes = b"x") -> tuple[list[Answer], int]:
    """The answers to bytes that never end, one piece after the other; how many pieces went out."""
    with connected(address) as connection:
        connection.sendall(start)
        connection.settimeout(0.05)
        end, pieces, received = time.monotonic() + SECONDS, 0, b""
        while time.monotonic() < end:
            try:
                received = connection.recv(1 << 16)
            except TimeoutError:
                connection.sendall(piece)
                pieces += 1
            except ConnectionResetError:
                break
            else:
                connection.settimeout(SECONDS)
                received += rest(connection)
                break
        else:
            raise AssertionError("nothing ended it")
        return answers(received), pieces


def events(served: Served, logger: str) -> list[dict[str, Any]]:
    """What a logger said."""
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    return [line for line in lines if line["logger"] == logger]


@pytest.fixture(scope="module")
def hasty() -> Iterator[Served]:
    deadlines = {"head_seconds": 0.4, "body_seconds": 0.6, "idle_seconds": 0.5}
    with limited(**deadlines, answer_seconds=0.5, patience_seconds=1000, **QUICK) as served:
        yield served


def test_a_head_that_comes_slowly_is_answered_408(hasty: Served) -> None:
    (answer,), pieces = dribbled(hasty.address, b"GET /livez HTTP/1.1\r\nX: ")
    assert (answer.status, json.loads(answer.body)["type"]) == (408, "/problems/request-timeout")
    assert pieces > 1  # its time is that of the whole head, not of a piece


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(hasty: Served) -> None:
    assert exchange(hasty.address) == []
    assert exchange(hasty.address, b"\r\n") == []


def test_a_connection_that_rests_is_closed(hasty: Served) -> None:
    (answer,) = exchange(hasty.address, GET)
    assert answer.status == 200


def test_a_second_head_has_the_time_of_a_head(hasty: Served) -> None:
    read, _ = dribbled(hasty.address, GET + b"GET /livez HTTP/1.1\r\nX: ")
    assert [answer.status for answer in read] == [200, 408]


@pytest.mark.parametrize(
    ("framing", "piece"),
    [(b"Content-Length: 99999\r\n", b" "), (b"Transfer-Encoding: chunked\r\n", b"1\r\n \r\n")],
)
def test_a_body_that_comes_slowly_is_answered_408(
    hasty: Served, framing: bytes, piece: bytes
) -> None:
    (answer,), pieces = dribbled(hasty.address, POST + framing + b"\r\n", piece=piece)
    document = json.loads(answer.body)
    assert (answer.status, document["type"]) == (408, "/problems/request-timeout")
    assert pieces > 1

    def lines() -> list[dict[str, Any]]:
        same = document["request_id"]
        return [line for line in events(hasty, "kullback.access") if line["request_id"] == same]

    until(lambda: bool(lines()))
    (line,) = lines()
    assert (line["status"], line["route"]) == (408, "/v1/scores/entropy")


def test_refusals_are_counted(hasty: Served) -> None:
    exchange(hasty.address, b"GET /livez\r\n\r\n")
    text = httpx.get(f"{hasty.address}/metrics", trust_env=False).text
    series = 'http_requests_total{method="other",route="__refused__",status="400"}'
    assert any(line.startswith(series) for line in text.splitlines())


def test_a_body_that_nobody_reads_has_its_time_too(hasty: Served) -> None:
    start = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    read, pieces = dribbled(hasty.address, start, piece=b"1\r\n \r\n")
    assert [answer.status for answer in read] in ([200], [])  # a reset may overtake the answer
    assert pieces == 0 or not read


@pytest.fixture(scope="module")
def strict() -> Iterator[Served]:
    pace = {"patience_seconds": 0.3, "bytes_per_second": 1000}
    never = {"body_seconds": 1000, "answer_seconds": 1000}
    with limited(unsent_bytes=1 << 16, **pace, **never, **QUICK) as served:
        yield served


def test_a_body_below_the_slowest_pace_is_answered_408(strict: Served) -> None:
    start = POST + b"Connection: close\r\nContent-Length: "
    (answer,), _ = dribbled(strict.address, start + b"99999\r\n\r\n")
    assert answer.status == 408
    (answer,), pieces = dribbled(strict.address, start + b"20000\r\n\r\n", piece=bytes(1000))
    assert (answer.status, pieces) == (400, 20)  # it was read, and is no JSON


@pytest.fixture(scope="module")
def small() -> Iterator[Served]:
    with limited(connections=MOST, **QUICK) as served:
        yield served


def test_the_oldest_that_waits_makes_room(small: Served) -> None:
    with ExitStack() as stack:
        used, *unused = [stack.enter_context(connected(small.address)) for _ in range(MOST)]
        used.sendall(GET)
        assert used.recv(1 << 16).startswith(b"HTTP/1.1 200")
        seen = crowded(small, 400)
        assert seen.probes == 8
        assert seen.descriptors <= MOST + 20
        assert seen.mib < 16
        for connection in (used, *unused):
            assert b"HTTP/" not in rest(connection)
    until(lambda: "places for newer connections" in small.log.read_text())


def test_bodies_that_are_being_sent_make_room_last(small: Served) -> None:
    with ExitStack() as stack:
        sending = [stack.enter_context(connected(small.address)) for _ in range(MOST)]
        for connection in sending:
            connection.sendall(POST + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 100")
        newer = stack.enter_context(connected(small.address))
        (answer,) = answers(rest(sending[0]))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        newer.sendall(GET)
        assert newer.recv(1 << 16).startswith(b"HTTP/1.1 200")
        sending[-1].sendall(b'{"p": [1]}'.ljust(1000))
        assert sending[-1].recv(1 << 16).startswith(b"HTTP/1.1 200")


def reader_of_nothing(address: str) -> socket.socket:
    """A connection that wants much and takes nothing."""
    url = httpx.URL(address)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.host, url.port or 80))
    connection.sendall(LARGE * 60)
    return connection


def test_who_takes_an_answer_too_slowly_is_cut_off(hasty: Served, strict: Served) -> None:
    for served in (hasty, strict):  # one by its deadline, one by its pace
        with reader_of_nothing(served.address):
            until(lambda: "answers taken too slowly" in served.log.read_text())  # noqa: B023


def test_answers_that_nobody_takes_do_not_pile_up(strict: Served) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(reader_of_nothing(strict.address))
        until(lambda: "answers that nobody took" in strict.log.read_text())
        with connected(strict.address) as connection:
            connection.sendall(GET)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
