"""Who has no key, or one for something else, gets nothing, before a body is read."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from starlette.types import Message

from kullback.access.keys import SCOPES, ScopeName
from kullback.access.ring import AWAY_SECONDS, STALE_SECONDS
from kullback.api.authorization import AuthorizedRoute, check_routes
from kullback.api.credentials import is_local
from kullback.api.gate import PATIENCE_SECONDS
from kullback.api.scopes import READING
from kullback.errors import StoreUnavailable
from kullback.main import create_app
from kullback.settings import Settings
from tests.access.provider import AUDIENCE, ISSUER, key_set, signed
from tests.access.service import Guarded, bearer, guarded, issued
from tests.api.test_every_operation import KEY_STEPS, STEPS, filled
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio

OPEN = {
    *("/livez", "/readyz", "/openapi.json", "/docs", "/static/{path:path}", "/problems/{slug}"),
    *("/login", "/logout"),
}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


@pytest.fixture
def audit(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The lines that were written so far about who did what."""
    events: list[dict[str, Any]] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            events.append(record.__dict__["fields"])

    log, lines = logging.getLogger("kullback.audit"), Lines()
    log.addHandler(lines)
    with caplog.at_level(logging.INFO, "kullback.audit"):
        yield events
    log.removeHandler(lines)


def operations(app: FastAPI) -> list[tuple[str, AuthorizedRoute]]:
    routes = [route for route in app.routes if isinstance(route, AuthorizedRoute)]
    assert len(routes) == len(app.routes) > 40
    return [(method, route) for route in routes for method in sorted(route.methods or ())]


def need(method: str, route: AuthorizedRoute) -> str:
    return route.rule.reading if method in READING else route.rule.writing


async def asked(app: FastAPI, method: str, path: str, *headers: tuple[bytes, bytes]) -> int:
    """The status of a request whose body nobody may read."""
    statuses: list[int] = []

    async def receive() -> Message:
        pytest.fail("the body was read")

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [*headers],
        "root_path": "",
        "scheme": "http",
        "client": ("192.0.2.1", 1),
        "server": ("192.0.2.7", 8000),
    }
    await app(scope, receive, send)
    return statuses[0]


async def test_no_route_is_open_that_should_not_be(app: FastAPI) -> None:
    is_open = {route.path for method, route in operations(app) if need(method, route) == "open"}
    assert {path for path in is_open if not path.startswith("/v1/scores")} == OPEN
    posts = [route for method, route in operations(app) if method == "POST"]
    assert {need("POST", route) for route in posts} == {"open", "score", "write", "admin"}


async def test_without_a_key_every_route_answers_401_before_it_reads_a_body(
    service: Guarded,
) -> None:
    service.app.state.gate._failures._buckets.take = lambda *_, **__: 0  # noqa: SLF001 - as if from many places
    for method, route in operations(service.app):
        for headers in (
            [],
            [(b"authorization", b"Bearer kb_no")],
            [(b"authorization", b"Basic x")],
        ):
            status = None
            if need(method, route) != "open":
                status = await asked(service.app, method, filled(route.path), *headers)
                assert status == 401, f"{method} {route.path}"


async def test_a_key_of_one_scope_opens_what_needs_it_and_nothing_else(service: Guarded) -> None:
    keys = {scope: await service.issue(scope) for scope in SCOPES}
    service.app.state.gate._failures._buckets.take = lambda *_, **__: 0  # noqa: SLF001
    for scope, key in keys.items():
        for method, route in operations(service.app):
            wanted = need(method, route)
            if wanted in {"open", scope}:
                continue
            header = (b"authorization", f"Bearer {key}".encode())
            status = await asked(service.app, method, filled(route.path), header)
            assert status == 403, f"{scope}: {method} {route.path}"


async def test_every_operation_answers_a_key_that_has_its_scope(service: Guarded) -> None:
    keys = {scope: await service.issue(scope) for scope in SCOPES}
    needs = {(method, route.path): need(method, route) for method, route in operations(service.app)}
    for method, path, body in [*STEPS, *KEY_STEPS]:
        key = keys.get(needs[method, path], "")  # type: ignore[call-overload] # "open" has none
        place = filled(path).format(id=keys["score"][3:15])
        answer = await service.client.request(method, place, json=body, headers=bearer(key))
        assert answer.is_success, f"{method} {path}: {answer.text}"


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "QUERY"])
async def test_a_method_that_a_route_does_not_have_is_no_way_around(
    service: Guarded, method: str
) -> None:
    assert await asked(service.app, method, "/v1/monitors/clicks") == 401


async def test_an_unknown_id_and_a_wrong_secret_are_told_the_same(service: Guarded) -> None:
    key = await service.issue("read")
    wrong = [
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        f"kb_{'0' * 12}_{key[16:]}",
        "kb_",
        "x" * 10_000,
        "\xff\xfe",
        "",
    ]
    bodies = set()
    for text in wrong:
        headers = [
            (b"authorization", f"Bearer {text}".encode("latin-1")),
            (b"x-request-id", b"one"),
        ]
        answer = await service.client.get("/v1/monitors", headers=headers)
        assert refused(answer, 401) == ("unauthenticated", "")
        assert answer.headers["www-authenticate"] == 'Bearer realm="kullback"'
        bodies.add(answer.content)
    assert len(bodies) == 1


@pytest.mark.parametrize("sent", ["{}", "Basic {}", "Token {}"])
async def test_a_key_that_is_sent_otherwise_is_told_how(service: Guarded, sent: str) -> None:
    headers = {"authorization": sent.format(service.admin)}
    answer = await service.client.get("/v1/monitors", headers=headers)
    assert refused(answer, 401) == ("unauthenticated", "")
    assert answer.json()["detail"] == "Authorization must be: Bearer kb_…"


async def test_two_keys_at_once_are_none(service: Guarded) -> None:
    header = (b"authorization", f"Bearer {service.admin}".encode())
    assert await asked(service.app, "POST", "/v1/keys", header, header) == 401


async def test_what_a_path_looks_like_elsewhere_opens_nothing(service: Guarded) -> None:
    header = (b"host", b"kullback/livez?#")  # poisons the URL that is put together from it
    assert await asked(service.app, "GET", "/v1/monitors", header) == 401


async def test_a_key_that_expired_or_was_revoked_opens_nothing(service: Guarded) -> None:
    short, revoked = await service.issue("read", lifetime_seconds=10), await service.issue("read")
    path = f"/v1/keys/{revoked[3:15]}"
    for key in (short, revoked):
        assert (await service.client.get("/v1/monitors", headers=bearer(key))).is_success
    answer = await service.client.delete(path, headers=bearer(service.admin))
    assert answer.status_code == 204
    service.clock.now += 10
    for key in (short, revoked):
        refused(await service.client.get("/v1/monitors", headers=bearer(key)), 401)


async def test_a_service_whose_keys_are_all_revoked_is_not_open(service: Guarded) -> None:
    path = f"/v1/keys/{service.admin[3:15]}"
    answer = await service.client.delete(path, headers=bearer(service.admin))
    assert answer.status_code == 204
    refused(await service.client.get("/v1/monitors"), 401)


async def test_both_secrets_of_a_rotated_key_open_while_they_overlap(service: Guarded) -> None:
    first = await service.issue("read")
    answer = await service.client.post(
        f"/v1/keys/{first[3:15]}/rotate",
        json={"overlap_seconds": 60},
        headers=bearer(service.admin),
    )
    second = answer.json()["key"]
    assert answer.headers["cache-control"] == "no-store"
    for key in (first, second):
        assert (await service.client.get("/v1/monitors", headers=bearer(key))).is_success
    service.clock.now += 60
    refused(await service.client.get("/v1/monitors", headers=bearer(first)), 401)
    assert (await service.client.get("/v1/monitors", headers=bearer(second))).is_success


async def test_a_list_of_keys_has_no_secret(service: Guarded) -> None:
    service.clock.now += 1
    key = await service.issue("read", prefixes=["team-a."])
    answer = await service.client.get("/v1/keys", headers=bearer(service.admin))
    assert key[16:] not in answer.text
    listed = answer.json()["keys"]
    assert [each["id"] for each in listed] == [service.admin[3:15], key[3:15]]
    assert listed[1]["prefixes"] == ["team-a."]


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"label": "x", "scopes": []}, "/scopes"),
        ({"label": "x", "scopes": ["root"]}, "/scopes/0"),
        ({"label": "x\n", "scopes": ["read"]}, "/label"),
        ({"label": "x", "scopes": ["admin"], "prefixes": ["a."]}, "/prefixes"),
        ({"label": "x", "scopes": ["read"], "prefixes": ["a"]}, "/prefixes"),
        ({"label": "x", "scopes": ["read"], "requests_per_second": 0}, "/requests_per_second"),
        ({"label": "x", "scopes": ["read"], "requests_per_second": 1e-310}, "/requests_per_second"),
        ({"label": "x", "scopes": ["read"], "id": "0" * 12}, "/id"),
        ({"label": "x", "scopes": ["read"], "created": 0}, "/created"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(
    service: Guarded, sent: dict[str, object], place: str
) -> None:
    answer = await service.client.post("/v1/keys", json=sent, headers=bearer(service.admin))
    assert refused(answer) == ("invalid-input", place)


async def test_more_requests_than_a_key_may_make_are_told_when_to_come_again(
    service: Guarded,
) -> None:
    key = await service.issue("read", requests_per_second=0.001)
    other = await service.issue("read")
    statuses = []
    for _ in range(3):
        answer = await service.client.get("/v1/monitors", headers=bearer(key))
        statuses.append(answer.status_code)
    assert statuses == [200, 429, 429]
    assert refused(answer, 429) == ("rate-limited", "")
    assert answer.json()["detail"] == "this key may ask 0.001 times a second"
    assert 900 < int(answer.headers["retry-after"]) <= 1000
    assert (await service.client.get("/v1/monitors", headers=bearer(other))).is_success


async def test_what_a_key_may_not_do_counts_as_well(service: Guarded) -> None:
    key = await service.issue("read", requests_per_second=0.001)
    statuses = []
    for _ in range(3):
        answer = await service.client.delete("/v1/monitors/clicks", headers=bearer(key))
        statuses.append(answer.status_code)
    assert statuses == [403, 429, 429]


async def test_a_flood_of_wrong_keys_is_slowed_and_does_not_fill_the_log(
    service: Guarded, audit: list[dict[str, Any]]
) -> None:
    answers = [await service.client.get("/v1/monitors", headers=bearer("kb_no")) for _ in range(50)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:10] == [401] * 10
    assert statuses.count(429) >= 30  # one a second is let through again
    assert len(audit) <= 20
    assert int(answers[-1].headers["retry-after"]) >= 1
    answer = await service.client.get("/v1/monitors", headers=bearer(service.admin))
    assert answer.is_success  # whoever shares the address is not harmed


async def test_the_log_says_who_did_what_and_who_was_refused(
    service: Guarded, audit: list[dict[str, Any]]
) -> None:
    key = await service.issue("read")
    refused(await service.client.delete("/v1/monitors/clicks", headers=bearer(key)), 403)
    refused(await service.client.get("/v1/keys"), 401)
    await service.client.delete(f"/v1/keys/{key[3:15]}", headers=bearer(service.admin))
    own, theirs = service.admin[3:15], key[3:15]
    assert [(each["event"], each["key"], each.get("subject")) for each in audit] == [
        ("key created", own, theirs),
        ("refused", theirs, None),
        ("refused", "", None),
        ("key revoked", own, theirs),
    ]
    assert [each["route"] for each in audit[1:3]] == ["/v1/monitors/{name}", "/v1/keys"]
    assert key[16:] not in str(audit)


async def test_one_idempotency_key_of_two_callers_is_two(service: Guarded) -> None:
    await service.client.put("/v1/monitors/m", json={}, headers=bearer(service.admin))
    answers = [
        await service.client.post(
            "/v1/monitors/m/observations",
            json={"y_true": [value], "y_proba": [0.5]},
            headers={**bearer(key), "idempotency-key": "same"},
        )
        for value, key in ((0, service.admin), (1, await service.issue("write")))
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all("idempotency-replayed" not in answer.headers for answer in answers)


async def test_without_a_store_scores_go_on_for_those_who_were_let_in(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await service.issue("score", "read")
    ring = service.app.state.gate._ring  # noqa: SLF001

    def away() -> None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(ring, "_load", away)
    monkeypatch.setattr(ring, "_read_at", ring._monotonic() - STALE_SECONDS)  # noqa: SLF001
    score = {"p": [0.5, 0.5]}
    answer = await service.client.post("/v1/scores/entropy", json=score, headers=bearer(key))
    assert answer.status_code == 200
    for path in ("/playground", "/metrics"):
        answer = await service.client.get(path, headers=bearer(service.admin))
        assert answer.status_code == 200
    answer = await service.client.get("/v1/monitors", headers=bearer(key))
    assert refused(answer, 503) == ("store-unavailable", "")
    refused(await service.client.post("/v1/scores/entropy", json=score), 401)
    read_at = ring._monotonic() - AWAY_SECONDS  # noqa: SLF001
    monkeypatch.setattr(ring, "_read_at", read_at)  # a key may have been revoked since
    answer = await service.client.post("/v1/scores/entropy", json=score, headers=bearer(key))
    assert refused(answer, 503) == ("store-unavailable", "")
    monkeypatch.setattr(ring, "_keys", {})  # there never was one
    answer = await service.client.post("/v1/scores/entropy", json=score)
    assert answer.status_code == 200


async def test_nobody_waits_long_for_a_store_that_does_not_answer(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Event()
    ring = service.app.state.gate._ring  # noqa: SLF001
    read_at = ring._monotonic() - STALE_SECONDS  # noqa: SLF001
    monkeypatch.setattr(ring, "_load", lambda: answered.wait(60) and [])
    monkeypatch.setattr(ring, "_read_at", read_at)
    waits = []
    for _ in range(20):
        began = monotonic()
        answer = await service.client.get("/metrics", headers=bearer(service.admin))
        waits.append(monotonic() - began)
        assert answer.status_code == 200
    assert sum(wait > PATIENCE_SECONDS for wait in waits) < 10  # of one in five seconds
    assert not answered.is_set()
    answered.set()


async def test_a_key_is_read_by_a_service_that_runs(service: Guarded) -> None:
    ring = service.app.state.gate._ring  # noqa: SLF001
    text = issued(service.book, "read").text
    ring._read_at -= STALE_SECONDS + 1  # noqa: SLF001
    assert (await service.client.get("/v1/monitors", headers=bearer(text))).is_success


async def test_without_keys_everything_but_keys_is_open_on_this_machine_alone(
    app: FastAPI,
) -> None:
    async with app.router.lifespan_context(app):
        statuses = {}
        for host in ("127.0.0.1", "127.0.0.2", "[::1]", "192.0.2.7", "[2001:db8::1]"):
            transport = ASGITransport(app)
            async with AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                answer = await client.get("/v1/monitors")
                statuses[host] = answer.status_code
                if host == "127.0.0.1":
                    answer = await client.post("/v1/keys", json={})
                    refused(answer, 403)
                    assert "stop the service and run `kullback keys create`" in answer.text
    assert list(statuses.values()) == [200, 200, 200, 401, 401]


async def test_without_keys_others_are_let_in_where_somebody_says_so(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"insecure_no_auth": True}))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://192.0.2.7") as client,
    ):
        assert (await client.get("/v1/monitors")).is_success


async def test_keys_are_asked_for_even_where_none_would_be(settings: Settings) -> None:
    async with guarded(settings.model_copy(update={"insecure_no_auth": True})) as service:
        refused(await service.client.get("/v1/monitors"), 401)


def test_a_socket_of_the_file_system_is_of_this_machine() -> None:
    assert is_local({"server": ("/run/kullback.sock", None), "headers": []})
    assert is_local({"server": None, "headers": []})


@pytest.mark.parametrize(
    ("host", "header", "status"),
    [
        ("localhost:8000", b"x-request-id", 200),
        ("k.example", b"x-request-id", 401),
        ("localhost", b"x-forwarded-proto", 401),
        ("localhost", b"x-forwarded-for", 401),
        ("localhost", b"forwarded", 401),
    ],
)
async def test_what_a_proxy_on_this_machine_passes_on_is_of_somebody_else(
    settings: Settings, host: str, header: bytes, status: int
) -> None:
    app = create_app(settings.model_copy(update={"allowed_hosts": "*"}))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        headers = [(b"host", host.encode()), (header, b"x")]
        answers = [
            await client.get("/v1/monitors", headers=headers),
            await client.delete("/v1/monitors/none", headers=headers),
        ]
    missing = 404 if status == 200 else status
    assert [answer.status_code for answer in answers] == [status, missing]


def test_a_route_without_a_rule_keeps_the_service_from_starting() -> None:
    routes = APIRouter(route_class=AuthorizedRoute)
    with pytest.raises(LookupError, match="/v2/monitors has no scope"):
        routes.add_api_route("/v2/monitors", lambda: None)


def test_a_route_that_asks_nobody_keeps_the_service_from_starting(app: FastAPI) -> None:
    check_routes(app.routes)
    route = APIRoute("/v1/monitors/open", lambda: None)
    with pytest.raises(TypeError, match="does not ask who is there"):
        check_routes([*app.routes, route])


def test_scopes_are_those_that_routes_need(app: FastAPI) -> None:
    needs: set[ScopeName | str] = {need(method, route) for method, route in operations(app)}
    assert needs == {"open", *SCOPES}


async def test_a_token_of_the_provider_is_taken_beside_keys(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(key_set())
    provider = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": str(file)}
    app = create_app(settings.model_copy(update=provider))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://kullback") as client,
    ):
        refused(await client.get("/v1/monitors"), 401)  # although there is no key
        token = signed().decode()
        assert (await client.get("/v1/monitors", headers=bearer(token))).is_success
        refused(await client.put("/v1/monitors/m", json={}, headers=bearer(token)), 403)
        refused(await client.get("/v1/monitors", headers=bearer(f"{token}x")), 401)
        own = signed(scope="read write", kullback_prefixes=["team-a."]).decode()
        for name, status in (("team-a.m", 201), ("team-b.m", 403)):
            answer = await client.put(f"/v1/monitors/{name}", json={}, headers=bearer(own))
            assert answer.status_code == status
