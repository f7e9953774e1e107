"""A service ends when it is told to, whatever it does, and tells everybody who waits."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import pytest

from tests.serving import Served, serving

ENDLESS = (sys.executable, "-m", "tests.endless")
SOON = 30.0  # seconds within which anything happens, on the slowest machine
LONG = 600  # seconds of grace that no test waits for
ENTROPY = b'{"p": [0.5, 0.5]}'


@contextmanager
def sent(server: Served, body: bytes, length: int) -> Iterator[HTTPConnection]:
    """A request for a score whose head and as much of whose body are sent."""
    url = httpx.URL(server.address)
    connection = HTTPConnection(url.host, url.port, timeout=SOON)
    connection.putrequest("POST", "/v1/scores/entropy")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(body)
    yield connection
    connection.close()


def wait_until_worked_on(server: Served) -> None:
    """Until endless work has begun."""
    pause, until = Event(), monotonic() + SOON
    while not server.log.with_name("begun").exists():
        assert monotonic() < until, "no work began"
        pause.wait(0.05)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)]
)
def test_it_ends_after_the_grace_though_work_never_does(
    number: signal.Signals, status: int
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(
            serving(
                *ENDLESS, KULLBACK_INLINE_KB="0", KULLBACK_WORKERS="1", KULLBACK_GRACE_SECONDS="1"
            )
        )
        working, waiting, sending, left = (
            stack.enter_context(sent(server, body, len(ENTROPY)))
            for body in (ENTROPY, ENTROPY, ENTROPY[:5], ENTROPY)
        )
        wait_until_worked_on(server)
        left.close()
        server.process.send_signal(number)
        answers = [caller.getresponse() for caller in (working, waiting, sending)]
        texts = [answer.read().decode() for answer in answers]
        assert server.process.wait(SOON) == status
        log = server.log.read_text()
    assert [answer.status for answer in answers] == [503, 503, 503]
    assert [answer.headers["retry-after"] for answer in answers] == ["1", "1", "1"]
    assert all("the service is stopping" in text for text in texts)
    assert "Traceback" not in log
    assert '"status": 500' not in log


def test_it_ends_though_its_event_loop_never_turns_again() -> None:
    with serving(*ENDLESS, KULLBACK_GRACE_SECONDS="1") as server:
        with sent(server, ENTROPY, len(ENTROPY)):
            wait_until_worked_on(server)
            server.process.terminate()
            assert server.process.wait(SOON) == 1
        assert "endless" in server.log.read_text()  # what it hung on


def test_it_ends_though_nobody_reads_what_it_hung_on(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "KULLBACK_DATABASE_URL": f"sqlite:///{tmp_path}/kullback.db",
        "KULLBACK_GRACE_SECONDS": "1",
    }
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with (
        os.fdopen(reader) as log,
        subprocess.Popen(ENDLESS, env=environment, stderr=writer) as process,  # noqa: S603 - our own
    ):
        try:
            address = re.search(r"http://\S+:\d+", log.readline())
            assert address is not None
            server = Served(address.group(), process, tmp_path / "log")
            with sent(server, ENTROPY, len(ENTROPY)):
                wait_until_worked_on(server)
                os.write(writer, b"x" * size)  # and there is no room for a word
                process.terminate()
                assert process.wait(SOON) == -signal.SIGALRM
        finally:
            process.kill()
            os.close(writer)


def test_a_second_signal_ends_it_at_once() -> None:
    with (
        serving(KULLBACK_GRACE_SECONDS=str(LONG)) as server,
        sent(server, ENTROPY[:5], len(ENTROPY)),
    ):
        url = httpx.URL(server.address)
        server.process.terminate()
        wait_until_refused(url.host, url.port or 0)
        assert server.process.poll() is None  # it waits for the rest of the body
        server.process.terminate()
        assert server.process.wait(SOON) == 128 + signal.SIGTERM
        assert "ending at once" in server.log.read_text()  # no line was lost


def test_it_ends_where_there_is_no_alarm() -> None:
    start = (
        "import signal, sys; del signal.setitimer, signal.ITIMER_REAL;"
        "from kullback.cli import app;"
        "sys.exit(app(['serve', '--port', '0', '--log-format', 'json']))"
    )
    with serving(sys.executable, "-c", start) as server:
        server.process.terminate()
        assert server.process.wait(SOON) == -signal.SIGTERM
        assert "Traceback" not in server.log.read_text()


def wait_until_refused(host: str, port: int) -> None:
    """Until nobody listens any more."""
    pause, until = Event(), monotonic() + SOON
    while monotonic() < until:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            return
        pause.wait(0.05)
    raise AssertionError("it still listens")


def test_what_was_begun_is_finished_within_the_grace() -> None:
    with (
        serving(KULLBACK_GRACE_SECONDS=str(LONG)) as server,
        sent(server, ENTROPY[:5], len(ENTROPY)) as caller,
    ):
        url = httpx.URL(server.address)
        server.process.terminate()
        wait_until_refused(url.host, url.port or 0)
        caller.send(ENTROPY[5:])
        assert caller.getresponse().status == 200
        assert server.process.wait(SOON) == -signal.SIGTERM
