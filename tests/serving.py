"""A real service for tests that need one: a process of its own, on a port that is free."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SERVE = (sys.executable, "-m", "kullback", "serve", "--port", "0", "--log-format", "json")
_START_SECONDS = 60.0


class Served(NamedTuple):
    """A running service; its log is a file, as a pipe that nobody reads would stop it."""

    address: str
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def serving(*command: str, directory: Path = ROOT, **environment: str) -> Iterator[Served]:
    """A service, from the moment it listens until it is told to end.

    Its command is `SERVE` unless another is given. Its database is its own, unless the environment
    names one.
    """
    with TemporaryDirectory(prefix="kullback-") as scratch:
        own = {
            "KULLBACK_DATABASE_URL": f"sqlite:///{scratch}/kullback.db",
            "KULLBACK_ALLOWED_HOSTS": "*",  # whatever a test calls it
            "KULLBACK_INSECURE_NO_AUTH": "true",  # until a test makes a key
        }
        log = Path(scratch) / "log"
        with log.open("wb") as lines:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command or SERVE,
                cwd=directory,
                env={**os.environ, **own, **environment},
                stdout=lines,
                stderr=lines,
            )
        try:
            yield Served(_address(process, log, r"https?://127\.0\.0\.1:[1-9]\d*"), process, log)
        finally:
            process.terminate()
            process.wait()


def management(server: Served) -> str:
    """Where a service that has a port for probes and metrics serves them."""
    line = _address(server.process, server.log, r"metrics on http://127\.0\.0\.1:[1-9]\d*")
    return line.removeprefix("metrics on ")


def _address(process: "subprocess.Popen[bytes]", log: Path, pattern: str) -> str:
    end, pause = monotonic() + _START_SECONDS, Event()
    while process.poll() is None and monotonic() < end:
        found = re.search(pattern, log.read_text())
        if found is not None:
            return found.group()
        pause.wait(0.05)
    raise AssertionError(f"no service came up: {log.read_text()}")
