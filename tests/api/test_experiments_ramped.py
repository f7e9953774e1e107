"""Shares that change while rows come: they count on, each in the shares of its time."""

import pytest

from kullback.experiments.stored import KIND, PlanDocument
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    PARALLEL,
    TWO_APART,
    observe,
    report,
)
from tests.monitoring.service import NOON, Document, Service

pytestmark = pytest.mark.anyio

SEVENTH = PARALLEL | {"arms": {"a": 0.9, "b": 0.1}}
RAMPED = PARALLEL | {"arms": {"a": 0.7, "b": 0.3}}
CHANGE = {
    "fields": ["arms"],
    "opens_epoch": False,
    "opens_stratum": True,
    "rows_left_behind": 0,
    "rows_kept": 2,
}


async def ramped(service: Service, plan: Document = SEVENTH, then: Document = RAMPED) -> Document:
    """Two rows, then other shares, two rows of before and two of since."""
    await service.put(EXPERIMENT, **plan)
    await observe(service, **TWO_APART)
    service.clock.now += 100.0
    answer = await service.put(EXPERIMENT, **then)
    await observe(service, **TWO_APART, timestamp=[NOON, NOON + 10])
    service.clock.now += 100.0
    await observe(service, **TWO_APART)
    return answer


async def test_other_shares_open_a_stratum_and_no_epoch(service: Service) -> None:
    answer = await ramped(service)
    assert (answer["epoch"], answer["change"]) == (1, CHANGE)
    found = await report(service)
    assert [arm["n"] for arm in found["arms"]] == [3, 3]
    first, second = found["sample_ratio"]["periods"]
    assert (first["since"], second["since"]) == (None, "2026-03-05T12:02:10.500000Z")
    assert (first["shares"], second["shares"]) == ({"a": 0.9, "b": 0.1}, {"a": 0.7, "b": 0.3})
    assert first["observed"] == second["observed"] == {"a": 1, "b": 1}
    assert second["expected"] == pytest.approx({"a": 1.4, "b": 0.6})
    assert found["strata"] == {"count": 2, "left_out": {"b": 2}, "rows_left_out": {"b": 6}}


async def test_periods_of_shares_survive_maintenance(service: Service) -> None:
    await ramped(service)
    before = await report(service)
    service.clock.now += 4 * 86_400
    service.inside.experiment_maintenance.run_due()
    assert await report(service) == before
    series = await service.get(f"{EXPERIMENT}/series")
    assert [point["n"] for point in series["points"]] == [6]


async def test_a_dry_run_says_so_and_a_new_epoch_may_be_asked_for(service: Service) -> None:
    await service.put(EXPERIMENT, **SEVENTH)
    await observe(service, **TWO_APART)
    dry = await service.put(f"{EXPERIMENT}?dry_run=true", **RAMPED)
    assert (dry["epoch"], dry["change"]) == (1, CHANGE)
    opened = await service.put(NEW_EPOCH, **RAMPED)
    assert (opened["epoch"], opened["change"]["opens_stratum"]) == (2, False)
    assert (await service.put(NEW_EPOCH, **SEVENTH))["epoch"] == 1


async def test_shares_before_the_first_row_are_replaced(service: Service) -> None:
    await service.put(EXPERIMENT, **SEVENTH)
    answer = await service.put(EXPERIMENT, **RAMPED)
    assert (answer["epoch"], answer["change"]["opens_stratum"]) == (1, False)
    await observe(service, **TWO_APART)
    found = await report(service)
    assert (found["sample_ratio"]["periods"], found["strata"]) == ([], None)
    record = service.store.record(KIND, "ranker")
    assert record is not None
    assert PlanDocument.decoded(record.document).ramps == {}


async def test_an_epoch_that_is_left_keeps_its_periods(service: Service) -> None:
    await ramped(service)
    before = await report(service)
    await service.put(NEW_EPOCH, **(RAMPED | {"metric": "brier"}))
    await observe(service, **TWO_APART)
    assert (await report(service))["sample_ratio"]["periods"] == []
    assert (await report(service, epoch=1))["sample_ratio"] == before["sample_ratio"]
    assert (await service.put(NEW_EPOCH, **RAMPED))["epoch"] == 1
    await observe(service, **TWO_APART)
    assert len((await report(service))["sample_ratio"]["periods"]) == 2


async def test_requests_are_counted_by_the_shares_of_their_time(service: Service) -> None:
    requests = {"assignment": "request"}
    await ramped(service, SEVENTH | requests, RAMPED | requests)
    ratio = (await report(service))["sample_ratio"]
    assert ratio["requests"] == {"a": 3, "b": 3}
    assert ratio["expected"] == pytest.approx({"a": 5.0, "b": 1.0}, abs=0.7)
    assert ratio["design_effect"] >= 1
