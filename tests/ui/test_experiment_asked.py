"""What is asked of the page of an experiment stands in its address, and may be anything."""

from collections.abc import AsyncIterator

import pytest

from tests.experiments.arms import paired
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    PAIRED,
    PARALLEL,
    TWO,
    hours,
    observe,
    report,
    sent,
)
from tests.monitoring.service import NOON, Service, running
from tests.ui.experiments import PAGE, N, crossed, opened
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def crossed_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service with an experiment in which b is worse, to look at and leave as it is."""
    path = tmp_path_factory.mktemp("crossed") / "kullback.db"
    async with running(f"sqlite:///{path}") as service:
        await crossed(service)
        yield service


async def test_a_past_epoch_can_be_looked_at(service: Service) -> None:
    await crossed(service)
    await service.put(NEW_EPOCH, **PARALLEL)
    present = await opened(service)
    assert "No rows yet" in present.text
    assert present.links["See the epoch before"] == "?epoch=1"
    past = await opened(service, epoch="1")
    assert "b is worse than a" in past.states
    assert "This is a past epoch" in past.text
    assert past.links["See the present one"] == "../experiments/ranker"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"epoch": "7"}, "There is no such epoch"),
        ({"epoch": "0"}, "There is no such epoch"),
        ({"epoch": "9" * 5000}, "There is no such epoch"),
        ({"epoch": "<b>"}, "There is no such epoch"),
        ({"arm": "a"}, "There is no such arm"),
        ({"arm": "<script>"}, "There is no such arm"),
        ({"step": "60"}, "A step is whole hours"),
        ({"step": "-3600"}, "A step is whole hours"),
        ({"step": "²"}, "A step is whole hours"),
    ],
)
async def test_what_cannot_be_asked_for_is_told_on_the_page(
    crossed_service: Service, query: dict[str, str], told: str
) -> None:
    page = await opened(crossed_service, **query)
    assert any(told in state for state in page.states)
    assert "b is worse than a" in page.states
    assert page.figures["effect"] == (await opened(crossed_service)).figures["effect"]


async def test_other_parameters_and_empty_ones_are_nothing(service: Service) -> None:
    plain = await crossed(service)
    empty = {"epoch": "", "arm": "", "step": "", "other": "x"}
    page = Page.of(await service.client.get(PAGE, params=empty, follow_redirects=True))
    assert page.figures == plain.figures
    assert page.states == plain.states


async def test_a_step_with_too_many_points_is_told_and_a_longer_one_is_taken(
    service: Service,
) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    count = 501
    rows = sent(paired(n=count), timestamp=[NOON - 3600 * at for at in range(count)])
    await observe(service, **rows)
    page = await opened(service, step="3600")
    assert any("501 points, where at most 500" in state for state in page.states)
    longer = await opened(service, step=str(6 * 3600))
    assert longer.figures["effect"] == page.figures["effect"]
    assert not any("points" in state for state in longer.states)


async def test_rows_of_all_time_have_a_course(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    n = 520
    times = [NOON * at / n for at in range(n)]
    await observe(service, **sent(paired(n=n), timestamp=times))
    page = await opened(service)
    assert len(page.figures["effect"]["x"]) > 20
    assert page.states == ["b against a: not decided yet", *page.states[1:]]


async def test_another_arm_can_be_picked(service: Service) -> None:
    rows = sent(paired(n=600), timestamp=hours(600, 4))
    rows["y_proba"]["c"] = rows["y_proba"]["a"]
    await service.put(EXPERIMENT, **(PAIRED | {"arms": ["a", "b", "c"]}))
    await observe(service, **rows)
    page = await opened(service, arm="c")
    assert {"b", "c"} <= set(page.options)
    (_, _, effect) = page.figures["effect"]["series"]
    assert set(effect["y"]) == {0.0}
    assert "The numbers of Reliability of a and c" in page.tables
    assert "The numbers of Reliability of a and b" not in page.tables


async def test_a_page_is_sent_again_only_where_rows_came(service: Service) -> None:
    await crossed(service)
    first = await service.client.get(PAGE)
    known = {"if-none-match": first.headers["etag"]}
    assert (await service.client.get(PAGE, headers=known)).status_code == 304
    await observe(service, **TWO)
    assert (await service.client.get(PAGE, headers=known)).status_code == 200


async def test_a_name_that_is_not_there_lists_those_that_are(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    page = Page.of(await service.client.get("/experiments/<b>nothing"), 404)
    assert page.links["ranker"] == "../experiments/ranker"


async def test_both_answers_stand_in_the_verdict_whatever_the_plan_asks(service: Service) -> None:
    page = await crossed(service)
    (one,) = (await report(service))["comparisons"]
    assert (one["superiority"], one["margin"]) == ("worse", "worse")
    assert "Is there a difference? Yes, worse." in " ".join(page.text.split())
    assert "Yes, worse by more." in page.text
    await service.put(NEW_EPOCH, **(PAIRED | {"minimum_effect": 0.5}))
    await observe(service, **sent(paired(noise=3.0, n=N), timestamp=hours(N, 30)))
    (one,) = (await report(service))["comparisons"]
    assert (one["superiority"], one["margin"]) == ("worse", "undecided")
    text = " ".join((await opened(service)).text.split())
    assert (
        "Is there a difference? Yes, worse. Does it matter, by 0.5 nats? Not decided yet." in text
    )


async def test_a_stopped_experiment_is_marked_and_cannot_be_stopped_again(
    service: Service,
) -> None:
    page = await crossed(service)
    assert "note" in page.ids
    home = Page.of(await service.client.get("/"))
    assert home.rows("Experiments")[0][2] == "waiting"
    await service.post("stop", EXPERIMENT, note="enough")
    home = Page.of(await service.client.get("/"))
    assert home.rows("Experiments")[0][2] == "undecided stopped"
    page = await opened(service)
    assert "Stopped" in page.states
    assert "note" not in page.ids
