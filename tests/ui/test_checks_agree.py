"""What the API answers of the checks of a monitor, the pages show, and Prometheus reads."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest

from kullback.figures.typesetting import shown
from kullback.telemetry.check_gauges import LEVELS
from kullback.ui.render import sentence
from tests.monitoring.service import Document, Service
from tests.monitoring.states import WORLDS, World, make
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

ORDER = ("critical", "warning", "ok", "unknown")


def generated(count: int) -> dict[str, World]:
    """Worlds that nobody has chosen."""
    rng = np.random.default_rng(11)
    return {
        f"generated-{number}": World(
            "",
            factor=float(rng.uniform(0.4, 2.5)),
            country=str(rng.choice(["", "FR"])),
            is_shuffled=bool(rng.random() < 0.2),
            hours=int(rng.integers(26, 49)),
        )
        for number in range(count)
    }


async def answers(
    service: Service, more: Mapping[str, World] = MappingProxyType({})
) -> dict[str, Document]:
    """The checks of a monitor in each state, and of more monitors, by their names."""
    worlds = {**WORLDS, **more}
    for name, world in worlds.items():
        await make(service, name, world)
    service.inside.monitor_maintenance.refresh_recent()
    result = {name: await service.get(f"/v1/monitors/{name}/checks") for name in worlds}
    assert {name: result[name]["state"] for name in WORLDS} == {
        name: world.state for name, world in WORLDS.items()
    }
    return result


async def test_pages_and_prometheus_say_what_the_api_answers(service: Service) -> None:
    samples, pages = {}, {}
    known = await answers(service, generated(11))
    assert len(known) == 20
    listed = (await service.get("/v1/monitors?limit=100"))["monitors"]
    assert {one["name"]: one["state"] for one in listed} == {
        name: answer["state"] for name, answer in known.items()
    }
    rows = {row[0]: row for row in Page.of(await service.client.get("/")).rows("Monitors")}
    for name, answer in known.items():
        pages[name] = Page.of(await service.client.get(f"/monitors/{name}"))
        samples[name] = await service.samples(monitor=name)
        assert (await service.get(f"/v1/monitors/{name}"))["state"] == answer["state"]
        assert rows[name][1] == answer["state"]
        assert pages[name].states[0] == answer["state"]
        gauges = {
            check["name"]: samples[name].get(
                f'kullback_check{{check="{check["name"]}",monitor="{name}"}}'
            )
            for check in answer["checks"]
        }
        assert gauges == {check["name"]: LEVELS.get(check["state"]) for check in answer["checks"]}
        alarms = [each for each in answer["checks"] if each["state"] == answer["state"]]
        if answer["state"] in {"warning", "critical"}:
            first, _, _ = sentence(alarms[0]["statement"], service.clock.now).partition(". ")
            assert rows[name][2].startswith(first.removesuffix("."))
            assert sentence(alarms[0]["statement"], service.clock.now) in " ".join(
                pages[name].text.split()
            )


async def test_the_page_of_a_monitor_has_every_check_the_worst_first(service: Service) -> None:
    known = await answers(service)
    for name, answer in known.items():
        page = Page.of(await service.client.get(f"/monitors/{name}"))
        if name == "empty":
            assert page.tables == {}
            continue
        alarms = page.rows("Checks") if "Checks" in page.tables else []
        assert all(row[1] in {"critical", "warning"} for row in alarms)
        rows = alarms + page.rows("Checks without an alarm")
        states = [row[1] for row in rows]
        assert states == sorted(states, key=ORDER.index)
        cells = {row[0].lower().replace(" ", "_"): row[1:] for row in rows}
        assert cells.keys() == {check["name"] for check in answer["checks"]}
        for check in answer["checks"]:
            row = cells[check["name"]]
            assert (row[0], row[3]) == (check["state"], shown(check["n"]))
            assert (row[1] == "—", row[2] == "—") == (
                check["value"] is None,
                check["threshold"] is None,
            )
            assert (row[4] == "—") == (check["since"] is None)
            assert row[5] == sentence(check["statement"], service.clock.now)


async def test_the_overview_has_the_worst_first_and_those_of_a_state(service: Service) -> None:
    known = await answers(service)
    page = Page.of(await service.client.get("/"))
    states = [row[1] for row in page.rows("Monitors")]
    assert states == sorted(states, key=ORDER.index)
    assert len(states) == len(WORLDS)
    for state in ORDER:
        names = {name for name, answer in known.items() if answer["state"] == state}
        assert page.links[f"{len(names)} {state}"] == f"?state={state}"
        some = Page.of(await service.client.get("/", params={"state": state}))
        assert {row[0] for row in some.rows("Monitors")} == names
    odd = Page.of(await service.client.get("/", params={"state": "<b>"}))
    assert "No state “<b>”; there are critical, warning, ok, unknown." in odd.text
    assert len(odd.rows("Monitors")) == len(WORLDS)
