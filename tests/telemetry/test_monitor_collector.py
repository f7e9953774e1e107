"""Prometheus reads of each monitor sums that only grow, from its creation on, up to a number."""

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kullback.errors import StoreUnavailable
from kullback.monitoring.cells import OBSERVED
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.ingest import AddedRows
from kullback.monitoring.monitor import Monitor
from kullback.monitoring.stored import StoredMonitor
from kullback.storage.base import Cell, Record
from kullback.tally.binary import binary_terms
from kullback.tally.tally import Layout
from kullback.telemetry.monitor_collector import (
    MAX_SERIES,
    MAX_SLICE_SERIES,
    PER_MONITOR,
    PER_SLICE,
    MonitorCollector,
)
from tests.deploy.families import EXPOSED
from tests.monitoring.service import MONITOR, Document, Service, done, running
from tests.monitoring.states import WORLDS, make
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

COUNTERS = (
    *("predictions", "examples", "weight", "loss_nats", "loss_nats_squared", "label_weight"),
    *("prediction_weight", "clipped", "infinite", "late", "duplicates", "rejected"),
    *("corrected", "defaulted", "backfilled"),
)
SLICED = ("predictions", "examples", "weight", "loss_nats", "label_weight", "prediction_weight")
EDGES = [f"{edge / 10:.1f}" for edge in range(1, 11)]
ROWS: Document = {
    "y_true": [1, 0, 1, 0],
    "y_proba": [0.9, 0.1, 0.25, 0.0],
    "sample_weight": [1, 2, 4, 0.5],
    "slice": {"country": ["DE", "DE", "FR", "FR"]},
}


def named(name: str, **labels: str) -> str:
    said = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"kullback_{name}_total{{{said}}}"


def expected(places: list[int]) -> dict[str, float]:
    """The sums of some of ROWS, worked out from their definitions."""
    y, p, w = (np.array(ROWS[name])[places] for name in ("y_true", "y_proba", "sample_weight"))
    loss = -np.log(np.clip(np.where(y == 1, p, 1 - p), 2.0**-52, 1 - 2.0**-52))
    return {
        "predictions": len(places),
        "examples": len(places),
        "weight": w.sum(),
        "loss_nats": (w * loss).sum(),
        "loss_nats_squared": (w * loss * w * loss).sum(),
        "label_weight": (w * y).sum(),
        "prediction_weight": (w * p).sum(),
    }


async def test_every_series_of_a_monitor_is_zero_from_its_creation(service: Service) -> None:
    await service.put(slices=["country"])
    samples = await service.samples(monitor="clicks")
    zeros = {named(name, monitor="clicks") for name in COUNTERS}
    for edge in EDGES:
        zeros.add(named("score_bin_prediction_weight", monitor="clicks", bin=edge))
        for label in "01":
            place = {"monitor": "clicks", "bin": edge, "label": label}
            zeros.add(named("score_bin_weight", **place))
    info = 'kullback_monitor_info{monitor="clicks",task="binary"}'
    created = 'kullback_monitor_created_timestamp_seconds{monitor="clicks"}'
    assert samples == dict.fromkeys(zeros, 0.0) | {info: 1.0, created: service.clock.now}
    assert len(zeros) == len(COUNTERS) + 30


async def test_what_was_observed_is_counted_once_for_the_monitor_and_once_for_each_slice(
    service: Service,
) -> None:
    await service.put(slices=["country"])
    await service.post("observations", **ROWS)
    samples = await service.samples(monitor="clicks")
    for name, value in expected([0, 1, 2, 3]).items():
        assert samples[named(name, monitor="clicks")] == pytest.approx(value, rel=1e-12)
    for country, places in (("DE", [0, 1]), ("FR", [2, 3])):
        for name in SLICED:
            place = {"monitor": "clicks", "slice": f"country={country}"}
            found = samples[named(f"slice_{name}", **place)]
            assert found == pytest.approx(expected(places)[name], rel=1e-12)
    bins = {name: value for name, value in samples.items() if "score_bin_weight" in name and value}
    assert bins == {
        named("score_bin_weight", monitor="clicks", bin="0.1", label="0"): 2.5,
        named("score_bin_weight", monitor="clicks", bin="0.3", label="1"): 4.0,
        named("score_bin_weight", monitor="clicks", bin="0.9", label="1"): 1.0,
    }
    tenth = named("score_bin_prediction_weight", monitor="clicks", bin="0.3")
    assert samples[tenth] == pytest.approx(1.0)


async def test_what_is_clipped_infinite_late_or_there_twice_is_counted(service: Service) -> None:
    await service.put()
    await service.put("/v1/monitors/exact", convention="exact")
    now = service.clock.now
    sent = {"y_true": [1, 1, 1], "y_proba": [0.0, 0.5, 0.5], "timestamp": [now - 90, now, now]}
    for path in (MONITOR, "/v1/monitors/exact"):
        await service.post("observations", path, **sent)
    await service.post("predictions", id=["a", "a"], y_proba=[0.5, 0.5])
    await service.post("labels", id=["a", "b"], y_true=[1, 1])
    await service.post("labels", id=["a", "b"], y_true=[1, 1])
    for monitor, values in (("clicks", [4, 1, 0, 1, 3]), ("exact", [3, 0, 1, 1, 0])):
        samples = await service.samples(monitor=monitor)
        names = ("examples", "clipped", "infinite", "late", "duplicates")
        assert [samples[named(name, monitor=monitor)] for name in names] == values
        losses = samples[named("loss_nats", monitor=monitor)]
        assert math.isfinite(losses)


async def test_joined_rows_count_when_their_second_half_has_come(service: Service) -> None:
    await service.put(slices=["country"])
    sent = {"id": ["a", "b"], "y_proba": [0.5, 0.5], "slice": {"country": ["DE", "FR"]}}
    await service.post("predictions", **sent)
    samples = await service.samples()
    assert samples[named("examples", monitor="clicks")] == 0
    assert samples[named("predictions", monitor="clicks")] == 2
    place = {"monitor": "clicks", "slice": "country=DE"}
    assert samples[named("slice_predictions", **place)] == 1
    await service.post("labels", id=["a"], y_true=[1])
    samples = await service.samples()
    assert samples[named("examples", monitor="clicks")] == 1
    assert samples[named("predictions", monitor="clicks")] == 2
    assert samples[named("slice_predictions", **place)] == 1
    assert samples[named("loss_nats", monitor="clicks")] == pytest.approx(math.log(2))


async def test_log_loss_over_everything_is_a_ratio_of_two_counters(service: Service) -> None:
    random = np.random.default_rng(1)
    await service.put()
    for _ in range(5):
        y, p, w = random.integers(0, 2, 200), random.random(200), random.random(200)
        sent = {"y_true": y.tolist(), "y_proba": p.tolist(), "sample_weight": w.tolist()}
        await service.post("observations", **sent)
    samples = await service.samples(monitor="clicks")
    losses, weight = (samples[named(name, monitor="clicks")] for name in ("loss_nats", "weight"))
    reported = (await service.report())["metrics"]["log_loss"]["value"]
    assert losses / weight == pytest.approx(reported, rel=1e-12)


async def test_each_process_counts_its_own_and_their_sum_is_all(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            await one.put()
            await one.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
            await other.post("observations", y_true=[1], y_proba=[0.5])
            await one.post("predictions", id=["a"], y_proba=[0.5])
            await other.post("labels", id=["a"], y_true=[1])
            place = named("examples", monitor="clicks")
            assert [(await each.samples())[place] for each in (one, other)] == [2, 2]
            assert (await one.report())["n"] == 4


async def test_gauges_say_what_the_last_hour_says(service: Service) -> None:
    await service.put(label_lag=0)
    await service.put(f"{MONITOR}/reference", y_true=[1, 0] * 20, y_proba=[0.5, 0.25] * 20)
    now = service.clock.now
    sent = {"y_true": [1, 0, 1], "y_proba": [0.9, 0.1, 0.25], "timestamp": [now, now, now - 7200]}
    await service.post("observations", **sent)
    await service.post("predictions", id=["x", "y"], y_proba=[0.5, 0.5])
    await service.post("labels", id=["z"], y_true=[1])
    service.inside.monitor_maintenance.refresh_recent()
    samples = await service.samples(monitor="clicks")
    report = await service.report(**{"from": now - 3600})
    gauges = {
        "recent_log_loss_nats": report["metrics"]["log_loss"]["value"],
        "recent_log_loss_standard_error_nats": report["metrics"]["log_loss"]["standard_error"],
        "recent_normalized_entropy": report["metrics"]["normalized_entropy"]["value"],
        "recent_calibration_ratio": report["metrics"]["calibration_ratio"]["value"],
        "recent_ece": report["metrics"]["ece"]["value"],
        "recent_auc": report["metrics"]["auc"]["value"],
        "recent_examples": 2.0,
        "recent_predictions": 4.0,
        "last_observation_timestamp_seconds": now // 60 * 60,
        "waiting_predictions": 2.0,
        "waiting_labels": 1.0,
    }
    for name, value in gauges.items():
        assert samples[f'kullback_{name}{{monitor="clicks"}}'] == value, name
    for of in ("score", "label"):
        for name, key in (("psi", "psi"), ("js_nats", "js"), ("p_value", "p_value")):
            found = samples[f'kullback_drift_{name}{{monitor="clicks",of="{of}"}}']
            assert found == report["drift"][of][key]


async def test_a_gauge_without_a_number_is_absent(service: Service) -> None:
    await service.put()
    service.inside.monitor_maintenance.refresh_recent()
    samples = await service.samples(monitor="clicks")
    assert not any("recent_log_loss" in name or "drift" in name for name in samples)
    assert samples['kullback_recent_examples{monitor="clicks"}'] == 0


async def test_a_removed_monitor_is_gone_and_begins_again_at_zero(service: Service) -> None:
    await service.put()
    await service.post("observations", **(ROWS | {"slice": None}))
    await service.client.delete(MONITOR)
    assert await service.samples(monitor="clicks") == {}
    await service.put()
    assert (await service.samples())[named("examples", monitor="clicks")] == 0


async def test_what_another_replica_removed_begins_again_at_zero(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            place = named("examples", monitor="clicks")
            await one.put()
            await one.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
            one.inside.monitor_maintenance.run_due()
            assert (await other.client.delete(MONITOR)).status_code == 204
            await other.put()
            assert (await one.samples())[place] == 0
            await one.post("observations", y_true=[1], y_proba=[0.5])
            one.inside.monitor_maintenance.run_due()
            assert (await one.samples())[place] == 1


async def test_slices_of_a_renamed_monitor_stand_at_zero(service: Service) -> None:
    await service.put(slices=["country"])
    await service.post("observations", **ROWS)
    done(await service.client.post(f"{MONITOR}/rename", json={"name": "taps"}))
    samples = await service.samples(monitor="taps")
    for country in ("DE", "FR"):
        place = {"monitor": "taps", "slice": f"country={country}"}
        assert samples[named("slice_examples", **place)] == 0
    await service.post("observations", "/v1/monitors/taps", **ROWS)
    assert (await service.samples())[named("slice_examples", **place)] == 2


async def test_after_a_restart_every_slice_stands_at_zero(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kullback.db"
    async with running(url) as before:
        await before.put(slices=["country"])
        await before.post("observations", **ROWS)
        await before.put("/v1/monitors/plain")
    async with running(url) as after:
        samples = await after.samples()
    for country in ("DE", "FR"):
        place = {"monitor": "clicks", "slice": f"country={country}"}
        assert {samples[named(f"slice_{name}", **place)] for name in SLICED} == {0}
    assert samples[named("examples", monitor="plain")] == 0


async def test_slices_that_are_expected_leave_places_for_others(service: Service) -> None:
    shown = Shown(service, MAX_SERIES)
    shown.make("a")
    shown.totals.expect(shown.present["a"].record, [f"country={number}" for number in range(2000)])
    assert shown.slices("a") == MAX_SLICE_SERIES // PER_SLICE
    assert len(shown.totals.slices(shown.present["a"].record)) == 501
    shown.add("b", 1)
    assert shown.monitors() == {"a", "b"}
    assert shown.slices("b") == 1


async def test_of_many_slices_those_that_came_first_are_shown(service: Service) -> None:
    shown = Shown(service, MAX_SERIES, share=2 * PER_SLICE)
    shown.make("a")
    shown.totals.expect(shown.present["a"].record, ["country=z", "country=y", "country=a"])
    text = "\n".join(shown.lines())
    assert set(re.findall('slice="(.*?)"', text)) == {"country=z", "country=y"}


async def test_a_slice_of_very_many_values_takes_nothing_from_a_newer_monitor(
    service: Service,
) -> None:
    await service.put(slices=["country"])
    for values in (range(9_000), range(9_000, 14_000)):
        country = [f"c{value}" for value in values]
        sent = {"y_true": [1] * len(country), "y_proba": [0.5] * len(country)}
        await service.post("observations", **sent, slice={"country": country})
    newborn = "/v1/monitors/newborn"
    await service.put(newborn, slices=["country"])
    sent = {"y_true": [1, 0] * 25, "y_proba": [0.5] * 50, "slice": {"country": ["DE"] * 50}}
    await service.post("observations", newborn, **sent)
    service.inside.monitor_maintenance.refresh_recent()
    samples = await service.samples(monitor="newborn")
    assert samples[named("examples", monitor="newborn")] == 50
    assert samples[named("slice_examples", monitor="newborn", slice="country=DE")] == 50
    assert samples['kullback_recent_examples{monitor="newborn"}'] == 50
    many = await service.samples(monitor="clicks")
    assert len([name for name in many if "slice_examples" in name]) * PER_SLICE <= MAX_SLICE_SERIES
    assert many[named("examples", monitor="clicks")] == 14_000


async def test_names_are_those_that_dashboards_and_rules_read(service: Service) -> None:
    await service.put(slices=["country"])
    await service.put(f"{MONITOR}/reference", **ROWS)
    await service.post("observations", **ROWS)
    await make(service, "silent", WORLDS["silent"])
    service.inside.monitor_maintenance.refresh_recent()
    found: dict[str, set[str]] = {}
    for sample in await service.samples():
        name, _, labels = sample.partition("{")
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    ours = {
        name: set(labels)
        for name, labels in EXPOSED.items()
        if name.startswith("kullback") and not re.match(r"kullback_(scores|build)_", name)
    }
    assert {name: found.get(name) for name in ours} == ours


async def test_promtool_finds_nothing_to_complain_about(service: Service) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    await service.put(slices=["country"])
    odd = {"country": ['quote"', "back\\slash", "Ü umlaut", "DE"]}
    await service.put(f"{MONITOR}/reference", **ROWS)
    await service.post("observations", **(ROWS | {"slice": odd}))
    service.inside.monitor_maintenance.refresh_recent()
    text = (await service.client.get("/metrics")).content
    checked = subprocess.run(  # noqa: ASYNC221, S603 - a known program, and nobody else waits
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


class Shown:
    """What a collector with a cap shows of monitors that come and go."""

    def __init__(self, service: Service, cap: int, share: int = MAX_SLICE_SERIES) -> None:
        self.present: dict[str, StoredMonitor] = {}
        self.totals = MonitorCounters()
        maintenance = service.inside.monitor_maintenance
        self.registry = CollectorRegistry()
        self.registry.register(
            MonitorCollector(lambda: self.present, self.totals, maintenance, cap, share)
        )

    def make(self, name: str) -> None:
        record = Record(hash(name), "monitor", name, 1, b"", 1000.0)
        self.present[name] = StoredMonitor(record, Monitor())

    def add(self, name: str, slices: int) -> None:
        self.make(name)
        terms = binary_terms(
            Layout("binary", 2, "sklearn"), np.array([1.0]), np.array([0.5]), None, None
        )
        values = ["", *(f"country={number}" for number in range(slices))]
        cells = {Cell(OBSERVED, value, 0, 60): terms.tally() for value in values}
        self.totals.add(self.present[name].record, AddedRows(cells))

    def lines(self) -> Iterator[str]:
        for line in generate_latest(self.registry).decode().splitlines():
            if not line.startswith("#"):
                yield line

    def monitors(self) -> set[str]:
        return {found for line in self.lines() for found in re.findall('monitor="(.*?)"', line)}

    def slices(self, monitor: str = "") -> int:
        start = "kullback_slice_examples_total{" + (f'monitor="{monitor}"' if monitor else "")
        return sum(line.startswith(start) for line in self.lines())

    def dropped(self) -> float:
        (line,) = (line for line in self.lines() if "series_dropped_total" in line)
        return float(line.rsplit(" ", 1)[1])


async def test_what_is_beyond_the_cap_is_dropped_and_counted_once(service: Service) -> None:
    shown = Shown(service, 2 * PER_MONITOR + 5 * PER_SLICE + 1)
    shown.add("a", 3)
    assert (shown.monitors(), shown.slices(), shown.dropped()) == ({"a"}, 3, 0)
    shown.add("b", 4)
    assert (shown.monitors(), shown.slices(), shown.dropped()) == ({"a", "b"}, 5, 2 * PER_SLICE)
    shown.add("c", 1)
    for _ in range(3):
        dropped = 2 * PER_SLICE + PER_MONITOR + PER_SLICE
        assert (shown.monitors(), shown.slices(), shown.dropped()) == ({"a", "b"}, 5, dropped)


async def test_a_monitor_that_is_removed_makes_room(service: Service) -> None:
    shown = Shown(service, PER_MONITOR + 1)
    shown.add("a", 0)
    shown.add("b", 0)
    assert shown.monitors() == {"a"}
    del shown.present["a"]
    assert shown.monitors() == {"b"}
    assert shown.dropped() == PER_MONITOR


async def test_a_slice_takes_no_room_that_its_monitor_has_not(service: Service) -> None:
    shown = Shown(service, PER_MONITOR + 2 * PER_SLICE)
    shown.add("a", 0)
    shown.add("b", 2)
    assert shown.monitors() == {"a"}
    shown.add("a", 2)
    assert shown.slices() == 2


async def test_who_has_a_place_keeps_it(service: Service) -> None:
    shown = Shown(service, PER_MONITOR + 1)
    shown.add("b", 0)
    assert shown.monitors() == {"b"}
    shown.add("a", 0)
    assert shown.monitors() == {"b"}


async def test_no_monitor_has_more_than_its_share_for_slices(service: Service) -> None:
    shown = Shown(service, 3 * PER_MONITOR + 30 * PER_SLICE, share=20 * PER_SLICE)
    shown.add("a", 900)
    shown.add("b", 3)
    for _ in range(2):
        assert (shown.slices("a"), shown.slices("b"), shown.dropped()) == (20, 3, 880 * PER_SLICE)


async def test_slices_of_whoever_has_most_make_room_for_a_monitor(service: Service) -> None:
    room = 2 * PER_MONITOR + 30 * PER_SLICE
    shown = Shown(service, room)
    shown.add("a", 10)
    shown.add("b", 20)
    assert (shown.slices("a"), shown.slices("b"), shown.dropped()) == (10, 20, 0)
    shown.add("c", 1)
    for _ in range(2):
        assert shown.monitors() == {"a", "b", "c"}
        seen = shown.slices("a"), shown.slices("b"), shown.slices("c"), shown.dropped()
        taken = 30 - seen[0] - seen[1]
        assert abs(seen[0] - seen[1]) <= 1
        assert taken == -(-PER_MONITOR // PER_SLICE)
        assert seen[2:] == (0, (taken + 1) * PER_SLICE)
    del shown.present["b"]
    assert (shown.slices("a"), shown.slices("c")) == (10, 1)
    assert sum(1 for _ in shown.lines()) <= room + 1


async def test_as_many_series_as_the_cap_allows_can_be_read(service: Service) -> None:
    shown = Shown(service, MAX_SERIES)
    for number in range(30):
        shown.add(f"m{number}", 200)
    lines = list(shown.lines())
    assert MAX_SERIES * 0.9 <= len(lines) <= MAX_SERIES + 1
    assert len(set(lines)) == len(lines)
    fit = (MAX_SERIES - 30 * PER_MONITOR) // PER_SLICE
    assert shown.dropped() == (30 * 200 - fit) * PER_SLICE


async def test_counters_are_shown_while_the_store_is_away(service: Service) -> None:
    shown = Shown(service, 1000)
    shown.add("a", 1)
    assert shown.monitors() == {"a"}

    def away() -> dict[str, StoredMonitor]:
        raise StoreUnavailable("away")

    registry, reads = CollectorRegistry(), iter((shown.present.copy, away, away))
    maintenance = service.inside.monitor_maintenance

    def read() -> dict[str, StoredMonitor]:
        return next(reads)()

    registry.register(MonitorCollector(read, shown.totals, maintenance))
    first = generate_latest(registry)
    assert b'kullback_examples_total{monitor="a"} 1.0' in first
    assert generate_latest(registry) == first
