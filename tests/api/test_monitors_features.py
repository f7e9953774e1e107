"""Features of a monitor: counted with the rows that carry them, and compared with a reference."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from kullback.monitoring import feature_forgetting
from kullback.monitoring.features import MAX_CATEGORIES_KEPT
from kullback.requests.monitors import MonitorSettings
from kullback.settings import Settings
from kullback.storage.base import Record
from tests.monitoring.service import MONITOR, NOON, Document, Service, done, refused, running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

FEATURES = {"age": "numeric", "device": "categorical"}
DRIFT = {"kl", "js", "psi", "g_statistic", "degrees_of_freedom", "p_value", "missing_share", "bins"}
HOUR = 3600


def batch(
    n: int, seed: int = 1, age: float = 40.0, mobile: float = 0.4, at: float = 60
) -> Document:
    """Clicks by people of about some age, on some device."""
    random = np.random.default_rng(seed)
    ages = random.normal(age, 10, n).round(1).tolist()
    return {
        "y_true": random.integers(0, 2, n).tolist(),
        "y_proba": random.random(n).tolist(),
        "timestamp": [NOON - at] * n,
        "features": {
            "age": [None if row % 50 == 0 else value for row, value in enumerate(ages)],
            "device": random.choice(["mobile", "desktop"], n, p=[mobile, 1 - mobile]).tolist(),
        },
    }


async def drifts(service: Service, **query: str | float) -> dict[str, Document]:
    found: dict[str, Document] = (await service.report(**query))["drift"].get("features", {})
    return found


async def test_features_are_ranked_by_how_far_they_are_from_the_reference(service: Service) -> None:
    await service.put(features=FEATURES)
    past, now = batch(2_000), batch(1_000, 2, age=43, mobile=0.9)
    await service.put(f"{MONITOR}/reference", **{k: v for k, v in past.items() if k != "timestamp"})
    accepted = await service.post("observations", **now)
    assert accepted["accepted"] == 1_000
    found = await drifts(service)
    assert list(found) == ["device", "age"]
    device, age = found.values()
    assert device.keys() >= DRIFT
    counts = [
        [each["features"]["device"].count(value) for value in ("mobile", "desktop")]
        for each in (now, past)
    ]
    expected = chi2_contingency(counts, correction=False, lambda_="log-likelihood")
    assert device["g_statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert device["n"] == 1_000
    assert device["bins"][0] == {
        "value": "mobile",
        "share": counts[0][0] / 1_000,
        "reference_share": counts[1][0] / 2_000,
    }
    assert device["bins"][-1] == {"missing": True, "share": 0.0, "reference_share": 0.0}
    assert "significant change" in device["statement"]
    assert age["missing_share"] == age["reference_missing_share"] == 0.02
    assert age["bins"][0]["from"] is None
    ages = [value for value in now["features"]["age"] if value is not None]
    edges = [-np.inf, *(part["from"] for part in age["bins"][1:-1]), np.inf]
    shares = [part["share"] for part in age["bins"][:-1]]
    assert shares == [count / 1_000 for count in np.histogram(ages, edges)[0]]


async def test_rows_count_once_by_id_and_labels_count_no_features(service: Service) -> None:
    await service.put(features=FEATURES)
    sent = batch(100)
    del sent["y_true"]
    ids = [f"r{row}" for row in range(100)]
    await service.post("predictions", id=ids, **sent)
    await service.post("predictions", id=ids, **sent)
    await service.post("labels", id=ids, y_true=[1] * 100)
    assert (await drifts(service))["age"]["n"] == 100
    more = {**sent, "features": {"age": [30] * 100}}
    await service.post("predictions", id=[*ids[:50], *(f"s{row}" for row in range(50))], **more)
    found = await drifts(service)
    assert (found["age"]["n"], found["device"]["n"]) == (150, 100)
    observed = {**more, "y_true": [0] * 100, "id": ids}
    await service.post("observations", **observed)
    assert (await drifts(service))["age"]["n"] == 150


async def test_the_store_of_either_kind_keeps_and_forgets_features(
    postgresql: Server, settings: Settings
) -> None:
    answers = []
    with postgresql.database() as name:
        for url in (settings.database_url, postgresql.url(name)):
            async with running(url) as service:
                await service.put(features=FEATURES)
                for minute in range(6):
                    await service.post("observations", **batch(40, minute, at=60 * minute + 60))
                await service.put(f"{MONITOR}/reference", **{"from": NOON - 300, "to": NOON})
                service.tidy()
                first = await drifts(service)
                await service.client.patch(
                    f"{MONITOR}?forget=true", json={"features": {"age": "numeric"}}
                )
                service.clock.now += 40 * 24 * HOUR
                service.tidy()
                answers.append([first, await drifts(service)])
    assert answers[0] == answers[1]
    assert [list(each) for each in answers[0]] == [["age", "device"], []]
    assert answers[0][0]["age"]["n"] == 240


async def test_a_retry_by_its_key_counts_its_features_once(service: Service) -> None:
    await service.put(features=FEATURES)
    sent, key = batch(10), {"Idempotency-Key": "once"}
    for _ in range(2):
        done(await service.client.post(f"{MONITOR}/observations", json=sent, headers=key))
    assert (await drifts(service))["age"]["n"] == 10


async def test_without_a_reference_there_is_no_drift_but_shares(service: Service) -> None:
    await service.put(features=FEATURES)
    await service.post("observations", **batch(10))
    age = (await drifts(service))["age"]
    assert (age["psi"], age["reason"]) == (None, "no_reference")
    assert age["statement"] == "No reference to compare with."
    assert age["missing_share"] == 0.1
    assert {part["reference_share"] for part in age["bins"]} == {None}


@pytest.mark.parametrize("reference", ["period", "offset"])
async def test_a_reference_of_windows_has_their_features(service: Service, reference: str) -> None:
    await service.put(features=FEATURES)
    await service.post("observations", **batch(500, at=2 * HOUR + 60))
    await service.post("observations", **batch(500, 3, age=80, at=60))
    period: dict[str, Any] = {"from": NOON - 3 * HOUR, "to": NOON - HOUR}
    if reference == "offset":
        period = {"offset": 2 * HOUR}
    await service.put(f"{MONITOR}/reference", **period)
    found = await drifts(service, **{"from": NOON - HOUR, "to": NOON})
    assert list(found) == ["age", "device"]
    assert found["age"]["psi"] > 3
    assert found["device"]["p_value"] > 0.001


async def test_windows_keep_their_features_as_they_widen_and_go_with_them(service: Service) -> None:
    await service.put(features=FEATURES)
    for minute in range(5):
        await service.post("observations", **batch(20, minute, at=60 * minute + 60))
    before = await drifts(service)
    assert before["age"]["n"] == 100
    service.clock.now += 3 * 24 * HOUR
    service.tidy()
    days = {"from": NOON - HOUR, "to": NOON}
    assert await drifts(service, **days) == before
    path = f"{MONITOR}/windows"
    done(await service.client.delete(path, params={"from": NOON - HOUR, "to": NOON}))
    assert await drifts(service, **days) == {}


@pytest.mark.parametrize(
    ("features", "place", "detail"),
    [
        ({"age": ["old"]}, "/features/age/0", "a text, where the feature is numeric"),
        ({"size": [1]}, "/features/size", "which has age, device"),
        ({"age": [[1]]}, "/features/age", "lists, where single entries are expected"),
        ({"age": 1}, "/features/age", "a list is expected"),
        ({"a b": [1]}, "/features/a b", "no feature may be named so"),
        ({"device": ["a\u0000b"]}, "/features/device/0", "control character"),
        ({"device": ["x" * 257]}, "/features/device/0", "not 1 to 256 characters"),
        ({"age": [1, 2]}, "/features/age", "2 rows where"),
        ([1], "/features", "by name"),
    ],
)
async def test_what_is_no_feature_is_refused_by_its_place(
    service: Service, features: object, place: str, detail: str
) -> None:
    await service.put(features=FEATURES)
    sent = {"y_true": [1], "y_proba": [0.5], "features": features}
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer)[1] == place
    assert detail in answer.json()["detail"]


async def test_a_text_among_numbers_costs_its_row_where_bad_rows_are_left_out(
    service: Service,
) -> None:
    await service.put(features=FEATURES)
    sent = {
        "y_true": [1, 0, 1],
        "y_proba": [0.5] * 3,
        "features": {"age": [1, "old", None], "device": ["a", "b", ""]},
    }
    answer = await service.client.post(f"{MONITOR}/observations", json=sent)
    assert refused(answer)[1] == "/features/age/1"
    accepted = await service.post("observations", on_invalid="drop", **sent)
    assert (accepted["accepted"], accepted["rejected"]) == (2, 1)
    assert accepted["rejections"][0]["pointer"] == "/features/age/1"
    found = await drifts(service)
    assert (found["age"]["n"], found["age"]["missing_share"]) == (2, 0.5)
    assert (found["device"]["n"], found["device"]["missing_share"]) == (2, 0.5)


@pytest.mark.parametrize("change", [{"age": "numeric"}, {**FEATURES, "device": "numeric"}])
async def test_a_feature_that_goes_or_changes_asks_and_then_forgets(
    service: Service, change: dict[str, str]
) -> None:
    await service.put(features=FEATURES)
    await service.post("observations", **batch(100))
    await service.put(f"{MONITOR}/reference", **{"from": NOON - HOUR, "to": NOON})
    answer = await service.client.patch(MONITOR, json={"features": change})
    assert refused(answer, 409) == ("conflict", "/features")
    assert "forget the counts of device: ?forget=true" in answer.json()["detail"]
    assert list(await drifts(service)) == ["age", "device"]
    answer = await service.client.patch(f"{MONITOR}?forget=true", json={"features": change})
    assert done(answer)["features"] == change
    assert answer.json()["forgotten"] == {
        "rows": 0,
        "labelled": 0,
        "ids": 0,
        "features": ["device"],
    }
    assert list(await drifts(service)) == ["age"]
    await service.put(features=FEATURES, owner="us")  # nothing of it is left to ask about
    found = await drifts(service)
    assert list(found) == ["age"]
    assert (found["age"]["n"], found["age"]["psi"]) == (100, 0)
    await service.post("observations", **batch(10, 2))
    assert (await drifts(service))["device"]["reason"] == "no_reference"
    assert (await drifts(service))["device"]["n"] == 10


async def test_rows_that_were_read_as_another_kind_are_not_added(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put(features=FEATURES)
    stored = service.store.record
    settings = MonitorSettings(features={"age": "categorical", "device": "categorical"})

    def changed_meanwhile(kind: str, name: str) -> Record | None:
        record = stored(kind, name)
        monkeypatch.setattr(service.store, "record", stored)
        service.inside.monitor_lifecycle.patch(name, settings.monitor, None).result()
        return record

    monkeypatch.setattr(service.store, "record", changed_meanwhile)
    answer = await service.client.post(f"{MONITOR}/observations", json=batch(5))
    assert refused(answer, 409)[0] == "conflict"
    await service.post("observations", **batch(5))
    assert (await drifts(service))["age"]["n"] == 5


async def test_many_windows_forget_a_feature_in_steps(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_forgetting, "TABLES_AT_ONCE", 3)
    await service.put(features=FEATURES)
    for minute in range(10):
        await service.post("observations", **batch(10, minute, at=60 * (minute % 4) + 60))
    answer = await service.client.put(f"{MONITOR}?forget=true", json={"features": {}})
    assert done(answer)["forgotten"]["features"] == ["age", "device"]
    await service.put(features=FEATURES)
    assert await drifts(service) == {}
    assert (await service.report())["n"] == 100


def devices(names: list[str], at: float = 60) -> Document:
    rows = {"y_true": [1] * len(names), "y_proba": [0.5] * len(names)}
    return {**rows, "timestamp": [NOON - at] * len(names), "features": {"device": names}}


def counted_apart(service: Service) -> set[str]:
    reader = service.inside.monitor_queries.open("clicks")
    whole = reader.features(reader.span(None, None))
    return {name for name, _ in whole.counts["device"].pairs()}


async def test_categories_beyond_the_most_are_others_until_places_are_free(
    service: Service,
) -> None:
    await service.put(features=FEATURES)
    first = [f"a{at}" for at in range(MAX_CATEGORIES_KEPT - 10)]
    await service.post("observations", **devices([*first, "a0"]))
    await service.post("observations", **devices([f"b{at // 2}" for at in range(40)] + ["c"]))
    apart = counted_apart(service)
    assert len(apart) == MAX_CATEGORIES_KEPT + 1
    assert apart >= {*first, "(other)"}
    assert "c" not in apart  # of fewer rows than the others of its batch
    service.clock.now += 40 * 24 * HOUR
    service.tidy()
    await service.post("observations", **devices(["c"], at=-40 * 24 * HOUR))
    assert counted_apart(service) == {"c"}


async def test_features_that_are_not_named_stay_and_others_join_at_any_time(
    service: Service,
) -> None:
    await service.put(features={"age": "numeric"})
    await service.post("observations", **(batch(5) | {"features": {"age": [1] * 5}}))
    assert (await service.put(owner="us"))["features"] == {"age": "numeric"}
    assert (await service.put(features=FEATURES))["features"] == FEATURES
    await service.post("observations", **batch(5))
    found = await drifts(service)
    assert {name: each["n"] for name, each in found.items()} == {"age": 10, "device": 5}


@pytest.mark.parametrize(
    ("features", "place"),
    [
        ({"age": "number"}, "/features/age"),
        ({"a b": "numeric"}, "/features/a b"),
        ({"@features": "numeric"}, "/features/@features"),
        ({f"f{at}": "numeric" for at in range(101)}, "/features"),
        (["age"], "/features"),
        ({"": "numeric"}, "/features/"),
    ],
)
async def test_settings_of_features_are_refused_by_their_place(
    service: Service, features: object, place: str
) -> None:
    answer = await service.client.put(MONITOR, json={"features": features})
    assert refused(answer)[1] == place
