"""Whoever may not see a page is shown how to log in, and what that begins ends as it should."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Message

from kullback.access.sessions import LIFETIME_SECONDS
from kullback.api.credentials import COOKIE
from kullback.main import create_app
from kullback.settings import Settings
from kullback.ui.log_in import CAP
from tests.access.provider import AUDIENCE, ISSUER, key_set
from tests.access.service import Guarded, bearer, guarded
from tests.conftest import client_of
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio

OWN = {"origin": "http://kullback"}
SCORE = {"p": [0.5, 0.5]}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


@asynccontextmanager
async def browser(service: Guarded, base: str = "http://kullback") -> AsyncIterator[AsyncClient]:
    """A client that keeps its cookies."""
    async with AsyncClient(transport=ASGITransport(service.app), base_url=base) as client:
        yield client


async def log_in(client: AsyncClient, key: str, place: str = "", **headers: str) -> Response:
    return await client.post("/login", data={"key": key, "next": place}, headers={**OWN, **headers})


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


async def test_a_session_cookie_is_of_no_use_to_scripts_and_other_sites(service: Guarded) -> None:
    async with browser(service) as client:
        cookie = (await log_in(client, service.admin)).headers["set-cookie"]
        assert set(cookie.split("; ")[1:]) == {
            *("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LIFETIME_SECONDS}"),
        }
        assert service.admin[16:] not in cookie
        answer = await log_in(client, service.admin, **{"x-forwarded-proto": "https"})
        assert "; Secure" in answer.headers["set-cookie"]
    async with browser(service, "https://kullback") as client:
        answer = await log_in(client, service.admin, origin="https://kullback")
        assert "; Secure" in answer.headers["set-cookie"]


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


async def test_a_session_ends_when_it_is_logged_out(service: Guarded) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        token = client.cookies[COOKIE]
        answer = await client.post("/logout", headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "./login")
        assert COOKIE not in client.cookies
        stolen = {"cookie": f"{COOKIE}={token}"}
        assert (await client.get("/", headers=stolen)).status_code == 401


async def test_a_session_ends_with_its_time_its_key_and_its_secret(service: Guarded) -> None:
    admin = bearer(service.admin)
    statuses = []
    for end in ("time", "key", "secret"):
        key = await service.issue("read")
        async with browser(service) as client:
            await log_in(client, key)
            statuses.append((await client.get("/")).status_code)
            if end == "time":
                client.cookies.jar._cookies["kullback.local"]["/"][COOKIE].expires = None  # type: ignore[attr-defined] # noqa: SLF001
                service.clock.now += LIFETIME_SECONDS
            elif end == "key":
                await service.client.delete(f"/v1/keys/{key[3:15]}", headers=admin)
            else:
                at = f"/v1/keys/{key[3:15]}/rotate"
                await service.client.post(at, json={"overlap_seconds": 0}, headers=admin)
            statuses.append((await client.get("/")).status_code)
    assert statuses == 3 * [200, 401]


async def test_sessions_that_expired_are_removed(service: Guarded) -> None:
    sessions = service.app.state.gate.sessions._sessions  # noqa: SLF001
    tokens = [sessions.begin("k", "s")]
    service.clock.now += LIFETIME_SECONDS
    tokens.append(sessions.begin("k", "s"))
    assert [sessions.find(token) is not None for token in tokens] == [False, True]
    (record,) = sessions._store.records("session")  # noqa: SLF001
    assert not any(token in f"{record}" for token in tokens)  # a digest of it is kept


@pytest.fixture
def look_ups(service: Guarded, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was looked up, and ended, of sessions in the store."""
    names: list[str] = []
    sessions = service.app.state.gate.sessions._sessions  # noqa: SLF001

    def noted(work: Callable[[str], object]) -> Callable[[str], object]:
        def call(token: str) -> object:
            names.append(token)
            return work(token)

        return call

    for name in ("find", "end"):
        monkeypatch.setattr(sessions, name, noted(getattr(sessions, name)))
    return names


async def test_cookies_that_are_made_up_cost_few_looks_at_the_store_and_harm_nobody(
    service: Guarded, look_ups: list[str]
) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        own = client.cookies[COOKIE]
    statuses = []
    for number in range(60):
        method, path = [("GET", "/v1/monitors"), ("GET", "/"), ("POST", "/logout")][number % 3]
        cookie = {"cookie": f"{COOKIE}={number:043}"}
        answer = await service.client.request(method, path, headers={**OWN, **cookie})
        statuses.append(answer.status_code)
    assert set(statuses[-15:]) <= {401, 429, 303}
    assert statuses.count(429) >= 40
    assert len(look_ups) <= 20  # ten at once and one a second
    answer = await service.client.get("/", headers={"cookie": f"{COOKIE}={own}"})
    assert answer.status_code == 200
    assert look_ups[-1] == own


async def test_a_cookie_that_looks_like_none_of_ours_is_not_looked_up(
    service: Guarded, look_ups: list[str]
) -> None:
    for token in ("x", "x" * 42, "x" * 44, "." * 43, "x" * 4000):
        for method, path in (("GET", "/v1/monitors"), ("POST", "/logout")):
            cookie = {"cookie": f"{COOKIE}={token}"}
            await service.client.request(method, path, headers={**OWN, **cookie})
    assert look_ups == []


async def test_to_log_in_again_ends_the_session_before_and_reads_no_other(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = service.app.state.gate.sessions._sessions  # noqa: SLF001
    async with browser(service) as client:
        await log_in(client, service.admin)
        first = client.cookies[COOKIE]
        monkeypatch.setattr(sessions._store, "records", lambda _: pytest.fail("all are read"))  # noqa: SLF001
        await log_in(client, service.admin)
        monkeypatch.undo()
        assert client.cookies[COOKIE] != first
        assert (await client.get("/")).status_code == 200
    stolen = {"cookie": f"{COOKIE}={first}"}
    assert (await service.client.get("/", headers=stolen)).status_code == 401


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


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://kullback"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        (
            {"origin": "https://kullback", "sec-fetch-site": "same-origin"},
            200,
        ),  # TLS ends before us
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil"}, 403),
        ({"origin": "http://kullback.evil"}, 403),
        ({"origin": "http://kullback:81"}, 403),
        ({"origin": "http://[", "host": "kullback"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://kullback"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
    ],
)
async def test_a_page_of_somebody_else_cannot_use_a_session(
    service: Guarded, headers: dict[str, str], status: int
) -> None:
    async with browser(service) as client:
        await log_in(client, await service.issue("read", "write", "score"))
        answers = [
            await client.post("/v1/scores/entropy", json=SCORE, headers=headers),
            await client.put("/v1/monitors/m", json={}, headers=headers),
        ]
        expected = {200} if status == 200 else {403}
        assert {min(answer.status_code, 403) for answer in answers} <= expected | {201}
        assert (answers[0].status_code, answers[1].status_code) == (
            (200, 201) if status == 200 else (403, 403)
        )
        assert (await client.post("/logout", headers=headers)).status_code == (
            303 if status == 200 else 403
        )


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


@pytest.mark.parametrize("cookie", ["", "x", '"', "a=b; \xff=\xfe", "kullback_session", "; ;"])
async def test_a_cookie_that_is_none_of_ours_opens_nothing(service: Guarded, cookie: str) -> None:
    headers = [(b"cookie", cookie.encode("latin-1"))]
    answer = await service.client.get("/v1/monitors", headers=headers)
    refused(answer, 401)


async def test_cookies_of_others_on_the_same_host_are_in_nobodys_way(service: Guarded) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        token = client.cookies[COOKIE]
    cookie = f'a b=c"; {{"x": [1]}}; {COOKIE}={token}; \xff'.encode("latin-1")
    assert (await service.client.get("/", headers=[(b"cookie", cookie)])).is_success


async def test_a_key_goes_before_a_session(service: Guarded) -> None:
    async with browser(service) as client:
        await log_in(client, service.admin)
        refused(await client.get("/v1/monitors", headers=bearer("kb_no")), 401)
        key = await service.issue("write")  # no page of somebody else can send a key
        assert (await client.put("/v1/monitors/m", json={}, headers=bearer(key))).is_success


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


async def test_without_keys_nobody_logs_in(own_client: AsyncClient) -> None:
    answer = await log_in(own_client, "anything", "playground")
    assert (answer.status_code, answer.headers["location"]) == (303, "./playground")
    assert "set-cookie" not in answer.headers
    assert "Log out" not in (await own_client.get("/")).text
