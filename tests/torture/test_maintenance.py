"""Servers that are ended in the middle of maintenance lose nothing."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from kullback.settings import Settings
from tests.serving import ROOT, serving
from tests.torture.proof import Proof
from tests.torture.replicas import replicas
from tests.torture.runs import seed, set_up, supply
from tests.torture.streams import spread
from tests.torture.supply import Supply

HOUR = 3600
ROWS = 32
KILLS = 2
MAINTENANCE_SECONDS = 60.0


def widths(file: Path) -> set[int]:
    """How wide the windows in a file are; it is only read."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        return {width for (width,) in reader.execute("SELECT DISTINCT width FROM parts")}


def widths_of_copy(file: Path, directory: Path) -> set[int]:
    """The same of a file that nobody has open: who opens it first changes it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        shutil.copy(part, directory)
    return widths(directory / file.name)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again."""
    until = time.monotonic() + MAINTENANCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, "maintenance does not come that far"
        time.sleep(0.02)


def test_a_kill_in_the_middle_of_folding_old_windows_changes_no_sum(tmp_path: Path) -> None:
    number, two_days_ago = seed(), (int(time.time()) // HOUR - 48) * HOUR
    rng = Random(number)  # noqa: S311 - chance that can be repeated
    span = (two_days_ago, two_days_ago + 2 * HOUR)
    sent = Supply([spread("observed", span, ROWS, rng)], rng)
    file = tmp_path / "kullback.db"
    halfway = 0
    with replicas(f"sqlite:///{file}") as servers:
        (server,) = servers
        proof = Proof(servers, sent, number)
        proof.set_up("observed", window_seconds=1)
        proof.kill_one(server)
        server.start()  # the first one rests for longer
        server.wait_until_it_listens()
        with proof.load() as wait_for:
            for _ in range(KILLS):
                wait_for(rng.randrange(5, 20))
                wait_until(lambda: HOUR in widths(file))
                time.sleep(rng.uniform(0.0, 0.2))
                proof.kill_one(server)
                halfway += widths_of_copy(file, tmp_path / "copy") == {1, HOUR}
                server.start()
                server.wait_until_it_listens()
                proof.look()
        wait_until(lambda: widths(file) == {HOUR})
        proof.finish()
    assert halfway > 0


def test_a_server_that_is_told_to_end_under_load_ends_in_time_and_loses_nothing(
    tmp_path: Path,
) -> None:
    number = seed()
    sent = supply(Random(number))  # noqa: S311 - chance that can be repeated
    with replicas(f"sqlite:///{tmp_path}/kullback.db") as servers:
        (server,) = servers
        proof = Proof(servers, sent, number)
        set_up(proof)
        with proof.load() as wait_for:
            for _ in range(2):
                wait_for(30)
                began = time.monotonic()
                server.end(signal.SIGTERM)
                assert time.monotonic() - began < Settings().grace_seconds
                server.start()
                server.wait_until_it_listens()
                proof.look()
        proof.finish()


def test_a_second_server_on_the_same_file_is_refused_with_one_clear_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kullback.db"
    with serving(KULLBACK_DATABASE_URL=url):
        second = subprocess.run(
            [sys.executable, "-m", "kullback", "serve", "--port", "0", "--log-format", "json"],
            cwd=ROOT,
            env={**os.environ, "KULLBACK_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    lines = [json.loads(line) for line in second.stderr.splitlines()]
    (refusal,) = [line["message"] for line in lines if line["level"] in {"error", "critical"}]
    assert refusal == (
        f"cannot start: {tmp_path}/kullback.db is open in another process: one process "
        "serves one SQLite file, replicas need PostgreSQL"
    )
    assert second.returncode != 0
