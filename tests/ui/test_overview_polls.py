"""The overview of thousands is polled for little, and shown in parts."""

import pytest

from kullback.ui.kept_rows import KeptRows, Sources, digest_of, rows_of
from kullback.ui.overview_filter import MOST_ROWS, OverviewFilter
from tests.experiments.service import EXPERIMENT, PAIRED
from tests.monitoring.service import MONITOR, Service
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

MANY = MOST_ROWS + 3


async def polled(service: Service, tag: str, path: str = "/") -> tuple[int, str]:
    answer = await service.client.get(path, headers={"if-none-match": tag})
    return answer.status_code, answer.headers["etag"]


async def test_the_overview_is_made_anew_for_what_has_changed_alone(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.9, 0.2])
    tags = [(await service.client.get("/")).headers["etag"]]
    assert await polled(service, tags[0]) == (304, tags[0])
    service.inside.monitor_maintenance.refresh_recent()
    for change in (
        lambda: service.client.get("/livez"),
        lambda: service.put(owner="Ads"),
        lambda: service.put("/v1/monitors/other"),
        lambda: service.put(EXPERIMENT, **PAIRED),
        lambda: service.client.delete(MONITOR),
    ):
        await change()
        status, tag = await polled(service, tags[-1])
        assert status == 200
        tags.append(tag)
    assert len(set(tags)) == len(tags)
    service.inside.monitor_maintenance.refresh_recent()
    assert (await polled(service, tags[-1]))[0] == 200, "somebody has looked at the other one"


async def test_a_look_that_finds_the_same_makes_no_other_page(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.9, 0.2])
    service.inside.monitor_maintenance.refresh_recent()
    tag = (await service.client.get("/")).headers["etag"]
    service.inside.monitor_maintenance.refresh_recent()
    assert await polled(service, tag) == (304, tag)


async def test_of_many_monitors_a_part_is_shown_and_the_others_are_a_link_away(
    service: Service,
) -> None:
    for number in range(MANY):
        owner = "Ads" if number else "Search"
        await service.put(f"/v1/monitors/model-{number:03d}", owner=owner)
    first = Page.of(await service.client.get("/?q=model"))
    assert len(first.rows("Monitors")) == MOST_ROWS
    assert f"1 to {MOST_ROWS} of {MANY}, the worst first." in first.text
    assert first.links["3 more"] == "?q=model&page=2#monitors"
    second = Page.of(await service.client.get("/?q=model&page=2"))
    shown = [row[0] for row in second.rows("Monitors")]
    assert shown == [f"model-{number:03d}" for number in range(MOST_ROWS, MANY)]
    assert f"{MOST_ROWS + 1} to {MANY} of {MANY}" in second.text
    assert second.links["Before"] == "?q=model&page=1#monitors"
    assert second.links["Ads"] == "?q=model&owner=Ads", "a choice begins at its first rows"
    search = Page.of(await service.client.get("/?q=model-202"))
    assert [row[0] for row in search.rows("Monitors")] == ["model-202"]
    assert "of 203" not in search.text
    chosen = Page.of(await service.client.get("/?q=model&owner=Ads"))
    assert chosen.links["2 more"] == "?q=model&owner=Ads&page=2#monitors"
    assert f"{MANY - 1}" in first.text.split(" Ads ")[1][:8], "of all, not of the part"


async def test_of_very_many_monitors_without_rows_a_part_is_listed(service: Service) -> None:
    for number in range(MANY):
        await service.put(f"/v1/monitors/model-{number:03d}")
    page = Page.of(await service.client.get("/"))
    assert f"{MANY} monitors that no rows have come for" in page.text
    assert sum(to.startswith("monitors/model-") for to in page.links.values()) == MOST_ROWS
    assert "3 more: search finds each by name." in page.text


@pytest.mark.parametrize(
    ("text", "page"), [("", 1), ("2", 2), ("0", 1), ("-1", 1), ("²", 1), ("9999999", 1), ("x", 1)]
)
def test_a_page_that_there_cannot_be_is_the_first(text: str, page: int) -> None:
    assert OverviewFilter.of({"page": text, "arms": text}) == OverviewFilter(page=page, arms=page)


async def test_a_page_beyond_the_last_is_the_last(service: Service) -> None:
    await service.put()
    assert [row[0] for row in Page.of(await service.client.get("/?page=7")).rows("Monitors")] == [
        "clicks"
    ]


async def test_of_many_arms_a_part_is_shown_too(service: Service) -> None:
    for number in range(MANY):
        await service.put(f"/v1/experiments/ranker-{number:03d}", **PAIRED)
    first = Page.of(await service.client.get("/"))
    assert len(first.rows("Experiments")) == MOST_ROWS
    assert first.links["3 more"] == "?arms=2#experiments"
    second = Page.of(await service.client.get("/?arms=2"))
    assert [row[0] for row in second.rows("Experiments")] == [
        f"ranker-{number:03d}" for number in range(MOST_ROWS, MANY)
    ]


def test_rows_are_made_again_where_a_source_is_another() -> None:
    kept, made = KeptRows[str](), list[str]()
    one, two = [1], [1]
    sources: dict[str, Sources] = {"b": (one, None), "a": (one, 2.5)}

    def make(name: str) -> tuple[tuple[int], list[str]]:
        made.append(name)
        return (len(sources["b"]) if name == "a" else 1,), [name, f"{name}: {sources[name][1]}"]

    before = digest_of(kept.of(sources, make))
    assert rows_of(kept.of(dict(sources), make)) == ["b", "b: None", "a", "a: 2.5"]
    assert made == ["b", "a"]
    sources["b"] = (two, None)
    assert digest_of(kept.of(sources, make)) == before, "another source, the same rows"
    assert made == ["b", "a", "b"]
    sources["b"] = (two, 0.5)
    assert digest_of(kept.of(sources, make)) != before
    del sources["a"]
    assert rows_of(kept.of(sources, make)) == ["b", "b: 0.5"]
