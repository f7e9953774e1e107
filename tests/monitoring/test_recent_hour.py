"""The hour that is shown is the newest of which all labels are in, wherever those come from."""

import pytest

from kullback.moments import DAY, HOUR
from tests.monitoring.service import NOON, Service
from tests.monitoring.test_maturity import recent

pytestmark = pytest.mark.anyio

WAIT = 2 * DAY


async def rows(service: Service, at: float, *, share: float, n: int = 40) -> None:
    """Rows with their labels, in the minutes before a moment."""
    times = [at - 60 * (row % 20) - 1 for row in range(n)]
    y_true = [int(row < share * n) for row in range(n)]
    sent = {"y_true": y_true, "y_proba": [0.5] * n, "timestamp": times}
    await service.post("observations", **sent)


async def test_a_last_hour_with_all_its_labels_is_shown_though_others_would_wait(
    service: Service,
) -> None:
    await service.put(default_label=0, label_window=WAIT)
    await rows(service, NOON - WAIT - HOUR // 2, share=0.9)
    assert recent(service).metrics["base_rate"].value == pytest.approx(0.9)
    assert not recent(service).is_latest
    await rows(service, service.clock.now, share=0.25)
    hour = recent(service)
    assert (hour.rows, hour.is_latest, hour.labelled_share) == (40, True, 1.0)
    assert hour.metrics["base_rate"].value == pytest.approx(0.25)
    samples = await service.samples()
    assert samples['kullback_recent_examples{monitor="clicks"}'] == 40


async def test_the_newest_hour_with_all_its_labels_is_looked_for_after_the_lag(
    service: Service,
) -> None:
    await service.put(default_label=0, label_window=WAIT)
    await rows(service, NOON - WAIT - HOUR // 2, share=0.9)
    await rows(service, NOON - 8 * HOUR, share=0.5)
    ids = [f"p{row}" for row in range(40)]
    times = [NOON - 5 * HOUR] * 40
    await service.post("predictions", id=ids, y_proba=[0.5] * 40, timestamp=times)
    hour = recent(service)
    assert hour.span is not None
    assert (hour.span.start, hour.span.stop) == (NOON - 9 * HOUR, NOON - 8 * HOUR)
    assert hour.metrics["base_rate"].value == pytest.approx(0.5)
    await service.post("labels", id=ids, y_true=[1] * 40)
    service.clock.now += 61
    hour = recent(service)
    assert hour.span is not None
    assert hour.span.start == NOON - 5 * HOUR
    assert hour.metrics["base_rate"].value == 1


async def test_a_few_rows_with_their_labels_are_no_hour(service: Service) -> None:
    await service.put(default_label=0, label_window=WAIT)
    await rows(service, NOON - WAIT - HOUR // 2, share=0.9, n=200)
    await rows(service, service.clock.now, share=0.0, n=3)
    assert recent(service).metrics["base_rate"].value == pytest.approx(0.9)
    assert not recent(service).is_latest
