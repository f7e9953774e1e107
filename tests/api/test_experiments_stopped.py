"""An experiment that was stopped takes no more rows, and says since when and why."""

import pytest

from kullback.experiments.stored import KIND, PlanDocument
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    OBSERVATIONS,
    PAIRED,
    PARALLEL,
    TWO,
    TWO_APART,
    observe,
    report,
)
from tests.monitoring.service import Service, done, refused

pytestmark = pytest.mark.anyio

STOP = f"{EXPERIMENT}/stop"
NOTE = {"note": "shipped in 4.2"}
STOPPED = {"at": "2026-03-05T12:00:30.500000Z", "note": "shipped in 4.2"}
SAID = "stopped since 2026-03-05T12:00:30.500000Z: shipped in 4.2"


async def stopped(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    assert done(await service.client.post(STOP, json=NOTE))["stopped"] == STOPPED


async def test_a_stopped_experiment_says_so_wherever_it_is_read(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await observe(service, **TWO)
    before = await report(service)
    assert before["stopped"] is None
    assert "stopped" not in await service.get(EXPERIMENT)
    await service.client.post(STOP, json=NOTE)
    assert await report(service) == before | {"stopped": STOPPED}
    (listed,) = (await service.get("/v1/experiments"))["experiments"]
    for found in (await service.get(EXPERIMENT), listed):
        assert found["stopped"] == STOPPED
    page = await service.client.get(f"{EXPERIMENT}/report", headers={"accept": "text/markdown"})
    assert f"Stopped: {STOPPED['at']}: shipped in 4.2" in page.text
    assert "shipped in 4.2" in (await service.client.get("/experiments/ranker")).text


async def test_later_rows_are_refused_and_earlier_ones_have_their_answer(
    service: Service,
) -> None:
    key = {"idempotency-key": "rows"}
    await service.put(EXPERIMENT, **PAIRED)
    first = done(await service.client.post(OBSERVATIONS, json=TWO, headers=key))
    await service.client.post(STOP, json=NOTE)
    answer = await service.client.post(OBSERVATIONS, json=TWO)
    assert refused(answer, 409)[0] == "conflict"
    assert SAID in answer.json()["detail"]
    assert "?epoch=new" in answer.json()["detail"]
    assert done(await service.client.post(OBSERVATIONS, json=TWO, headers=key)) == first
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2}


async def test_the_same_stop_again_changes_nothing_and_another_is_refused(
    service: Service,
) -> None:
    await stopped(service)
    service.clock.now += 3600
    assert done(await service.client.post(STOP, json=NOTE))["stopped"] == STOPPED
    answer = await service.client.post(STOP, json={"note": "not shipped"})
    assert refused(answer, 409) == ("conflict", "/note")
    assert SAID in answer.json()["detail"]


async def test_the_same_plan_leaves_it_stopped_until_a_new_epoch_is_asked_for(
    service: Service,
) -> None:
    await stopped(service)
    assert (await service.put(EXPERIMENT, **PAIRED))["stopped"] == STOPPED
    opened = await service.put(NEW_EPOCH, **PAIRED)
    change = {
        "fields": [],
        "opens_epoch": True,
        "opens_stratum": False,
        "rows_left_behind": 2,
        "rows_kept": 0,
    }
    assert (opened["epoch"], opened["change"], "stopped" in opened) == (2, change, False)
    assert (await observe(service, **TWO))["epoch"] == 2
    assert (await report(service))["stopped"] is None
    assert (await report(service, epoch=1))["stopped"] == STOPPED


@pytest.mark.parametrize("changed", [{"minimum_units": 7}, {"alpha": 0.1}])
async def test_another_plan_needs_a_new_epoch(service: Service, changed: dict[str, float]) -> None:
    await stopped(service)
    answer = await service.client.put(EXPERIMENT, json=PAIRED | changed)
    assert refused(answer, 409) == ("conflict", f"/{next(iter(changed))}")
    for words in (SAID, "?dry_run=true", "?epoch=new opens epoch 2"):
        assert words in answer.json()["detail"]
    dry = await service.put(f"{EXPERIMENT}?dry_run=true", **(PAIRED | changed))
    assert (dry["epoch"], dry["change"]["rows_left_behind"]) == (2, 2)
    assert await service.put(NEW_EPOCH, **(PAIRED | changed)) == dry


async def test_one_does_not_return_to_an_epoch_that_was_stopped(service: Service) -> None:
    await stopped(service)
    await service.put(NEW_EPOCH, **PARALLEL)
    await observe(service, **TWO_APART)
    assert (await service.put(NEW_EPOCH, **PAIRED))["epoch"] == 3
    assert (await report(service, epoch=1))["stopped"] == STOPPED


async def test_a_plan_that_was_stopped_before_rows_came_is_not_replaced(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    await service.client.post(STOP, json=NOTE)
    assert (await service.client.put(EXPERIMENT, json=PARALLEL)).status_code == 409
    assert (await service.put(NEW_EPOCH, **PARALLEL))["epoch"] == 2
    assert (await report(service, epoch=1))["stopped"] == STOPPED


async def test_a_stopped_experiment_can_be_removed(service: Service) -> None:
    await stopped(service)
    assert (await service.client.delete(EXPERIMENT)).status_code == 204
    assert "stopped" not in await service.put(EXPERIMENT, **PAIRED)


@pytest.mark.parametrize("note", [None, "", " ", "a\nb", "x" * 1001, 7])
async def test_a_note_is_a_line_of_text(service: Service, note: object) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    answer = await service.client.post(STOP, json={"note": note})
    assert refused(answer) == ("invalid-input", "/note")
    assert refused(await service.client.post(STOP, json={}))[1] == "/note"


async def test_a_stop_is_kept_in_the_document_of_the_plan(service: Service) -> None:
    await stopped(service)
    record = service.store.record(KIND, "ranker")
    assert record is not None
    document = PlanDocument.decoded(record.document)
    assert document.stops[1].note == "shipped in 4.2"
    assert PlanDocument.decoded(document.encoded()) == document
