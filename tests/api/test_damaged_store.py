"""Damage on the disk is named and gives no figure; what is beside it goes on."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kullback.settings import Settings
from tests.experiments.service import EXPERIMENT, PARALLEL, TWO_APART
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused, running

pytestmark = pytest.mark.anyio
HOUR = 3600
OTHER = "/v1/monitors/sound"


@pytest.fixture
async def damaged(settings: Settings, tmp_path: Path) -> Settings:
    """A store in which a window of a monitor and an hour of an experiment are damaged."""
    async with running(settings.database_url) as service:
        rows: Document = {"y_true": [1], "y_proba": [0.5]}
        for monitor in (MONITOR, OTHER):
            await service.put(monitor, slices=["c"])
            for hours in (0, 1, 1, 2):
                sent = rows | {"timestamp": [NOON - HOUR * hours], "slice": {"c": ["a"]}}
                await service.post("observations", monitor, **sent)
            await service.client.put(f"{monitor}/reference", json=rows)
        await service.put(EXPERIMENT, **PARALLEL)
        await service.post("observations", EXPERIMENT, **TWO_APART)
    with closing(sqlite3.connect(tmp_path / "kullback.db")) as file, file:
        chosen = (
            "SELECT sequence, content FROM parts JOIN records ON records.id = record WHERE"
            " name = 'clicks' AND slice = '' AND start = ? OR parts.kind = '1/tally/a'"
        )
        for sequence, content in file.execute(chosen, [NOON - HOUR]).fetchall():
            flipped = content[:-1] + bytes([content[-1] ^ 4])
            file.execute("UPDATE parts SET content = ? WHERE sequence = ?", [flipped, sequence])
    return settings


async def test_a_report_names_the_window_and_others_are_answered(damaged: Settings) -> None:
    async with running(damaged.database_url) as service:
        for path in ("report", "series"):
            answer = await service.client.get(f"{MONITOR}/{path}")
            assert refused(answer, 503) == ("damaged-tally", "")
            detail = answer.json()["detail"]
            assert "2026-03-05T11:00:00Z are damaged on disk" in detail
            assert "retry-after" not in answer.headers
        assert (await service.report(**{"from": NOON}))["n"] == 1
        assert (await service.report(to=NOON - HOUR))["n"] == 1
        assert (await service.report(OTHER))["n"] == 4
        assert (await service.get())["counts"]["observations"] == 4
        answer = await service.client.get(f"{EXPERIMENT}/report")
        assert refused(answer, 503) == ("damaged-tally", "")
        assert "1/tally/a" in answer.json()["detail"]
        period: Document = {"from": NOON - 9 * HOUR, "to": NOON + HOUR}
        answer = await service.client.put(f"{MONITOR}/reference", json=period)
        assert refused(answer, 503) == ("damaged-tally", "")


@pytest.mark.parametrize(("kind", "path"), [("monitor", MONITOR), ("experiment", EXPERIMENT)])
async def test_damaged_settings_are_named_and_can_be_deleted(
    kind: str,
    path: str,
    service: Service,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings: Document = PARALLEL if kind == "experiment" else {}
    other = f"/v1/{kind}s/sound"
    rows: Document = TWO_APART if kind == "experiment" else {"y_true": [1], "y_proba": [0.5]}
    for each in (path, other):
        await service.put(each, **settings)
        await service.post("observations", each, **rows)
    name = path.rpartition("/")[2]
    with closing(sqlite3.connect(tmp_path / "kullback.db")) as file, file:
        file.execute("UPDATE records SET document = ? WHERE name = ?", [b'{"task":\x00', name])
    for answer in (
        await service.client.get(path),
        await service.client.get(f"{path}/report"),
        await service.client.put(path, json=settings),
        await service.client.post(f"{path}/observations", json=rows),
    ):
        assert refused(answer, 503) == ("damaged-tally", "")
        assert f"the settings of the {kind} {name} are damaged" in answer.json()["detail"]
    await service.report(other)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            service.inside.monitor_maintenance.run_due()
            service.inside.experiment_maintenance.run_due()
    (line,) = [record.message for record in caplog.records]
    assert f"the settings of the {kind} {name} are damaged" in line
    inside = service.inside
    states = {**inside.monitor_maintenance.recent, **inside.experiment_maintenance.states}
    assert list(states) == ["sound"]
    for page in ("/", "/metrics"):
        assert (await service.client.get(page)).status_code == 200, page
    assert refused(await service.client.get(f"/v1/{kind}s"), 503) == ("damaged-tally", "")
    assert (await service.client.delete(path)).status_code == 204
    assert (await service.client.get(f"/v1/{kind}s")).status_code == 200
    await service.put(path, **settings)
    await service.report(path)


async def test_maintenance_pages_and_gauges_go_on_beside_it(
    damaged: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(damaged.database_url) as service:
        with caplog.at_level(logging.ERROR):
            service.inside.monitor_maintenance.run_due()
            assert sorted(service.inside.monitor_maintenance.recent) == ["sound"]
            for _ in range(3):
                service.inside.monitor_maintenance.run_due()
                service.inside.experiment_maintenance.run_due()
                service.clock.now += 2 * HOUR
                await service.post("observations", OTHER, y_true=[1], y_proba=[0.5])
        said = [line.message for line in caplog.records if line.levelno == logging.ERROR]
        assert len(said) == len({line.split(":")[0] for line in said}) == 2
        for path in ("/", "/metrics", "/v1/monitors", "/v1/experiments"):
            assert (await service.client.get(path)).status_code == 200, path
        service.clock.now += 400 * 24 * HOUR
        service.tidy()  # what is too old goes, damaged or not
        assert (await service.report(**{"from": 0}))["n"] == 0


async def test_a_damaged_reference_is_named(service: Service, tmp_path: Path) -> None:
    await service.put()
    rows: Document = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}
    await service.client.put(f"{MONITOR}/reference", json=rows)
    with closing(sqlite3.connect(tmp_path / "kullback.db")) as file, file:
        (content,) = file.execute("SELECT content FROM attachments").fetchone()
        for place in range(8, len(content), 29):
            flipped = bytearray(content)
            flipped[place] ^= 1
            file.execute("UPDATE attachments SET content = ?", [bytes(flipped)])
            file.commit()
            answer = await service.client.get(f"{MONITOR}/report")
            assert refused(answer, 503) == ("damaged-tally", ""), place
