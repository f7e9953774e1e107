"""Every page, opened in a real browser: it works, it is light, and everybody can use it."""

import json
from collections.abc import Iterator
from datetime import datetime

import httpx

from tests.browser.conftest import MISSING, PATHS, address_of
from tests.browser.filling import HOSTILE, IMAGE, QUOTES, SCRIPT
from tests.browser.looking import Chart, Page, View, watch

SOFT = 40  # of 255: the edge of a line is mixed with what is behind it
KILOBYTES = 300  # of 200 monitors, with all that their page loads
POLL_SECONDS = 5
OURS = tuple(path for path in PATHS if path != "/docs")


def views(pages: dict[str, Page]) -> Iterator[tuple[str, View]]:
    """Every page in every theme and width."""
    for path, page in pages.items():
        for view in page.views:
            yield f"{path} {view.theme} {view.width}", view


def charts(pages: dict[str, Page]) -> Iterator[tuple[str, Chart]]:
    """Every chart in every theme and width."""
    for place, view in views(pages):
        for chart in view.charts:
            yield f"{place} {chart.name}", chart


def test_every_page_is_there(pages: dict[str, Page]) -> None:
    expected = {path: 404 if path in MISSING else 200 for path in pages}
    assert set(PATHS) < set(pages)
    assert {path: page.status for path, page in pages.items()} == expected


def test_a_missing_page_says_what_there_is(pages: dict[str, Page]) -> None:
    for path, name in zip(MISSING, ("clicks", "ranker", "log-loss"), strict=True):
        assert name in pages[path].text


def test_the_console_stays_silent_and_the_policy_is_kept(pages: dict[str, Page]) -> None:
    said = {
        path: [str(one) for one in page.said if not (path in MISSING and one.at.endswith(path))]
        for path, page in pages.items()
    }
    assert {path: texts for path, texts in said.items() if texts} == {}


def test_nothing_that_a_page_asks_for_is_missing(pages: dict[str, Page]) -> None:
    failed = {
        path: [url for url in page.failed if not (path in MISSING and url.endswith(path))]
        for path, page in pages.items()
    }
    assert {path: urls for path, urls in failed.items() if urls} == {}


def test_no_page_asks_anybody_else(pages: dict[str, Page]) -> None:
    assert {path: page.elsewhere for path, page in pages.items() if page.elsewhere} == {}


def test_axe_finds_nothing_in_either_theme(pages: dict[str, Page]) -> None:
    found = {place: view.violations for place, view in views(pages)}
    assert {place: violations for place, violations in found.items() if violations} == {}


def test_every_page_fits_a_phone_and_a_desk(pages: dict[str, Page]) -> None:
    wide = {place: view.needed for place, view in views(pages) if "/docs" not in place}
    assert {place: needed for place, needed in wide.items() if needed > int(place.split()[2])} == {}


def test_the_keyboard_reaches_every_control_in_order(pages: dict[str, Page]) -> None:
    for path in OURS:
        assert pages[path].there != [], path
        assert pages[path].reached == pages[path].there, path


def test_every_page_has_a_title_of_its_own(pages: dict[str, Page]) -> None:
    plain = [path for path in PATHS if path not in MISSING and "?" not in path]
    titles = [(path.split("/")[1], pages[path].title) for path in plain]
    assert len(set(titles)) == len(titles)


def test_an_id_stands_once_on_a_page(pages: dict[str, Page]) -> None:
    assert {path: pages[path].twice for path in OURS if pages[path].twice} == {}


def test_every_figure_is_drawn_as_wide_as_its_place(pages: dict[str, Page]) -> None:
    drawn = list(charts(pages))
    assert any(place.startswith("/monitors/clicks") for place, _ in drawn)
    assert any(place.startswith("/experiments/ranker") for place, _ in drawn)
    for place, chart in drawn:
        assert 0 < chart.width == chart.room, place


def test_charts_draw_the_numbers_they_were_given(pages: dict[str, Page]) -> None:
    for place, chart in charts(pages):
        assert chart.drawn == [chart.x, *(one.y for one in chart.series)], place


def test_every_line_and_point_has_the_colour_of_its_series(pages: dict[str, Page]) -> None:
    unseen = []
    for place, chart in charts(pages):
        for ys, one in zip(chart.drawn[1:], chart.series, strict=True):
            if one.style in {"line", "points"} and any(y is not None for y in ys):
                far = max(abs(a - b) for a, b in zip(one.pixel or [999], one.wanted, strict=False))
                unseen += [f"{place} {one.label}: {one.pixel} for {one.wanted}"] * (far > SOFT)
    assert unseen == []


def test_the_themes_have_colours_of_their_own(pages: dict[str, Page]) -> None:
    wanted = {
        theme: {
            tuple(one.wanted)
            for view in pages["/monitors/clicks"].views
            if view.theme == theme
            for chart in view.charts
            for one in chart.series
        }
        for theme in ("light", "dark")
    }
    assert wanted["light"] != set() != wanted["dark"]
    assert wanted["light"].isdisjoint(wanted["dark"])


def test_every_chart_has_a_table_of_its_numbers(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        for chart in page.views[0].charts:
            tables = [table for table in page.tables if table.figure == chart.name]
            assert len(tables) == 1, f"{path} {chart.name}"
            rows = tables[0].rows[1:]
            expected = list(zip(*columns(chart), strict=True))
            assert len(rows) == len(expected), f"{path} {chart.name}"
            for row, wanted in zip(rows, expected, strict=True):
                assert all(map(same, row, wanted)), f"{path} {chart.name} {row} {wanted}"


def test_tables_are_there_without_scripts(pages: dict[str, Page]) -> None:
    for path in OURS:
        page = pages[path]
        assert all(page.plain.tables), path
        if "/playground/" not in path:  # where scripts score what is sent
            assert len(page.plain.tables) == len(page.tables), path


def test_names_made_to_harm_are_text(pages: dict[str, Page]) -> None:
    for path in ("/monitors/hostile?by=country", "/experiments/hostile-test"):
        for name in HOSTILE:
            assert name in pages[path].plain.text, f"{path} {name}"
    for name in (SCRIPT, QUOTES, IMAGE):
        assert name in pages["/"].text


def test_no_name_runs_as_a_script(pages: dict[str, Page]) -> None:
    assert {path: page.dialogs for path, page in pages.items() if page.dialogs} == {}


def test_the_overview_of_very_many_monitors_is_light(crowd: dict[str, int]) -> None:
    assert len(crowd) >= 4
    assert min(crowd.values()) > 0
    assert sum(crowd.values()) < KILOBYTES * 1000, crowd


def test_a_page_comes_to_say_what_was_sent_while_it_was_open(
    client: httpx.Client, pages: dict[str, Page]
) -> None:
    assert "renewed" not in pages["/"].text
    with watch(address_of(client), "renewed") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "looking\n"
        client.put("/v1/monitors/renewed", json={})
        renewed = json.loads(watching.stdout.readline())
    client.delete("/v1/monitors/renewed")
    assert 1 <= renewed["told"] <= 2, "polls that had it, by the time it was shown"
    assert 0 < renewed["rest"] <= POLL_SECONDS


def columns(chart: Chart) -> list[list[float | None] | list[float] | list[str]]:
    """What the table of a chart must show: x, and of each series its values and bounds."""
    found: list[list[float | None] | list[float] | list[str]] = [chart.names or chart.x]
    for one in chart.series:
        if one.low is None or any(y is not None for y in one.y):
            found.append(one.y)
        found += [bound for bound in (one.low, one.high) if bound is not None]
    return found


def same(cell: str, wanted: float | str | None) -> bool:
    """Whether a cell shows this, rounded to the digits that it has."""
    plain = cell.replace("−", "-").replace(",", "")
    if not isinstance(wanted, (int, float)):
        return cell == (wanted or "—")
    try:
        return datetime.fromisoformat(plain).timestamp() == wanted
    except ValueError:
        decimals = len(plain.partition(".")[2])
        return abs(float(plain) - wanted) <= 0.5000001 * 0.1**decimals
