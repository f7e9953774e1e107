"""`kullback backup` and `restore`: reports of a service that is written to come back to the bit."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import make_url

from tests.postgresql import Server
from tests.serving import ROOT, serving

pytestmark = pytest.mark.untraced

Document = dict[str, Any]
Key = tuple[int, int]  # a sender, and the number of its batch
SENDERS = 2
MONITOR, EXPERIMENT = "/v1/monitors/clicks", "/v1/experiments/ranker"
SET_UP: Document = {
    MONITOR: {"slices": ["country"], "features": {"age": "numeric"}},
    EXPERIMENT: {"arms": {"a": 0.5, "b": 0.5}, "control": "a", "design": "parallel"},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes addresses of empty databases of either kind."""
    if request.param == "sqlite":
        numbers = iter(range(9))
        yield lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as first, server.database() as second, server.database() as third:
        names = iter((first, second, third))
        yield lambda: server.url(next(names))


def kullback(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "kullback", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeded(*words: str | Path) -> str:
    result = kullback(*words)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def calling(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=60, trust_env=False)


def set_up(client: httpx.Client) -> None:
    for path, settings in SET_UP.items():
        assert client.put(path, json=settings).status_code in {200, 201}


def batches(key: Key, now: float) -> Iterator[tuple[str, Document]]:
    """What one sender sends in its nth batch: always the same."""
    random = np.random.default_rng(key)
    n = 20
    rows: Document = {
        "y_true": random.integers(0, 2, n).tolist(),
        "y_proba": random.random(n).tolist(),
        "unit": random.integers(0, 50, n).tolist(),
        "timestamp": (now - random.choice([0, 70, 3700], n)).tolist(),
    }
    more = {"slice": {"country": random.choice(["DE", "FR"], n).tolist()}}
    age = {"features": {"age": random.random(n).tolist()}}
    yield f"{MONITOR}/observations", rows | more | age
    yield f"{EXPERIMENT}/observations", rows | {"arm": random.choice(["a", "b"], n).tolist()}


def send(client: httpx.Client, key: Key, now: float) -> None:
    for path, rows in batches(key, now):
        name = "/".join(map(str, key))
        answer = client.post(path, json=rows, headers={"Idempotency-Key": name})
        assert answer.status_code == 200, answer.text


def sent(url: str, path: str) -> set[Key]:
    """The keys of the batches that a database has got."""
    chosen = "SELECT key FROM tokens WHERE scope LIKE "
    database = make_url(url)
    if database.drivername == "sqlite":
        with closing(sqlite3.connect(str(database.database))) as file:
            rows = file.execute(f"{chosen} ?", [f"%{path}%"]).fetchall()
    else:
        with Server(database.port or 0).connect(database.database or "") as connection:
            rows = connection.execute(f"{chosen} %s", [f"%{path}%"]).fetchall()
    return {(int(sender), int(number)) for (key,) in rows for sender, number in [key.split("/")]}


def reports(client: httpx.Client, now: float) -> str:
    """All figures of what was sent, every bit of them."""
    span = {"from": now - 7200, "to": now + 60}  # of the past: no clock is in the answers
    monitor = client.get(f"{MONITOR}/report", params={"by": "country", **span})
    series = client.get(f"{MONITOR}/series", params={"metric": "log_loss,auc", **span})
    experiment = client.get(f"{EXPERIMENT}/report")
    answers = [answer.raise_for_status().json() for answer in (monitor, series, experiment)]
    return json.dumps(answers, indent=1)


def test_what_was_committed_before_a_backup_is_reported_to_the_bit_after_a_restore(
    new_url: Callable[[], str], tmp_path: Path
) -> None:
    url, other_url, third_url, now = (
        new_url(),
        new_url(),
        new_url(),
        time.time() // 3600 * 3600 - 3600,
    )
    file, stop, done = tmp_path / "kullback.backup", Event(), list[Key]()
    with serving(KULLBACK_DATABASE_URL=url) as service, calling(service.address) as client:
        set_up(client)

        def load(sender: int) -> None:
            number = 0
            while not stop.is_set():
                send(client, (sender, number), now)
                done.append((sender, number))
                number += 1
                stop.wait(0.05)

        with ThreadPoolExecutor(SENDERS) as threads:
            loads = [threads.submit(load, sender) for sender in range(SENDERS)]
            try:
                while len(done) < 10 and not any(each.done() for each in loads):
                    time.sleep(0.01)
                before = set(done)
                said = succeeded("backup", file, "--database-url", url)
            finally:
                stop.set()
            for each in loads:
                each.result()
        refused = kullback("restore", file, "--database-url", url, "--force")
        assert refused.returncode == 2
        assert "stop it, then restore" in refused.stderr
        assert "1 monitor, 1 experiment, 0 keys" in said
    assert succeeded("restore", file, "--database-url", other_url).startswith("restored as of 2")
    of_monitor, of_experiment = (sent(other_url, path) for path in SET_UP)
    assert before <= of_experiment <= of_monitor
    assert of_monitor < set(done)  # writes went on
    with serving(KULLBACK_DATABASE_URL=third_url) as service, calling(service.address) as client:
        set_up(client)
        for key in sorted(of_monitor):
            for path, rows in batches(key, now):
                if key in of_experiment or MONITOR in path:
                    assert client.post(path, json=rows).status_code == 200
        expected = reports(client, now)
    with serving(KULLBACK_DATABASE_URL=other_url) as service, calling(service.address) as client:
        assert reports(client, now) == expected
        for key in done:  # senders repeat what came since
            send(client, key, now)
        assert client.get(MONITOR).json()["counts"]["observations"] == 20 * len(done)
        assert succeeded("backup", "--force", file, "--database-url", other_url)


def test_a_refusal_is_a_sentence_and_a_status(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/none.db", tmp_path / "kullback.backup"
    result = kullback("backup", file, "--database-url", url)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"there is no database at {tmp_path}/none.db\n"
    assert kullback("backup", file, "--database-url", "mysql://x/y").returncode == 2
    wrong = "postgresql+psycopg://kullback:secret@127.0.0.1:port/x"
    for words in (["backup", file], ["check"], ["restore", file]):
        result = kullback(*words, "--database-url", wrong)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("a store is at sqlite:///file or ")
    file.write_text("a note")
    assert kullback("backup", file, "--database-url", url).returncode == 1
    result = kullback("restore", file, "--database-url", url)
    assert result.returncode == 2
    assert "is no backup that is whole" in result.stderr
    assert not (tmp_path / "none.db").exists()
