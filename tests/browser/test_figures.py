"""Figures under a hand: values at a pointer, time by a drag, numbers and pictures as files."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import Chart, Page, use_figures
from tests.browser.test_numbers import answered, objects
from tests.browser.test_pages import charts

Seen = dict[str, Any]
HEADS = ["Log loss", "Log loss, low", "Log loss, high"]


@pytest.fixture(scope="module")
def seen(client: httpx.Client, course: str, hours: dict[str, str]) -> Seen:
    deploy = {"time": f"{hours['from'][:11]}{hours['from'][11:13]}:30:00Z", "text": "deploy 41"}
    client.post("/v1/monitors/clicks/annotations", json=deploy).raise_for_status()
    last = datetime.fromisoformat(hours["to"]) - timedelta(seconds=1)
    rolled_back = {"time": f"{last.isoformat()}Z", "text": "rolled back"}
    client.post("/v1/monitors/clicks/annotations", json=rolled_back).raise_for_status()
    return use_figures(address_of(client), course)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def moments(address: str) -> list[datetime]:
    query = parse_qs(urlsplit(address).query)
    return [datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC) for name in ("from", "to")]


def test_a_pointer_reads_the_value_with_its_interval(seen: Seen) -> None:
    time, value = seen["hover"]["own"].split(" · ")
    rows = {row["Time (UTC)"][:16].replace("T", " "): row for row in table(csv_of(seen))}
    number, interval = value.removeprefix("Log loss ").split(" (")
    assert float(number) == pytest.approx(float(rows[time]["Log loss"]), abs=0.01)
    low, high = interval.removesuffix(")").split(" to ")
    assert float(low) == pytest.approx(float(rows[time]["Log loss, low"]), abs=0.01)
    assert float(high) == pytest.approx(float(rows[time]["Log loss, high"]), abs=0.01)


def latest(seen: Seen) -> str:
    rows = [row for row in table(csv_of(seen)) if row["Log loss"]]
    return rows[-1]["Time (UTC)"][:16].replace("T", " ")


def csv_of(seen: Seen, name: str = "log-loss") -> str:
    text: str = seen["files"][name]["csv"]
    return text


def test_the_cursors_of_a_page_are_at_one_time(seen: Seen) -> None:
    own, other = seen["hover"]["own"], seen["hover"]["other"]
    assert own.split(" · ")[0] == other.split(" · ")[0] != ""
    assert "Calibration ratio" in other
    assert seen["away"].startswith(f"Latest: {latest(seen)} · Log loss ")


def test_keys_move_the_cursor_from_step_to_step(seen: Seen) -> None:
    times = [row["Time (UTC)"][:16].replace("T", " ") for row in table(csv_of(seen))]
    first, second, third, last, gone = (text.split(" · ")[0] for text in seen["keys"])
    assert [first, second, third, last] == [*times[:3], times[-1]]
    assert gone == f"Latest: {latest(seen)}"


def test_a_pointer_on_a_picture_reads_its_point(seen: Seen) -> None:
    (words,) = seen["tip"]
    row = table(csv_of(seen, "reliability"))[2]
    place, observed = words.split(" · ")
    assert float(place) == pytest.approx(float(row["Mean prediction"]), rel=1e-3)
    number, interval = observed.removeprefix("Observed ").split(" (")
    assert float(number) == pytest.approx(float(row["Observed"]), abs=0.005)
    assert interval.endswith(")")


def test_a_mark_of_time_says_what_happened_beside_its_line(seen: Seen) -> None:
    assert seen["mark"] == {"before": 2, "words": ["rolled back", "deploy 41"]}
    assert seen["marks"] == 2 * 4, "on each chart over time, also of what came after its last step"


def test_a_drag_zooms_to_whole_steps_and_writes_them_into_the_address(seen: Seen) -> None:
    start, stop = moments(seen["zoomed"])
    before = moments(seen["before"])
    assert before[0] < start < stop < before[1]
    assert "range" not in parse_qs(urlsplit(seen["zoomed"]).query)
    steps = [row["Time (UTC)"].removesuffix("Z") for row in table(csv_of(seen))]
    assert {start.isoformat()[:19], stop.isoformat()[:19]} <= set(steps)
    part = (stop - start) / (before[1] - before[0])
    assert 0.3 <= part <= 0.45
    first, second, *_, last = seen["inside"]
    assert first <= start.timestamp() < second
    assert last < stop.timestamp()


def test_a_click_is_no_zoom(seen: Seen) -> None:
    assert seen["clicked"] == seen["before"]


def test_the_csv_is_the_series_to_the_last_digit(
    client: httpx.Client, seen: Seen, hours: dict[str, str]
) -> None:
    rows = table(csv_of(seen))
    first, second = (datetime.fromisoformat(row["Time (UTC)"]) for row in rows[:2])
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    step = round((second - first).total_seconds())
    path = "/v1/monitors/clicks/series?metric=log_loss"
    points = objects(answered(client, path, step=step, **times)["points"])
    filled = {row["Time (UTC)"]: float(row["Log loss"]) for row in rows if row["Log loss"]}
    assert list(rows[0]) == ["Time (UTC)", *HEADS]
    assert len(filled) >= 20
    assert filled == {point["from"]: point["value"] for point in points}


def test_the_csv_of_a_picture_is_the_report_to_the_last_digit(
    client: httpx.Client, seen: Seen, hours: dict[str, str]
) -> None:
    times = {key: f"{moment}Z" for key, moment in hours.items()}
    bins = objects(answered(client, "/v1/monitors/clicks/report", **times)["reliability"])
    rows = table(csv_of(seen, "reliability"))
    for head, field in (("Mean prediction", "mean_predicted"), ("Observed", "observed")):
        wanted = [each[field] for each in bins if each["mean_predicted"] is not None]
        assert [float(row[head]) for row in rows] == wanted
    assert {"Bin from", "to", "Weight"} <= set(rows[0])


def test_files_are_named_by_what_they_hold(seen: Seen) -> None:
    csv_name, png_name = seen["files"]["log-loss"]["names"]
    start, *_ = moments(seen["before"])
    assert csv_name.startswith(f"clicks-log-loss-{start:%Y%m%dT%H%M}-")
    assert csv_name.endswith(".csv")
    assert png_name == csv_name.replace(".csv", ".png")
    assert seen["files"]["reliability"]["names"] == [
        "clicks-reliability.csv",
        "clicks-reliability.png",
    ]


@pytest.mark.parametrize("name", ["log-loss", "reliability"])
@pytest.mark.parametrize("theme", ["files", "dark"])
def test_a_png_has_the_colours_of_the_page(seen: Seen, name: str, theme: str) -> None:
    picture = seen[theme][name]["png"]
    size = picture["width"] * picture["height"]
    assert picture["width"] >= 400
    assert 0.5 * size < picture["paper"] < size
    assert 0.0005 * size < picture["hue"]
    assert picture["words"] > 50


def test_without_scripts_there_are_no_buttons_that_do_nothing(seen: Seen) -> None:
    assert seen["buttons"] > 4
    assert seen["withoutScripts"] == 0


def numbers(chart: dict[str, Any]) -> Iterator[tuple[int, float | str | None, dict[str, Any]]]:
    for series in chart["series"]:
        for column in (series["y"], series["low"] or [], series["high"] or []):
            for at, value in enumerate(column):
                yield at, value, series


def test_whatever_a_page_draws_lies_inside_its_axes_or_has_an_arrow(pages: dict[str, Page]) -> None:
    figures = [chart.data for _, chart in charts(pages)]
    figures += [picture.data for page in pages.values() for picture in page.pictures]
    assert len(figures) > 40
    for figure in figures:
        low, high = figure["yRange"]
        for at, value, series in numbers(figure):
            if isinstance(value, (int, float)):
                assert low <= value or at in series["below"], (figure["yLabel"], value, low)
                assert value <= high or at in series["above"], (figure["yLabel"], value, high)


def test_the_axis_that_is_drawn_is_the_one_that_was_given(pages: dict[str, Page]) -> None:
    drawn: list[tuple[str, Chart]] = list(charts(pages))
    assert len(drawn) > 20
    for place, chart in drawn:
        assert chart.axis == chart.data["yRange"], place
