"""Each stream of labels: what is mature, what is shown as the last hour, and what still waits."""

import numpy as np
import pytest

from kullback.moments import DAY, HOUR
from kullback.monitoring.recent import RecentHour
from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

MINUTE = 60
PER_HOUR = 200  # predictions
Z = "2026-03-05T"


def recent(service: Service) -> RecentHour:
    """The last hour, as the pages and Prometheus have it."""
    service.inside.monitor_maintenance.refresh_recent()
    return service.inside.monitor_maintenance.recent["clicks"]


class Stream:
    """Predictions of one hour after the other, sent when they are made, and labels later."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.random = np.random.default_rng(8)
        self.outcomes: dict[str, tuple[int, float]] = {}

    async def predict(self, n: int = PER_HOUR, seconds: float = HOUR, p: float = 0.1) -> list[str]:
        """Predictions of the time up to now; their ids."""
        now, first = self.service.clock.now, len(self.outcomes)
        ids = [f"p{at}" for at in range(first, first + n)]
        times = np.sort(self.random.uniform(now - seconds, now, n))
        outcomes = self.random.permutation(np.arange(n) < round(p * n)).astype(int)
        for name, outcome, time in zip(ids, outcomes.tolist(), times.tolist(), strict=True):
            self.outcomes[name] = outcome, time
        sent = {"id": ids, "y_proba": [p] * n, "timestamp": times.tolist()}
        await self.service.post("predictions", **sent)
        return ids

    async def label(self, ids: list[str]) -> Document:
        """The labels of these predictions, now."""
        labels = [self.outcomes[name][0] for name in ids]
        return await self.service.post("labels", id=ids, y_true=labels)

    def positives(self, ids: list[str]) -> list[str]:
        return [name for name in ids if self.outcomes[name][0]]

    def negatives(self, ids: list[str]) -> list[str]:
        return [name for name in ids if not self.outcomes[name][0]]

    def time(self, name: str) -> float:
        return self.outcomes[name][1]


async def test_rows_that_come_with_their_labels_are_mature_at_once(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
    report = await service.report()
    assert (report["labelled_share"], report["mature_until"]) == (1.0, report["to"])
    assert report["maturity"] == "Mature: the labels of this time are in, as far as they come."
    assert (await service.get())["learned_label_lag"] is None
    hour = recent(service)
    assert (hour.rows, hour.labelled_share, hour.predictions, hour.lag) == (2, 1.0, 2, 0.0)
    (point,) = await service.points()
    assert (point["labelled_share"], point["mature"]) == (1.0, True)


async def test_without_rows_there_is_no_share(service: Service) -> None:
    await service.put()
    report = await service.report()
    assert (report["labelled_share"], report["maturity"]) == (None, "No rows came in this time.")
    hour = recent(service)
    assert (hour.span, hour.rows, hour.is_waiting) == (None, 0, False)


async def test_predictions_without_labels_wait_for_them(service: Service) -> None:
    await service.put()
    await Stream(service).predict()
    report = await service.report()
    assert (report["labelled_share"], report["mature_until"]) == (0.0, None)
    assert report["maturity"] == "Not yet mature: 100% of 200 predictions wait for labels."
    hour = recent(service)
    assert (hour.rows, hour.predictions, hour.is_waiting) == (0, PER_HOUR, True)


async def test_clicks_at_once_and_other_labels_after_an_hour_are_no_base_rate(
    service: Service,
) -> None:
    """At no moment, from the first row on, does anything mature have a base rate of 1."""
    await service.put()
    stream = Stream(service)
    earlier: list[str] = []
    for at in range(8):
        service.clock.now += HOUR
        ids = await stream.predict()
        await stream.label(stream.positives(ids))
        if at == 0:
            report = await service.report()
            assert report["metrics"]["base_rate"]["value"] == 1
            assert report["labelled_share"] == 0.1
            assert report["mature_until"] is None
            assert report["maturity"] == "Not yet mature: 90% of 200 predictions wait for labels."
        if earlier:
            await stream.label(stream.negatives(earlier))
        earlier = ids
        hour = recent(service)
        if at:
            assert hour.metrics["base_rate"].value == pytest.approx(0.1, abs=0.07)
            assert hour.labelled_share is not None
            assert hour.labelled_share >= 0.95
        else:
            assert hour.rows == 0
        for point in await service.points(metric="base_rate", step=HOUR):
            assert point["mature"] == (point["labelled_share"] >= 0.95)
            if point["mature"]:
                assert point["value"] < 0.2
    learned = (await service.get())["learned_label_lag"]
    assert HOUR < learned <= 2 * HOUR
    report = await service.report()
    edge = report["mature_until"]
    last = await service.report(**{"from": edge})
    assert last["labelled_share"] < 0.2
    assert report["maturity"].startswith(f"Not yet mature after {edge}: ")
    assert (await service.report(to=edge))["maturity"].startswith("Mature")


async def test_clicks_whose_other_labels_never_come_are_not_judged(service: Service) -> None:
    await service.put(ttl_seconds=HOUR)
    stream = Stream(service)
    await stream.label(stream.positives(await stream.predict(1000)))
    hour = recent(service)
    assert (hour.rows, hour.is_waiting) == (0, True)
    service.clock.now += 2 * HOUR
    service.tidy()
    await stream.label(stream.positives(await stream.predict(1000)))
    hour = recent(service)
    assert (hour.rows, hour.only_positives, hour.is_waiting) == (0, True, True)
    assert not any(point["mature"] for point in await service.points(metric="base_rate"))


async def test_sampled_labels_are_mature_once_it_is_known_that_the_others_never_come(
    service: Service,
) -> None:
    await service.put(ttl_seconds=6 * HOUR)
    stream = Stream(service)
    for at in range(20):
        service.clock.now += HOUR
        ids = await stream.predict(500, p=0.3)
        service.clock.now += MINUTE
        await stream.label(ids[::5])
        service.tidy()
        hour = recent(service)
        if at < 5:
            assert hour.is_waiting
    assert hour.labelled_share == pytest.approx(0.2, abs=0.02)
    assert hour.rows == pytest.approx(100, abs=10)
    assert hour.span is not None
    assert service.clock.now - hour.span.stop < 2.2 * HOUR
    report = await service.report(**{"from": service.clock.now - 12 * HOUR})
    assert report["labelled_share"] == pytest.approx(0.2, abs=0.03)


async def test_sampled_labels_that_stop_are_missed(service: Service) -> None:
    await service.put(ttl_seconds=6 * HOUR)
    stream, states = Stream(service), []
    for at in range(34):
        service.clock.now += HOUR
        ids = await stream.predict(500, p=0.3)
        service.clock.now += MINUTE
        if at < 28:
            await stream.label(ids[::10])
        service.tidy()
        for _ in range(2):  # late at two looks is late
            service.clock.now += 2 * MINUTE
            found = (await service.get(f"{MONITOR}/checks"))["checks"]
        states.append(next(each["state"] for each in found if each["name"] == "maturity"))
    assert "critical" not in states[:28]
    assert states[-1] == "critical"


async def test_labels_of_the_night_are_read_the_whole_day_after(service: Service) -> None:
    """All labels of a day come at its end: at every hour the last hour of that day is read."""
    await service.put()
    stream = Stream(service)
    service.clock.now = NOON + 12 * HOUR
    for day in range(3):
        ids: list[str] = []
        for at in range(1, 25):
            service.clock.now += HOUR
            ids += await stream.predict(50, p=0.2)
            if day:
                hour = recent(service)
                assert hour.rows > 30, at
                assert hour.metrics["base_rate"].value == pytest.approx(0.2, abs=0.17)
                assert hour.predictions >= 50
        await stream.label(ids)
    assert 21 * HOUR < (await service.get())["learned_label_lag"] <= DAY


async def test_labels_of_the_night_come_with_quiet_hours(service: Service) -> None:
    """Observations of a day that are sent at its end are read until the next day's come."""
    await service.put()
    now = service.clock.now
    times = np.linspace(now - 20 * HOUR, now - 8 * HOUR, 240).tolist()
    await service.post("observations", y_true=[1, 0] * 120, y_proba=[0.5] * 240, timestamp=times)
    for hours in (0, 6, 15):
        service.clock.now = now + hours * HOUR
        hour = recent(service)
        assert 18 <= hour.rows <= 20  # not the one row of the hour in which the batch ends
        assert (hour.lag, hour.predictions) == (0.0, 0)
    service.clock.now = now + 20 * HOUR
    assert recent(service).rows == 0


@pytest.mark.parametrize("spread", [0.0, HOUR, DAY])
async def test_labels_two_days_late_are_shown(service: Service, spread: float) -> None:
    """Predictions of two days ago, sent now, and their labels, now."""
    await service.put()
    now = service.clock.now
    random = np.random.default_rng(5)
    p = random.beta(2, 5, 3000)
    y = (random.random(3000) < p).astype(int)
    ids = [f"r{at}" for at in range(3000)]
    times = (now - 2 * DAY - spread * random.random(3000)).tolist()
    await service.post("predictions", id=ids, y_proba=p.tolist(), timestamp=times)
    assert (await service.post("labels", id=ids, y_true=y.tolist()))["matched"] == 3000
    learned = (await service.get())["learned_label_lag"]
    assert 0.96 * 2 * DAY <= learned <= 2 * DAY + spread
    hour = recent(service)
    assert hour.span is not None
    assert 47 * HOUR <= now - hour.span.stop <= now - min(times)
    assert hour.rows >= 100
    assert hour.labelled_share == 1.0
    assert isinstance(hour.metrics["auc"].value, float)
    assert hour.metrics["auc"].value == pytest.approx(0.72, abs=0.1)
    samples = await service.samples(monitor="clicks")
    assert samples['kullback_recent_auc{monitor="clicks"}'] == hour.metrics["auc"].value
    report = await service.report(**{"from": now - 4 * DAY})
    assert (report["n"], report["labelled_share"]) == (3000, 1.0)
    assert report["mature_until"] == report["to"]


async def test_labels_that_always_come_two_days_late(service: Service) -> None:
    await service.put()
    stream = Stream(service)
    sent: list[list[str]] = []
    for _ in range(60):
        service.clock.now += HOUR
        sent.append(await stream.predict(60, p=0.3))
        if len(sent) > 48:
            await stream.label(sent[-49])
            hour = recent(service)
            assert hour.rows >= 30
            assert hour.predictions >= 60
    assert hour.span is not None
    assert 48 * HOUR <= service.clock.now - hour.span.start <= 53 * HOUR
    report = await service.report()
    assert (report["n"], report["mature_until"]) == (0, None)
    assert report["maturity"].startswith("Not yet mature: 100% of ")


async def test_with_a_lag_of_its_owner_age_alone_decides(service: Service) -> None:
    shown = await service.put(label_lag=2 * HOUR)
    assert shown["label_lag"] == 2 * HOUR
    stream = Stream(service)
    ids = await stream.predict()
    await stream.label(ids[::10])
    assert recent(service).rows == 0
    report = await service.report()
    assert report["mature_until"] == f"{Z}10:00:00Z"
    assert report["maturity"] == f"Not yet mature after {Z}10:00:00Z: labels are still to come."
    service.clock.now += 2 * HOUR
    hour = recent(service)
    assert hour.lag == 2 * HOUR
    assert hour.labelled_share == pytest.approx(0.1, abs=0.01)
    assert hour.rows == 20
    await service.put(label_lag=None)
    assert recent(service).rows == 0


@pytest.mark.parametrize("lag", [-1, 31 * DAY, "1h", 0.5])
async def test_a_lag_is_whole_seconds_that_are_kept(service: Service, lag: object) -> None:
    answer = await service.client.put(MONITOR, json={"label_lag": lag})
    assert refused(answer)[1] == "/label_lag"


async def test_old_rows_of_one_day_do_not_change_when_labels_come(service: Service) -> None:
    """A burst of labels six days late, in a stream whose labels take a minute."""
    await service.put()
    stream = Stream(service)
    for day in range(4):
        service.clock.now = NOON + day * DAY
        ids = await stream.predict(1000)
        service.clock.now += MINUTE
        await stream.label(ids)
    old = await stream.predict(1500, seconds=1.0)
    times = [service.clock.now - 6 * DAY] * len(old)
    moved = {"id": [f"x{name}" for name in old], "y_proba": [0.1] * len(old), "timestamp": times}
    await service.post("predictions", **moved)
    await service.post("labels", id=moved["id"], y_true=[0] * len(old))
    assert (await service.get())["learned_label_lag"] <= HOUR + MINUTE


async def test_what_is_not_mature_changes_the_tag_of_a_report(service: Service) -> None:
    """The sums are the same an hour later, and yet the answer is another."""
    await service.put(label_lag=HOUR)
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
    path, span = f"{MONITOR}/report", {"from": NOON - HOUR, "to": NOON + HOUR}
    first = await service.client.get(path, params=span)
    service.clock.now += 3 * HOUR
    headers = {"If-None-Match": first.headers["etag"]}
    then = await service.client.get(path, params=span, headers=headers)
    assert then.status_code == 200
    assert then.json()["mature_until"] == then.json()["to"] != first.json()["mature_until"]
    service.clock.now += 5 * MINUTE
    headers = {"If-None-Match": then.headers["etag"]}
    assert (await service.client.get(path, params=span, headers=headers)).status_code == 304


async def counted(service: Service, name: str) -> float:
    samples = await service.samples(monitor="clicks")
    return samples[f'kullback_{name}_total{{monitor="clicks"}}']


async def test_a_backfill_goes_to_its_windows_and_into_no_live_counter(service: Service) -> None:
    await service.put(slices=["country"])
    now = service.clock.now
    edge = NOON - DAY  # windows of an hour there: the one before it has ended a day ago
    times = [edge - 1, edge - HOUR, now - 20 * DAY, edge, now - HOUR]
    sent: Document = {"y_true": [1] * 5, "y_proba": [0.2] * 5, "timestamp": times}
    answer = await service.post("observations", **sent, slice={"country": ["DE"] * 5})
    assert (answer["accepted"], answer["backfilled"]) == (5, 3)
    assert (await service.get())["counts"]["backfilled"] == 3
    assert (await service.report(**{"from": now - 25 * DAY}))["n"] == 5
    names = ("backfilled", "examples", "predictions", "weight")
    assert [await counted(service, name) for name in names] == [3, 2, 2, 2]
    samples = await service.samples(slice="country=DE")
    assert samples['kullback_slice_examples_total{monitor="clicks",slice="country=DE"}'] == 2


async def test_a_backfill_of_predictions_and_labels_counts_each_row_once(service: Service) -> None:
    await service.put(ttl_seconds=HOUR)
    times = [service.clock.now - 9 * DAY] * 4
    await service.post("labels", id=["c", "d"], y_true=[0, 1])
    sent = {"id": ["a", "b", "c", "d"], "y_proba": [0.5] * 4, "timestamp": times}
    assert (await service.post("predictions", **sent))["backfilled"] == 4
    assert (await service.post("labels", id=["a", "b"], y_true=[1, 0]))["backfilled"] == 2
    assert [await counted(service, name) for name in ("examples", "predictions")] == [0, 0]
    assert (await service.get())["learned_label_lag"] is None  # later than the time-to-live


async def test_what_is_old_follows_from_the_lag(service: Service) -> None:
    """Three days are a backfill where labels take a minute, and news where they take two days."""
    sent: Document = {"y_true": [1], "y_proba": [0.5], "timestamp": [NOON - 2.9 * DAY]}
    await service.put()
    assert (await service.post("observations", **sent))["backfilled"] == 1
    await service.put(label_lag=2 * DAY)
    assert (await service.post("observations", **sent))["backfilled"] == 0
    await service.put(label_lag=None)
    times = [NOON - 2 * DAY] * 3
    await service.post("predictions", id=["a", "b", "c"], y_proba=[0.5] * 3, timestamp=times)
    assert (await service.post("labels", id=["a", "b"], y_true=[1, 0]))["backfilled"] == 0
    assert (await service.post("observations", **sent))["backfilled"] == 0


async def test_with_a_default_label_the_lag_is_its_window(service: Service) -> None:
    """Clicks at once and nothing else: the base rate is that of the clicks once the window ends."""
    await service.put(default_label=0, label_window=HOUR // 2)
    stream = Stream(service)
    for at in range(4):
        service.clock.now += HOUR
        service.inside.monitor_maintenance.run_due()
        ids = await stream.predict(200)
        await stream.label(stream.positives(ids))
        hour = recent(service)
        assert hour.lag == HOUR // 2
        for point in await service.points(metric="base_rate", step=HOUR):
            assert not point["mature"] or point["value"] < 0.2
        if at:
            assert hour.labelled_share is not None
            assert hour.labelled_share >= 0.95
            assert hour.metrics["base_rate"].value == pytest.approx(0.1, abs=0.03)


async def test_default_labels_of_predictions_that_come_in_batches_are_not_late(
    service: Service,
) -> None:
    await service.put(default_label=0, label_window=HOUR // 2)
    stream = Stream(service)
    for _ in range(12):
        service.clock.now += HOUR // 2
        await stream.label(stream.positives(await stream.predict(200, HOUR // 2)))
        service.tidy()
        checks = (await service.get(f"{MONITOR}/checks"))["checks"]
        states = {check["name"]: check["state"] for check in checks}
        assert states["maturity"] != "critical"


async def test_rows_with_their_labels_are_mature_though_others_would_wait(service: Service) -> None:
    await service.put(default_label=0, label_window=2 * DAY)
    await service.post("observations", y_true=[1, 0], y_proba=[0.5, 0.5])
    report = await service.report()
    assert report["mature_until"] == report["to"]
    assert report["maturity"] == "Mature: the labels of this time are in, as far as they come."


async def test_a_quiet_hour_with_all_its_labels_ends_no_busy_one(service: Service) -> None:
    """Newest first: the labels of a few minutes are in, those of the hour before are not."""
    await service.put()
    newest = NOON - NOON % HOUR + HOUR + 300
    service.clock.now = newest
    ids = [f"p{at}" for at in range(600)]
    times = [newest - at for at in range(600)]
    await service.post("predictions", id=ids, y_proba=[0.3] * 600, timestamp=times)
    await service.post("labels", id=ids[:400], y_true=[1] * 400)
    since = newest - 600
    for asked in ({}, {"from": since - 5 * 60}, {"from": since - 5 * HOUR}):
        report = await service.report(**asked)
        assert report["labelled_share"] == pytest.approx(2 / 3)
        assert report["mature_until"] is None
        assert report["maturity"].startswith("Not yet mature: 67% of ")
