"""The overview has a row for every monitor, and for every arm that is compared."""

import re
from time import time

import numpy as np
import pytest

from kullback.judgement.findings import State
from kullback.monitoring.checks import Check, MonitorChecks
from kullback.ui.check_rows import badness
from kullback.ui.overview import Overview
from kullback.ui.overview_filter import CHOICES
from tests.experiments.arms import paired
from tests.experiments.service import EXPERIMENT, PAIRED, TWO, hours, observe, report, sent
from tests.monitoring.service import MONITOR, Service
from tests.statements import tables, watched
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
        ["clicks", "unknown", unseen, "", "", "—", "", ""]
    ]
    times = [service.clock.now - HOUR * at for at in (0, 1.5, 3)]
    await service.post("observations", y_true=[1, 1, 0], y_proba=[0.5] * 3, timestamp=times)
    service.inside.monitor_maintenance.refresh_recent()
    ((name, state, why, since, owner, loss, _, last),) = (await overview(service)).rows("Monitors")
    assert (name, state, since, owner, loss) == ("clicks", "unknown", "", "", "0.6931")
    assert why == "3 rows with mature labels: 200 are needed."
    assert last in {"just now", "1 minute ago"}


async def test_an_experiment_is_one_row_of_its_best_arm(service: Service) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"arms": ["a", "b", "c"]}))
    ((name, arm, verdict, *numbers),) = (await overview(service)).rows("Experiments")
    assert (name, arm) == ("ranker", "b against a and 1 other: 1 waiting")
    assert [verdict, *numbers[:3]] == ["waiting", "log loss", "—", ""]
    rows = sent(paired(noise=3.0, n=N), timestamp=hours(N, 30))
    known = zip(rows["y_proba"]["a"], rows["y_true"], strict=True)
    rows["y_proba"]["c"] = [0.9 * p + 0.1 * y for p, y in known]
    await observe(service, **rows)
    service.inside.experiment_maintenance.run_due()
    ((_, arm, verdict, _, effect, share, *_),) = (await overview(service)).rows("Experiments")
    assert (arm, verdict) == ("c against a and 1 other: 1 worse", "better")
    _, best = (await report(service))["comparisons"]
    number, unit = effect.replace("−", "-").split(" ")
    assert float(number) == pytest.approx(best["effect"], abs=1e-3)
    assert unit == "nats"
    own = Page.of(await service.client.get("/experiments/ranker"))
    assert f" {share} of a" in " ".join(own.text.split())


async def test_too_few_rows_wait_and_are_not_called_invalid(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    service.inside.experiment_maintenance.run_due()
    ((_, _, verdict, *_),) = (await overview(service)).rows("Experiments")
    assert verdict == "waiting"
    own = Page.of(await service.client.get("/experiments/ranker"))
    assert "b against a: waiting for rows" in own.states
    assert "no verdict, as the data" not in own.text


async def test_monitors_without_rows_are_folded_into_a_list(service: Service) -> None:
    for at in range(5):
        await service.put(f"/v1/monitors/bare-{at}", owner="Ads")
    page = await overview(service)
    assert "5 monitors that no rows have come for" in page.text
    assert page.links["bare-3"] == "monitors/bare-3"
    assert page.links["Without rows"] == "#without-rows"
    assert "without-rows" in page.ids
    assert "Monitors" not in page.tables
    found = Page.of(await service.client.get("/", params={"q": "bare-3"}))
    assert [row[0] for row in found.rows("Monitors")] == ["bare-3"]


async def test_all_owners_can_be_chosen(service: Service) -> None:
    for at in range(CHOICES + 2):
        await service.put(f"/v1/monitors/of-{at}", owner=f"team {at}")
    page = await overview(service)
    assert "… 2 more" in page.text
    assert {f"team {at}" for at in range(CHOICES + 2)} <= page.links.keys()


async def test_the_order_of_monitors_is_said(fleet: Service) -> None:
    assert "Worst first: no skill, then lost quality" in (await overview(fleet)).text


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


async def test_experiments_with_a_verdict_come_first(service: Service) -> None:
    await service.put("/v1/experiments/an-open-one", **PAIRED)
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **sent(paired(noise=3.0, n=N), timestamp=hours(N, 30)))
    service.inside.experiment_maintenance.run_due()
    rows = (await overview(service)).rows("Experiments")
    assert [(row[0], row[2]) for row in rows] == [
        ("ranker", "worse"),
        ("an-open-one", "waiting"),
    ]


async def skewed(service: Service, name: str, factor: float, **settings: object) -> None:
    """A monitor with two days of rows, of which the last hours are so many times too high."""
    path = f"/v1/monitors/{name}"
    await service.put(path, slices=["country"], **settings)
    generator = np.random.default_rng(3)
    ago = np.repeat(np.arange(48, 0, -1), 600)
    chance = generator.uniform(0.1, 0.4, ago.size)
    await service.post(
        "observations",
        path,
        y_true=(generator.random(ago.size) < chance).astype(float).tolist(),
        y_proba=np.where(ago <= 10, factor * chance, chance).tolist(),
        timestamp=(service.clock.now - HOUR * ago).tolist(),
        slice={"country": ["BR", "DE"] * (ago.size // 2)},
    )
    start, stop = (service.clock.now - HOUR * at for at in (48, 12))
    await service.put(f"{path}/reference", **{"from": start, "to": stop})


@pytest.fixture
async def fleet(service: Service) -> Service:
    """A sound monitor and one that is not, whose names are in the wrong order."""
    service.clock.now = time() // HOUR * HOUR
    await skewed(service, "a-sound", 1.0, owner="Ads", tags=["ctr"])
    await skewed(service, "z-broken", 2.2, owner="Search team", tags=["ctr", "R&D"])
    service.inside.monitor_maintenance.refresh_recent()
    overview_of(service).refresh(service.inside, service.clock.now)
    return service


def overview_of(service: Service) -> Overview:
    kept = service.app.state.overview
    assert isinstance(kept, Overview)
    return kept


async def test_the_worst_is_named_with_how_bad_since_when_and_whose(fleet: Service) -> None:
    page = await overview(fleet)
    worst, sound = page.rows("Monitors")
    name, state, why, since, owner, loss, _, last = worst
    assert (name, state, owner) == ("z-broken #ctr #R&D", "critical", "Search team")
    assert "ormalized entropy is" in why or "Predictions are" in why
    assert re.fullmatch(r"(9|10|11) hours ago", since), since
    assert re.fullmatch(r"0\.\d{3,4} \+\d+(\.\d)?%", loss), loss
    assert last == "60 minutes ago"
    assert sound[:5] == ["a-sound #ctr", "ok", "", "", "Ads"]
    assert not re.search(r"\d{4}-\d\d-\d\dT", page.text)


async def test_sparklines_have_one_scale_and_show_what_is_beyond(fleet: Service) -> None:
    text = (await fleet.client.get("/")).text
    (broken, _), (sound, far) = re.findall(
        r'class="spark" .*?d="(M[^"]+)"/>(<path class="beyond")?', text
    )
    heights = [[int(y) for y in re.findall(r" (\d+)", path)] for path in (broken, sound)]
    assert min(heights[0]) == 4
    assert all(20 < height < 80 for height in heights[1])
    assert not far


async def test_rows_are_chosen_by_words_state_tag_and_owner(fleet: Service) -> None:
    for query, names in (
        ({"q": "Z-BRO"}, ["z-broken"]),
        ({"q": "search entropy"}, ["z-broken"]),
        ({"q": "team zzz"}, []),
        ({"state": "ok"}, ["a-sound"]),
        ({"tag": "ctr"}, ["z-broken", "a-sound"]),
        ({"tag": "R&D"}, ["z-broken"]),
        ({"tag": "R"}, []),
        ({"owner": "Ads"}, ["a-sound"]),
        ({"owner": "Ads", "state": "critical"}, []),
    ):
        page = Page.of(await fleet.client.get("/", params=query))
        shown = [row[0].split(" ")[0] for row in page.rows("Monitors")] if names else []
        assert shown == names, query
        assert names or "No monitor fits." in page.text


async def test_links_keep_what_else_was_chosen(fleet: Service) -> None:
    page = Page.of(await fleet.client.get("/", params={"q": "o", "tag": "ctr"}))
    assert page.links["1 critical"] == "?q=o&state=critical&tag=ctr"
    assert page.links["Ads"] == "?q=o&tag=ctr&owner=Ads"
    assert page.links["R&D"] == "?q=o&tag=R%26D"
    critical = Page.of(await fleet.client.get("/" + page.links["1 critical"]))
    assert [row[0] for row in critical.rows("Monitors")] == ["z-broken #ctr #R&D"]
    assert critical.links["1 ok"] == "?q=o&state=ok&tag=ctr"


async def test_a_state_that_there_is_not_is_named_and_all_are_shown(fleet: Service) -> None:
    page = Page.of(await fleet.client.get("/", params={"state": "<b>"}))
    assert "No state “<b>”; there are critical, warning, ok, unknown." in page.text
    assert len(page.rows("Monitors")) == 2


async def test_a_request_draws_nothing(fleet: Service) -> None:
    with watched() as statements:
        await overview(fleet)
    assert set(tables(statements)) == {"records"}


def check(name: str, value: float, threshold: float, state: State = State.CRITICAL) -> Check:
    return Check(name, state, value, threshold, 9, 1, None, None, None, None, None, "")


def test_of_two_as_grave_no_skill_is_worst_and_drift_is_least_however_large() -> None:
    alarms = (
        (check("no_skill", -0.1, 0.0),),
        (check("calibration", 120.0, 1.1),),
        (check("calibration", 1.5, 1.1), check("score_drift", 6.0, 0.1)),
        (check("silence", 7200.0, 3600.0),),
        (check("feature_drift", 6.58, 0.25), check("score_drift", 9.0, 0.1)),
    )
    ranked = [badness(MonitorChecks("m", State.CRITICAL, 0.0, each)) for each in alarms]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == len(alarms)


def test_of_two_as_grave_the_one_further_beyond_its_threshold_is_worse() -> None:
    half, tenfold = check("calibration", 0.5, 1.1), check("calibration", 10.0, 1.1)
    ranked = [
        badness(MonitorChecks("m", State.CRITICAL, 0.0, checks))
        for checks in ((tenfold, half), (tenfold,), (half, half), (half,))
    ]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == 4
    grave = check("silence", 7200.0, 3600.0)
    assert badness(MonitorChecks("m", State.CRITICAL, 0.0, (grave,)))[2] == -2.0


async def test_an_infinite_log_loss_is_a_sign_and_no_word(service: Service) -> None:
    service.clock.now = time()
    await service.put(convention="exact")
    at = service.clock.now - HOUR
    await service.post("observations", y_true=[1, 0], y_proba=[0.0, 0.5], timestamp=[at, at])
    service.inside.monitor_maintenance.refresh_recent()
    overview_of(service).refresh(service.inside, service.clock.now)
    ((*_, loss, change, _),) = (await overview(service)).rows("Monitors")
    assert (loss, change) == ("∞", "")
