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
    """Two monitors whose devices have changed since their references."""
    for path in (MONITOR, "/v1/monitors/other"):
        await service.put(path, features=FEATURES)
        await service.post("observations", path, **batch(500, at=HOUR + 60))
        period = {"from": NOON - 2 * HOUR, "to": NOON - HOUR}
        await service.put(f"{path}/reference", **period)
        await service.post("observations", path, **batch(500, 2, mobile=0.9))
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


@pytest.mark.parametrize("room", [0, 1, 2, 3, 4])
async def test_features_beyond_the_cap_are_counted_once(watched: Service, room: int) -> None:
    registry = CollectorRegistry()
    present = watched.inside.monitor_queries.present
    counters = watched.inside.monitor_counters
    maintenance = watched.inside.monitor_maintenance
    cap = 2 * PER_MONITOR + room * PER_FEATURE + 1
    registry.register(MonitorCollector(present, counters, maintenance, cap))

    def lines() -> Iterator[str]:
        text = generate_latest(registry).decode()
        return (line for line in text.splitlines() if not line.startswith("#"))

    series = re.compile('kullback_drift_psi{monitor="(.*?)",of="feature:(.*?)"}').findall
    pairs = [(monitor, name) for monitor in ("clicks", "other") for name in sorted(FEATURES)]
    assert [pair for line in lines() for pair in series(line)] == pairs[:room]
    dropped = [line for line in lines() if line.startswith("kullback_series_dropped_total")]
    assert float(dropped[0].rsplit(" ", 1)[1]) == (4 - room) * PER_FEATURE
