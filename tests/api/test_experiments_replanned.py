"""A plan that is put again, or another: what changes, which epoch it leads to, what is left."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kullback.experiments.plan import Plan
from kullback.experiments.stored import KIND, plan_of
from kullback.storage.base import Reply, Transaction
from tests.experiments.arms import PAIRED as PLAN
from tests.experiments.arms import paired
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    OBSERVATIONS,
    PAIRED,
    PARALLEL,
    TWO,
    TWO_APART,
    findings,
    observe,
    report,
    sent,
)
from tests.monitoring.service import Document, Service, done, refused, running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

DRY_RUN = f"{EXPERIMENT}?dry_run=true"
NOTHING = {
    "fields": [],
    "opens_epoch": False,
    "opens_stratum": False,
    "rows_left_behind": 0,
    "rows_kept": 2,
}
DESCRIBED = [
    {"name": "a", "share": 0.5, "description": "as it is"},
    {"name": "b", "share": 0.5, "description": "two towers"},
]


@pytest.fixture(params=["sqlite", "postgresql"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A running service on either engine."""
    if request.param == "sqlite":
        async with running(f"sqlite:///{tmp_path}/kullback.db") as service:
            yield service
        return
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, Server)
    with server.database() as name:
        async with running(server.url(name)) as service:
            yield service


async def planned(service: Service, plan: Document = PAIRED, rows: Document = TWO) -> None:
    await service.put(NEW_EPOCH, **plan)
    await observe(service, **rows)


@pytest.mark.parametrize(
    "changed", [{"slices": ["country"]}, {"minimum_units": 7}, {"arms": DESCRIBED}]
)
async def test_what_leaves_rows_as_they_are_changes_in_its_epoch(
    service: Service, changed: Document
) -> None:
    await planned(service)
    answer = await service.put(EXPERIMENT, **(PAIRED | changed))
    assert answer["change"] == NOTHING | {"fields": [*changed]}
    assert answer["epoch"] == 1
    assert (await service.get(EXPERIMENT)).items() >= changed.items()
    await observe(service, **TWO)
    assert [arm["n"] for arm in (await report(service))["arms"]] == [4, 4]


async def test_arms_and_slices_may_come_in_another_order(service: Service) -> None:
    await planned(service, PAIRED | {"slices": ["country", "app"]})
    other = PAIRED | {"arms": ["b", "a"], "control": "a", "slices": ["app", "country"]}
    answer = await service.put(EXPERIMENT, **other)
    assert (answer["epoch"], answer["change"]["fields"]) == (1, ["arms", "slices"])


async def test_a_slice_that_is_added_is_of_the_rows_since(service: Service) -> None:
    await planned(service)
    await service.put(EXPERIMENT, **PAIRED, slices=["country"])
    await observe(service, **TWO, slice={"country": ["DE", None]})
    found = await report(service, by="country")
    assert [arm["n"] for arm in found["arms"]] == [4, 4]
    groups = [(group["slice"], group["arms"][0]["n"]) for group in found["groups"]]
    assert groups == [({"country": "(none)"}, 1), ({"country": "DE"}, 1)]


@pytest.mark.parametrize(
    "changed",
    [
        *({"metric": "brier"}, {"alpha": 0.1}, {"control": "b"}, {"convention": "exact"}),
        *({"minimum_effect": None}, {"arms": {"a": 0.9, "b": 0.1}}, {"arms": ["a", "b", "c"]}),
        *({"slices": []}, {"design": "parallel"}, {"assignment": "request"}),
    ],
)
async def test_a_change_that_leaves_rows_behind_needs_a_word(
    service: Service, changed: Document
) -> None:
    await planned(service, PAIRED | {"slices": ["country"]})
    plan = PAIRED | {"slices": ["country"]} | changed
    before = await service.get(EXPERIMENT)
    answer = await service.client.put(EXPERIMENT, json=plan)
    (name,) = changed
    assert refused(answer, 409) == ("conflict", f"/{name}")
    for words in ("2 rows of epoch 1", "?dry_run=true", "?epoch=new opens epoch 2"):
        assert words in answer.json()["detail"]
    assert await service.get(EXPERIMENT) == before
    would = {
        "fields": [name],
        "opens_epoch": True,
        "opens_stratum": False,
        "rows_left_behind": 2,
        "rows_kept": 0,
    }
    dry = await service.put(DRY_RUN, **plan)
    assert (dry["epoch"], dry["change"]) == (2, would)
    assert await service.get(EXPERIMENT) == before
    assert await service.put(NEW_EPOCH, **plan) == dry
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2, "2": 0}


async def test_a_dry_run_of_a_new_name_creates_nothing(service: Service) -> None:
    answer = await service.client.put(DRY_RUN, json=PAIRED)
    assert (answer.status_code, answer.json()["epoch"]) == (200, 1)
    assert (await service.client.get(EXPERIMENT)).status_code == 404
    assert (await service.client.put(EXPERIMENT, json=PAIRED)).status_code == 201


async def test_a_dry_run_does_not_use_up_its_key(service: Service) -> None:
    key = {"idempotency-key": "plan-7"}
    for path, status in ((DRY_RUN, 200), (EXPERIMENT, 201)):
        answer = await service.client.put(path, json=PAIRED, headers=key)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (status, False)


async def test_the_same_plan_opens_nothing_though_a_new_epoch_may_be(service: Service) -> None:
    await planned(service)
    for path in (EXPERIMENT, NEW_EPOCH, DRY_RUN):
        assert (await service.put(path, **PAIRED))["change"] == NOTHING


async def test_a_plan_without_rows_of_its_own_is_replaced(service: Service) -> None:
    await planned(service)
    assert (await service.put(NEW_EPOCH, **PARALLEL))["epoch"] == 2
    answer = await service.put(EXPERIMENT, **(PARALLEL | {"alpha": 0.01}))
    assert (answer["epoch"], answer["change"]["rows_left_behind"]) == (2, 0)
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2, "2": 0}
    await observe(service, **TWO_APART)
    assert (await report(service))["alpha"] == 0.01


async def test_an_earlier_plan_returns_to_its_epoch_and_its_rows(service: Service) -> None:
    await planned(service, PAIRED, sent(paired(noise=2.0, n=400)))
    first = await report(service)
    await planned(service, PARALLEL, TWO_APART)
    answer = await service.client.put(EXPERIMENT, json=PAIRED)
    assert "?epoch=new returns to epoch 1" in answer.json()["detail"]
    back = await service.put(NEW_EPOCH, **PAIRED)
    would = {
        "fields": ["design"],
        "opens_epoch": True,
        "opens_stratum": False,
        "rows_left_behind": 2,
        "rows_kept": 400,
    }
    assert (back["epoch"], back["change"]) == (1, would)
    assert findings(await report(service)) == findings(first)
    assert (await observe(service, **TWO))["epoch"] == 1
    assert (await report(service, epoch=2))["design"] == "parallel"


async def test_epochs_are_numbered_on_after_a_return(service: Service) -> None:
    await planned(service)
    await planned(service, PARALLEL, TWO_APART)
    for plan, epoch in ((PAIRED, 1), (PARALLEL | {"alpha": 0.01}, 3), (PARALLEL, 2)):
        assert (await service.put(NEW_EPOCH, **plan))["epoch"] == epoch
        await observe(service, **(TWO if plan == PAIRED else TWO_APART))
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 4, "2": 4, "3": 2}


async def test_an_epoch_without_rows_is_left_for_an_earlier_one_at_once(service: Service) -> None:
    await planned(service)
    await service.put(NEW_EPOCH, **PARALLEL)
    back = await service.put(EXPERIMENT, **PAIRED, slices=["country"])
    assert (back["epoch"], back["change"]["rows_kept"]) == (1, 2)
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2}


async def test_rows_that_come_again_after_a_return_count_once(service: Service) -> None:
    key = {"idempotency-key": "rows"}
    await service.put(EXPERIMENT, **PAIRED)
    first = done(await service.client.post(OBSERVATIONS, json=TWO, headers=key))
    await planned(service, PARALLEL, TWO_APART)
    await service.put(NEW_EPOCH, **PAIRED)
    again = await service.client.post(OBSERVATIONS, json=TWO, headers=key)
    assert (done(again), again.headers["idempotency-replayed"]) == (first, "true")
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2, "2": 2}


async def test_an_experiment_of_the_release_before_goes_on(service: Service) -> None:
    """Its document has no last epoch, its arms no descriptions."""
    await planned(service, PARALLEL, TWO_APART)
    record = service.store.record(KIND, "ranker")
    assert record is not None
    number, plan = (
        record.id,
        (
            b'{"arms":[{"name":"a","share":0.5},{"name":"b","share":0.5}],"control":"a","design":"%s",'
            b'"assignment":"unit","metric":"log_loss","alpha":0.05,"minimum_effect":0.02,'
            b'"minimum_units":100,"convention":"sklearn","slices":[]}'
        ),
    )

    def as_it_was(tx: Transaction) -> Reply:
        tx.count(number, {"observations/2": 1})
        tx.attach(number, plan_of(1), plan % b"parallel")
        tx.change(number, b'{"epoch":2,"plan":%s}' % (plan % b"paired"))
        tx.renew(number, 1)
        return Reply(200, b"")

    service.store.write(as_it_was).result(30)
    assert (await service.put(EXPERIMENT, **PAIRED))["change"] == NOTHING | {"rows_kept": 1}
    assert (await service.get(EXPERIMENT))["observations"] == {"1": 2, "2": 1}
    assert (await service.put(NEW_EPOCH, **PARALLEL))["epoch"] == 1
    assert [arm["n"] for arm in (await report(service))["arms"]] == [1, 1]


def test_a_plan_of_arms_without_descriptions_is_kept_as_it_was() -> None:
    assert b"description" not in PLAN.encoded()
    assert Plan.decoded(PLAN.encoded()) == PLAN
