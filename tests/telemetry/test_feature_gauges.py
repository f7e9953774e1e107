"""Gauges of the drift of features: beside those of scores and labels, within the cap of series."""

import re
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kullback.telemetry.monitor_collector import PER_FEATURE, PER_MONITOR, MonitorCollector
from tests.api.test_monitors_features import FEATURES, batch, drifts
from tests.monitoring.service import MONITOR, NOON, Service

pytestmark = pytest.mark.anyio

HOUR = 3600


@pytest.fixture
async def watched(service: Service) -> Service:
    """A monitor whose devices have changed since its reference."""
    await service.put(features=FEATURES)
    await service.post("observations", **batch(500, at=HOUR + 60))
    await service.put(f"{MONITOR}/reference", **{"from": NOON - 2 * HOUR, "to": NOON - HOUR})
    await service.post("observations", **batch(500, 2, mobile=0.9))
    service.inside.monitor_maintenance.refresh_recent()
    return service


async def test_the_drift_of_features_stands_beside_that_of_scores(watched: Service) -> None:
    samples = await watched.samples(monitor="clicks")
    hour = await drifts(watched, **{"from": NOON - HOUR + 60})
    for name, drift in hour.items():
        place = f'{{monitor="clicks",of="feature:{name}"}}'
        assert samples[f"kullback_drift_psi{place}"] == pytest.approx(drift["psi"])
        assert samples[f"kullback_drift_js_nats{place}"] == pytest.approx(drift["js"])
        assert samples[f"kullback_drift_p_value{place}"] == pytest.approx(drift["p_value"])
    assert hour["device"]["psi"] > 0.5
    assert 'kullback_drift_psi{monitor="clicks",of="score"}' in samples


@pytest.mark.parametrize("room", [0, 1, 2, 3])
async def test_features_beyond_the_cap_are_counted_once(watched: Service, room: int) -> None:
    registry = CollectorRegistry()
    present = watched.inside.monitor_queries.present
    counters = watched.inside.monitor_counters
    maintenance = watched.inside.monitor_maintenance
    cap = PER_MONITOR + room * PER_FEATURE + 1
    registry.register(MonitorCollector(present, counters, maintenance, cap))

    def lines() -> Iterator[str]:
        text = generate_latest(registry).decode()
        return (line for line in text.splitlines() if not line.startswith("#"))

    shown = {name for line in lines() for name in re.findall('of="feature:(.*?)"', line)}
    assert shown == set(sorted(FEATURES)[:room])
    dropped = [line for line in lines() if line.startswith("kullback_series_dropped_total")]
    assert float(dropped[0].rsplit(" ", 1)[1]) == (2 - min(room, 2)) * PER_FEATURE
