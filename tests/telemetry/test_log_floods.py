"""The log of a real service whose callers are hostile and whose reader is away."""

import fcntl
import json
import os
import re
import socket
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from kullback.telemetry.log_queue import QUEUED_LINES
from kullback.telemetry.logs import LINE_BYTES
from tests.serving import SERVE, Served, serving

PATIENCE = 120.0
PIPE_BYTES = 4096
ABORTED = 2000
PIPELINED = 100
ALIVE = b'{"status":"alive"}'
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset
FORGERY = '\nINFO: admin logged in\r\n\x1b[2J\x00\x85\u2028\u202e{"level":"info"}'
TEXT_LINE = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z (INFO|WARNING) +(kullback|uvicorn)\.")


@contextmanager
def unread(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A service whose log is a small pipe of which only the first line is read."""
    environment = {
        **os.environ,
        "KULLBACK_DATABASE_URL": f"sqlite:///{tmp_path}/kullback.db",
        "KULLBACK_LOG_LINES_PER_SECOND": "1000000",
    }
    with subprocess.Popen(SERVE, env=environment, stderr=subprocess.PIPE) as process:  # noqa: S603
        assert process.stderr is not None
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            address = re.search(rb"http://127\.0\.0\.1:\d+", process.stderr.readline())
            while address is None:
                address = re.search(rb"http://127\.0\.0\.1:\d+", process.stderr.readline())
            yield address.group().decode(), process
        finally:
            process.kill()


def test_a_log_that_nobody_reads_stops_nothing_and_delays_the_end_by_little(
    tmp_path: Path,
) -> None:
    with unread(tmp_path) as (address, process), connected(address) as connection:
        answers = connection.makefile("rb")
        for _ in range((QUEUED_LINES + 1000) // PIPELINED):
            connection.sendall(request("GET", b"/livez", b"Connection: keep-alive") * PIPELINED)
            for _ in range(PIPELINED):
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
                while answers.readline() != b"\r\n":
                    pass
                assert answers.read(len(ALIVE)) == ALIVE
        shown = httpx.get(f"{address}/metrics", trust_env=False, timeout=PATIENCE).text
        dropped = re.search(r"^kullback_log_lines_dropped_total (\S+)$", shown, re.MULTILINE)
        assert dropped is not None
        assert float(dropped.group(1)) >= 100
        process.terminate()
        process.wait(PATIENCE)


def hostile_requests() -> Iterator[bytes]:
    """Requests that hold a forged line in each place that a caller fills."""
    raw, quoted = FORGERY.encode("utf-8"), quote(FORGERY)
    surrogate = "%ED%A0%80"
    body = json.dumps({"y_true": [FORGERY], "y_proba": FORGERY, FORGERY: "\ud800"}).encode()
    for target in (f"/{quoted}", f"/v1/monitors/{quoted}", f"/{surrogate}", f"/livez?{quoted}"):
        yield request("GET", target.encode())
    for path in (
        b"/" + raw[14:],
        b"/\xff\x85\x1b[2J",
        b"/livez?" + b"\xe2\x80\xae",
        b"/" + b"a" * 8000,
    ):
        yield request("GET", path)
    for value in (raw.replace(b"\n", b"").replace(b"\r", b""), b"\xff\xfe", b"a" * 4000):
        yield request("GET", b"/livez", b"X-Request-Id: " + value)
        yield request("GET", b"/livez", b"User-Agent: " + value, b"Host: " + value)
    yield request("GET", b"/livez", b"X-Request-Id: one\n\tINFO: admin logged in")
    yield request("G\x1b[2J", b"/livez")
    yield request("A" * 4000, b"/livez")
    for path in (b"/v1/scores/log-loss", f"/v1/scores/{quoted}".encode(), b"/v1/scores/compare"):
        yield request("POST", path, b"Content-Type: application/json", body=body)
    yield request(
        "PUT", f"/v1/monitors/{quoted}".encode(), b"Content-Type: application/json", body=body
    )
    yield request(
        "PUT", b"/v1/monitors/m", b"Content-Type: " + raw[14:].replace(b"\r\n", b""), body=body
    )


def request(method: str, path: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    lines = [method.encode() + b" " + path + b" HTTP/1.1", *headers]
    if not any(header.startswith(b"Connection") for header in headers):
        lines.append(b"Connection: close")
    if not any(header.startswith(b"Host") for header in headers):
        lines.append(b"Host: kullback")
    lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def connected(address: str) -> socket.socket:
    url = httpx.URL(address)
    return socket.create_connection((url.host, url.port or 0), timeout=PATIENCE)


def answered(address: str, sent: bytes) -> int:
    """The status of the answer to bytes as they are."""
    with connected(address) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_caller_forges_no_line(log_format: str) -> None:
    sent = list(hostile_requests())
    with serving(*SERVE[:-1], log_format) as served:
        statuses = Counter(answered(served.address, each) for each in sent)
        lines = logged_until_the_end(served)
    assert 500 not in statuses
    assert max(map(len, lines)) < LINE_BYTES
    assert all(line.isascii() and line.isprintable() for line in lines)
    if log_format == "json":
        events = [json.loads(line) for line in lines]
        logged = Counter(event.get("status") for event in events)
        assert {event["logger"].partition(".")[0] for event in events} <= {"kullback", "uvicorn"}
        # What is no HTTP has no line of its own, but a warning.
        assert logged[200] == statuses[200]
        assert sum(logged.values()) - logged[None] <= len(sent)
        assert logged[422] == statuses[422] >= 1
        assert events[-1]["message"] == "stopping"  # nothing is lost at the end
    else:
        assert [line for line in lines if not TEXT_LINE.match(line)] == []
    access = [line for line in lines if "kullback.access" in line]
    assert len(sent) // 2 < len(access) <= len(sent)


def logged_until_the_end(served: Served) -> list[str]:
    """The lines of a service's log, once a signal has ended it."""
    served.process.terminate()
    served.process.wait(PATIENCE)
    return served.log.read_text("utf-8").split("\n")[:-1]


def test_two_thousand_uploads_that_are_aborted_are_a_megabyte_of_log_at_most() -> None:
    upload = (
        f"POST /v1/scores/log-loss?{'q' * 2000} HTTP/1.1\r\nHost: x\r\n"
        f"X-Request-Id: {'r' * 128}\r\nContent-Type: application/json\r\n"
        "Content-Length: 10000\r\n\r\n{"
    ).encode()
    with serving() as served:
        for _ in range(ABORTED):
            with connected(served.address) as connection:
                connection.sendall(upload)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        lines = logged_until_the_end(served)
        size = served.log.stat().st_size
    gone = [event for event in map(json.loads, lines) if event.get("status") == 499]
    assert size <= 1_000_000
    # Of each second, less than a hundred are in no sample.
    assert sum(event.get("one_in", 1) for event in gone) >= ABORTED // 2
    assert all("exception" not in event for event in gone)
