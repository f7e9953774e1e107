"""Who has no key, or one for something else, gets nothing, before a body is read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from starlette.types import Message

from kullback.access.keys import SCOPES, ScopeName
from kullback.api.authorization import AuthorizedRoute, check_routes
from kullback.api.credentials import is_local, path_within
from kullback.api.scopes import READING
from kullback.main import create_app
from kullback.settings import Settings
from tests.access.provider import AUDIENCE, ISSUER, key_set, signed
from tests.access.service import Guarded, bearer, guarded
from tests.api.test_every_operation import KEY_STEPS, STEPS, filled
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio

OPEN = {
    *(
        "/livez",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/static/{path:path}",
        "/problems/{slug}",
    ),
    *("/login", "/logout"),
}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


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

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
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
    assert {need("POST", route) for route in posts} == {"open", "score", "read", "write", "admin"}


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


async def test_two_keys_at_once_are_none(service: Guarded) -> None:
    header = (b"authorization", f"Bearer {service.admin}".encode())
    assert await asked(service.app, "POST", "/v1/keys", header, header) == 401


async def test_what_a_path_looks_like_elsewhere_opens_nothing(service: Guarded) -> None:
    header = (b"host", b"kullback/livez?#")  # poisons the URL that is put together from it
    assert await asked(service.app, "GET", "/v1/monitors", header) == 401


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


@pytest.mark.parametrize(
    ("prefix", "path", "within"),
    [
        ("", "/monitors/a", "/monitors/a"),
        ("/mon", "/mon", ""),
        ("/mon", "/mon/monitors/a", "/monitors/a"),
        ("/mon", "/monitors/a", "/monitors/a"),  # a proxy took it away: it is no prefix of that
    ],
)
def test_a_prefix_ends_where_a_part_of_a_path_does(prefix: str, path: str, within: str) -> None:
    assert path_within({"path": path, "root_path": prefix}) == within
