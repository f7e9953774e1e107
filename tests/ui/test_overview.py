"""The overview has a row for every monitor, and for every arm that is compared."""

from time import time

import pytest

from tests.experiments.arms import paired
from tests.experiments.service import EXPERIMENT, PAIRED, hours, observe, report, sent
from tests.monitoring.service import MONITOR, Service
from tests.statements import watched
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

HOUR = 3600.0
N = 3000


async def overview(service: Service) -> Page:
    return Page.of(await service.client.get("/"))


async def test_a_monitor_has_its_state_and_its_last_hour(service: Service) -> None:
    service.clock.now = time()
    await service.put()
    unseen = "Nobody has looked yet: that is done within a minute."
    assert (await overview(service)).rows("Monitors") == [
        ["clicks", "unknown", unseen, "—", "", "—"]
    ]
    times = [service.clock.now - HOUR * at for at in (0, 1.5, 3)]
    await service.post("observations", y_true=[1, 1, 0], y_proba=[0.5] * 3, timestamp=times)
    service.inside.monitor_maintenance.refresh_recent()
    ((name, state, why, loss, _, last),) = (await overview(service)).rows("Monitors")
    assert (name, state, loss) == ("clicks", "ok", "0.693147")
    assert why == "3 rows with mature labels: 200 are needed."
    assert last in {"just now", "1 minute ago"}


async def test_every_arm_has_its_verdict_and_its_effect(service: Service) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"arms": ["a", "b", "c"]}))
    before = (await overview(service)).rows("Experiments")
    assert [row[:4] for row in before] == [
        ["ranker", f"{arm} against a", "undecided", "—"] for arm in "bc"
    ]
    rows = sent(paired(noise=3.0, n=N), timestamp=hours(N, 30))
    rows["y_proba"]["c"] = rows["y_proba"]["a"]
    await observe(service, **rows)
    service.inside.experiment_maintenance.run_due()
    after = (await overview(service)).rows("Experiments")
    for row, arm in zip(after, (await report(service))["comparisons"], strict=True):
        assert row[1:3] == [f"{arm['arm']} against a", arm["verdict"]]
        assert float(row[3].replace("−", "-")) == pytest.approx(arm["effect"], rel=0.01)


async def test_no_monitor_is_read_twice_for_its_row(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.9, 0.2])
    await service.put(f"{MONITOR}/reference", y_true=[1, 0], y_proba=[0.9, 0.2])
    with watched() as statements:
        await overview(service)
    assert len(set(statements)) == len(statements)


async def test_an_experiment_of_two_years_is_one_row_among_the_others(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    days = [service.clock.now - 86_400.0 * at for at in range(600)]
    await observe(service, **sent(paired(n=600), timestamp=days))
    ((name, *_),) = (await overview(service)).rows("Experiments")
    assert name == "ranker"
