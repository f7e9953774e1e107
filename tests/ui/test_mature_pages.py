"""Pages show the last hour whose labels are in, name it, and say what still waits."""

import re
from time import time

import numpy as np
import pytest

from kullback.figures.typesetting import lasting
from kullback.moments import DAY, HOUR
from kullback.monitoring.series import MetricPoint
from kullback.ui.history import Course
from tests.monitoring.service import MONITOR, Service
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

HERE = time() // HOUR * HOUR  # pages go by the clock on the wall
PAGE = "/monitors/clicks"


@pytest.fixture
async def service(service: Service) -> Service:
    """A running service at half a minute past a whole hour of today."""
    service.clock.now = HERE + 30.5
    return service


async def opened(service: Service, path: str = PAGE, /, **query: str) -> Page:
    service.inside.monitor_maintenance.refresh_recent()
    return Page.of(await service.client.get(path, params=query))


async def predict(service: Service, n: int, age: float, p: float = 0.1) -> list[str]:
    """Predictions of the hour that ended `age` seconds ago, sent now."""
    now = service.clock.now
    ids = [f"{age:.0f}-{at}" for at in range(n)]
    times = np.linspace(now - age - HOUR, now - age, n, endpoint=False).tolist()
    await service.post("predictions", id=ids, y_proba=[p] * n, timestamp=times)
    return ids


def words(page: Page) -> str:
    return " ".join(page.text.split())


def row(page: Page) -> list[str]:
    (found,) = page.rows("Monitors")
    return [" ".join(cell.split()) for cell in found]


async def test_labels_two_days_late_are_on_every_page(service: Service) -> None:
    service.clock.now -= 2 * DAY + HOUR
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.1, 0.1])
    service.clock.now += HOUR
    ids = await predict(service, 1000, 0.0)
    service.clock.now += 2 * DAY
    await service.post("labels", id=ids, y_true=[1] * 100 + [0] * 900)
    name, state, why, _, _, loss, *_ = row(await opened(service, "/"))
    assert (name, state) == ("clicks", "critical")
    assert why.startswith("No predictions since ")
    assert float(loss[:5]) == pytest.approx(0.325, abs=0.05)
    assert loss[5:] == "2 days ago"
    text = words(await opened(service))
    assert re.search(r"Labels are in after (4\d(\.\d)? hours|2(\.\d)? days) ", text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.25, "0.2 s"),
        (119, "119 s"),
        (120, "2 minutes"),
        (5400, "90 minutes"),
        (7200.4, "2 hours"),
        (183_359.2, "2.1 days"),
        (7 * DAY, "7 days"),
    ],
)
def test_a_lag_is_in_words_that_people_use(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


async def test_predictions_without_labels_wait_and_are_not_absent(service: Service) -> None:
    await service.put()
    assert row(await opened(service, "/"))[1:3] == ["unknown", "No rows have come yet."]
    await predict(service, 200, 0.0)
    _, state, why, _, _, loss, *_ = row(await opened(service, "/"))
    assert (state, loss) == ("unknown", "—")
    assert why == "No hour has all its labels yet: nothing that needs them is judged."
    text = words(await opened(service))
    assert "No hour is mature yet. 200 predictions wait for their labels." in text
    assert "Of the 200 rows of the last hour 0% have one." in text


async def test_clicks_alone_are_no_miscalibration(service: Service) -> None:
    await service.put(ttl_seconds=HOUR)
    ids = await predict(service, 1000, 0.0)
    await service.post("labels", id=ids[::10], y_true=[1] * 100)
    page = await opened(service)
    assert "No hour is mature yet. 900 predictions wait" in words(page)
    assert "Not yet mature: 90% of 1,000 predictions wait for labels." in words(page)
    service.clock.now += HOUR + 120
    service.tidy()
    text = words(await opened(service))
    assert "Only positive labels come, and not for all predictions" in text


async def test_scores_that_drift_are_told_while_labels_are_awaited(service: Service) -> None:
    await service.put()
    await service.put(f"{MONITOR}/reference", y_true=[1, 0] * 200, y_proba=[0.2, 0.3] * 200)
    await predict(service, 600, 0.0, p=0.9)
    assert row(await opened(service, "/"))[1] == "critical"
    text = words(await opened(service))
    assert "critical Scores are distributed unlike before: PSI" in text


async def test_what_is_not_mature_is_drawn_apart(service: Service) -> None:
    """Two hours ago all rows have labels, in the last hour the positive ones alone."""
    await service.put()
    done = await predict(service, 300, HOUR)
    await service.post("labels", id=done, y_true=[1, 0, 0] * 100)
    young = await predict(service, 300, 0.0)
    await service.post("labels", id=young[::10], y_true=[1] * 30)
    page = await opened(service, range="6h")
    chart = page.figures["log-loss"]
    mature, rest = chart["series"]
    assert (mature["label"], rest["label"]) == ("Log loss", "Not yet mature")
    assert rest["dashed"]
    values = [value for value in mature["y"] if value is not None]
    assert max(values) < 1.5
    joined = [at for at, value in enumerate(rest["y"]) if value is not None]
    both = [at for at in joined if mature["y"][at] is not None]
    assert len(both) == 1
    assert both[0] == joined[0]
    assert rest["y"][joined[-1]] == pytest.approx(-np.log(0.1))
    assert "Dashed is what is not yet mature" in words(page)
    settled = await opened(service, **{"from": when(HERE - 3 * HOUR), "to": when(HERE - HOUR)})
    assert len(settled.figures["log-loss"]["series"]) == 1


def when(seconds: float) -> str:
    return f"{np.datetime64(int(seconds), 's').item():%Y-%m-%dT%H:%M}"


def test_a_step_that_is_not_mature_is_joined_to_the_last_that_is() -> None:
    def point(start: int, value: float | None, *, mature: bool) -> MetricPoint:
        return MetricPoint(start, start + 1, 1, value, "finite", None, None, 0.5, mature=mature)

    points = [point(0, 0.1, mature=True), point(1, 0.2, mature=False), point(2, 0.3, mature=False)]
    course = Course.of([*points, point(4, 0.4, mature=False)], 0, 6, 1)
    (young,) = course.young(1)
    assert young.y == [0.1, 0.2, 0.3, None, 0.4, None]
    assert course.series("", 1).y == [0.1, None, None, None, None, None]
    assert Course.of(points[:1], 0, 6, 1).young(1) == []
