"""Servers that are killed and started again, one process after the other."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import IO, Protocol

ROOT = Path(__file__).parent.parent.parent
PLAIN = "kullback"
WAITING = "tests.torture.server"
START_SECONDS = 60.0


class Target(Protocol):
    """Where requests are sent to."""

    @property
    def address(self) -> str:
        """Where it listens, or did."""

    def wait(self, seconds: float) -> None:
        """Wait until it listens, but not for long."""


class Process:
    """One process of a server: where it listens once it does, and what it logged."""

    def __init__(self, url: str, module: str) -> None:
        self.address = ""
        self.is_listening = Event()  # or has ended
        self.last = deque[str](maxlen=20)
        self.errors: list[str] = []
        self._popen = subprocess.Popen(  # noqa: S603 - our own server
            [sys.executable, "-m", module, "serve", "--port", "0", "--log-format", "json"],
            cwd=ROOT,
            env={**os.environ, "KULLBACK_DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stderr is not None
        self._log = Thread(target=self._read, args=(self._popen.stderr,), daemon=True)
        self._log.start()

    def go(self) -> None:
        """Let it work, if it has waited for that."""
        assert self._popen.stdin is not None
        self._popen.stdin.write("go\n")
        self._popen.stdin.flush()

    def wait_until_it_listens(self) -> None:
        """Wait until it does, or fail."""
        if not self.is_listening.wait(START_SECONDS) or not self.address:
            self.end(signal.SIGKILL)
            raise AssertionError("no server: " + "".join(self.last))

    def end(self, how: signal.Signals, seconds: float = 60.0) -> int:
        """Send it a signal; its exit status once it has ended."""
        self.is_listening.clear()
        self._popen.send_signal(how)
        try:
            status = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            raise
        self._log.join(seconds)
        for stream in (self._popen.stdin, self._popen.stderr):
            assert stream is not None
            stream.close()
        return status

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.last.append(line)
            found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", line)
            if found is not None:
                self.address = found.group(1)
                self.is_listening.set()
            if not line.startswith("{") or json.loads(line)["level"] in {"error", "critical"}:
                self.errors.append(line)
        if not self.address:
            self.is_listening.set()  # it never will: whoever waits need not


class Replica:
    """A server on a store, and the next one, which waits until this one has been killed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.errors: list[str] = []
        self._process = Process(url, PLAIN)
        self._next: Process | None = None

    @property
    def address(self) -> str:
        """Where it listens, or did before it was killed."""
        return self._process.address

    def wait(self, seconds: float) -> None:
        """Wait until it listens, but not for long."""
        self._process.is_listening.wait(seconds)

    def wait_until_it_listens(self) -> None:
        """Wait until it does, or fail; then let the next one get ready."""
        self._process.wait_until_it_listens()
        if self._next is None:
            self._next = Process(self.url, WAITING)

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End it; its exit status."""
        status = self._process.end(how)
        self.errors += self._process.errors
        return status

    def start(self) -> None:
        """Start the next one; it may not listen yet."""
        self._process, self._next = self._next or Process(self.url, WAITING), None
        self._process.go()

    def close(self) -> None:
        """End every process."""
        if self._next is not None:
            self._next.end(signal.SIGKILL)
        self.end()


@contextmanager
def replicas(*urls: str) -> Iterator[Sequence[Replica]]:
    """Servers, each on a store; all of them are ended, whatever happens."""
    with ExitStack() as ended:
        started = []
        for url in urls:
            started.append(Replica(url))
            ended.callback(started[-1].close)
        for one in started:
            one.wait_until_it_listens()
        yield started
