"""The page of an experiment of several arms: ranked, with the best first and the others folded."""

import pytest

from tests.experiments.arms import paired
from tests.experiments.service import EXPERIMENT, PAIRED, hours, observe, report, sent
from tests.monitoring.service import Service
from tests.ui.experiments import N, opened

pytestmark = pytest.mark.anyio

ARMS = ["a", "b", "c", "d", "e"]


@pytest.fixture
async def several(service: Service) -> Service:
    """Arms of which d is the best, and b worse than the control."""
    await service.put(EXPERIMENT, **(PAIRED | {"arms": ARMS}))
    rows = sent(paired(noise=3.0, n=N), timestamp=hours(N, 30))
    known = list(zip(rows["y_proba"]["a"], rows["y_true"], strict=True))
    for arm, part in (("c", 0.1), ("d", 0.3), ("e", 0.2)):
        rows["y_proba"][arm] = [(1 - part) * p + part * y for p, y in known]
    await observe(service, **rows)
    return service


async def test_arms_are_ranked_by_what_is_shown_of_them(several: Service) -> None:
    page = await opened(several)
    effects = {each["arm"]: each["effect"] for each in (await report(several))["comparisons"]}
    drawn = page.figures["by-arm"]
    assert drawn["xNames"] == ["d", "e", "c", "b"]
    assert drawn["series"][0]["y"] == [effects[arm] for arm in drawn["xNames"]]
    assert page.states[0] == "d is better than a"
    assert "The verdicts on 3 other arms" in page.text


async def test_checks_and_the_list_of_parts_come_before_the_other_verdicts(
    several: Service,
) -> None:
    text = (await several.client.get("/experiments/ranker")).text
    places = [
        text.index(part)
        for part in (
            *("d is better than a", 'class="chips"', 'aria-label="On this page"', 'id="by-arm"'),
            *('id="other-verdicts"', "e is better than a", "b is worse than a"),
        )
    ]
    assert places == sorted(places)


async def test_the_page_is_of_the_arm_that_is_asked_for_and_else_of_the_best(
    several: Service,
) -> None:
    best, other = await opened(several), await opened(several, arm="c")
    assert best.links["c"] == "?epoch=1&arm=c"
    for page, arm in ((best, "d"), (other, "c")):
        assert f"Effects of {arm}" in page.text
        points = await several.points(EXPERIMENT, step=3600, arm=arm)
        effects = {point["effect"] for point in points}
        assert set(page.figures["effect"]["series"][-1]["y"]) <= effects
    assert other.states[:2] == ["d is better than a", "c is better than a"]


async def test_the_table_of_many_arms_is_of_the_two_and_the_others_are_folded(
    several: Service,
) -> None:
    page = await opened(several)
    assert [row[0] for row in page.rows("The arms")] == ["a (control)", "d"]
    assert [row[0] for row in page.rows("All arms")] == ["a (control)", *ARMS[1:]]
