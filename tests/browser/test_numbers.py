"""What charts draw is what the API answers, number by number."""

import math
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import Chart, Drawn, Page, look

RANKER = "/experiments/ranker?step=3600"
SURE = 1.96
Answer = dict[str, object]


@pytest.fixture(scope="module")
def pages(
    client: httpx.Client, course: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Page]:
    """The two pages whose charts are compared: another process may look at all of them."""
    out = tmp_path_factory.mktemp("numbers") / "seen.json"
    return look(address_of(client), out, [RANKER, course])


def answered(client: httpx.Client, path: str, **asked: str | int) -> Answer:
    answer: Answer = client.get(httpx.URL(path).copy_merge_params(asked)).raise_for_status().json()
    return answer


def objects(value: object) -> list[Answer]:
    assert isinstance(value, list)
    return value


def epoch(moment: object) -> float:
    found = datetime.fromisoformat(str(moment))
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def chart(page: Page, name: str) -> Chart:
    """A chart in the first view of a page."""
    (found,) = (one for one in page.views[0].charts if one.name == name)
    return found


def picture(page: Page, name: str) -> dict[str, Any]:
    """What a picture of a page is drawn from."""
    (data,) = (each.data for each in page.pictures if each.name == name)
    return data


def series(page: Page, name: str, label: str) -> Drawn:
    (found,) = (one for one in chart(page, name).series if one.label == label)
    return found


def test_metrics_over_time_are_their_series(
    client: httpx.Client, pages: dict[str, Page], course: str, hours: dict[str, str]
) -> None:
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    for metric in ("log_loss", "normalized_entropy", "calibration_ratio"):
        drawn = chart(pages[course], metric.replace("_", "-"))
        step = round(drawn.x[1] - drawn.x[0])
        path = f"/v1/monitors/clicks/series?metric={metric}"
        points = objects(answered(client, path, step=step, **times)["points"])
        (line,) = drawn.series
        found = {x: y for x, y in zip(drawn.x, line.y, strict=True) if y is not None}
        assert found == {epoch(one["from"]): one["value"] for one in points}
        assert len(points) >= 20


def test_a_band_is_two_standard_errors_wide(
    client: httpx.Client, pages: dict[str, Page], course: str, hours: dict[str, str]
) -> None:
    drawn = chart(pages[course], "log-loss")
    step = round(drawn.x[1] - drawn.x[0])
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    points = objects(answered(client, "/v1/monitors/clicks/series", step=step, **times)["points"])
    errors = {epoch(one["from"]): one["standard_error"] for one in points}
    (line,) = drawn.series
    assert line.high is not None
    for x, y, high in zip(drawn.x, line.y, line.high, strict=True):
        if y is not None and high is not None:
            assert high == pytest.approx(y + SURE * float(str(errors[x])))


def test_rows_over_time_are_all_rows(
    client: httpx.Client, pages: dict[str, Page], course: str, hours: dict[str, str]
) -> None:
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    report = answered(client, "/v1/monitors/clicks/report", **times)
    assert math.fsum(y or 0 for y in series(pages[course], "rows", "Rows").y) == report["n"]


def test_reliability_of_a_monitor_is_that_of_its_report(
    client: httpx.Client, pages: dict[str, Page], course: str, hours: dict[str, str]
) -> None:
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    bins = objects(answered(client, "/v1/monitors/clicks/report", **times)["reliability"])
    filled = [each for each in bins if each["mean_predicted"] is not None]
    drawn = picture(pages[course], "reliability")
    assert drawn["x"] == [each["mean_predicted"] for each in filled]
    assert drawn["series"][1]["y"] == [each["observed"] for each in filled]


def test_the_effect_over_time_is_the_series_of_the_experiment(
    client: httpx.Client, pages: dict[str, Page]
) -> None:
    points = objects(answered(client, "/v1/experiments/ranker/series", step=3600)["points"])
    drawn = chart(pages[RANKER], "effect")
    assert drawn.x == [epoch(one["to"]) for one in points]
    assert series(pages[RANKER], "effect", "Effect").y == [one["effect"] for one in points]
    powers = series(pages[RANKER], "evidence", "Power of ten").y
    e_values = [one["e_value"] for one in points if isinstance(one["e_value"], float)]
    assert powers == pytest.approx([math.log10(e_value) for e_value in e_values])
    bands = [[one.low, one.high] for one in drawn.series if one.low is not None]
    for band, field in zip(bands, ("sequence", "fixed_interval"), strict=True):
        ends = [one[field] or [None, None] for one in points]
        assert [list(pair) for pair in zip(*band, strict=True)] == ends


def test_reliability_of_arms_is_that_of_the_report(
    client: httpx.Client, pages: dict[str, Page]
) -> None:
    arms = objects(answered(client, "/v1/experiments/ranker/report")["arms"])
    drawn = picture(pages[RANKER], "reliability")
    by_arm = {each["label"]: each["y"] for each in drawn["series"]}
    for arm in arms:
        bins = objects(arm["reliability"])
        filled = [each for each in bins if each["mean_predicted"] is not None]
        observed = by_arm[arm["arm"]]
        own = [at for at, y in enumerate(observed) if y is not None]
        assert [drawn["x"][at] for at in own] == [each["mean_predicted"] for each in filled]
        assert [observed[at] for at in own] == [each["observed"] for each in filled]
