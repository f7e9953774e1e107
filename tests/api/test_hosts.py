"""A name of somebody else that is made to lead here is not answered: no page can rebind it."""

import httpx
import pytest
from httpx import ASGITransport, AsyncClient, Response

from kullback.api.credentials import check_host
from kullback.errors import Misdirected
from kullback.main import create_app
from kullback.settings import Settings
from tests.api.test_every_operation import READS, filled
from tests.monitoring.service import refused
from tests.serving import serving

pytestmark = pytest.mark.anyio

OURS = [
    "localhost",
    "localhost:8000",
    "127.0.0.1",
    "127.0.0.1:8000",
    "[::1]",
    "[::1]:80",
    "LOCALHOST",
]
OTHERS = ["evil", "evil:8000", "localhost.evil", "127.0.0.1.evil", "192.0.2.7", "[2001:db8::1]", ""]
PROBES = {"/livez", "/readyz", "/openapi.json", "/docs", "/static/{path:path}", "/problems/{slug}"}


def checked(host: str, server: str, *allowed: str) -> bool:
    scope = {"headers": [(b"host", host.encode())], "server": (server, 8000)}
    try:
        check_host(scope, frozenset(allowed))
    except Misdirected:
        return False
    return True


@pytest.mark.parametrize("server", ["127.0.0.1", "::1"])
def test_what_came_to_this_machine_alone_was_meant_for_it(server: str) -> None:
    assert [checked(host, server) for host in OURS] == len(OURS) * [True]
    assert [checked(host, server) for host in OTHERS] == len(OTHERS) * [False]


def test_what_came_by_another_address_may_name_any_host_unless_some_are_named() -> None:
    assert all(checked(host, "192.0.2.7") for host in [*OURS, *OTHERS])
    assert checked("k.example:443", "192.0.2.7", "k.example", "localhost")
    assert not checked("k.example.evil", "192.0.2.7", "k.example")
    assert not checked("127.0.0.1", "127.0.0.1", "k.example")  # what is named is all
    assert checked("anything", "127.0.0.1", "*")


def test_hosts_of_the_settings_are_separated_by_commas() -> None:
    settings = Settings(allowed_hosts=" K.example, localhost,,[::1], *")
    assert settings.hosts() == {"k.example", "localhost", "[::1]", "*"}


def test_two_hosts_are_none() -> None:
    host = (b"host", b"localhost")
    with pytest.raises(Misdirected):
        check_host({"headers": [host, host], "server": ("127.0.0.1", 1)}, frozenset())


async def test_every_route_but_what_shows_nothing_refuses_another_host(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"allowed_hosts": "k.example"}))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://evil") as client,
    ):
        for path in [*READS, "/login"]:
            answer = await client.get(filled(path))
            if path in PROBES or path.startswith("/v1/scores"):
                assert answer.is_success, path
            else:
                assert refused(answer, 421) == ("misdirected", ""), path


def test_a_service_on_loopback_is_not_rebound_by_a_page() -> None:
    def asked(address: str, host: str) -> Response:
        return httpx.post(
            f"{address}/v1/scores/entropy",
            json={"p": [1.0]},
            headers={"host": host},
            trust_env=False,
        )

    with serving(KULLBACK_ALLOWED_HOSTS="") as service:
        assert asked(service.address, "evil").status_code == 421
        assert asked(service.address, "localhost:1").status_code == 200
