"""Predictions find their labels by id, whichever came first, and every row is accounted for."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused
from tests.payload.batch_bodies import bodies

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

DAY = 86_400


def said(matched: int, pending: int, duplicates: int) -> Document:
    return {"matched": matched, "pending": pending, "duplicates": duplicates}


async def counts(service: Service) -> Document:
    """What is counted of a monitor, after checking that it adds up."""
    found: Document = (await service.get())["counts"]
    for side in ("predictions", "labels"):
        gone = found["matched"] + found["expired"][side]
        assert found["pending"][side] == found[side] - gone
    return found


def halves(n: int = 30) -> tuple[Document, Document]:
    """Predictions with all that may be said of them, and their labels in another order."""
    random = np.random.default_rng(8)
    ids = [f"id {number}" for number in range(n)]
    predictions = {
        "id": ids,
        "y_proba": random.random(n).tolist(),
        "sample_weight": random.choice([0.25, 1.0, 3.0], n).tolist(),
        "timestamp": (NOON - random.integers(0, 7200, n)).tolist(),
        "unit": random.integers(0, 5, n).tolist(),
        "slice": {"country": random.choice(["DE", "FR"], n).tolist()},
    }
    order = random.permutation(n).tolist()
    y = random.integers(0, 2, n).tolist()
    return predictions, {"id": [ids[at] for at in order], "y_true": [y[at] for at in order]}


def cut(rows: Document, start: int, stop: int) -> Document:
    """Some of the rows."""
    return {
        name: cut(values, start, stop) if isinstance(values, dict) else values[start:stop]
        for name, values in rows.items()
    }


async def seen(service: Service, path: str) -> list[Any]:
    """What can be seen of labelled rows."""
    report = await service.report(path, by="country")
    series = [await service.points(path, metric=metric) for metric in ("log_loss", "auc")]
    return [report | {"monitor": "", "predictions": 0, "drift": {}}, *series]


async def test_in_whatever_order_and_batches_halves_come_the_rows_are_the_same(
    service: Service,
) -> None:
    predictions, labels = halves()
    y = dict(zip(labels["id"], labels["y_true"], strict=True))
    whole = predictions | {"y_true": [y[name] for name in predictions["id"]]}
    del whole["id"]
    await service.put("/v1/monitors/whole", slices=["country"])
    await service.post("observations", "/v1/monitors/whole", **whole)
    expected = await seen(service, "/v1/monitors/whole")
    for group in expected[0]["groups"]:
        group.update(drift={}, predictions=0)
    for number, (size, first) in enumerate(itertools.product((1, 7, 30), ("p", "l", "both"))):
        path = f"/v1/monitors/m{number}"
        await service.put(path, slices=["country"])
        parts = [(at, min(at + size, 30)) for at in range(0, 30, size)]
        come = {
            "p": [("predictions", predictions, part) for part in parts],
            "l": [("labels", labels, part) for part in parts],
        }
        order = come["p"] + come["l"] if first == "p" else come["l"] + come["p"]
        if first == "both":
            order = [each for pair in zip(come["l"], come["p"], strict=True) for each in pair]
        for what, rows, part in order:
            await service.post(what, path, **cut(rows, *part))
        found = await seen(service, path)
        for group in found[0]["groups"]:
            group.update(drift={}, predictions=0)
        assert found == expected
        counted = (await service.get(path))["counts"]
        assert (counted["matched"], counted["pending"]) == (30, {"predictions": 0, "labels": 0})


async def test_every_type_of_body_brings_the_same_halves(service: Service) -> None:
    predictions, labels = halves()
    expected: list[list[Any]] = []
    both = zip(bodies(predictions), bodies(labels), strict=True)
    for number, parts in enumerate(both):
        path = f"/v1/monitors/m{number}"
        await service.put(path, slices=["country"])
        for what, (media_type, body) in zip(("predictions", "labels"), parts, strict=True):
            headers = {"content-type": media_type}
            done(await service.client.post(f"{path}/{what}", content=body, headers=headers))
        expected.append(await seen(service, path))
        assert (await service.get(path))["counts"]["matched"] == 30
    assert all(found == expected[0] for found in expected)


async def test_of_an_id_that_comes_twice_the_first_counts(service: Service) -> None:
    await service.put()
    answer = await service.post("predictions", id=["a", "b", "a"], y_proba=[0.5, 0.9, 0.1])
    assert answer == {
        "accepted": 2,
        "rejected": 0,
        "rejections": [],
        "clipped": 0,
        "infinite": 0,
        "late": 0,
        "corrected": 0,
        "backfilled": 0,
        **said(0, 2, 1),
    }
    again = await service.post("predictions", id=["b", "c"], y_proba=[0.1, 0.25])
    assert again.items() >= {"accepted": 1, **said(0, 1, 1)}.items()
    labels = await service.post("labels", id=["a", "c", "z", "a"], y_true=[1, 1, 1, 0])
    assert labels.items() >= said(2, 1, 1).items()
    late = await service.post("labels", id=["a", "z"], y_true=[0, 0])
    assert late.items() >= said(0, 0, 2).items()
    late = await service.post("predictions", id=["a", "z"], y_proba=[0.1, 0.125])
    assert late.items() >= said(1, 0, 1).items()
    report = await service.report()
    assert (report["n"], report["predictions"]) == (3, 4)
    value = report["metrics"]["log_loss"]["value"] / math.log(2)
    assert value == pytest.approx((1 + 2 + 3) / 3)
    found = await counts(service)
    assert [found[name] for name in ("predictions", "labels", "matched", "duplicates")] == [
        *(4, 3, 3, 6),
    ]
    assert found["pending"] == {"predictions": 1, "labels": 0}


async def test_an_integer_is_the_id_that_its_digits_are(service: Service) -> None:
    await service.put()
    await service.post("predictions", id=[7, 8], y_proba=[0.5, 0.5])
    answer = await service.post("labels", id=["7", "8", "07"], y_true=[1, 0, 1])
    assert answer.items() >= said(2, 1, 0).items()


async def test_a_joined_row_lies_in_the_window_of_its_prediction(service: Service) -> None:
    await service.put()
    await service.post(
        "predictions", id=["a", "b"], y_proba=[0.5, 0.5], timestamp=[NOON - 3600, NOON]
    )
    service.clock.now += 3 * 3600
    await service.post("labels", id=["a", "b"], y_true=[1, 0])
    points = await service.points()
    assert [point["from"][11:16] for point in points] == ["11:00", "12:00"]


async def test_rows_of_a_unit_keep_it_when_others_have_none(service: Service) -> None:
    found = []
    for name, together in (("a", True), ("b", False)):
        path = f"/v1/monitors/{name}"
        await service.put(path, slices=["country"])
        slices = {"country": ["DE"] * 4}
        y_proba, units = [0.5, 0.4, 0.9, 0.2], [1, 1, 2, 3]
        await service.post(
            "predictions", path, id=list("abcd"), y_proba=y_proba, unit=units, slice=slices
        )
        await service.post("predictions", path, id=list("ef"), y_proba=[0.3, 0.6])
        y = [1, 0, 1, 1, 0, 1]
        if together:
            await service.post("labels", path, id=list("abcdef"), y_true=y)
        else:
            await service.post("labels", path, id=list("abcd"), y_true=y[:4])
            await service.post("labels", path, id=list("ef"), y_true=y[4:])
        report = await service.report(path, by="country")
        found.append([report["metrics"], report["groups"]])
    assert found[0] == found[1]


async def test_what_waits_too_long_expires_and_is_counted(service: Service) -> None:
    await service.put(ttl_seconds=3600)
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.5], timestamp=[NOON - DAY] * 2)
    await service.post("labels", id=["b", "z"], y_true=[1, 0])
    service.clock.now += 3600
    service.tidy()
    assert (await counts(service))["expired"] == {"predictions": 0, "labels": 0}
    service.clock.now += 1
    service.tidy()
    found = await counts(service)
    assert found["expired"] == {"predictions": 1, "labels": 1}
    assert found["pending"] == {"predictions": 0, "labels": 0}
    assert (found["matched"], (await service.report(**{"from": NOON - 2 * DAY}))["n"]) == (1, 1)
    late = await service.post("labels", id=["a"], y_true=[1])
    assert late.items() >= said(0, 1, 0).items()
    late = await service.post("predictions", id=["z"], y_proba=[0.5])
    assert late.items() >= said(0, 1, 0).items()
    await counts(service)


async def test_a_label_that_is_none_is_refused_with_its_batch(service: Service) -> None:
    await service.put(labels=["no", "yes"])
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.5])
    sent = {"id": ["a", "b"], "y_true": ["yes", "maybe"]}
    answer = await service.client.post(f"{MONITOR}/labels", json=sent)
    assert refused(answer) == ("invalid-input", "/y_true/1")
    found = await counts(service)
    assert (found["labels"], found["matched"]) == (0, 0)


@pytest.mark.parametrize("ids", [[""], ["x" * 257], [1.5], [True], [None], ["a\n"], "a", [[]]])
async def test_what_may_not_be_an_id_is_named(service: Service, ids: object) -> None:
    await service.put()
    for what, rows in (("predictions", {"y_proba": [0.5]}), ("labels", {"y_true": [1]})):
        answer = await service.client.post(f"{MONITOR}/{what}", json={"id": ids, **rows})
        assert refused(answer)[1].startswith("/id")
    found = await counts(service)
    assert (found["predictions"], found["labels"]) == (0, 0)


async def test_a_row_is_scored_once_whether_or_not_its_label_came(service: Service) -> None:
    await service.put()
    p = [0.1, 0.2, 0.6, 0.7]
    await service.put(f"{MONITOR}/reference", y_true=[0, 1] * 50, y_proba=[0.2, 0.9] * 50)
    await service.post("predictions", id=list("abcd"), y_proba=p)
    before = (await service.report())["drift"]["score"]
    await service.post("labels", id=list("abcd"), y_true=[0, 0, 1, 1])
    report = await service.report()
    assert (report["n"], report["predictions"], report["drift"]["score"]) == (4, 4, before)


async def test_a_multiclass_row_is_joined(service: Service) -> None:
    await service.put(task="multiclass", labels=["a", "b", "c"])
    await service.post("labels", id=["x"], y_true=["c"])
    await service.post("predictions", id=["x", "y"], y_proba=[[0.25, 0.25, 0.5], [0, 0, 1]])
    report = await service.report()
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(math.log(2))
