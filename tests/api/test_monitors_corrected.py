"""Labels are corrected, rows with an id count once, and labels that never come have a default."""

from typing import Any

import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

ROWS: Document = {
    "id": ["a", "b", "c", "d"],
    "y_proba": [0.9, 0.2, 0.6, 0.4],
    "sample_weight": [1.0, 0.25, 3.0, 1.0],
    "timestamp": [NOON, NOON - 60, NOON - 7200, NOON],
    "slice": {"country": ["DE", "FR", "DE", "DE"]},
}


def said(**counts: int) -> Document:
    names = ("accepted", "matched", "pending", "duplicates", "corrected")
    return dict.fromkeys(names, 0) | counts


def part(answer: Document, expected: Document) -> Document:
    return {name: answer[name] for name in expected}


async def seen(service: Service, path: str) -> list[Any]:
    """What is said of labelled rows."""
    report = await service.report(path, by="country")
    points = [await service.points(path, metric=metric) for metric in ("log_loss", "auc")]
    return [report["n"], report["weight"], report["metrics"], report["groups"], *points]


async def as_if_at_once(service: Service, y_true: list[int]) -> list[Any]:
    """What is said of the same rows that came with these labels."""
    path = "/v1/monitors/whole"
    await service.put(path, slices=["country"])
    rows = {name: column for name, column in ROWS.items() if name != "id"}
    await service.post("observations", path, y_true=y_true, **rows)
    return await seen(service, path)


@pytest.mark.parametrize("way", ["predictions", "labels first", "observations"])
async def test_a_corrected_label_is_to_the_bit_as_if_it_had_come_first(
    service: Service, way: str
) -> None:
    await service.put(slices=["country"])
    labels: Document = {"id": ROWS["id"], "y_true": [0, 0, 1, 1]}
    if way == "observations":
        await service.post("observations", **ROWS, y_true=labels["y_true"])
    elif way == "predictions":
        await service.post("predictions", **ROWS)
        await service.post("labels", **labels)
    else:
        await service.post("labels", **labels)
        await service.post("predictions", **ROWS)
    again = await service.post("labels", id=["a"], y_true=[1])
    assert part(again, said(duplicates=1)) == said(duplicates=1)
    first = await service.post(
        "labels", id=["a", "c", "b", "a"], y_true=[0, 0, 0, 1], on_duplicate="correct"
    )
    assert part(first, said()) == said(accepted=2, corrected=2, duplicates=2)
    back = await service.post("labels", id=["c"], y_true=[1], on_duplicate="correct")
    assert part(back, said()) == said(accepted=1, corrected=1)
    service.tidy()
    assert await seen(service, MONITOR) == await as_if_at_once(service, [1, 0, 1, 1])
    assert (await service.get())["counts"]["corrected"] == 3


async def test_a_label_that_waits_is_corrected(service: Service) -> None:
    await service.put()
    await service.post("labels", id=["a"], y_true=[0])
    answer = await service.post("labels", id=["a", "b"], y_true=[1, 1], on_duplicate="correct")
    assert part(answer, said()) == said(accepted=2, corrected=1, pending=1)
    await service.post("predictions", id=["a"], y_proba=[0.5])
    assert (await service.report())["metrics"]["base_rate"]["value"] == 1.0
    counts = (await service.get())["counts"]
    assert counts["pending"] == {"predictions": 0, "labels": 1}
    assert (counts["labels"], counts["matched"]) == (2, 1)


async def test_live_counters_keep_the_first_label_and_count_what_was_corrected(
    service: Service,
) -> None:
    await service.put()
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.5])
    await service.post("labels", id=["a", "b"], y_true=[0, 1])
    before = await service.samples(monitor="clicks")
    await service.post("labels", id=["a", "b"], y_true=[1, 0], on_duplicate="correct")
    after = await service.samples(monitor="clicks")
    corrected = 'kullback_corrected_total{monitor="clicks"}'
    assert after == before | {corrected: 2.0}


async def test_what_is_no_way_to_meet_a_duplicate_is_refused(service: Service) -> None:
    await service.put()
    sent = {"id": ["a"], "y_true": [1], "on_duplicate": "replace"}
    answer = await service.client.post(f"{MONITOR}/labels", json=sent)
    assert refused(answer) == ("invalid-input", "/on_duplicate")


async def test_observations_with_an_id_count_once_however_they_are_batched(
    service: Service,
) -> None:
    await service.put()
    rows = {"a": (1, 0.5), "b": (0, 0.25), "c": (1, 0.125)}

    async def send(*ids: str) -> tuple[int, int]:
        y, p = zip(*(rows[name] for name in ids), strict=True)
        answer = await service.post("observations", id=ids, y_true=y, y_proba=p)
        return answer["accepted"], answer["duplicates"]

    assert await send("a", "b") == (2, 0)
    assert await send("a", "b", "c") == (1, 2)
    assert await send("c", "c", "a") == (0, 3)
    report = await service.report()
    assert (report["n"], report["predictions"]) == (3, 3)
    counts = (await service.get())["counts"]
    assert (counts["observations"], counts["duplicates"], counts["labels"]) == (3, 5, 0)
    service.clock.now += 7 * 86_400 + 1
    service.tidy()
    assert await send("a") == (1, 0)


async def test_an_observation_is_the_half_that_lacks(service: Service) -> None:
    await service.put()
    await service.post("predictions", id=["p"], y_proba=[0.25])
    await service.post("labels", id=["l"], y_true=[1])
    rows = {"id": ["p", "l", "n"], "y_true": [1, 0, 0], "y_proba": [0.75, 0.5, 0.5]}
    assert (await service.post("observations", **rows))["accepted"] == 3
    report = await service.report()
    assert (report["n"], report["predictions"]) == (3, 3)
    assert report["metrics"]["mean_prediction"]["value"] == (0.25 + 0.5 + 0.5) / 3
    assert report["metrics"]["base_rate"]["value"] == pytest.approx(2 / 3)
    counts = (await service.get())["counts"]
    assert counts["pending"] == {"predictions": 0, "labels": 0}
    names = ("observations", "predictions", "labels", "matched")
    assert [counts[name] for name in names] == [1, 2, 2, 2]


async def test_clicks_that_never_come_are_none(service: Service) -> None:
    await service.put(default_label=0, label_window=5, ttl_seconds=3600)
    ids = [str(number) for number in range(1000)]
    await service.post("predictions", id=ids, y_proba=[0.1] * 1000)
    await service.post("labels", id=ids[:100], y_true=[1] * 100)
    service.clock.now += 5
    service.tidy()
    assert (await service.report())["n"] == 100
    service.clock.now += 1
    for _ in range(2):
        service.inside.monitor_maintenance.run_due()
    report = await service.report()
    values = {name: each["value"] for name, each in report["metrics"].items()}
    assert (report["n"], values["base_rate"]) == (1000, 0.1)
    assert values["calibration_ratio"] == pytest.approx(1.0)
    assert values["log_loss"] == pytest.approx(0.32508297339144820)
    counts = (await service.get())["counts"]
    assert (counts["defaulted"], counts["matched"]) == (900, 100)
    assert counts["pending"] == {"predictions": 0, "labels": 0}
    samples = await service.samples(monitor="clicks")
    assert samples['kullback_examples_total{monitor="clicks"}'] == 1000
    assert samples['kullback_label_weight_total{monitor="clicks"}'] == 100
    assert samples['kullback_defaulted_total{monitor="clicks"}'] == 900


async def test_a_label_that_comes_after_the_default_replaces_it(service: Service) -> None:
    await service.put(slices=["country"], default_label=0, label_window=60)
    await service.post("predictions", **ROWS)
    service.clock.now += 61
    service.tidy()
    assert (await service.get())["counts"]["defaulted"] == 4
    answer = await service.post("labels", id=["a", "b", "z"], y_true=[1, 0, 1])
    assert part(answer, said()) == said(accepted=3, corrected=1, matched=1, pending=1)
    again = await service.post("labels", id=["a"], y_true=[0])
    assert part(again, said()) == said(duplicates=1)
    late = await service.post("observations", id=["c"], y_true=[1], y_proba=[0.1])
    assert (late["accepted"], late["duplicates"]) == (1, 0)
    assert await seen(service, MONITOR) == await as_if_at_once(service, [1, 0, 1, 0])
    counts = (await service.get())["counts"]
    assert counts["defaulted"] == 1
    assert (counts["predictions"], counts["matched"], counts["labels"]) == (4, 3, 4)
    service.clock.now += 8 * 86_400
    service.tidy()
    expired = (await service.get())["counts"]["expired"]
    assert expired == {"predictions": 0, "labels": 1}


async def test_what_expires_in_the_same_pass_counts_with_its_default_first(
    service: Service,
) -> None:
    await service.put(default_label=0, label_window=60, ttl_seconds=60)
    await service.post("predictions", id=["a", "b"], y_proba=[0.5, 0.5])
    service.clock.now += 3600
    service.tidy()
    assert (await service.report())["n"] == 2
    counts = (await service.get())["counts"]
    assert (counts["defaulted"], counts["expired"]["predictions"]) == (2, 0)


async def test_nothing_is_settled_while_the_clock_is_in_doubt(service: Service) -> None:
    await service.put(default_label=0, label_window=60)
    await service.post("predictions", id=["a"], y_proba=[0.5])
    maintenance = service.inside.monitor_maintenance
    believed = maintenance._maintenance.believed_now  # noqa: SLF001 - the clock of the round
    maintenance._maintenance.believed_now = lambda: None  # noqa: SLF001
    service.clock.now += 61
    maintenance.run_due()
    assert (await service.report())["n"] == 0
    maintenance._maintenance.believed_now = believed  # noqa: SLF001
    maintenance.run_due()
    assert (await service.report())["n"] == 1


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ({"default_label": 0}, "/default_label"),
        ({"label_window": 5}, "/label_window"),
        ({"default_label": 2, "label_window": 5}, "/default_label"),
        ({"default_label": "no", "label_window": 5}, "/default_label"),
        ({"labels": ["no", "yes"], "default_label": 0, "label_window": 5}, "/default_label"),
        ({"default_label": 0, "label_window": 61, "ttl_seconds": 60}, "/label_window"),
        ({"default_label": 0, "label_window": 86_401, "retention_days": 1}, "/label_window"),
        ({"default_label": 0, "label_window": 0}, "/label_window"),
    ],
)
async def test_a_default_that_cannot_be_is_refused(
    service: Service, chosen: Document, place: str
) -> None:
    answer = await service.client.put(MONITOR, json=chosen)
    assert refused(answer) == ("invalid-input", place)


async def test_a_default_is_one_of_the_labels_of_any_task(service: Service) -> None:
    for name, settings, p in (
        ("binary", {"labels": ["click", "no"], "pos_label": "click"}, 0.25),
        ("classes", {"task": "multiclass", "labels": [7, 8, 9]}, [0.5, 0.25, 0.25]),
    ):
        path, label = f"/v1/monitors/{name}", settings["labels"][1]
        default = {"default_label": label, "label_window": 60}
        done(await service.client.put(path, json={**settings, **default}))
        await service.post("predictions", path, id=["a"], y_proba=[p])
        service.clock.now += 61
        service.tidy()
        report = await service.report(path)
        await service.put(f"{path}-2", **settings)
        await service.post("observations", f"{path}-2", y_true=[label], y_proba=[p])
        other = await service.report(f"{path}-2")
        assert report["metrics"] == other["metrics"]
