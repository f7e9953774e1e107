"""Bodies are read in turn, bursts wait, and what is more than can be done is refused unread."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest
from starlette.types import Message

from kullback.api import admission, problems
from kullback.api.admission import Admission, LoopWorker
from kullback.errors import DeadlineExceeded, InvalidInput, Overloaded
from kullback.main import create_app
from kullback.settings import Settings
from tests.payload.bodies import IS_JSON

pytestmark = pytest.mark.anyio
NEVER = 1e9


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens by itself, but in the tests that are about it."""
    for name in ("DEADLINE_SECONDS", "STANDING_SECONDS", "PATIENCE_SECONDS", "LOAN_SECONDS"):
        monkeypatch.setattr(admission, name, NEVER)


async def test_the_next_has_its_turn_when_another_ends() -> None:
    line, begun = Admission(2, 10), list[int]()

    async def take(number: int) -> None:
        async with line.turn() as turn:
            turn.begin()
            begun.append(number)

    async with anyio.create_task_group() as group, line.turn(), line.turn():
        for number in range(5):
            group.start_soon(take, number)
            await anyio.wait_all_tasks_blocked()
        assert begun == []
    assert begun == [0, 1, 2, 3, 4]


async def test_a_line_that_is_full_refuses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LINE", 0)
    line = Admission(1, 10)
    async with line.turn():
        with pytest.raises(Overloaded):
            await line.turn().__aenter__()
    async with line.turn():
        pass


@pytest.mark.parametrize("patient", [0, 1])
async def test_a_burst_is_patient_and_what_is_more_is_not(
    patient: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.01)
    line, begun = Admission(1, patient), list[int]()

    async def wait() -> None:
        async with line.turn():
            begun.append(1)

    async with anyio.create_task_group() as group, line.turn():
        if patient:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(Overloaded) as refusal:
            await line.turn().__aenter__()
        assert not isinstance(refusal.value, DeadlineExceeded)
    assert len(begun) == patient


async def test_nobody_is_patient_in_a_line_that_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.01)
    line = Admission(1, 10)

    async def wait() -> None:
        async with line.turn():
            pass

    async with anyio.create_task_group() as group:
        async with line.turn():
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            monkeypatch.setattr(admission, "STANDING_SECONDS", 0.0)
            with anyio.fail_after(30), pytest.raises(Overloaded):
                await line.turn().__aenter__()
        await anyio.wait_all_tasks_blocked()


async def test_the_patient_too_have_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "DEADLINE_SECONDS", 0.01)
    line = Admission(1, 10)
    async with line.turn():
        with pytest.raises(DeadlineExceeded):
            await line.turn().__aenter__()


async def test_a_body_that_comes_slowly_lends_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Admission(1, 10)
    monkeypatch.setattr(admission, "LOAN_SECONDS", 0.01)
    async with AsyncExitStack() as slow:
        slow.enter_context(anyio.fail_after(30))
        turns = [await slow.enter_async_context(line.turn()) for _ in range(3)]
        monkeypatch.setattr(admission, "LOAN_SECONDS", NEVER)
        for turn in turns:
            turn.begin()
        waiting = asyncio.ensure_future(line.turn().__aenter__())
        await anyio.wait_all_tasks_blocked()
        assert not waiting.done()  # their bodies are here: they have their places again
    await waiting


async def test_who_leaves_the_line_hands_the_place_on() -> None:
    line = Admission(1, 10)
    begun = list[str]()

    async def wait(name: str) -> None:
        async with line.turn():
            begun.append(name)

    async with line.turn() as turn:
        waiting = [asyncio.ensure_future(wait(name)) for name in "abc"]
        await anyio.wait_all_tasks_blocked()
        waiting[0].cancel()  # while it waits
        await anyio.wait_all_tasks_blocked()
        turn.lend()
        waiting[1].cancel()  # when its turn has come
    await asyncio.wait(waiting)
    assert begun == ["c"]
    assert [task.cancelled() for task in waiting] == [True, True, False]


async def test_work_on_the_loop_leaves_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "SHARE_SECONDS", 1e-12)  # one piece of work in a turn
    worker, events = LoopWorker(), list[str]()
    loop = asyncio.get_running_loop()

    def work() -> None:
        events.append("work")
        loop.call_soon(events.append, "other")

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(worker.run, work)
    assert events.count("work") == 4
    assert "work work work" not in " ".join(events)


async def test_work_on_the_loop_answers_and_raises_alike_now_and_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "SHARE_SECONDS", 1e-12)
    worker = LoopWorker()

    def refuse() -> None:
        raise InvalidInput("no")

    for _ in range(2):
        first = asyncio.ensure_future(worker.run(lambda: 1))
        second = asyncio.ensure_future(worker.run(refuse))
        assert await first == 1
        with pytest.raises(InvalidInput):
            await second
    with pytest.raises(InvalidInput):
        await worker.run(refuse)


async def test_work_on_the_loop_that_waited_too_long_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "SHARE_SECONDS", 1e-12)
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", -1.0)
    worker, done = LoopWorker(), list[int]()
    first, second = (asyncio.ensure_future(worker.run(lambda: done.append(1))) for _ in range(2))
    await first
    with pytest.raises(Overloaded):
        await second
    assert done == [1]


@pytest.mark.parametrize("size", [10, 200_000, 300_000])
@pytest.mark.parametrize("path", ["/v1/scores/entropy", "/v1/monitors/clicks/observations"])
async def test_who_is_refused_is_refused_unread(
    path: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LINE", 0)
    monkeypatch.setattr(admission, "SHARE_SECONDS", 1e-12)
    monkeypatch.setattr(Admission, "__init__", without_places)
    received, sent = list[str](), list[Message]()

    async def receive() -> Message:
        received.append("chunk")
        return {"type": "http.request", "body": b" " * size, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    types = [(name.lower().encode(), value.encode()) for name, value in IS_JSON.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [*types, (b"content-length", str(size).encode())],
    }
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/kullback.db"))
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    assert sent[0]["status"] == 503
    headers = dict(sent[0]["headers"])
    assert headers[b"retry-after"] == b"1"
    assert (headers.get(b"connection") == b"close") == (size > problems.WORTH_READING)
    assert received == []


def without_places(line: Admission, *_: object) -> None:
    line.__dict__ |= {"_places": 0, "_taken": 0, "_line": [], "_patient": 0}
