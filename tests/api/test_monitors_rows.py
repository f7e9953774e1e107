"""Rows that come with their labels: in every type of body, in the window of their time, or not."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused
from tests.payload.batch_bodies import bodies

pytestmark = pytest.mark.anyio

DAY = 86_400


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def drawn(n: int = 40) -> Document:
    """Rows with everything that may be said of them."""
    random = np.random.default_rng(3)
    return {
        "y_true": random.integers(0, 2, n).tolist(),
        "y_proba": random.random(n).tolist(),
        "sample_weight": random.choice([0.0, 0.3, 1.0, 2.5], n).tolist(),
        "timestamp": (NOON - random.integers(0, 600, n)).tolist(),
        "unit": [f"u{number}" for number in random.integers(0, 12, n)],
        "slice": {
            "country": random.choice(["DE", "FR", "ÅX"], n).tolist(),
            "device": random.choice(["phone", "tv"], n).tolist(),
        },
    }


async def test_every_type_of_body_gives_the_same_report_to_the_bit(service: Service) -> None:
    rows, found = drawn(), []
    late = sum(time < NOON for time in rows["timestamp"])
    for number, (media_type, body) in enumerate(bodies(rows)):
        path = f"/v1/monitors/m{number}"
        await service.put(path, slices=["country", "device"])
        headers = {"content-type": media_type}
        answer = done(
            await service.client.post(f"{path}/observations", content=body, headers=headers)
        )
        assert answer.items() >= {"accepted": 40, "clipped": 0, "late": late}.items()
        report = await service.report(path, by="country")
        series = await service.points(path, metric="brier", step=120)
        found.append((report | {"monitor": ""}, series))
    assert len(found) == 11
    assert all(each == found[0] for each in found[1:])
    assert found[0][0]["n"] == 40
    assert [group["slice"]["country"] for group in found[0][0]["groups"]] == ["DE", "FR", "ÅX"]


async def test_times_are_rfc_3339_or_epoch_seconds(service: Service) -> None:
    for name, times in (
        ("a", [NOON - 1, NOON]),
        ("b", [rfc3339(NOON - 1), "2026-03-05T13:00:00+01:00"]),
        ("c", [int(NOON) - 1, "1"]),
    ):
        await service.put(f"/v1/monitors/{name}")
        sent = {"y_true": [1, 0], "y_proba": [0.9, 0.2], "timestamp": times}
        answer = await service.client.post(f"/v1/monitors/{name}/observations", json=sent)
        if name == "c":
            assert refused(answer)[1].startswith("/timestamp")
            continue
        points = await service.points(f"/v1/monitors/{name}")
        assert [point["from"] for point in points] == [
            "2026-03-05T11:59:00Z",
            "2026-03-05T12:00:00Z",
        ]


async def test_rows_without_a_time_are_of_now(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[1, 0], y_proba=[0.9, 0.2])
    (point,) = await service.points()
    assert (point["from"], point["n"]) == ("2026-03-05T12:00:00Z", 2)


async def test_late_rows_go_to_the_window_of_their_time_and_are_counted(service: Service) -> None:
    await service.put()
    times = [NOON, NOON - 0.001, NOON - 3 * 3600, NOON + 330]
    answer = await service.post("observations", y_true=[1] * 4, y_proba=[0.5] * 4, timestamp=times)
    counted = {"late": 2, "duplicates": 0, "backfilled": 0, "rejected": 0, "rejections": []}
    assert answer == {"accepted": 4, "clipped": 0, "infinite": 0} | counted
    starts = [point["from"][11:16] for point in await service.points(to=NOON + 400)]
    assert starts == ["09:00", "11:59", "12:00", "12:05"]
    assert (await service.get())["counts"]["late"] == 2


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("observations", {"y_true": [1, 0, 1]}),
        ("predictions", {"id": ["a", "b", "c"]}),
    ],
)
async def test_a_batch_with_one_row_of_an_impossible_time_is_refused_whole(
    service: Service, what: str, rows: Document
) -> None:
    await service.put(retention_days=2)
    now = service.clock.now
    for offset, row in ((300.1, 2), (-2 * DAY - 0.1, 1), (1e9, 0)):
        times = [now] * 3
        times[row] += offset
        sent = rows | {"y_proba": [0.5] * 3, "timestamp": times}
        answer = await service.client.post(f"{MONITOR}/{what}", json=sent)
        assert refused(answer) == ("invalid-input", f"/timestamp/{row}")
    found = await service.report(**{"from": 0, "to": now + 4e9})
    assert (found["n"], found["predictions"]) == (0, 0)
    assert (await service.get())["last_window"] is None
    sent = rows | {"y_proba": [0.5] * 3, "timestamp": [now + 300, now, now - 2 * DAY]}
    assert (await service.post(what, **sent))["accepted"] == 3


@pytest.mark.parametrize(
    ("chosen", "rows", "place"),
    [
        ({}, {"y_true": [1, 2], "y_proba": [0.5, 0.5]}, "/y_true/1"),
        ({}, {"y_true": ["a", "b"], "y_proba": [0.5, 0.5]}, "/y_true"),
        ({}, {"y_true": ["a"], "y_proba": [0.5]}, "/y_true"),
        ({"pos_label": 0}, {"y_true": ["a"], "y_proba": [0.5]}, "/y_true"),
        ({"pos_label": 0}, {"y_true": [2], "y_proba": [0.5]}, "/y_true/0"),
        ({}, {"y_true": [1, 0], "y_proba": [0.5, 1.5]}, "/y_proba/1"),
        ({}, {"y_true": [1, 0], "y_proba": [[0.5, 0.5], [0.5, 0.5]]}, "/y_proba"),
        ({}, {"y_true": [1, 0], "y_proba": [0.5]}, "/y_true"),
        ({}, {"y_true": [1], "y_proba": [0.5], "slice": {"city": ["B"]}}, "/slice/city"),
        ({}, {"y_true": [1], "y_proba": [0.5], "sample_weight": [-1]}, "/sample_weight/0"),
        ({}, {"y_true": [1], "y_proba": [0.5], "ids": ["a"]}, "/ids"),
        ({}, {"y_proba": [0.5]}, "/y_true"),
        ({}, {"y_true": [1]}, "/y_proba"),
        ({"labels": ["n", "y"]}, {"y_true": ["y", "x"], "y_proba": [0.5, 0.5]}, "/y_true/1"),
        ({"labels": ["n", "y"]}, {"y_true": [1], "y_proba": [0.5]}, "/y_true"),
        (
            {"task": "multiclass", "labels": ["a", "b", "c"]},
            {"y_true": ["a"], "y_proba": [[0.5, 0.5]]},
            "/y_proba",
        ),
        (
            {"task": "multiclass", "labels": ["a", "b"]},
            {"y_true": ["a"], "y_proba": [0.5]},
            "/y_proba",
        ),
        (
            {"task": "multiclass", "labels": ["a", "b"]},
            {"y_true": ["a", "b"], "y_proba": [[0.5, 0.5], [0.5, 0.6]]},
            "/y_proba/1",
        ),
    ],
)
async def test_rows_that_are_not_of_the_monitor_are_named_and_nothing_is_kept(
    service: Service, chosen: Document, rows: Document, place: str
) -> None:
    created = await service.put(slices=["country"], **chosen)
    answer = await service.client.post(f"{MONITOR}/observations", json=rows)
    kind, found = refused(answer)
    assert (kind, found[: len(place)]) == ("invalid-input", place)
    assert (await service.report())["n"] == 0
    assert (await service.get())["counts"]["observations"] == 0
    assert created.items() <= (await service.get()).items()


async def test_what_a_convention_clips_is_counted(service: Service) -> None:
    await service.put()
    rows: Document = {"y_true": [1, 0, 1], "y_proba": [0.0, 1.0, 0.5]}
    assert (await service.post("observations", **rows))["clipped"] == 2
    report = await service.report()
    assert (report["n"], report["clipped"], report["infinite"]) == (3, 2, 0)
    eps = 2.0**-52
    expected = (-2 * math.log(eps) + math.log(2)) / 3
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(expected, rel=1e-12)


async def test_an_infinite_loss_is_an_answer_and_spoils_only_what_depends_on_it(
    service: Service,
) -> None:
    await service.put(convention="exact")
    rows: Document = {"y_true": [1, 0, 1, 0], "y_proba": [0.0, 0.2, 0.5, 0.1]}
    answer = await service.post("observations", **rows)
    assert (answer["clipped"], answer["infinite"]) == (0, 1)
    report = await service.report()
    assert (report["n"], report["clipped"], report["infinite"]) == (4, 0, 1)
    infinite = {"value": None, "status": "infinite", "reason": "positive_infinity"}
    for name in ("log_loss", "normalized_entropy"):
        assert report["metrics"][name].items() >= infinite.items()
    gain = report["metrics"]["relative_information_gain"]
    assert (gain["value"], gain["reason"]) == (None, "negative_infinity")
    assert report["metrics"]["brier"]["value"] == pytest.approx((1 + 0.04 + 0.25 + 0.01) / 4)
    (point,) = await service.points()
    assert point.items() >= infinite.items()


async def test_an_infinite_loss_of_a_row_without_weight_adds_nothing(service: Service) -> None:
    await service.put(convention="exact")
    rows: Document = {"y_true": [1, 1], "y_proba": [0.0, 0.5], "sample_weight": [0, 2]}
    assert (await service.post("observations", **rows))["infinite"] == 0
    report = await service.report()
    assert (report["n"], report["weight"]) == (2, 2.0)
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize(
    ("chosen", "y_true"),
    [
        ({"labels": ["no", "yes"]}, ["yes", "no", "yes"]),
        ({"labels": ["yes", "no"], "pos_label": "yes"}, ["yes", "no", "yes"]),
        ({"labels": [7, 3]}, [3, 7, 3]),
        ({"pos_label": 0}, [0, 1, 0]),
        ({"labels": [0, 1]}, [1.0, 0.0, 1.0]),
        ({}, [1, 0, 1]),
    ],
)
async def test_the_positive_label_is_the_one_named(
    service: Service, chosen: Document, y_true: list[object]
) -> None:
    await service.put(**chosen)
    await service.post("observations", y_true=y_true, y_proba=[0.9, 0.2, 0.6])
    metrics = (await service.report())["metrics"]
    assert metrics["base_rate"]["value"] == pytest.approx(2 / 3)
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.6)) / 3
    assert metrics["log_loss"]["value"] == pytest.approx(expected, rel=1e-12)


async def test_soft_labels_are_shares(service: Service) -> None:
    await service.put()
    await service.post("observations", y_true=[0.25, 1], y_proba=[0.5, 0.5])
    metrics = (await service.report())["metrics"]
    assert metrics["base_rate"]["value"] == 0.625
    assert metrics["log_loss"]["value"] == pytest.approx(math.log(2))


async def test_one_request_may_not_touch_every_window_there_is(service: Service) -> None:
    await service.put(window_seconds=1)
    now = service.clock.now
    sent = {"y_true": [1] * 10_001, "y_proba": [0.5] * 10_001}
    sent["timestamp"] = [now - row for row in range(10_001)]
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer) == ("invalid-input", "/timestamp")
    assert (await service.report())["n"] == 0
