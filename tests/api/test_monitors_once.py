"""A write with an Idempotency-Key happens once, however often it is sent."""

import anyio
import httpx
import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, refused, running
from tests.postgresql import Server
from tests.storage.writes import held

pytestmark = pytest.mark.anyio

ROWS: Document = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}
WRITES: list[tuple[str, str, Document | None]] = [
    ("PUT", MONITOR, {"slices": ["country"]}),
    ("POST", f"{MONITOR}/observations", ROWS),
    ("POST", f"{MONITOR}/predictions", {"id": ["a"], "y_proba": [0.5]}),
    ("POST", f"{MONITOR}/labels", {"id": ["a"], "y_true": [1]}),
    ("PUT", f"{MONITOR}/reference", ROWS),
    ("DELETE", MONITOR, None),
]
DAY = 86_400


async def send(
    service: Service,
    method: str,
    path: str,
    body: Document | None,
    key: str | None = "once",
) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return await service.client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_the_same_request_gets_the_same_answer_and_does_nothing(
    service: Service, method: str, path: str, body: Document | None
) -> None:
    if path != MONITOR or method == "DELETE":
        await service.put()
    first = await send(service, method, path, body)
    assert first.is_success
    assert "idempotency-replayed" not in first.headers
    before = [await service.get("/v1/monitors"), await service.samples(monitor="clicks")]
    if method != "DELETE":
        before.append(await service.get())
    service.clock.now += 10
    again = await send(service, method, path, body)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("content-type") == first.headers.get("content-type")
    assert again.headers["idempotency-replayed"] == "true"
    after = [await service.get("/v1/monitors"), await service.samples(monitor="clicks")]
    if method != "DELETE":
        after.append(await service.get())
    assert after == before


@pytest.mark.parametrize("rows", [ROWS, ROWS | {"y_true": [0, 0]}])
async def test_keys_of_a_monitor_that_was_removed_are_new_to_another_of_its_name(
    service: Service, rows: Document
) -> None:
    await service.put()
    await send(service, "POST", f"{MONITOR}/observations", ROWS)
    assert (await send(service, "DELETE", MONITOR, None)).status_code == 204
    await service.put()
    for is_replayed in (False, True):
        answer = await send(service, "POST", f"{MONITOR}/observations", rows)
        assert answer.status_code == 200, answer.text
        assert ("idempotency-replayed" in answer.headers) is is_replayed
        assert (await service.report())["n"] == 2
    again = await send(service, "DELETE", MONITOR, None)  # the same removal, long after
    assert "idempotency-replayed" in again.headers
    assert (await service.report())["n"] == 2


@pytest.mark.parametrize(("method", "path", "body"), WRITES[:-1])
async def test_another_body_under_the_same_key_is_refused(
    service: Service, method: str, path: str, body: Document
) -> None:
    await service.put()
    first = await send(service, method, path, body)
    assert first.is_success
    other = {name: values for name, values in body.items() if name != "slices"}
    other = {name: values * 2 for name, values in other.items()} or {"slices": []}
    assert refused(await send(service, method, path, other))[0] == "idempotency-key-reused"
    spaced = httpx.Request(method, path, json=body).content.replace(b":", b": ")
    headers = {"idempotency-key": "once", "content-type": "application/json"}
    answer = await service.client.request(method, path, content=spaced, headers=headers)
    assert refused(answer)[0] == "idempotency-key-reused"
    assert (await send(service, method, path, body)).content == first.content


@pytest.mark.parametrize(
    "written", ["application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"]
)
async def test_the_same_media_type_written_otherwise_is_the_same_request(
    service: Service, written: str
) -> None:
    await service.put()
    first = await send(service, "POST", f"{MONITOR}/observations", ROWS)
    again = await service.client.post(
        f"{MONITOR}/observations",
        content=first.request.content,
        headers={"idempotency-key": "once", "content-type": written},
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content


async def test_a_replay_is_answered_though_the_batch_would_be_too_old_by_now(
    service: Service,
) -> None:
    await service.put(retention_days=1, ttl_seconds=60)
    sent = ROWS | {"timestamp": [NOON - DAY + 60, NOON]}
    path = f"{MONITOR}/observations"
    first = await send(service, "POST", path, sent)
    service.clock.now += 2 * DAY
    service.tidy()
    again = await send(service, "POST", path, sent)
    assert (again.status_code, again.content) == (200, first.content)
    assert refused(await send(service, "POST", path, sent, "new")) == (
        "invalid-input",
        "/timestamp/0",
    )


async def test_a_key_is_forgotten_after_seven_days(service: Service) -> None:
    await service.put()
    path = f"{MONITOR}/observations"
    await send(service, "POST", path, ROWS)
    for later, replayed in ((7 * DAY, True), (1, False)):
        service.clock.now += later
        service.tidy()
        answer = await send(service, "POST", path, ROWS)
        assert ("idempotency-replayed" in answer.headers) is replayed


async def test_without_a_key_every_request_counts(service: Service) -> None:
    await service.put()
    for _ in range(3):
        await send(service, "POST", f"{MONITOR}/observations", ROWS, None)
    assert (await service.report())["n"] == 6


async def test_a_key_stands_for_one_resource(service: Service) -> None:
    for path in (MONITOR, "/v1/monitors/other"):
        for method, what in (("PUT", ""), ("POST", "/observations"), ("PUT", "/reference")):
            answer = await send(service, method, path + what, ROWS if what else {})
            assert answer.is_success
            assert "idempotency-replayed" not in answer.headers


async def test_what_was_refused_may_be_sent_again_under_its_key(service: Service) -> None:
    path = f"{MONITOR}/observations"
    assert (await send(service, "POST", path, ROWS)).status_code == 404
    await service.put()
    assert refused(await send(service, "POST", path, {"y_true": [2], "y_proba": [0.5]}))
    answer = await send(service, "POST", path, ROWS)
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)
    assert (await service.report())["n"] == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x7f", "ä".encode()])
async def test_what_may_not_be_a_key(service: Service, key: str | bytes) -> None:
    await service.put()
    headers = [(b"idempotency-key", key.encode() if isinstance(key, str) else key)]
    path = f"{MONITOR}/observations"
    answer = await service.client.post(path, json=ROWS, headers=headers)
    assert refused(answer)[0] == "invalid-input"
    answer = await service.client.delete(MONITOR, headers=headers)
    assert refused(answer)[0] == "invalid-input"
    assert (await service.report())["n"] == 0


async def test_a_key_stands_in_one_header(service: Service) -> None:
    await service.put()
    headers = [("idempotency-key", "a"), ("idempotency-key", "a")]
    answer = await service.client.post(f"{MONITOR}/labels", json=ROWS, headers=headers)
    assert answer.status_code == 422


async def test_two_at_once_are_told_to_wait(service: Service) -> None:
    await service.put()
    answers: list[httpx.Response] = []
    two = anyio.Event()

    async def one() -> None:
        answers.append(await send(service, "POST", f"{MONITOR}/observations", ROWS))
        if len(answers) == 2:
            two.set()

    async with anyio.create_task_group() as tasks:
        with held(service.store):
            for _ in range(3):
                tasks.start_soon(one)
            await two.wait()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    for answer in answers[:2]:
        assert refused(answer, 409)[0] == "idempotency-key-in-progress"
        assert int(answer.headers["retry-after"]) >= 1
    assert (await service.report())["n"] == 2


async def test_many_at_once_count_once(service: Service) -> None:
    await service.put()
    answers: list[httpx.Response] = []

    async def one(number: int) -> None:
        while True:
            path = f"{MONITOR}/observations"
            answer = await send(service, "POST", path, ROWS, f"key {number}".replace(" ", "-"))
            if answer.status_code != 409:
                answers.append(answer)
                return
            await anyio.sleep(0.001)

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(one, number % 4)
    assert {answer.status_code for answer in answers} == {200}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 4
    assert (await service.report())["n"] == 8
    assert (await service.samples(monitor="clicks"))[
        'kullback_examples_total{monitor="clicks"}'
    ] == 8


async def test_replicas_answer_for_each_other(postgresql: Server) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        async with running(url) as one, running(url) as other:
            for method, path, body in [WRITES[0], *WRITES]:
                first = await send(one, method, path, body)
                again = await send(other, method, path, body)
                assert first.is_success
                assert (again.status_code, again.content) == (first.status_code, first.content)
                assert again.headers["idempotency-replayed"] == "true"
            await other.put()
            await other.post("observations", **ROWS)
            assert (await one.report())["n"] == 2


async def test_the_replay_of_a_removal_forgets_nothing_of_what_came_since(
    service: Service,
) -> None:
    await service.put()
    await send(service, "DELETE", MONITOR, None)
    await service.put()
    await service.post("observations", **ROWS)
    assert (await send(service, "DELETE", MONITOR, None)).status_code == 204
    assert (await service.report())["n"] == 2
    assert (await service.samples(monitor="clicks"))[
        'kullback_examples_total{monitor="clicks"}'
    ] == 2
