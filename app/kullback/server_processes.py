"""Several processes that serve one port, and the one that looks after them.

Each is a whole service. The parent holds their sockets, so that who connects to one that has died
waits until it is back; it starts again whatever dies or no longer turns, and ends them together.
A child ends when its parent has: it reads its settings from a pipe that it then watches.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from types import FrameType

from kullback.listeners import CannotListen, Listeners, listeners_of
from kullback.settings import Settings
from kullback.telemetry import logs

POLL_SECONDS = 0.1
BEAT_SECONDS = 1.0
STUCK_SECONDS = 30.0  # without a beat
RETRY_SECONDS = 5.0  # between two lives of a process that did not come to listen
END_SECONDS = 3.0  # beyond the grace
_ROOT = Path(__file__).parent.parent

_log = logging.getLogger("kullback.server")


def serve(settings: Settings) -> int:
    """Serve in as many processes as the settings say, until a signal ends them; an exit status."""
    if settings.web_concurrency == 1:
        from kullback.server import serve as serve_here  # noqa: PLC0415 - a parent needs none of it

        return serve_here(settings)
    each_second = settings.log_lines_per_second
    with logs.written(settings.log_format, settings.log_level, each_second, sys.stderr):
        try:
            listeners = listeners_of(settings)
        except CannotListen as error:
            _log.error("%s", error)
            return 1
        children = [
            _Child(settings, each, number) for number, each in enumerate(listeners, start=1)
        ]
        with _signals() as received:
            status = _look_after(children, received, settings.grace_seconds + END_SECONDS)
        logs.flush()
        if received:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(received[0])  # ended by it, as a single process is
    return status


def _look_after(children: "list[_Child]", received: list[int], grace: float) -> int:
    """Keep all alive until a signal comes; then, or if one cannot start at all, end all."""
    status, sent = 0, 0
    for child in children:
        child.start()
    while not received and not status:
        sleep(POLL_SECONDS)
        status = max(child.look() for child in children)
    for child in children:
        child.listeners.close()  # or the system would still take connections, for nobody
    until = monotonic() + grace
    while any(child.is_alive for child in children):
        # Who is told twice ends at once, as a single process does.
        if sent < max(1, len(received)):
            sent += 1
            for child in children:
                child.send(signal.SIGTERM)
        if monotonic() > until:
            for child in children:
                child.send(signal.SIGKILL)
        sleep(POLL_SECONDS)
    for child in children:
        child.forget()
    return status


class _Child:
    """A process that serves, through all of its lives."""

    def __init__(self, settings: Settings, listeners: Listeners, number: int) -> None:
        self.listeners = listeners
        self._settings = settings
        self._number = number
        self._process: subprocess.Popen[bytes] | None = None
        self._has_listened = self._ever_listened = False
        self._beat_at = self._start_at = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin a life."""
        requests, management = self.listeners.requests, self.listeners.management
        assert management is not None
        files = (requests.fileno(), management.fileno())
        settings = self._settings.model_dump(mode="json", exclude={"web_concurrency"})
        settings["metrics_port"] = management.getsockname()[1]
        self._process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", __name__, *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=files,
            process_group=0,  # Ctrl-C is for the parent, which ends all once
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._process.stdin.write(json.dumps(settings).encode() + b"\n")
        self._process.stdin.flush()
        self._has_listened, self._beat_at = False, monotonic()

    def look(self) -> int:
        """Start it again if that is due; an exit status above 0 if it never could start."""
        process = self._process
        if process is None:
            if monotonic() >= self._start_at:
                self.start()
            return 0
        assert process.stdout is not None
        if process.stdout.read(1 << 16):
            self._has_listened = self._ever_listened = True
            self._beat_at = monotonic()
        if process.poll() is None:
            if self._has_listened and monotonic() - self._beat_at > STUCK_SECONDS:
                _log.error("process %d is killed: its event loop has not turned", self._number)
                process.kill()
            return 0
        self.forget()
        if not self._ever_listened:
            return process.returncode if process.returncode > 0 else 1
        pause = 0 if self._has_listened else RETRY_SECONDS
        self._start_at = monotonic() + pause
        _log.error(
            "process %d ended with status %d, and starts again", self._number, process.returncode
        )
        return 0

    def send(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def forget(self) -> None:
        """Close what leads to a process that has ended."""
        if self._process is not None:
            with self._process:
                self._process = None


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that say to end, as they come."""
    received = list[int]()

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _be_a_child(requests: int, management: int) -> int:
    from kullback.server import serve as serve_here  # noqa: PLC0415

    settings = Settings.model_validate_json(sys.stdin.readline())
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    output = sys.stdout.fileno()
    os.set_blocking(output, False)
    beaten_at = -BEAT_SECONDS

    def beat() -> None:
        nonlocal beaten_at
        if monotonic() - beaten_at >= BEAT_SECONDS:
            beaten_at = monotonic()
            with suppress(BlockingIOError, BrokenPipeError):  # of a parent that stands or is gone
                os.write(output, b".")

    listeners = Listeners(socket.socket(fileno=requests), socket.socket(fileno=management))
    return serve_here(settings, listeners=listeners, beat=beat)


def _end_with_parent() -> None:
    os.read(0, 1)  # standard input ends when the parent has
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(_be_a_child(*map(int, sys.argv[1:])))
