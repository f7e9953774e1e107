"""The service of the demonstration: its own process, with a store that is deleted at the end."""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO

HOST = "127.0.0.1"
STOP_SECONDS = 10.0
_LISTENS = "listening on "
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class DemoService:
    """A service that listens; what stands in the file `notice` stands on its pages."""

    address: str
    notice: Path


class NotStarted(Exception):
    """The service did not come up; the message is what it said last."""


@contextmanager
def serving(port: int) -> Iterator[DemoService]:
    """A service with an empty store, from the moment it listens.

    In the end it is stopped, and its store removed.

    Raises:
        NotStarted: it cannot listen, or cannot be started.
    """
    with TemporaryDirectory(prefix="kullback-demo-") as directory:
        notice = Path(directory, "notice")
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", "kullback", "serve", *_options(port, directory)],
            env=_environment(os.environ, notice),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: we end it when nothing is on its way
            text=True,
        )
        assert process.stderr is not None
        with process.stderr as log:
            # a pipe that nobody reads would stop it
            rest = Thread(target=deque, args=(log, 0), name="log", daemon=True)
            try:
                address = _address(log)
                rest.start()
                yield DemoService(address, notice)
            finally:
                _stop(process)
                if rest.ident is not None:
                    rest.join()


def _options(port: int, directory: str) -> list[str]:
    url = f"sqlite:///{directory}/kullback.db"
    options = {"host": HOST, "port": str(port), "database-url": url, "log-format": "json"}
    return [f"--{name}={value}" for name, value in {**options, "log-level": "info"}.items()]


def _environment(ours: Mapping[str, str], notice: Path) -> dict[str, str]:
    """Ours without settings for another service, and with the place of this program."""
    kept = {
        name: value
        for name, value in ours.items()
        if not name.startswith("KULLBACK_") and name != "WEB_CONCURRENCY"
    }
    return {**kept, "PYTHONPATH": str(_ROOT), "KULLBACK_NOTICE_FILE": str(notice)}


def _address(log: IO[str]) -> str:
    """Where it listens, as it says itself: another service may have the port we asked for."""
    said = ""
    for line in log:
        said = _message(line)
        if said.startswith(_LISTENS):
            return said.removeprefix(_LISTENS)
    raise NotStarted(said.partition(" (KULLBACK_")[0])  # what names another here is an option


def _message(line: str) -> str:
    try:
        event = json.loads(line)
    except ValueError:
        return line.strip()
    return str(event["message"]) if isinstance(event, dict) and "message" in event else line


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
