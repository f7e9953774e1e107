"""Cards say how a number differs from before, coloured where that is both sure and large."""

import re
from dataclasses import replace
from html import unescape
from math import log
from xml.etree.ElementTree import Element, fromstring

import pytest

from kullback.judgement.findings import State, ratio_off
from kullback.judgement.settings import DEFAULTS
from kullback.moments import DAY, HOUR, moment
from kullback.ui.dates import absolute
from kullback.ui.differences import Difference, errors_apart
from kullback.ui.interval_bars import Reach, interval_bar, widest
from tests.monitoring.service import MONITOR, Document, Service
from tests.ui.test_monitor_page import HERE, page, service, words

pytestmark = pytest.mark.anyio

__all__ = ["service"]  # a fixture
CALIBRATION = DEFAULTS["calibration"]


def rows(n: int, at: float, factor: float = 1.0) -> Document:
    """Rows of half an hour of which a fifth and a half happen, predicted so many times as often."""
    y_true = [int(row % 10 < 2) if row % 2 else int(row % 4 < 2) for row in range(n)]
    y_proba = [min(factor * (0.2 if row % 2 else 0.5), 0.99) for row in range(n)]
    times = [at + 1800 * row / n for row in range(n)]
    return {"y_true": y_true, "y_proba": y_proba, "timestamp": times}


@pytest.mark.parametrize(
    ("size", "errors", "count", "state"),
    [
        (0.3, 10.0, 1000, State.CRITICAL),
        (0.2, 10.0, 1000, State.WARNING),
        (0.09, 10.0, 1000, State.OK),
        (0.3, 3.2, 1000, State.OK),
        (0.3, 3.3, 1000, State.CRITICAL),
        (0.3, 10.0, 199, State.UNKNOWN),
        (0.3, None, 1000, State.UNKNOWN),
        (-0.3, -10.0, 1000, State.OK),
    ],
)
def test_a_difference_is_bad_that_is_sure_and_large(
    size: float, errors: float | None, count: int, state: State
) -> None:
    assert Difference(size, errors, count).state(CALIBRATION) is state


@pytest.mark.parametrize(
    ("outcomes", "p", "card"),
    [
        ((1, 999), 1e-300, ("Calibration ratio", "100% too low: 1 positive, may be chance", "")),
        ((1, 999), 1e-300, ("Normalized entropy", "the base rate: 1 positive, may be chance", "")),
        ((0, 600), 0.1, ("Calibration ratio", "60 expected, none happened", "bad")),
        ((600, 0), 0.5, ("Calibration ratio", "50% too low", "bad")),
        ((100, 900), 0.0, ("Calibration ratio", "100% too low", "bad")),
        ((100, 900), 0.0, ("Normalized entropy", "the base rate: no check warns", "")),
        ((2, 2), 0.4, ("AUC", "of 2 positives alone", "")),
    ],
)
async def test_a_card_has_a_colour_where_a_check_warns_and_else_says_why_not(
    service: Service, outcomes: tuple[int, int], p: float, card: tuple[str, str, str]
) -> None:
    await service.put()
    (metric, word, hue), y_true = card, [1] * outcomes[0] + [0] * outcomes[1]
    times = [HERE - HOUR + 1] * len(y_true)
    await service.post("observations", y_true=y_true, y_proba=[p] * len(y_true), timestamp=times)
    assert card_of(await shown(service), metric, hue=hue, word=word)


@pytest.mark.parametrize("convention", ["sklearn", "exact"])
async def test_cards_of_an_inverted_ranking_are_red(service: Service, convention: str) -> None:
    await service.put(convention=convention)
    times = [HERE - HOUR + 1] * 1000
    await service.post(
        "observations", y_true=[0, 1] * 500, y_proba=[1.0, 0.0] * 500, timestamp=times
    )
    text = await shown(service)
    assert card_of(text, "AUC", hue="bad", word="worse than chance: inverted?")
    assert card_of(text, "Normalized entropy", hue="bad", word="no better than the base rate")
    assert ("infinite" in text) == (convention == "exact")
    assert "The ranking is inverted: are labels or scores swapped?" in text


async def test_of_a_time_that_has_passed_a_card_goes_by_its_own_error(service: Service) -> None:
    await service.put()
    await service.post("observations", **rows(2000, HERE - 5 * HOUR, 1.6))
    for days in (5, 4, 3, 2, 1):
        await service.post("observations", **rows(400, HERE - days * DAY, 1.0))
    await service.post("observations", **rows(4000, HERE - HOUR, 1.0))
    past = {"from": moment(HERE - 5 * HOUR), "to": moment(HERE - 4 * HOUR)}
    text = (await service.client.get("/monitors/clicks", params=past)).text
    assert card_of(text, "Calibration ratio", hue="bad", word="60% too high")


async def shown(service: Service) -> str:
    """The page of the monitor once its checks were looked at."""
    service.inside.monitor_maintenance.refresh_recent()
    return (await service.client.get("/monitors/clicks")).text


def card_of(text: str, metric: str, *, hue: str, word: str) -> bool:
    """Whether the card of a metric has that colour and says that."""
    before, _, after = text.partition(f"<div>{metric}</div>")
    is_so = before.rpartition("<li ")[2].startswith(f'class="card {hue}">')
    return is_so and word in after.partition("</li>")[0]


def test_among_many_a_difference_must_be_surer() -> None:
    one = Difference(0.3, 4.0, 1000)
    assert (one.is_sure(), one.is_sure(1000)) == (True, False)
    assert replace(one, errors=6.0).is_sure(1000)


def test_errors_of_both_sides_count() -> None:
    assert errors_apart(0.5, 0.3, 0.4) == pytest.approx(1.0)
    assert errors_apart(0.5, 0.25, None) == pytest.approx(2.0)
    assert errors_apart(0.5, None, None) is None
    assert errors_apart(0.5, 0.0) is None


def test_a_ratio_is_as_far_off_either_way_and_by_the_rarer_outcome() -> None:
    assert ratio_off(1.25, 0.1) == pytest.approx(ratio_off(0.8, 0.1)) == pytest.approx(0.25)
    assert ratio_off(1.02, 0.95) == pytest.approx(0.02 * 0.95 / 0.05)
    assert ratio_off(5e-324, 0.1) == pytest.approx(1e9)
    assert ratio_off(1.7e308, 1e-3) == 1.7e308


@pytest.mark.parametrize("convention", ["exact", "sklearn"])
@pytest.mark.parametrize(
    ("p", "weight"), [(5e-324, 1.0), (1e-310, 1.0), (1e-300, 1.0), (0.5, 2e-308), (0.9, 1e-300)]
)
async def test_ratios_as_far_off_as_numbers_go_have_a_page(
    service: Service, convention: str, p: float, weight: float
) -> None:
    """The weight is that of what happened."""
    await service.put(convention=convention, slices=["country"])
    rows: Document = {
        "y_true": [1, 0, 1, 0, 1, 0],
        "y_proba": [p] * 6,
        "timestamp": [HERE - HOUR + 1] * 6,
        "sample_weight": [weight, 1.0] * 3,
    }
    country = {"country": ["x"] * 3 + ["y"] * 2 + ["z"]}
    await service.post("observations", **rows, slice=country)
    for query in ({}, {"by": "country"}, {"slice": "country=x"}):
        answer = (await service.client.get("/monitors/clicks", params=query)).raise_for_status()
        assert "Calibration ratio" in answer.text
        assert re.search(r"\d{20}", answer.text) is None
        assert re.search(r"\b(inf|nan)\b", answer.text) is None


@pytest.mark.parametrize(
    ("factor", "word", "hue"), [(1.0, "within 10%", ""), (1.6, "60% too high", "bad")]
)
async def test_calibration_is_coloured_by_how_far_it_is_off(
    service: Service, factor: float, word: str, hue: str
) -> None:
    await service.put()
    await service.post("observations", **rows(2000, HERE - HOUR, factor))
    text = (await service.client.get("/monitors/clicks")).text
    card = text.split("<div>Calibration ratio</div>")[0].rpartition("<li ")[2]
    assert card.startswith(f'class="card {hue}">')
    assert word in text


async def test_the_time_since_a_change_is_shown_of_the_same_value(service: Service) -> None:
    await service.put(slices=["country"])
    sent = rows(2000, HERE - HOUR, 1.6)
    await service.post("observations", **sent, slice={"country": ["IT"] * 2000})
    text = (await service.client.get("/monitors/clicks?slice=country=IT&by=country")).text
    link = re.search(r'<a href="\?(from=[^"]*)">Show the time since then', text)
    assert link is not None
    assert "slice=country%3DIT" in link[1]
    assert "by=country" in link[1]
    assert "what is shown below the checks is of the last 24 hours." in text
    there = (await service.client.get(f"/monitors/clicks?{unescape(link[1])}")).text
    assert "Show the time since then" not in there
    assert "the time that is shown below" in there


async def test_checks_stand_before_the_time_that_is_shown_and_each_heading_names_its_time(
    service: Service,
) -> None:
    await service.put(slices=["country"])
    sent = rows(2000, HERE - HOUR, 1.6)
    await service.post("observations", **sent, slice={"country": ["IT"] * 2000})
    text = (await service.client.get("/monitors/clicks?range=6h")).text
    heads = re.findall(r'<h2 id="(\w+)">(.*?)</h2>', text)
    times = {name: words.partition("<small")[2] for name, words in heads}
    assert [name for name, _ in heads][:3] == ["checks", "now", "slices"]
    assert "up to the last row" in times["checks"]
    for name in ("slices", "course", "calibration", "drift", "metrics"):
        assert "last 6 hours" in times[name], name


async def test_times_in_sentences_are_elements_that_follow_the_zone(service: Service) -> None:
    await service.put()
    await service.post("observations", **rows(2000, HERE - HOUR, 1.6))
    text = (await service.client.get("/monitors/clicks")).text
    began = re.search(
        r'It began between <time class="said" datetime="([^"]*)">([^<]*)</time>', text
    )
    assert began is not None
    assert began[1].endswith("Z")
    assert began[2].endswith(" UTC")
    markdown = text.partition('<pre tabindex="0" id="markdown">')[2].partition("</pre>")[0]
    assert "It began between" in markdown
    assert "<time" not in markdown


async def test_the_last_rows_are_told_by_when_they_came_and_of_what_window(
    service: Service,
) -> None:
    await service.put(window_seconds=300)
    sent = rows(1, HERE - 60)
    await service.post("observations", **sent)
    text = words(await page(service))
    window = f"{absolute(HERE - 300)} to {absolute(HERE)}"
    assert re.search(rf"came [^,]* , of {window}".replace(" to ", " +to +"), text), text[-1500:]
    assert re.search(r": 1 row\b", text)
    assert not re.findall(r".{40} 1 rows.{20}", text)


async def test_the_calibration_error_is_told_beside_that_of_chance(service: Service) -> None:
    await service.put()
    await service.post("observations", **rows(2000, HERE - HOUR))
    text = words(await page(service))
    assert re.search(r"0\.\d+ of it is chance, without which −?0\.\d+", text)


async def test_a_card_compares_with_the_reference(service: Service) -> None:
    await service.put()
    past = rows(2000, 0)
    del past["timestamp"]
    await service.put(f"{MONITOR}/reference", **past)
    await service.post("observations", **rows(2000, HERE - HOUR, 1.6))
    report = await service.report(**{"from": HERE - HOUR, "to": HERE})
    text = words(await page(service))
    assert "Compared with the reference, 2,000 rows" in text
    assert " in the reference" in text
    before = 0.5 * (-0.2 * log(0.2) - 0.8 * log(0.8)) + 0.5 * log(2)
    difference = report["metrics"]["log_loss"]["value"] - before
    (beside,) = re.findall(r"Log loss, nats \S+ ± \S+ +much worse (.*?) in the reference", text)
    assert [float(number) for number in beside.split(" from ")] == [
        pytest.approx(difference, abs=1e-3),
        pytest.approx(before, abs=1e-3),
    ]


@pytest.mark.parametrize(("n", "word"), [(400, "may be chance"), (20_000, "worse: no check warns")])
async def test_what_is_far_off_but_not_by_a_check_has_no_hue_and_says_why(
    service: Service, n: int, word: str
) -> None:
    """A quarter happen of what a fifth should: most of the information gain is gone."""
    await service.put()
    past = rows(2000, 0)
    del past["timestamp"]
    await service.put(f"{MONITOR}/reference", **past)
    now = rows(n, HERE - HOUR)
    now["y_true"] = [int(row % 8 == 1) if row % 2 else int(row % 4 < 2) for row in range(n)]
    await service.post("observations", **now)
    text = (await service.client.get("/monitors/clicks")).text
    card = text.split("<div>Log loss, nats</div>")
    assert card[0].rpartition("<li ")[2].startswith('class="card ">')
    assert word in card[1].partition("</li>")[0]


async def test_without_a_reference_a_card_compares_with_the_time_before(service: Service) -> None:
    await service.put(retention_days=30)
    for days, factor in ((2, 1.0), (1, 1.6)):
        await service.post("observations", **rows(2000, HERE - days * DAY, factor))
    whole = {"from": moment(HERE - DAY), "to": moment(HERE)}
    part = {"from": moment(HERE - DAY), "to": moment(HERE - DAY + HOUR)}
    assert "in the reference" not in words(await page(service, **whole))
    assert "Compared with the day before, 2,000 rows" in words(await page(service, **whole))
    assert " at that time the day before " in words(await page(service, **part))
    assert "Compared with" not in words(await page(service, **{"from": moment(HERE - 2 * DAY)}))


def drawn(reach: Reach, far: float) -> Element:
    """The shapes of an interval."""
    return fromstring(interval_bar(reach, far, 0.1, "bad", "<b> & co"))  # noqa: S314 - our own


def ends(picture: Element) -> list[float]:
    """How far to the right the points of its arrows are."""
    points = [point for each in picture.iter("polyline") for point in each.attrib["points"].split()]
    return [float(point.partition(",")[0]) for point in points]


def test_an_interval_lies_within_its_picture_or_ends_in_an_arrow() -> None:
    picture = drawn(Reach(0.5, 0.4, 0.6), 1.0)
    (reach,) = picture.findall("line[@class='reach']")
    (value,) = picture.findall("circle[@class='value']")
    left, right = (float(reach.attrib[end]) for end in ("x1", "x2"))
    middle = float(value.attrib["cx"])
    assert 0 < left < middle < right < 180
    assert middle - left == pytest.approx(right - middle)
    assert ends(picture) == []
    beyond = ends(drawn(Reach(0.5, -9.0, 9.0), 1.0))
    assert (len(beyond), min(beyond) >= 0, max(beyond) <= 180) == (6, True, True)


def test_words_of_an_interval_are_text() -> None:
    picture = drawn(Reach(0.5, 0.4, 0.6), 1.0)
    assert picture.get("aria-label") == "<b> & co"


def test_a_scale_holds_every_value() -> None:
    assert widest([], 0.1) == pytest.approx(0.2)
    assert widest([Reach(-2.0, -3.0, -1.0), Reach(1.0, 0.0, 2.0)], 0.1) > 2.0


def test_intervals_of_one_size_are_all_within_their_scale() -> None:
    reaches = [Reach(off, off - 0.4, off + 0.4) for off in (-0.1, 0.02, 0.05, 0.11)]
    far = widest(reaches, 0.05)
    assert all(-far < each.low < each.high < far for each in reaches), "no arrows"
    wild = [*reaches, Reach(0.0, -90.0, 90.0)]
    assert widest(wild, 0.05) < 1.0, "one that says nothing does not decide"
