"""A moving reference: drift against the same hours of an earlier day or week."""

import numpy as np
import pytest

from kullback.monitoring.reference import Reference
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused
from tests.statements import watched

pytestmark = pytest.mark.anyio

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
COUNTRIES = ["DE", "FR"]


def rows(start: float, high: float, n: int = 400, seed: int = 1) -> Document:
    """Rows of an hour, with scores up to `high`."""
    random = np.random.default_rng(seed)
    p = random.random(n) * high
    return {
        "y_true": (random.random(n) < p).astype(int).tolist(),
        "y_proba": p.tolist(),
        "timestamp": (start + random.integers(0, HOUR, n)).tolist(),
        "slice": {"country": random.choice(COUNTRIES, n).tolist()},
    }


@pytest.fixture
async def weeks(service: Service) -> tuple[Document, Document]:
    """Rows of an hour, and of the same hour a week before, both of which the monitor holds."""
    await service.put(slices=["country"])
    now, before = rows(NOON - HOUR, 0.6), rows(NOON - HOUR - WEEK, 0.9, seed=2)
    elsewhere = rows(NOON - 2 * HOUR - WEEK, 0.1, seed=3)
    for batch in (now, before, elsewhere):
        await service.post("observations", **batch)
    return now, before


async def test_drift_is_that_against_a_reference_of_the_same_hour_a_week_before(
    service: Service, weeks: tuple[Document, Document]
) -> None:
    del weeks
    hour = {"from": NOON - HOUR, "to": NOON}
    summary = await service.put(f"{MONITOR}/reference", offset="7d")
    assert summary == {
        "source": "moving",
        "n": None,
        "score_histogram": None,
        "label_distribution": None,
        "offset": WEEK,
    }
    assert (await service.get())["reference"] == summary
    moving = await service.report(**hour, by="country")
    time = moving["drift"].pop("reference")
    assert time == {"from": "2026-02-26T11:00:00Z", "to": "2026-02-26T12:00:00Z"}
    assert moving["drift"]["score"]["psi"] > 0.1
    german = await service.report(**hour, slice="country=DE")
    period = {"from": NOON - HOUR - WEEK, "to": NOON - WEEK}
    assert "offset" not in await service.put(f"{MONITOR}/reference", **period)
    fixed = await service.report(**hour, by="country")
    for group in moving["groups"]:
        assert group["drift"].pop("reference") == time
    assert moving == fixed
    assert german["drift"]["score"] == fixed["groups"][0]["drift"]["score"]


async def test_the_time_it_is_of_moves_with_that_asked_for(
    service: Service, weeks: tuple[Document, Document]
) -> None:
    del weeks
    await service.put(f"{MONITOR}/reference", offset=WEEK)
    past = await service.report(**{"from": NOON - HOUR - WEEK, "to": NOON - WEEK})
    assert past["drift"]["score"]["reason"] == "empty_reference"
    assert past["drift"]["score"]["statement"] == "No rows are kept of the time to compare with."
    assert past["n"] == 400
    service.clock.now += WEEK
    later = {"from": NOON - HOUR + WEEK, "to": NOON + WEEK}
    again = rows(NOON - HOUR + WEEK, 0.6, seed=4)
    await service.post("observations", **again)
    drift = (await service.report(**later))["drift"]
    assert drift["reference"]["from"] == "2026-03-05T11:00:00Z"
    assert drift["score"]["p_value"] > 0.001


async def test_the_recent_hour_is_compared_with_that_of_the_day_before(service: Service) -> None:
    await service.put()
    for batch in (rows(NOON - HOUR, 0.5), rows(NOON - HOUR - DAY, 0.9, seed=2)):
        del batch["slice"]
        await service.post("observations", **batch)
    await service.put(f"{MONITOR}/reference", offset="24h")
    recent = service.inside.monitor_queries.open("clicks").recent()
    drift = recent.drift["score"]
    assert isinstance(drift.psi, float)
    assert drift.psi > 0.1


async def test_an_answer_has_another_tag_once_the_past_is_in_wider_windows(
    service: Service,
) -> None:
    """Those of an hour of yesterday become one window, so that more rows are compared with."""
    await service.put()
    batch = rows(NOON - DAY + 1.5 * HOUR, 0.5)
    del batch["slice"]
    await service.post("observations", **batch)
    query = {"from": NOON - 40 * 60, "to": NOON - 10 * 60}
    found = []
    for offset in (f"{DAY - 2 * HOUR}s", None):
        if offset is not None:
            await service.put(f"{MONITOR}/reference", offset=offset)
        else:
            service.clock.now += 4 * HOUR
        answer = await service.client.get(f"{MONITOR}/report", params=query)
        found.append((answer.headers["etag"], answer.json()["drift"]["reference"]["from"]))
    (tag, first), (later_tag, later) = found
    assert (first, later) == ("2026-03-04T13:20:00Z", "2026-03-04T13:00:00Z")
    assert tag != later_tag


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"offset": "31d"}, "/offset"),
        ({"offset": "90s"}, "/offset"),
        ({"offset": "last week"}, "/offset"),
        ({"offset": 0}, "/offset"),
        ({"offset": -60}, "/offset"),
        ({"offset": 60.5}, "/offset"),
        ({"offset": True}, "/offset"),
        ({"offset": "7d", "from": NOON - DAY, "to": NOON}, "/offset"),
    ],
)
async def test_what_is_no_time_before_is_refused(
    service: Service, fields: Document, place: str
) -> None:
    await service.put(retention_days=30)
    answer = await service.client.put(f"{MONITOR}/reference", json=fields)
    assert refused(answer) == ("invalid-input", place)


async def test_settings_are_changed_beside_a_moving_reference(
    service: Service, weeks: tuple[Document, Document]
) -> None:
    del weeks
    await service.put(f"{MONITOR}/reference", offset="7d")
    query = {"from": NOON - HOUR, "to": NOON}
    before = await service.report(**query)
    setup = await service.put(slices=["country", "device"])
    assert "reference_offset" not in setup
    assert (await service.report(**query))["drift"] == before["drift"]
    await service.put(f"{MONITOR}/reference", label_distribution=[1, 1])
    assert "reference" not in (await service.report(**query))["drift"]


def test_a_moving_reference_reads_back_as_it_was_written() -> None:
    reference = Reference("moving", NOON, offset=WEEK)
    read = Reference.decoded(reference.encoded())
    assert (read.source, read.offset, dict(read.scored)) == ("moving", WEEK, {})


async def test_checks_are_beside_the_same_past_all_day(service: Service) -> None:
    await service.put(slices=["country"])
    await service.post("observations", **rows(NOON - HOUR, 0.6))
    await service.post("observations", **rows(NOON - HOUR - WEEK - DAY, 0.9, seed=2))
    await service.put(f"{MONITOR}/reference", offset="7d")
    read: list[set[str]] = []
    for _ in range(2):
        service.clock.now += HOUR
        with watched() as statements:
            await service.get(f"{MONITOR}/checks")
        read.append({asked for text, asked in statements if "content" in text and "parts" in text})
    assert len(read[0]) > 1  # the hours, the first time, and the past
    assert read[1]
    assert read[1] <= read[0]
