"""A series is what the reports would have said at the end of each step, whatever was compacted."""

import pytest

from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    PAIRED,
    PARALLEL,
    TWO,
    hours,
    observe,
    report,
    sent,
)
from tests.monitoring.service import NOON, Document, Service, done, refused

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
N = 900
POINT = ("from", "to", "n", "effect", "standard_error", "sequence", "e_value", "verdict")
GROWN = (*POINT[3:], "relative_effect", "p_value", "log_e_value", "information", "fixed_interval")


async def series(service: Service, **query: str | float) -> Document:
    return await service.get(f"{EXPERIMENT}/series", **query)


async def points(service: Service, **query: str | float) -> list[Document]:
    found: list[Document] = (await series(service, **query))["points"]
    return found


async def filled(service: Service, design: str = "paired", count: int = 60) -> Document:
    """An experiment with rows of so many hours; what was sent."""
    drawn = paired(noise=2.0, n=N)
    rows = sent(drawn if design == "paired" else split(drawn), timestamp=hours(N, count))
    await service.put(EXPERIMENT, **(PAIRED | {"design": design, "minimum_units": 10}))
    await observe(service, **rows)
    return rows


def until(rows: Document, stop: float) -> Document:
    """The rows that were before a time."""
    places = [at for at, time in enumerate(rows["timestamp"]) if time < stop]

    def some(column: Document) -> Document:
        return {
            name: some(values) if isinstance(values, dict) else [values[at] for at in places]
            for name, values in column.items()
        }

    return some(rows)


@pytest.mark.parametrize("design", ["paired", "parallel"])
async def test_each_point_is_the_report_of_all_rows_up_to_there(
    service: Service, design: str
) -> None:
    rows = await filled(service, design)
    found = await series(service, step=12 * HOUR)
    named = {name: found[name] for name in ("experiment", "metric", "step", "arm", "control")}
    assert named == {
        "experiment": "ranker",
        "metric": "log_loss",
        "step": 12 * HOUR,
        "arm": "b",
        "control": "a",
    }
    assert [point["to"] for point in found["points"]] == [
        *("2026-03-03T12:00:00Z", "2026-03-04T00:00:00Z", "2026-03-04T12:00:00Z"),
        *("2026-03-05T00:00:00Z", "2026-03-05T12:00:00Z"),
    ]
    assert found["points"][-1]["n"] == N
    for number, point in enumerate(found["points"]):
        assert point.keys() >= set(POINT)
        prefix = until(rows, NOON - 12 * HOUR * (4 - number))
        await service.put(
            "/v1/experiments/prefix", **(PAIRED | {"design": design, "minimum_units": 10})
        )
        await service.post("observations", "/v1/experiments/prefix", **prefix)
        whole = await service.report("/v1/experiments/prefix")
        assert point["n"] == len(prefix["y_true"])
        (one,) = whole["comparisons"]
        assert {name: point[name] for name in GROWN} == {name: one[name] for name in GROWN}
        await service.client.delete("/v1/experiments/prefix")


async def test_the_step_is_a_day_where_none_is_said(service: Service) -> None:
    await filled(service)
    found = await series(service)
    assert found["step"] == DAY
    assert found == await series(service, step=DAY, arm="b", epoch=1)
    assert [point["from"][:10] for point in found["points"]] == [
        *("2026-03-03", "2026-03-04", "2026-03-05"),
    ]
    assert [point["n"] for point in found["points"]] == sorted(
        point["n"] for point in found["points"]
    )


async def test_each_treatment_has_a_series(service: Service) -> None:
    rows = sent(paired(n=300))
    scores = rows["y_proba"]
    rows["y_proba"] = {"c": scores["b"], "a": scores["a"], "b": scores["b"]}
    plan = PAIRED | {"arms": ["a", "b", "c"], "control": "b", "minimum_units": 10}
    await service.put(EXPERIMENT, **plan)
    await observe(service, **rows)
    told = {one["arm"]: one for one in (await report(service))["comparisons"]}
    assert (await series(service))["arm"] == "a"
    for arm in ("a", "c"):
        (point,) = await points(service, arm=arm)
        assert (point["arm"], point["control"]) == (arm, "b")
        assert point["effect"] == told[arm]["effect"]


async def test_folding_changes_no_point_and_no_report(service: Service) -> None:
    await filled(service, count=90)
    for _ in range(3):
        await observe(service, **TWO)
    before = [await series(service, step=step) for step in (HOUR, 12 * HOUR, DAY)]
    told = await report(service)
    service.inside.experiment_maintenance.run_due()
    assert await series(service) == before[2]
    days = await points(service, step=HOUR)
    assert days[-1] == before[0]["points"][-1]
    assert len(days) < len(before[0]["points"])
    after = await report(service)
    assert {**after, "first_crossing": []} == {**told, "first_crossing": []}


async def test_hours_that_became_days_keep_the_last_point(service: Service) -> None:
    await filled(service)
    seen = {step: await points(service, step=step) for step in (HOUR, 6 * HOUR, DAY, 7 * DAY)}
    for _ in range(3):
        service.clock.now += DAY
        service.inside.experiment_maintenance.run_due()
        for step, before in seen.items():
            after = await points(service, step=step)
            fixed = ("effect", "standard_error", "sequence", "e_value", "n", "verdict")
            assert {name: after[-1][name] for name in fixed} == {
                name: before[-1][name] for name in fixed
            }
            if step >= DAY:
                assert after == before
    assert len(await points(service, step=HOUR)) == 3


async def test_rows_that_come_late_for_a_day_are_added_to_it(service: Service) -> None:
    await filled(service)
    service.clock.now += 3 * DAY
    service.inside.experiment_maintenance.run_due()
    before = await points(service)
    await observe(service, **TWO, timestamp=[NOON - DAY, NOON - DAY])
    after = await points(service)
    assert [one["n"] for one in after] == [one["n"] + 2 * (at > 0) for at, one in enumerate(before)]
    service.inside.experiment_maintenance.run_due()
    assert await points(service) == after


async def test_more_than_500_points_are_refused(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    n = 501
    rows: Document = {
        "y_true": [1] * n,
        "y_proba": {"a": [0.5] * n, "b": [0.25] * n},
        "unit": list(range(n)),
        "timestamp": [NOON - HOUR * (at + 1) for at in range(n)],
    }
    await observe(service, **rows)
    answer = await service.client.get(f"{EXPERIMENT}/series", params={"step": HOUR})
    assert refused(answer) == ("invalid-input", "/step")
    assert "501 points" in answer.json()["detail"]
    assert len(await points(service, step=2 * HOUR)) == 251


@pytest.mark.parametrize("step", [366 * DAY, 3600 * 10**6, 3600 * 10**15, 3600 * 10**40])
async def test_a_step_may_be_longer_than_all_time(service: Service, step: int) -> None:
    await filled(service)
    answer = await service.client.get(f"{EXPERIMENT}/series", params={"step": step})
    (point,) = done(answer)["points"]
    assert point["n"] == N
    assert (point["from"] == "1970-01-01T00:00:00Z") == (step > NOON / 2)


async def test_a_sequence_of_parallel_arms_needs_a_minimum_effect(service: Service) -> None:
    await service.put(EXPERIMENT, **(PARALLEL | {"minimum_effect": None}))
    await observe(service, **sent(split(paired(n=4000))))
    (point,) = await points(service)
    assert (point["sequence"], point["e_value"], point["verdict"]) == (None, None, "undecided")
