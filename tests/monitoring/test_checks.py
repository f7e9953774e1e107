"""Checks of a monitor over HTTP: silent where all is well, right about what is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kullback.numerics.types import Array
from tests.judgement.worlds import drawn
from tests.monitoring.service import MONITOR, NOON, Document, Service
from tests.monitoring.states import WORLDS, make

pytestmark = pytest.mark.anyio

HOUR, DAYS, ROWS = 3600, 2, 600
ONSET = DAYS * 24
NAMES = [
    *("log_loss", "no_skill", "calibration", "score_drift", "label_drift"),
    *("feature_drift", "slice", "silence", "maturity"),
]

Break = Callable[[np.random.Generator, Array, Array, Array], tuple[Array, Array, Array]]


def joined_to_others(
    rng: np.random.Generator, y: Array, p: Array, country: Array
) -> tuple[Array, Array, Array]:
    return rng.permutation(y), p, country


def half_lost(
    rng: np.random.Generator, y: Array, p: Array, country: Array
) -> tuple[Array, Array, Array]:
    return y * (rng.random(y.size) < 0.5), p, country


def tripled_scores(
    _: np.random.Generator, y: Array, p: Array, country: Array
) -> tuple[Array, Array, Array]:
    return y, np.minimum(p * 3, 1), country


def campaign(
    rng: np.random.Generator, y: Array, p: Array, country: Array
) -> tuple[Array, Array, Array]:
    more = (country == "FR") & (rng.random(y.size) < p / (1 - p))
    return np.maximum(y, more), p, country


def new_country(
    rng: np.random.Generator, y: Array, p: Array, country: Array
) -> tuple[Array, Array, Array]:
    is_new = rng.random(y.size) < 0.3
    y = np.where(is_new & (rng.random(y.size) < 0.75), 0.0, y)
    return y, p, np.where(is_new, "BR", country)


async def streamed(
    service: Service, broken: Break | None, hours: int, *, by_id: bool = False
) -> Document:
    """The checks after days of a sound stream, and then so many hours of a broken one."""
    window = 600 if by_id else HOUR  # wide ones are cheap
    service.clock.now = NOON - HOUR * (ONSET + hours)
    await service.put(MONITOR, slices=["country"], window_seconds=window)
    rng = np.random.default_rng(11)
    labels: list[Document] = []
    for hour in range(ONSET + hours):
        y, p = drawn(rng, ROWS)
        country = rng.choice(np.array(["DE", "FR", "US"]), ROWS, p=[0.5, 0.3, 0.2])
        if broken is not None and hour >= ONSET:
            y, p, country = broken(rng, y, p, country)
        begin = service.clock.now
        service.clock.now += HOUR
        columns = {
            "y_proba": p.tolist(),
            "timestamp": (begin + np.sort(rng.random(ROWS)) * HOUR).tolist(),
            "slice": {"country": country.tolist()},
        }
        outcomes = y.astype(int).tolist()
        if by_id:
            ids = [f"{hour}-{at}" for at in range(ROWS)]
            await service.post("predictions", id=ids, **columns)
            labels.append({"id": ids, "y_true": outcomes})
            if 1 <= hour < ONSET:
                await service.post("labels", **labels[hour - 1])
        else:
            await service.post("observations", y_true=outcomes, **columns)
    return await service.get(f"{MONITOR}/checks")


def by_name(checks: Document) -> dict[str, Document]:
    return {each["name"]: each for each in checks["checks"]}


async def test_a_healthy_monitor_is_ok(service: Service) -> None:
    checks = await streamed(service, None, 4)
    assert checks["monitor"] == "clicks"
    assert checks["state"] == "ok", checks
    assert [each["name"] for each in checks["checks"]] == NAMES
    states = {name: each["state"] for name, each in by_name(checks).items()}
    assert states == dict.fromkeys(NAMES, "ok") | {"feature_drift": "unknown"}
    assert all(each["statement"].endswith(".") for each in checks["checks"])


@pytest.mark.parametrize(
    ("broken", "name", "words"),
    [
        (joined_to_others, "no_skill", "Ranking gone, calibration intact"),
        (half_lost, "calibration", "times what happened"),
        (tripled_scores, "score_drift", "PSI"),
    ],
)
async def test_what_is_wrong_is_said_within_hours(
    service: Service, broken: Break, name: str, words: str
) -> None:
    checks = await streamed(service, broken, 4)
    check = by_name(checks)[name]
    assert checks["state"] == check["state"] == "critical", checks
    assert words in check["statement"]
    assert check["evidence"] >= check["evidence_needed"]
    assert check["since"] >= "2026-03-05T07:00:00Z"
    assert by_name(checks)["slice"]["state"] == "ok"


@pytest.mark.parametrize(
    ("broken", "country", "words"),
    [(campaign, "FR", "times what happened there"), (new_country, "BR", "predictions")],
)
async def test_the_slice_is_named(
    service: Service, broken: Break, country: str, words: str
) -> None:
    check = by_name(await streamed(service, broken, 5))["slice"]
    assert check["state"] in {"warning", "critical"}
    assert check["slice"] == {"country": country}
    assert words in check["statement"]


async def test_a_feature_that_is_lost_is_named(service: Service) -> None:
    start = NOON - 30 * HOUR
    service.clock.now = start
    kinds = {"age": "numeric", "device": "categorical", "price": "numeric"}
    await service.put(features=kinds, window_seconds=HOUR)
    rng = np.random.default_rng(3)
    for hour in range(32):
        y, p = drawn(rng, ROWS)
        service.clock.now += HOUR
        age: list[float | None] = rng.normal(40, 10, ROWS).tolist()
        features = {
            "age": [None] * ROWS if hour >= 30 else age,
            "device": rng.choice(np.array(["a", "b"]), ROWS).tolist(),
            "price": rng.lognormal(3, 1, ROWS).tolist(),
        }
        times = (service.clock.now - HOUR * rng.random(ROWS)).tolist()
        rows = {"y_true": y.astype(int).tolist(), "y_proba": p.tolist(), "timestamp": times}
        await service.post("observations", features=features, **rows)
        if hour == 29:
            check = by_name(await service.get(f"{MONITOR}/checks"))["feature_drift"]
            assert check["state"] == "ok", check
    check = by_name(await service.get(f"{MONITOR}/checks"))["feature_drift"]
    assert (check["state"], check["feature"]) == ("critical", "age"), check
    assert "missing in 100% of rows where 0% are usual" in check["statement"]


async def test_nothing_began_before_the_first_row(service: Service) -> None:
    await service.put(MONITOR, window_seconds=60)
    first = NOON + 28 * 60
    service.clock.now = first + 29 * 60
    times = (first + np.linspace(0, 28 * 60, 600)).tolist()
    await service.post("observations", y_true=[0] * 600, y_proba=[0.1] * 600, timestamp=times)
    check = by_name(await service.get(f"{MONITOR}/checks"))["calibration"]
    assert check["since"] == "2026-03-05T12:28:00Z"
    assert "It began between 2026-03-05T12:28:00Z and 2026-03-05T12:57:00Z." in check["statement"]


async def test_silence_is_heard(service: Service) -> None:
    await streamed(service, None, 0)
    service.clock.now = NOON + 7 * HOUR
    assert by_name(await service.get(f"{MONITOR}/checks"))["silence"]["state"] == "ok"
    service.clock.now = NOON + 9 * HOUR
    check = by_name(await service.get(f"{MONITOR}/checks"))["silence"]
    assert check["state"] == "critical"
    assert "No predictions since" in check["statement"]


async def test_labels_that_stop_are_missed(service: Service) -> None:
    checks = await streamed(service, None, 6, by_id=True)
    assert by_name(checks)["maturity"]["state"] == "ok"  # their labels may be on the way
    service.clock.now += 61
    checks = await service.get(f"{MONITOR}/checks")
    check = by_name(checks)["maturity"]
    assert (checks["state"], check["state"]) == ("critical", "critical"), checks
    assert check["statement"].startswith("Labels are late, or have stopped: 0% of predictions")


@pytest.mark.parametrize(
    ("thresholds", "state"),
    [
        ({"critical": 0.9, "tolerance": 0.2}, "critical"),
        ({"minimum_rows": 10**6}, "ok"),
        ({"enabled": False}, None),
    ],
)
async def test_thresholds_of_missing_labels_are_obeyed(
    service: Service, thresholds: Document, state: str | None
) -> None:
    await make(service, "clicks", replace(WORLDS["unlabelled"], settings={"maturity": thresholds}))
    checks = by_name(await service.get(f"{MONITOR}/checks"))
    assert checks.get("maturity", {}).get("state") == state


async def test_silence_of_fewer_rows_than_are_asked_for_is_not_judged(service: Service) -> None:
    settings: Document = {"silence": {"minimum_rows": 10**6}}
    await make(service, "clicks", replace(WORLDS["silent"], settings=settings))
    assert by_name(await service.get(f"{MONITOR}/checks"))["silence"]["state"] == "ok"


async def test_a_monitor_without_rows_knows_nothing(service: Service) -> None:
    await service.put()
    checks = await service.get(f"{MONITOR}/checks")
    assert checks["state"] == "unknown"
    assert {each["state"] for each in checks["checks"]} == {"unknown"}


async def test_thresholds_are_set_and_kept(service: Service) -> None:
    wanted: Document = {"calibration": {"tolerance": 2.0}, "slice": {"enabled": False}}
    await service.put(checks=wanted, window_seconds=HOUR)
    setup = await service.put(description="clicks")
    assert setup["checks"]["calibration"]["tolerance"] == 2.0
    checks = by_name(await streamed(service, half_lost, 4))
    assert checks["calibration"]["state"] == "ok"
    assert checks["calibration"]["threshold"] == 3.0
    assert "slice" not in checks


@pytest.mark.parametrize(
    ("checks", "pointer"),
    [
        ({"nonsense": {}}, "/checks/nonsense"),
        ({"calibration": {"tolerance": 0.5, "critical": 0.1}}, "/checks/calibration/critical"),
        ({"score_drift": {"critical": 0.2}}, "/checks/score_drift/critical"),
        ({"calibration": {"tolerance": 0}}, "/checks/calibration/tolerance"),
        ({"calibration": {"minimum_rows": 0}}, "/checks/calibration/minimum_rows"),
        ({"calibration": {"other": 1}}, "/checks/calibration/other"),
        ({"no_skill": {"tolerance": 0.1}}, "/checks/no_skill/tolerance"),
        ({"no_skill": {"critical": 0.1}}, "/checks/no_skill/critical"),
        ({"silence": {"critical": 0.9}}, "/checks/silence/critical"),
        ({"silence": {"tolerance": 1.0}}, "/checks/silence/tolerance"),
        ({"maturity": {"critical": 1.5}}, "/checks/maturity/critical"),
    ],
)
async def test_other_thresholds_are_refused(
    service: Service, checks: Document, pointer: str
) -> None:
    answer = await service.client.put(MONITOR, json={"checks": checks})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
