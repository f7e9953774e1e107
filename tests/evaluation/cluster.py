"""A real Dask cluster for tests that need one: processes of its own, on ports that are free."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0


class Cluster(NamedTuple):
    """A running scheduler and its workers."""

    address: str
    workers: list["subprocess.Popen[bytes]"]


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """A scheduler with so many workers of one thread, until they are told to end."""
    with TemporaryDirectory(prefix="kullback-dask-") as directory:
        file = Path(directory) / "scheduler.json"
        scheduler = _started(
            directory,
            *("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--no-jupyter", "--scheduler-file", str(file)),
        )
        running = [scheduler]
        try:
            address = _address(scheduler, file)
            running += [
                _started(
                    directory,
                    *("dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
                    *("--host", "127.0.0.1", "--local-directory", directory),
                )
                for _ in range(workers)
            ]
            yield Cluster(address, running[1:])
        finally:
            for process in reversed(running):
                process.kill()
                process.wait()


def _started(directory: str, program: str, *options: str) -> "subprocess.Popen[bytes]":
    with Path(directory, "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the program is ours
            [sys.executable, "-m", f"distributed.cli.{program}", *options],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )


def _address(process: "subprocess.Popen[bytes]", file: Path) -> str:
    end, pause = monotonic() + _START_SECONDS, Event()
    while process.poll() is None and monotonic() < end:
        if file.is_file() and file.read_text().endswith("}"):
            return str(json.loads(file.read_text())["address"])
        pause.wait(0.05)
    raise AssertionError("no scheduler came up")
