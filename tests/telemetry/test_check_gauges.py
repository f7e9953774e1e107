"""Prometheus reads how the checks of each monitor stand, as the API answers them."""

import re
from datetime import datetime

import pytest

from kullback.telemetry.check_gauges import LEVELS
from tests.monitoring.service import Document, Service
from tests.monitoring.states import WORLDS, make

pytestmark = pytest.mark.anyio

NAMED = re.compile(r'(kullback_check\w*)\{check="(\w+)",monitor="\w+"\}')


async def gauges(service: Service, monitor: str) -> dict[str, dict[str, float]]:
    """The gauges of a monitor's checks: by their names, of each check."""
    found: dict[str, dict[str, float]] = {}
    for sample, value in (await service.samples(monitor=monitor)).items():
        for name, check in NAMED.findall(sample):
            found.setdefault(name, {})[check] = value
    return found


def expected(checks: list[Document]) -> dict[str, dict[str, float]]:
    known = [check for check in checks if check["state"] != "unknown"]
    result = {
        "kullback_check": {each["name"]: float(LEVELS[each["state"]]) for each in known},
        "kullback_check_value": {
            each["name"]: each["value"] for each in known if each["value"] is not None
        },
        "kullback_check_since_timestamp_seconds": {
            each["name"]: datetime.fromisoformat(each["since"]).timestamp()
            for each in known
            if each["since"] is not None
        },
    }
    return {name: values for name, values in result.items() if values}


@pytest.mark.parametrize("name", WORLDS)
async def test_gauges_are_what_the_checks_of_a_monitor_come_to(service: Service, name: str) -> None:
    world = WORLDS[name]
    await make(service, name, world)
    assert await gauges(service, name) == {}
    service.inside.monitor_maintenance.refresh_recent()
    found = await gauges(service, name)
    answer = await service.get(f"/v1/monitors/{name}/checks")
    assert found == expected(answer["checks"])
    level = {"ok": 0, "warning": 1, "critical": 2}.get(world.state)
    levels = [
        each
        for check, each in found.get("kullback_check", {}).items()
        if each or check not in {"silence", "maturity"}
    ]
    assert max(levels, default=None) == level
    if world.check:
        assert found["kullback_check"][world.check] == level


async def test_checks_of_a_monitor_that_is_gone_have_no_gauges(service: Service) -> None:
    await make(service, "silent", WORLDS["silent"])
    service.inside.monitor_maintenance.refresh_recent()
    assert await gauges(service, "silent")
    await service.client.delete("/v1/monitors/silent")
    assert await gauges(service, "silent") == {}
