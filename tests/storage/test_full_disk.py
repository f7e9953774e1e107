"""A disk that is full, or read only, stops writes and nothing else, at the start too."""

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import httpx
import pytest

from kullback.errors import StoreUnavailable
from kullback.storage import soundness
from kullback.storage.base import Store
from kullback.storage.sql import open_store
from tests.serving import ROOT, SERVE, Served, serving
from tests.storage.disks import Disk, mounted
from tests.storage.writes import Opening, add, adding, cell, made, merge, sums, together

MONITOR = "/v1/monitors/clicks"
ROW = {"y_true": [1], "y_proba": [0.5]}
SECONDS = 30.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as disk:
        yield disk


def post(served: Served, path: str = f"{MONITOR}/observations", key: str = "") -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    body = ROW | {"sample_weight": [1.0]}
    return httpx.post(
        served.address + path, json=body, headers=headers, trust_env=False, timeout=SECONDS
    )


def n(served: Served) -> int:
    """How many rows a report has."""
    answer = httpx.get(f"{served.address}{MONITOR}/report", trust_env=False, timeout=SECONDS)
    rows: int = answer.raise_for_status().json()["n"]
    return rows


def said(served: Served) -> list[str]:
    """What the service has warned of in its store."""
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    return [line["message"] for line in lines if line["logger"] == "kullback.storage"]


def post_until_refused(served: Served, rows: int) -> int:
    """Write until there is no room; how many rows there are then."""
    for number in range(2000):
        answer = post(served, key=f"{rows}-{number}")
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            assert answer.json()["type"] == "/problems/store-unavailable"
            assert "full" in answer.json()["detail"]
            return rows + number
    raise AssertionError("there was room for everything")


def assert_it_only_reads(served: Served, rows: int) -> None:
    for _ in range(3):
        assert post(served).status_code == 503
        assert n(served) == rows
    assert post(served, "/v1/scores/log-loss").status_code == 200
    for path in ("/livez", "/readyz", "/metrics", "/", MONITOR):
        answer = httpx.get(served.address + path, trust_env=False, timeout=SECONDS)
        assert answer.status_code == 200, answer.text


def assert_it_writes(served: Served, rows: int) -> None:
    began = time.monotonic()
    while post(served, key=f"after-{rows}").status_code != 200:
        assert time.monotonic() < began + SECONDS, said(served)
        time.sleep(0.1)
    assert n(served) == rows + 1


def test_a_service_starts_on_a_full_disk_and_writes_again_when_there_is_room(disk: Disk) -> None:
    url = f"sqlite:///{disk.directory}/kullback.db"
    with serving(KULLBACK_DATABASE_URL=url) as served:
        httpx.put(served.address + MONITOR, json={}, trust_env=False).raise_for_status()
        assert post(served).status_code == 200
        disk.fill()
        rows = post_until_refused(served, 1)
        assert_it_only_reads(served, rows)
        disk.free()
        assert_it_writes(served, rows)
        rows += 1
        (away, back) = said(served)
        assert "the store cannot be written: database or disk is full" in away
        assert back == "the store can be written again"
    disk.fill()
    with serving(KULLBACK_DATABASE_URL=url) as served:
        assert_it_only_reads(served, rows)
        assert "cannot be written now" in said(served)[0]
        disk.free()
        assert_it_writes(served, rows)
    disk.remount("ro")
    assert what_is_wrong(url) == [
        f"cannot start: {disk.directory}/kullback.db.lock cannot be opened: Read-only file system"
    ]


def test_a_file_whose_log_was_left_behind_is_read_on_a_full_disk(
    disk: Disk, tmp_path: Path, opening: Opening
) -> None:
    store = opening(f"sqlite:///{tmp_path}/kullback.db")
    number = made(store)
    add(store, number, {cell(0): 1})
    for name in ("kullback.db", "kullback.db-wal"):  # as after a failure of the power
        shutil.copy(tmp_path / name, disk.directory)
    disk.fill()
    left = opening(f"sqlite:///{disk.directory}/kullback.db")
    together(*(lambda: [sums(left, number) for _ in range(5)] for _ in range(4)))
    assert sums(left, number) == {cell(0): 1}
    with pytest.raises(StoreUnavailable):
        add(left, number, {cell(0): 1})
    disk.free()
    add(left, number, {cell(0): 1})
    assert sums(left, number) == {cell(0): 2}


def what_is_wrong(url: str) -> list[str]:
    """Why a service does not start."""
    refused = subprocess.run(  # noqa: S603 - our own command
        SERVE,
        cwd=ROOT,
        env={"PATH": "", "KULLBACK_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 1
    lines = [json.loads(line) for line in refused.stderr.splitlines()]
    return [line["message"] for line in lines if line["level"] in {"error", "critical"}]


def test_a_large_file_is_looked_through_beside_the_work(
    tmp_path: Path, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/kullback.db"
    store = opening(url)
    number = made(store)
    add(store, number, {cell(60 * n): 1 for n in range(5000)})
    store.close()
    monkeypatch.setattr(soundness, "PATIENCE", 0.0)
    is_open, look = Event(), soundness.SoundnessCheck._run  # noqa: SLF001 - held until it is open

    def looks_later(check: soundness.SoundnessCheck) -> None:
        assert is_open.wait(SECONDS)
        look(check)

    monkeypatch.setattr(soundness.SoundnessCheck, "_run", looks_later)
    store = opening(url)
    add(store, number, {cell(0): 1})
    store.ping()
    is_open.set()
    store.close()

    file = tmp_path / "kullback.db"
    with closing(sqlite3.connect(file)) as reader:
        chosen = "SELECT rootpage FROM sqlite_master WHERE name = 'waiting_by_arrival'"
        (page,) = reader.execute(chosen).fetchone()
    content = bytearray(file.read_bytes())
    content[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(soundness, "PATIENCE", SECONDS)
        with pytest.raises(StoreUnavailable, match="is damaged"):
            open_store(url, merge, on_fatal=pytest.fail)
    is_open.clear()
    store = opening(url)
    is_open.set()
    end = time.monotonic() + SECONDS
    while _answers(store) and time.monotonic() < end:
        pass
    before = file.read_bytes()
    with pytest.raises(StoreUnavailable, match="is damaged"):
        store.write(adding(number, {cell(0): 1}))
    assert sum(sums(store, number).values()) == 5001
    store.close()
    assert file.read_bytes() == before


def _answers(store: Store) -> bool:
    try:
        store.ping()
    except StoreUnavailable as error:
        return "is damaged" not in str(error)
    return True
