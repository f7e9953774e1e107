"""Prometheus gauges of the checks of monitors: how each stands, its size, and since when."""

from collections.abc import Iterator, Mapping
from math import isnan

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from kullback.judgement.findings import State
from kullback.judgement.settings import CHECKS
from kullback.monitoring.checks import Check, MonitorChecks

LEVELS = {State.OK: 0, State.WARNING: 1, State.CRITICAL: 2}
_GAUGES = {
    "kullback_check": "0 ok, 1 warning, 2 critical; absent where there is too little to judge.",
    "kullback_check_value": "The size of what the check looks at, in its own unit.",
    "kullback_check_since_timestamp_seconds": "When the change began that the check warns of.",
}
PER_MONITOR = len(CHECKS) * len(_GAUGES)


def gauges(checks: Mapping[str, MonitorChecks]) -> Iterator[Metric]:
    """The gauges of each check of each monitor; one that is unknown has none."""
    families = [
        GaugeMetricFamily(title, text, labels=["monitor", "check"])
        for title, text in _GAUGES.items()
    ]
    for name, monitor in checks.items():
        for check in monitor.checks:
            for family, value in zip(families, _numbers(check), strict=True):
                if value is not None and not isnan(value):
                    family.add_metric([name, check.name], value)
    yield from families


def _numbers(check: Check) -> tuple[float | None, float | None, float | None]:
    """Those of _GAUGES that there are."""
    level = LEVELS.get(check.state)
    if level is None:
        return None, None, None
    return level, check.value, check.since if level else None
