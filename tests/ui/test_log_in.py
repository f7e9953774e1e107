"""Whoever may not see a page is shown how to log in, and what that begins ends as it should."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from httpx import AsyncClient
from starlette.types import Message

from kullback.main import create_app
from kullback.settings import Settings
from kullback.ui.log_in import CAP
from tests.access.provider import AUDIENCE, ISSUER, key_set
from tests.access.service import Guarded, bearer, guarded
from tests.conftest import client_of
from tests.monitoring.service import refused
from tests.ui.browsing import OWN, browser, log_in

pytestmark = pytest.mark.anyio

SCORE = {"p": [0.5, 0.5]}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


async def test_a_page_without_a_right_is_the_form_and_leads_there_once_logged_in(
    service: Guarded,
) -> None:
    key = await service.issue("read", "score")
    async with browser(service) as client:
        answer = await client.get("/monitors/none?by=country&from=1")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert 'action="../login"' in answer.text
        assert 'value="monitors/none?by=country&amp;from=1"' in answer.text
        assert "Log out" not in answer.text
        answer = await log_in(client, f" {key}\n", "monitors/none?by=country&from=1")
        assert answer.status_code == 303
        assert answer.headers["location"] == "./monitors/none?by=country&from=1"
        answer = await client.get(answer.headers["location"])
        assert answer.status_code == 404
        assert "Log out" in answer.text
        assert (await client.get("/v1/monitors")).is_success  # what pages of it load
        assert (await client.post("/v1/scores/entropy", json=SCORE, headers=OWN)).is_success


async def test_a_query_that_is_no_text_is_shown_the_form_too(service: Guarded) -> None:
    await service.issue("read")
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    query = b"by=\xff%ff&x=\x80"
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query}
    await service.app(scope, receive, send)
    assert answers[0]["status"] == 401


@pytest.mark.parametrize("key", ["", "kb_no", "\u20ac", "kb_" + "0" * 12 + "_" + "a" * 43])
async def test_a_wrong_key_is_the_form_again(service: Guarded, key: str) -> None:
    async with browser(service) as client:
        answer = await log_in(client, key, "playground")
    assert answer.status_code == 401
    assert "This is no valid key." in answer.text
    assert 'value="playground"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_wrong_keys_again_and_again_are_slowed(service: Guarded) -> None:
    async with browser(service) as client:
        answers = [await log_in(client, "kb_no") for _ in range(30)]
        assert {answer.status_code for answer in answers} == {401, 429}
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await client.get("/")).status_code == 401  # to look at the form costs nothing


async def test_a_browser_is_told_that_a_provider_s_tokens_do_not_log_it_in(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(key_set())
    provider = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": str(file)}
    async with client_of(create_app(settings.model_copy(update=provider))) as client:
        own = {"origin": str(client.base_url).rstrip("/")}
        answer = await client.post("/login", data={"key": "any", "next": ""}, headers=own)
    assert answer.status_code == 401
    assert "Browsers need a key, and there is none" in answer.text


async def test_slow_senders_of_a_key_keep_nobody_from_logging_in(service: Guarded) -> None:
    waiting, every = list[int](), anyio.Event()

    async def send_slowly(number: int) -> None:
        async def receive() -> Message:
            if number in waiting:
                await anyio.sleep_forever()
            waiting.append(number)
            if len(waiting) == 200:
                every.set()
            return {"type": "http.request", "body": b"k" * CAP, "more_body": True}

        async def send(_: Message) -> None: ...

        scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b""}
        await service.app({**scope, "headers": []}, receive, send)

    async with anyio.create_task_group() as senders, browser(service) as client:
        for number in range(200):
            senders.start_soon(send_slowly, number)
        await every.wait()
        assert (await log_in(client, service.admin)).status_code == 303
        senders.cancel_scope.cancel()


async def test_to_log_in_counts_as_a_request_of_the_key(service: Guarded) -> None:
    key = await service.issue("read", requests_per_second=0.001)
    async with browser(service) as client:
        answers = [await log_in(client, key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 429]
    assert int(answers[1].headers["retry-after"]) > 900


async def test_nobody_is_logged_in_by_a_page_of_somebody_else(service: Guarded) -> None:
    async with browser(service) as client:
        answer = await log_in(client, service.admin, origin="http://evil")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "place",
    [
        "//evil",
        "https://evil",
        "\\\\evil",
        "javascript:alert(1)",
        "\r\nset-cookie: x=y",
        "../..//evil",
    ],
)
async def test_to_log_in_leads_nowhere_else(service: Guarded, place: str) -> None:
    async with browser(service) as client:
        answer = await log_in(client, service.admin, place)
        target = answer.request.url.join(answer.headers["location"])
    assert (target.scheme, target.host) == ("http", "kullback")
    assert set(answer.headers.get_list("set-cookie")) == {answer.headers["set-cookie"]}


async def test_a_body_that_is_no_form_is_a_wrong_key(service: Guarded) -> None:
    async with browser(service) as client:
        for body in (b"", b"\xff" * 100, b"&".join([b"key=a"] * 500), b"next"):
            answer = await client.post("/login", content=body, headers=OWN)
            assert answer.status_code == 401
        refused(await client.post("/login", content=b"k" * 5000, headers=OWN), 413)


async def test_a_page_says_what_a_key_lacks(service: Guarded) -> None:
    key = await service.issue("write")
    async with browser(service) as client:
        await log_in(client, key)
        answer = await client.get("/")
    assert answer.status_code == 403
    assert "This needs a key with the scope read." in answer.text


async def test_pages_of_somebody_logged_in_are_not_kept(service: Guarded) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        for path in ("/", "/playground", "/playground/log-loss"):
            tags = []
            for headers in ({}, bearer(service.admin)):
                answer = await client.get(path, headers=headers)
                tags.append(answer.headers["etag"])
                stored = "no-store" in answer.headers["cache-control"]
                assert stored is not bool(headers)
            assert len(set(tags)) == 2, path


async def test_what_a_page_says_to_send_carries_a_key_and_goes_where_the_browser_went(
    service: Guarded,
) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        page = unescape((await client.get("/")).text)
        assert (
            'curl -H "Authorization: Bearer $KULLBACK_API_KEY" -X PUT http://kullback/v1/' in page
        )
        assert "It needs a key" in (await client.get("/playground/entropy")).text
        for proto, base in (("https", "https://kullback/"), ("javascript", "http://kullback/")):
            answer = await client.get("/", headers={"x-forwarded-proto": proto})
            assert f"{base}v1/monitors/clicks" in answer.text
            assert "javascript:" not in answer.text


async def test_without_keys_nobody_logs_in(own_client: AsyncClient) -> None:
    answer = await log_in(own_client, "anything", "playground")
    assert (answer.status_code, answer.headers["location"]) == (303, "./playground")
    assert "set-cookie" not in answer.headers
    assert "Log out" not in (await own_client.get("/")).text
