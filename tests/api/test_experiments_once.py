"""What is sent to an experiment counts once: by key, beside changes, on all replicas."""

from dataclasses import replace

import anyio
import httpx
import pytest

from kullback.clock import WatchedClock
from kullback.experiments.plan import Plan
from kullback.experiments.stored import KIND
from kullback.main import Runtime, create_app
from kullback.settings import Settings
from tests.api.test_monitors_away import open_to_all
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
    observe,
    part,
    report,
    sent,
)
from tests.monitoring.service import NEVER, Clock, Document, Service, done, refused, running
from tests.postgresql import Server
from tests.storage.writes import held

pytestmark = pytest.mark.anyio

WRITES: list[tuple[str, str, Document | None]] = [
    ("PUT", EXPERIMENT, PAIRED),
    ("POST", OBSERVATIONS, TWO),
    ("DELETE", EXPERIMENT, None),
]


async def send(
    service: Service, method: str, path: str, body: Document | None, key: str | None = "once"
) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return await service.client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_the_same_request_gets_the_same_answer_and_does_nothing(
    service: Service, method: str, path: str, body: Document | None
) -> None:
    if method != "PUT":
        await service.put(EXPERIMENT, **PAIRED)
    first = await send(service, method, path, body)
    assert first.is_success
    assert "idempotency-replayed" not in first.headers
    before = await service.get("/v1/experiments")
    again = await send(service, method, path, body)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert await service.get("/v1/experiments") == before
    if method == "POST":
        assert (await report(service))["arms"][0]["n"] == 2
        assert (await service.get(EXPERIMENT))["version"] == 1


async def test_another_body_under_the_same_key_is_refused(service: Service) -> None:
    assert (await send(service, "PUT", EXPERIMENT, PAIRED)).status_code == 201
    assert refused(await send(service, "PUT", EXPERIMENT, PARALLEL))[0] == "idempotency-key-reused"
    assert (await send(service, "POST", OBSERVATIONS, TWO)).status_code == 200
    other = TWO | {"y_true": [0, 0]}
    assert refused(await send(service, "POST", OBSERVATIONS, other))[0] == "idempotency-key-reused"
    assert (await service.get(EXPERIMENT)).items() >= {"version": 1, "epoch": 1}.items()


async def test_keys_of_a_past_epoch_are_new_to_the_present_one(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    assert done(await send(service, "POST", OBSERVATIONS, TWO))["epoch"] == 1
    changed = await send(service, "PUT", NEW_EPOCH, PAIRED | {"alpha": 0.01}, "plan")
    assert done(changed)["epoch"] == 2
    for is_replayed in (False, True):
        answer = await send(service, "POST", OBSERVATIONS, TWO)
        assert done(answer)["epoch"] == 2
        assert ("idempotency-replayed" in answer.headers) is is_replayed
        assert [arm["n"] for arm in (await report(service))["arms"]] == [2, 2]
    again = await send(service, "PUT", NEW_EPOCH, PAIRED | {"alpha": 0.01}, "plan")
    assert again.headers["idempotency-replayed"] == "true"
    await service.put(NEW_EPOCH, **PARALLEL)
    assert refused(await send(service, "POST", OBSERVATIONS, TWO)) == ("invalid-input", "/y_proba")


async def test_without_a_key_every_request_counts(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    for _ in range(3):
        await send(service, "POST", OBSERVATIONS, TWO, None)
    found = await report(service)
    assert [arm["n"] for arm in found["arms"]] == [6, 6]
    assert [arm["units"] for arm in found["arms"]] == [2, 2]


async def beside(service: Service, plan: Plan) -> list[httpx.Response]:
    """The answers to the same rows sent twice at once, while a plan waits to be written."""
    answers: list[httpx.Response] = []
    one_is_told_to_wait = anyio.Event()

    async def one() -> None:
        answers.append(await send(service, "POST", OBSERVATIONS, TWO))
        one_is_told_to_wait.set()

    async with anyio.create_task_group() as tasks:
        with held(service.store):
            service.inside.experiments.put("ranker", plan, None)
            for _ in range(2):
                tasks.start_soon(one)
            await one_is_told_to_wait.wait()
    return answers


async def test_rows_on_their_way_while_the_plan_changes_are_refused(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    waiting, changed = await beside(service, replace(PLAN, convention="exact"))
    assert refused(waiting, 409)[0] == "idempotency-key-in-progress"
    assert refused(changed, 409)[0] == "conflict"
    assert "send them again" in changed.json()["detail"]
    assert (await service.get(EXPERIMENT)).items() >= {"version": 0, "epoch": 1}.items()
    assert done(await send(service, "POST", OBSERVATIONS, TWO))["accepted"] == 2


async def test_a_plan_that_is_sent_again_lets_rows_on_their_way_in(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    _, added = await beside(service, PLAN)
    assert done(added)["accepted"] == 2


async def test_many_at_once_count_once(service: Service) -> None:
    await service.put(EXPERIMENT, **PAIRED)
    answers: list[httpx.Response] = []

    async def one(number: int) -> None:
        while True:
            answer = await send(service, "POST", OBSERVATIONS, TWO, f"key-{number}")
            if answer.status_code != 409:
                answers.append(answer)
                return
            await anyio.sleep(0.001)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(one, number % 4)
    assert {answer.status_code for answer in answers} == {200}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 4
    assert (await service.get(EXPERIMENT))["version"] == 4
    assert [arm["n"] for arm in (await report(service))["arms"]] == [8, 8]


async def two_on_one(one: Service, other: Service) -> None:
    """What holds for two services that see the same store."""
    rows = sent(paired(noise=3.0, n=2000))
    await one.put(EXPERIMENT, **PAIRED)
    first = await send(one, "POST", OBSERVATIONS, part(rows, 0, 500))
    again = await send(other, "POST", OBSERVATIONS, part(rows, 0, 500))
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    one.inside.experiment_maintenance.run_due()
    for start, service in ((500, other), (1000, one), (1500, other)):
        await observe(service, **part(rows, start, start + 500))
        other.clock.now += 60
    reports: list[Document] = []

    async def read(service: Service) -> None:
        reports.append(await report(service))

    async with anyio.create_task_group() as tasks:
        for service in (one, other) * 3:
            tasks.start_soon(read, service)
    for service in (one, other):
        service.inside.experiment_maintenance.run_due()
        reports.append(await report(service))
    assert reports[0]["comparisons"][0]["verdict"] == "worse"
    assert len(reports[0]["first_crossing"]) == 1
    assert all(each == reports[0] for each in reports)
    found = await one.get(EXPERIMENT)
    assert found == await other.get(EXPERIMENT)
    assert found["first_crossing"] == reports[0]["first_crossing"]
    (record,) = one.store.records(KIND)
    assert one.store.counts(record.id)["crossings"] == 3, "the verdict, and two answers"


async def test_replicas_on_postgresql_report_the_same_and_keep_one_first_crossing(
    postgresql: Server,
) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            await two_on_one(one, other)


async def test_keys_of_an_experiment_that_was_removed_are_new_to_another_of_its_name(
    service: Service,
) -> None:
    for _ in range(2):
        await service.put(EXPERIMENT, **PARALLEL)
        answer = await service.client.post(
            OBSERVATIONS, json=TWO_APART, headers={"idempotency-key": "once"}
        )
        assert "idempotency-replayed" not in answer.headers
        assert [arm["n"] for arm in (await report(service))["arms"]] == [1, 1]
        assert (await service.client.delete(EXPERIMENT)).status_code == 204


async def test_services_on_one_store_report_the_same_and_keep_one_first_crossing(
    service: Service,
) -> None:
    clock = Clock()
    world = Runtime(
        clock=WatchedClock(clock, clock), on_fatal=pytest.fail, maintenance_seconds=NEVER
    )
    app = create_app(Settings(), world, service.store)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://k") as client,
    ):
        await two_on_one(service, Service(app, client, service.store))


async def test_a_store_that_is_away_is_503_and_loses_nothing(postgresql: Server) -> None:
    with postgresql.database() as name:
        async with running(postgresql.url(name)) as service:
            await service.put(EXPERIMENT, **PARALLEL)
            await observe(service, **TWO_APART)
            open_to_all(postgresql, name, is_open=False)
            for method, path, body in (
                ("GET", "/v1/experiments", None),
                ("GET", EXPERIMENT, None),
                ("GET", f"{EXPERIMENT}/report", None),
                ("GET", f"{EXPERIMENT}/series", None),
                ("PUT", EXPERIMENT, PAIRED),
                ("POST", OBSERVATIONS, TWO_APART),
                ("DELETE", EXPERIMENT, None),
            ):
                answer = await service.client.request(method, path, json=body)
                assert refused(answer, 503) == ("store-unavailable", ""), path
                assert int(answer.headers["retry-after"]) >= 1
            open_to_all(postgresql, name, is_open=True)
            await observe(service, **TWO_APART)
            assert [arm["n"] for arm in (await report(service))["arms"]] == [2, 2]
