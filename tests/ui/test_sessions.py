"""A session is its browser's alone, ends as it should, and costs little to look for."""

from collections.abc import AsyncIterator, Callable

import pytest

from kullback.access.sessions import LIFETIME_SECONDS
from kullback.api.credentials import COOKIE
from kullback.settings import Settings
from tests.access.service import Guarded, bearer, guarded
from tests.monitoring.service import refused
from tests.ui.browsing import OWN, browser, log_in

pytestmark = pytest.mark.anyio

SCORE = {"p": [0.5, 0.5]}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


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
